"""Batches: files in, results out; a stopped batch is finished by running it again."""
