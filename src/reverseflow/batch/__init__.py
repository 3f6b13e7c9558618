"""Files in, records out: strict, streaming readers that need nothing but the standard library."""
