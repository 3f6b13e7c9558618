"""What is wrong with a record, all of it at once, and the names its fields go by."""

import attrs

from reverseflow import InputError

_NAMED = 50  # faults, in a message


@attrs.frozen
class Fault:
    """One fault of a record: a stable code, where (``$.lines[1].quantity``), and a sentence."""

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class RecordError(InputError):
    """A record that cannot become a command; `faults` are all that was found in it.

    `code` is the faults' code where they have one in common, else ``bad_record``.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        codes = {fault.code for fault in faults}
        more = [f"and {len(faults) - _NAMED} more"] if len(faults) > _NAMED else []
        message = "; ".join([*map(str, faults[:_NAMED]), *more])
        super().__init__(codes.pop() if len(codes) == 1 else "bad_record", message)
        self.faults = faults


def record_key(name: str) -> str:
    """The key a field has in a record: its name, but for ``for_``, which Python keeps to itself."""
    return name.removesuffix("_")
