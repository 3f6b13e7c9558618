"""Comparing what is stored beside the events of a case with what its events give.

A difference names the table, the row and the column. Values of ``tickets.detail`` are not shown:
they may be personal.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Table

from reverseflow.audit.findings import Finding
from reverseflow.audit.rebuild import Rebuilt
from reverseflow.core.case import Case
from reverseflow.core.errors import shown
from reverseflow.core.events import canonical_json
from reverseflow.storage import rows, tables
from reverseflow.storage.audit_rows import CaseRows
from reverseflow.storage.bulk import Row

_OWN_FINDING = ("version", "head")
#: Of the projections, the key out of a row.
_KEYS: Mapping[str, Callable[[Sequence[Any]], tuple[Any, ...]]] = {
    table.name: itemgetter(*(table.columns.keys().index(column.name) for column in table.primary_key))
    for table in (
        tables.cases, tables.order_lines, tables.payments, tables.tickets, tables.ticket_lines,
    )
}  # fmt: skip


def differing_rows(tenant: str, stored: CaseRows, rebuilt: Rebuilt) -> Iterator[Finding]:
    """Every projection row that is missing, unexpected or different, column by column."""
    yield from _head(stored, rebuilt)
    for table, expected in _projections(tenant, rebuilt.case, rebuilt.head):
        key_of = _KEYS[table.name]
        found = {key_of(row): row for row in stored.of(table)}
        for given in expected:
            key = key_of(given)
            row = found.pop(key, None)
            place = f"{table.name} {'/'.join(map(str, key[1:]))}"
            if row is None:
                yield Finding(stored.order_no, None, "row_missing", f"{place}: there is no row")
            elif tuple(row) != given:
                yield from _columns(stored.order_no, table, place, row, given)
        for key in found:
            place = f"{table.name} {'/'.join(map(str, key[1:]))}"
            message = f"{place}: no event gives this row"
            yield Finding(stored.order_no, None, "row_unexpected", message)


def _head(stored: CaseRows, rebuilt: Rebuilt) -> Iterator[Finding]:
    """The case's version and head are those of its last event; else its tail was cut or swapped."""
    row, last = stored.of(tables.cases)[0], rebuilt.case.version
    if row.version > last:
        message = f"the case counts {row.version} events, its last one is number {last}"
        yield Finding(stored.order_no, last, "tail_cut", message)
    elif row.version < last or row.head != rebuilt.head:
        message = f"the case stands at event {row.version} with another head than event {last} has"
        yield Finding(stored.order_no, last, "head_differs", message)


def _projections(tenant: str, case: Case, head: str) -> Iterator[tuple[Table, list[Row]]]:
    order_no, lines, tickets = case.order_no, case.lines.values(), case.tickets.values()
    yield tables.cases, [rows.case_row(tenant, case, head)]
    yield tables.order_lines, [rows.line_row(tenant, case, n, line) for n, line in enumerate(lines)]
    yield (
        tables.payments,
        [rows.payment_row(tenant, case, n, p) for n, p in enumerate(case.payments.values())],
    )
    yield tables.tickets, [rows.ticket_row(tenant, order_no, ticket) for ticket in tickets]
    yield (
        tables.ticket_lines,
        [
            rows.ticket_line_row(tenant, order_no, ticket.ticket_no, n, line)
            for ticket in tickets
            for n, line in enumerate(ticket.lines)
        ],
    )


def _columns(order_no: str, table: Table, place: str, row: Sequence[Any], given: Row) -> Iterator[Finding]:
    for name, told, expected in zip(table.columns.keys(), row, given, strict=True):
        if told == expected or name in _OWN_FINDING:
            continue
        if name == "legs" and _same_legs(told, expected):
            continue
        message = f"{place}: {name} {_difference(name, told, expected)}"
        yield Finding(order_no, None, "row_differs", message)


def _same_legs(told: str, expected: str) -> bool:
    """Legs are compared without their order, which an event's canonical payload does not keep."""
    try:
        return len(told) == len(expected) and bool(json.loads(told) == json.loads(expected))
    except ValueError:
        return False


def _difference(name: str, told: Any, expected: Any) -> str:
    if name != "detail":
        return f"is {shown(told)}, its events give {shown(expected)}"
    try:
        stored, given = json.loads(told), json.loads(expected)
        differing = sorted(k for k in {*stored, *given} if stored.get(k) != given.get(k))
    except (ValueError, TypeError):
        return "cannot be read"
    return f"differs from what its events give in: {', '.join(map(shown, differing)) or 'its form'}"


def differing_postings(stored: CaseRows, rebuilt: Rebuilt) -> Iterator[Finding]:
    """Every event whose postings are not those it gives, or do not add up to zero."""
    found: dict[int, list[Any]] = {}
    for row in stored.of(tables.postings):
        found.setdefault(row.seq, []).append(row)
    for seq in sorted({*found, *(seq for seq, given in rebuilt.postings.items() if given)}):
        told = found.get(seq, [])
        balance: dict[str, int] = {}
        for row in told:
            balance[row.currency] = balance.get(row.currency, 0) + row.amount
        for currency, amount in balance.items():
            if amount:
                message = f"the postings of event {seq} add up to {amount} {shown(currency)}"
                yield Finding(stored.order_no, seq, "postings_unbalanced", message)
        currency = rebuilt.case.currency
        given = [(*posting, currency) for posting in rebuilt.postings.get(seq, ())]
        first = told[0].position if told else 0
        positions = [row.position for row in told] == list(range(first, first + len(told)))
        if not positions or [(row.account, row.amount, row.currency) for row in told] != given:
            message = f"the postings of event {seq} are not those it gives"
            yield Finding(stored.order_no, seq, "posting_differs", message)


def differing_instructions(stored: CaseRows, rebuilt: Rebuilt) -> Iterator[Finding]:
    """Every instruction of the events that the outbox does not have once, and the others in it.

    How delivery stands (state, attempts, next time, lease, error) follows from no event.
    """
    order_no = stored.order_no
    found = {row.instruction_key: row for row in stored.of(tables.outbox)}
    for key, (seq, told) in rebuilt.instructions.items():
        row = found.pop(key, None)
        if row is None:
            message = f"the outbox does not have {shown(key)}"
            yield Finding(order_no, seq, "instruction_missing", message)
            continue
        for name, is_same in (
            ("ticket_no", row.ticket_no == told.ticket_no),
            ("kind", row.kind == told.kind),
            ("seq", row.seq == seq),
            ("body", _body(row.body) == canonical_json(told.document())),
        ):
            if not is_same:
                message = f"outbox {shown(key)}: {name} is not what event {seq} gives"
                yield Finding(order_no, seq, "instruction_differs", message)
    for key, row in found.items():
        message = f"outbox {shown(key)}: no event gives this instruction"
        yield Finding(order_no, row.seq, "instruction_unexpected", message)


def _body(text: str) -> str:
    """The stored body as if at its first attempt; empty where it is not as the engine writes it."""
    try:
        body = json.loads(text)
        return canonical_json({**body, "attempt": 1}) if canonical_json(body) == text else ""
    except (ValueError, TypeError):
        return ""


def unreadable(order_no: str, error: Exception) -> Iterable[Finding]:
    """The finding for a state that the rows cannot even be compared with."""
    message = f"the events give no state that adds up: {type(error).__name__} {shown(str(error))}"
    return [Finding(order_no, None, "not_rebuilt", message)]
