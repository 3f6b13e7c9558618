"""What can go wrong, as stable codes: refusals are values, exceptions are for the outside world.

The exit statuses of the ``reverseflow`` command are the table `ExitStatus`; every exception of
the product carries the one it leads to.
"""

from enum import IntEnum

import attrs


class ExitStatus(IntEnum):
    """What the ``reverseflow`` command tells the shell."""

    DONE = 0
    INTERNAL_ERROR = 1
    USAGE = 2
    INPUT_REFUSED = 3
    DONE_IN_PART = 4
    REFUSED = 5
    NOT_PERMITTED = 6
    PLUGIN_FAULT = 7
    STORAGE_UNAVAILABLE = 8
    SCHEMA_MISMATCH = 9
    DAMAGE_FOUND = 10
    DOWNSTREAM_UNRESOLVED = 11
    INTERRUPTED = 130


def shown(value: object, limit: int = 60) -> str:
    """An offending value as it may stand in a message: escaped, on one line, cut at `limit`."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - a stranger's value may fail in any way
        text = f"<{type(value).__name__} that cannot be shown>"
    cut = text[: limit + 1]
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return f"'{escaped[:limit]}…'" if len(escaped) > limit else f"'{escaped}'"


def said(error: BaseException) -> str:
    """What an exception of somebody else's code says, even where it cannot say it."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - as above
        text = "what it says cannot be shown"
    return f"{type(error).__name__}: {text}"


class ReverseFlowError(Exception):
    """An error with a stable code, a place (``file:row:column`` or a ticket) and an exit status."""

    exit_status = ExitStatus.INTERNAL_ERROR

    def __init__(self, code: str, message: str, *, place: str = "") -> None:
        super().__init__(code, message, place)
        self.code = code
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.message}" if self.place else f"{self.code}: {self.message}"


class InputError(ReverseFlowError):
    """An input is refused whole; nothing of it was applied."""

    exit_status = ExitStatus.INPUT_REFUSED


class UsageError(ReverseFlowError):
    """A command line, an option or a configuration file that cannot be used."""

    exit_status = ExitStatus.USAGE


class RefusedError(ReverseFlowError):
    """The rules say no to a question that has no other answer (a quote)."""

    exit_status = ExitStatus.REFUSED


class PluginError(ReverseFlowError):
    """A plugin broke its contract; the message names the plugin."""

    exit_status = ExitStatus.PLUGIN_FAULT


class StorageUnavailable(ReverseFlowError):
    """The store could not be reached or written just now; the same command is safe to run again."""

    exit_status = ExitStatus.STORAGE_UNAVAILABLE


class SchemaMismatch(ReverseFlowError):
    """The store's schema is not the one this version works with."""

    exit_status = ExitStatus.SCHEMA_MISMATCH


class DamageFound(ReverseFlowError):
    """The stored data contradicts itself."""

    exit_status = ExitStatus.DAMAGE_FOUND


class AmountError(ValueError):
    """A text that is not an amount, or an amount that is out of range."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@attrs.frozen
class Refusal:
    """The rules say no: a stable code, a sentence for a person, and the field it is about."""

    code: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Refused(Exception):
    """Raised inside the core to leave a decision early; `decide` turns it into its `Refusal`."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(code, message, field)
        self.refusal = Refusal(code, message, field)
