"""Finds the purchases that cancelled units were bought with: pure, no file, no store.

Units an earlier run returned for the same cancellation are drawn first, then the newest purchase,
and of one moment the later invoice and its later row. A line is matched in full or not at all.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from reverseflow import Drawn, Purchase, shown

_DIGITS = re.compile("([0-9]+)", re.ASCII)


class Wanted(NamedTuple):
    """Units of a stock code that a row of a cancellation takes back, and when."""

    row: int
    sku: str
    quantity: int
    at: datetime


class Earlier(NamedTuple):
    """Units a ticket of an earlier run returns for this cancellation."""

    external_no: str
    drawn: Drawn


class Draw(NamedTuple):
    """Units of a row found on a line of an order; `external_no` where a ticket has them already."""

    row: int
    order_no: str
    line_no: str
    quantity: int
    external_no: str = ""


class Unmatched(NamedTuple):
    """A row for which not all units were found."""

    row: int
    code: str
    message: str


class _Lot(NamedTuple):
    """A place units can be drawn from, and how many."""

    order_no: str
    line_no: str
    units: int
    external_no: str = ""


class Matching(NamedTuple):
    """Where the units of the rows were bought, and the rows that are refused."""

    draws: list[Draw]
    unmatched: list[Unmatched]


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key by which ``"10"`` comes after ``"9"``."""
    parts = enumerate(_DIGITS.split(text))
    return tuple((int(part), "") if place % 2 else (0, part) for place, part in parts)


def match(rows: Iterable[Wanted], purchases: Sequence[Purchase], earlier: Sequence[Earlier]) -> Matching:
    """Match the rows of one cancellation invoice, in their order, against what its buyer bought."""
    by_sku: dict[str, list[Wanted]] = {}
    for row in rows:
        by_sku.setdefault(row.sku, []).append(row)
    newest_first = sorted(purchases, key=_age, reverse=True)
    matching = Matching([], [])
    for sku, wanted in by_sku.items():
        bought = [purchase for purchase in newest_first if purchase.sku == sku]
        before = [units for units in earlier if units.drawn.sku == sku]
        draws, unmatched = _match_sku(wanted, bought, before)
        matching.draws.extend(draws)
        matching.unmatched.extend(unmatched)
    return matching


def _age(purchase: Purchase) -> tuple[object, ...]:
    return purchase.placed_at, natural(purchase.order_no), natural(purchase.line_no)


def _match_sku(wanted: Sequence[Wanted], bought: Sequence[Purchase], earlier: Sequence[Earlier]) -> Matching:
    drawn = [
        _Lot(units.drawn.order_no, units.drawn.line_no, units.drawn.quantity, units.external_no)
        for units in earlier
    ]
    taken: dict[_Lot, int] = {}
    found = Matching([], [])
    for row in wanted:
        in_time = [purchase for purchase in bought if purchase.placed_at <= row.at]
        lots = [*drawn, *(_Lot(p.order_no, p.line_no, p.left) for p in in_time)]
        draws = _draw(row, lots, taken)
        if draws:
            found.draws.extend(draws)
        else:
            left = sum(lot.units - taken.get(lot, 0) for lot in lots)
            found.unmatched.append(_unmatched(row, sum(p.bought for p in in_time), left))
    again = sum(taken.get(lot, 0) for lot in drawn)
    if 0 < again < sum(lot.units for lot in drawn):
        return Matching([], [*found.unmatched, *_contradicted(found.draws, drawn)])
    return found


def _draw(row: Wanted, lots: Sequence[_Lot], taken: dict[_Lot, int]) -> list[Draw]:
    """Draw all units of a row, noting what is `taken`; nothing where they do not suffice."""
    missing, draws = row.quantity, []
    for lot in lots:
        units = min(missing, lot.units - taken.get(lot, 0))
        if units > 0:
            draws.append((lot, units))
            missing -= units
    if missing:
        return []
    for lot, units in draws:
        taken[lot] = taken.get(lot, 0) + units
    return [Draw(row.row, lot.order_no, lot.line_no, n, lot.external_no) for lot, n in draws]


def _unmatched(row: Wanted, bought: int, left: int) -> Unmatched:
    if not bought:
        message = f"the customer had bought no {shown(row.sku)} by then"
        return Unmatched(row.row, "no_purchase_found", message)
    message = f"{row.quantity} of {shown(row.sku)} cancelled, {left} of {bought} bought are left"
    return Unmatched(row.row, "more_than_bought", message)


def _contradicted(draws: Sequence[Draw], drawn: Sequence[_Lot]) -> list[Unmatched]:
    """The rows of a code that explain only a part of what was returned under this cancellation.

    Whether they are that part again or further units, nobody can tell from here.
    """
    returned = sum(lot.units for lot in drawn)
    told: dict[int, int] = {}
    for draw in draws:
        told[draw.row] = told.get(draw.row, 0) + draw.quantity
    message = (
        f"{returned} were returned under this cancellation before, {sum(told.values())} are "
        f"cancelled here; give all of its rows in one file"
    )
    return [Unmatched(row, "differs_from_earlier_run", message) for row in told]
