"""What a cell may hold: the characters no input may hold, and strict parsers for scalars.

Nothing is trimmed, guessed or rounded here; a cell is what it says or it is a fault. Amounts of
money have a parser of their own elsewhere.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import attrs

from reverseflow.core.errors import shown

ISO = "iso"  # among the formats of `parse_time`: ISO 8601, seconds and offset optional

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_INTEGER = re.compile("(?:-(?=0*[1-9]))?[0-9]{1,18}")  # no minus before zero
_ISO_TIME = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_LONGEST_TIME = 64


@attrs.frozen
class BadRow:
    """A row that cannot be used: where it begins (1-based line), as it came, and why."""

    row: int
    raw: str
    code: str
    message: str


class CellFault(ValueError):
    """A text that is not the value its cell is to hold: a stable code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def forbidden_character(text: str) -> tuple[int, str] | None:
    """Position and name (``U+0007``) of the first character no input may hold, or None.

    Forbidden are NUL and the other control characters but tab and line ends, bidirectional
    overrides, byte-order marks and lone surrogates.
    """
    found = None if text.isprintable() else _FORBIDDEN.search(text)
    return (found.start(), f"U+{ord(found[0]):04X}") if found else None


def parse_integer(text: str, *, minimum: int, maximum: int) -> int:
    """A whole number in ASCII digits, at most 18 of them, from `minimum` to `maximum`.

    Raises `CellFault` `not_an_integer` or `out_of_range`.
    """
    if not _INTEGER.fullmatch(text):
        message = f"{shown(text)} is not a whole number; write it in the digits 0 to 9 alone"
        raise CellFault("not_an_integer", message)
    if not minimum <= (number := int(text)) <= maximum:
        raise CellFault("out_of_range", f"{number} is not from {minimum} to {maximum}")
    return number


def parse_time(text: str, formats: Sequence[str], zone: tzinfo) -> datetime:
    """The moment `text` names, in UTC; `zone` holds where it states no offset of its own.

    `formats` are patterns of `datetime.strptime`, or `ISO`; the first that fits counts. Of two
    moments that a clock shows at the end of summer time the earlier is meant. Raises `CellFault`
    `not_a_time`, `no_such_time` (skipped by the clock) or `out_of_range`.
    """
    for pattern in formats:
        if (moment := _read_time(text, pattern)) is not None:
            break
    else:
        message = f"{shown(text)} is not a time; write it as {' or '.join(formats)}"
        raise CellFault("not_a_time", message)
    try:
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        utc = local.astimezone(UTC)
        if utc.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise CellFault("no_such_time", f"{shown(text)} was skipped by the clocks of {zone}")
    except OverflowError:
        raise CellFault("out_of_range", f"{shown(text)} is beyond the calendar") from None
    return utc


def _read_time(text: str, pattern: str) -> datetime | None:
    foreign_digit = any(c.isdecimal() and not c.isascii() for c in text[:_LONGEST_TIME])
    if len(text) > _LONGEST_TIME or foreign_digit:
        return None
    if pattern == ISO and not _ISO_TIME.fullmatch(text):
        return None
    try:
        if pattern == ISO:
            return datetime.fromisoformat(text)
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the caller states the zone
    except ValueError:
        return None
