"""Small values every other room of the core uses: who acts, and when."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import attrs

from reverseflow.core.errors import Refused, shown

#: A payload of an event: JSON values only, amounts in minor units.
JsonObject = dict[str, Any]

_T = TypeVar("_T")


def replaced(value: _T, **changes: Any) -> _T:
    """A frozen value with some fields changed: `attrs.evolve` for values whose fields are all
    positional, several times as fast (it is called for every event)."""
    shape = _SHAPES.get(type(value)) or _shape(type(value))
    positions, fields_of = shape
    fields = list(fields_of(value))
    for name, change in changes.items():
        fields[positions[name]] = change
    return type(value)(*fields)


_Shape = tuple[dict[str, int], Callable[[Any], tuple[Any, ...]]]
_SHAPES: dict[Any, _Shape] = {}


def _shape(type_: Any) -> _Shape:
    names = [field.name for field in attrs.fields(type_)]
    return _SHAPES.setdefault(type_, ({name: place for place, name in enumerate(names)}, attrgetter(*names)))


#: Times beyond these are mistakes, and leave no room to count from.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

ROLES = ("buyer", "operations", "finance", "warehouse", "platform", "system")


@attrs.frozen
class Actor:
    """Who does it: a role, and an id within that role (``operations:li``)."""

    role: str
    id: str = ""

    @classmethod
    def parse(cls, text: str) -> "Actor":
        """``"operations:li"`` → `Actor`; the id is normalised so that one person has one name."""
        role, _, name = text.partition(":")
        if role not in ROLES:
            raise Refused(
                "unknown_role",
                f"{shown(text)} does not begin with a role ({', '.join(ROLES)})",
                "actor",
            )
        return cls(role, normalised(name))

    def __str__(self) -> str:
        return f"{self.role}:{self.id}" if self.id else self.role


SYSTEM = Actor("system")


def normalised(name: str) -> str:
    """One spelling per identity: NFKC, case folded, without spaces and invisible characters."""
    if name.isascii() and name.isalnum() and name.islower():
        return name
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c.isprintable() and not c.isspace())


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without an offset is refused."""
    if moment.tzinfo is None:
        raise Refused("time_without_offset", f"{shown(moment.isoformat())} has no offset from UTC", "at")
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or not _EARLIEST <= in_utc <= _LATEST:
        raise Refused("time_out_of_range", f"{shown(moment.isoformat())} is no time of an order", "at")
    return in_utc


@lru_cache(maxsize=8192)  # a moment is written many times: in the event, its hash, the rows
def time_text(moment: datetime | None) -> str | None:
    """A UTC moment in the one stored form, which sorts as text: ``2026-05-01T02:00:00.000000Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


@lru_cache(maxsize=8192)
def parse_time_text(text: str | None) -> datetime | None:
    """The inverse of `time_text`."""
    return None if text is None else datetime.fromisoformat(text)
