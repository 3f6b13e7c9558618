"""A cancellation invoice of a ledger becomes returns of what the customer bought before.

The ledger tells what happened: the goods came back and the money was given back. So each ticket
is opened, approved, received, inspected and released at the time of the cancellation. Its
external number is the number of the cancellation invoice; where an order has a ticket of that
number already and a line mended later adds to it, ``#2``, ``#3`` … follow.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple

from reverseflow import (
    Apply,
    Approve,
    BadRecord,
    Inspect,
    LineAsked,
    Passed,
    ReadContext,
    ReadItem,
    Receive,
    Record,
    Release,
    shown,
)
from reverseflow_generic_web.ledger_rows import BAD, GOODS, Entry
from reverseflow_generic_web.matching import Draw, Earlier, Wanted, match, natural

OPERATIONS, WAREHOUSE, FINANCE = "operations:ledger", "warehouse:ledger", "finance:ledger"
REASON = "other"
#: A cancellation in the ledger is a fact: a window that has passed does not undo it.
OVERRIDE = "cancelled in the ledger"
FOLLOW_UPS = (
    (Approve, "approve", OPERATIONS),
    (Receive, "receive", WAREHOUSE),
    (Inspect, "inspect", WAREHOUSE),
    (Release, "release", FINANCE),
)
RETURN_LINE = "return_line"


class Ticket(NamedTuple):
    """A return as it is applied for: lines with their units, and the rows it comes from."""

    external_no: str
    order_no: str
    lines: tuple[tuple[str, int], ...]
    rows: tuple[Entry, ...]


def read_cancellation(entries: Sequence[Entry], context: ReadContext) -> Iterator[ReadItem]:
    """The items of one cancellation invoice; a line that is not matched in full is refused."""
    goods = []
    for entry in entries:
        if entry.what == BAD:
            yield _refused(entry, entry.fault, entry.message, "failed")
        elif entry.what != GOODS:
            yield Passed(entry.row, entry.what)
        elif entry.quantity > 0:
            message = f"Quantity: {entry.quantity} on a cancellation; a minus sign is missing"
            yield _refused(entry, "bad_quantity", message)
        else:
            goods.append(entry)
    if not goods:
        return
    accounts = sorted({entry.account for entry in goods})
    if len(accounts) > 1:
        message = f"the lines name the customers {' and '.join(map(shown, accounts[:2]))}"
        yield from (_refused(entry, "mixed_customer", message) for entry in goods)
    elif not accounts[0]:
        message = "CustomerID: the line names no customer, so no purchase can be found"
        yield from (_refused(entry, "no_customer", message) for entry in goods)
    else:
        yield from _returns(goods, context)


def _refused(entry: Entry, code: str, message: str, outcome: str = "refused") -> BadRecord:
    return BadRecord(entry.row, (entry.raw,), code, message, outcome, kind=Apply.kind, id=entry.invoice)


def _returns(goods: Sequence[Entry], context: ReadContext) -> Iterator[ReadItem]:
    """The tickets and refusals for the goods one customer sent back on one invoice."""
    until = max(entry.moment for entry in goods)
    skus = sorted({entry.sku for entry in goods})
    purchases = context.purchases(goods[0].account, skus, until)
    earlier = list(_earlier(goods[0].invoice, context))
    wanted = [Wanted(e.row, e.sku, -e.quantity, e.moment) for e in goods]
    found = match(wanted, purchases, earlier)
    by_row = {entry.row: entry for entry in goods}
    for row, code, message in sorted(found.unmatched):
        yield _refused(by_row[row], code, message)
    counted: set[int] = set()
    for ticket in _tickets(goods[0].invoice, found.draws, earlier, by_row):
        parts = sum(entry.row not in counted for entry in ticket.rows)
        counted.update(entry.row for entry in ticket.rows)
        yield from _records(ticket, until, parts)


def _earlier(invoice: str, context: ReadContext) -> Iterator[Earlier]:
    """What earlier runs returned under the invoice's number and the numbers that follow it."""
    for number in count(1):
        external_no = invoice if number == 1 else f"{invoice}#{number}"
        drawn = context.drawn(external_no)
        yield from (Earlier(external_no, units) for units in drawn)
        # One beyond is asked for even where the first is gone: it may have been cancelled.
        if not drawn and number > 1:
            return


def _tickets(
    invoice: str, draws: Sequence[Draw], earlier: Sequence[Earlier], by_row: dict[int, Entry]
) -> Iterator[Ticket]:
    """The draws by ticket: those of earlier runs as they were, new ones one for each order."""
    taken: dict[str, set[str]] = {}
    told: dict[tuple[str, str], dict[str, int]] = {}
    for external_no, drawn in earlier:
        taken.setdefault(drawn.order_no, set()).add(external_no)
        lines = told.setdefault((drawn.order_no, external_no), {})
        lines[drawn.line_no] = lines.get(drawn.line_no, 0) + drawn.quantity
    rows: dict[tuple[str, str], set[int]] = {}
    for draw in draws:
        key = (draw.order_no, draw.external_no)
        rows.setdefault(key, set()).add(draw.row)
        if not draw.external_no:
            lines = told.setdefault(key, {})
            lines[draw.line_no] = lines.get(draw.line_no, 0) + draw.quantity
    for key in sorted(rows, key=lambda key: (min(rows[key]), natural(key[0]), natural(key[1]))):
        order_no, external_no = key
        yield Ticket(
            external_no or _free_number(invoice, taken.get(order_no, set())),
            order_no,
            tuple(sorted(told[key].items(), key=lambda line: natural(line[0]))),
            tuple(by_row[row] for row in sorted(rows[key])),
        )


def _free_number(invoice: str, taken: set[str]) -> str:
    if invoice not in taken:
        return invoice
    return next(no for n in count(2) if (no := f"{invoice}#{n}") not in taken)


def _records(ticket: Ticket, at: datetime, parts: int) -> Iterator[Record]:
    """The application and the steps that followed; told again, they have the same ids."""
    content = repr((ticket.external_no, ticket.lines)).encode()
    invoice = ticket.external_no.partition("#")[0]
    apply_id = f"{invoice}:{ticket.order_no}:{hashlib.sha256(content).hexdigest()[:8]}"
    row, raw = ticket.rows[0].row, tuple(entry.raw for entry in ticket.rows)
    lines = tuple(LineAsked(line_no=line_no, quantity=units) for line_no, units in ticket.lines)
    apply = Apply(
        id=apply_id, actor=OPERATIONS, at=at, order_no=ticket.order_no, type="return_refund",
        reason=REASON, lines=lines, external_no=ticket.external_no, override=OVERRIDE,
    )  # fmt: skip
    yield Record(row, apply, raw, RETURN_LINE, parts)
    for command, step, actor in FOLLOW_UPS:
        follow_up = command(id=f"{apply_id}:{step}", actor=actor, at=at, ticket_no=apply_id)
        yield Record(row, follow_up, raw, RETURN_LINE, 0)
