"""How values stand in lists and details: times, masked personal data, amounts of documents."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from reverseflow.core.errors import UsageError, shown

if TYPE_CHECKING:
    from reverseflow.core.commands import BuyerFacts

_MASK = "***"
#: How many characters of a buyer's facts stay readable at the beginning and at the end.
_READABLE = {"account": (1, 1), "name": (1, 0), "phone": (0, 4), "address": (6, 0)}


def when(moment: datetime | str | None) -> str | None:
    """A UTC moment (or its stored text) as it is printed: ``2026-05-01T02:00:00Z``."""
    if not moment:
        return None
    text = moment if isinstance(moment, str) else moment.astimezone(UTC).isoformat()
    return text[: len("2026-05-01T02:00:00")] + "Z"


def moment_between(text: str | None, option: str, *, end: bool = False) -> str | None:
    """The stored form of a filter's bound: an ISO 8601 time with an offset, or a day in UTC.

    A day as the upper bound (`end`) is meant whole.
    """
    from reverseflow.core.values import time_text

    if not text:
        return None
    try:
        if len(text) == len("2026-05-01"):
            day = date.fromisoformat(text)
            return time_text(datetime.combine(day, time.max if end else time.min, UTC))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            "bad_time", f"{option}: {shown(text)} is neither a day nor an ISO 8601 time"
        ) from None
    if moment.tzinfo is None:
        raise UsageError("time_without_offset", f"{option}: {shown(text)} has no offset; write +08:00 or Z")
    return time_text(moment.astimezone(UTC))


def masked(name: str, value: str) -> str:
    """A personal value with its middle hidden: ``a***e``, ``***4567``."""
    head, tail = _READABLE[name]
    if len(value) <= 2 * (head + tail):
        head, tail = min(head, 1), 0
    return value and value[:head] + _MASK + value[len(value) - tail :]


def buyer_document(buyer: "BuyerFacts", *, reveal: bool) -> dict[str, str]:
    """The buyer's facts, masked unless they are to be revealed."""
    facts = {name: getattr(buyer, name) for name in _READABLE}
    told = facts if reveal else {name: masked(name, value) for name, value in facts.items()}
    return {"account": told.pop("account"), "level": buyer.level, **told}
