"""The audit: `verify` proves the stored rows from the events, `export` hands them to outsiders.

`verify` uses the engine's own rules. What must not depend on them is checked by an independent
program that reads nothing but the export.
"""

from reverseflow.audit.export import export
from reverseflow.audit.findings import Finding
from reverseflow.audit.verify import verify

__all__ = ["Finding", "export", "verify"]
