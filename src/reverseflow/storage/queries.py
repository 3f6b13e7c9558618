"""Questions to the store that are not about one case: purchases, lists, counts, what is due."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reverseflow.contracts import Drawn, Purchase
from reverseflow.core.values import JsonObject, parse_time_text, time_text
from reverseflow.storage.store import Store

#: What a list may be sorted by and shown: the columns of S-27 and their SQL.
TICKET_LIST: Mapping[str, str] = {
    "ticket_no": "t.ticket_no",
    "order_no": "t.order_no",
    "external_no": "t.external_no",
    "platform": "c.platform",
    "shop": "c.shop",
    "type": "t.type",
    "phase": "t.phase",
    "status": "t.status",
    "reason": "t.reason",
    "amount": "t.amount",
    "currency": "c.currency",
    "applied_at": "t.applied_at",
    "reviewed_at": "t.reviewed_at",
    "reviewer": "t.reviewer",
    "released_at": "t.released_at",
    "completed_at": "t.completed_at",
    "placed_at": "c.placed_at",
    "owner": "t.owner",
    "deadline": "t.deadline",
}


def purchases(store: Store, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
    """What an account bought of these SKUs up to a moment, newest first, later lines first."""
    if not account:
        return []
    bought_at = "coalesce(c.placed_at, c.paid_at)"
    columns = f"l.order_no, l.line_no, l.sku, l.quantity, l.quantity - l.claimed, {bought_at}, l.position"
    tables = (
        "order_lines l JOIN personal p ON p.tenant_id = l.tenant_id AND p.order_no = l.order_no "
        "JOIN cases c ON c.tenant_id = l.tenant_id AND c.order_no = l.order_no"
    )
    found = store.bulk.select(
        columns, tables, "l.sku", skus,
        where=f"p.tenant_id = ? AND p.account = ? AND l.kind = 'goods' AND {bought_at} <= ?",
        given=(store.tenant, account, time_text(until)),
    )  # fmt: skip
    found.sort(key=lambda row: (row[5], row[0], row[6]), reverse=True)
    return [Purchase(row[0], row[1], row[2], row[3], row[4], _time(row[5])) for row in found]


def drawn(store: Store, external_no: str) -> list[Drawn]:
    """What live tickets claim under an external number, in the order in which they were opened."""
    found = store.bulk.select(
        "t.ticket_no, t.order_no, x.line_no, l.sku, x.quantity, t.applied_at, x.position",
        "tickets t JOIN ticket_lines x ON x.tenant_id = t.tenant_id AND x.order_no = t.order_no "
        "AND x.ticket_no = t.ticket_no JOIN order_lines l ON l.tenant_id = t.tenant_id "
        "AND l.order_no = t.order_no AND l.line_no = x.line_no",
        "t.external_no", [external_no],
        where="t.tenant_id = ? AND t.closing = ''", given=(store.tenant,),
        tail="ORDER BY t.applied_at, t.ticket_no, x.position",
    )  # fmt: skip
    return [Drawn(*row[:5]) for row in found]


def _time(text: str) -> datetime:
    moment = parse_time_text(text)
    assert moment is not None
    return moment


def ticket_list(
    store: Store, filters: Sequence[tuple[str, str, Any]] = (), *, sort: str = "applied_at",
    descending: bool = False, limit: int = 50, offset: int = 0,
) -> list[JsonObject]:  # fmt: skip
    """Rows of the ticket list: filters are (column, operator, value), stable by ticket number.

    Columns are those of `TICKET_LIST`, operators ``=``, ``>=``, ``<=`` and ``in``.
    """
    where, given = ["t.tenant_id = ?"], [store.tenant]
    for column, operator, value in filters:
        sql = TICKET_LIST[column]
        if operator == "in":
            where.append(f"{sql} IN ({', '.join('?' for _ in value)})")
            given.extend(value)
        else:
            where.append(f"{sql} {_OPERATORS[operator]} ?")
            given.append(value)
    by = TICKET_LIST[sort]  # what has no value comes last, on every database
    order = f"{by} IS NULL, {by} {'DESC' if descending else 'ASC'}, t.order_no, t.ticket_no"
    statement = (
        f"SELECT {', '.join(TICKET_LIST.values())} FROM tickets t JOIN cases c "
        f"ON c.tenant_id = t.tenant_id AND c.order_no = t.order_no "
        f"WHERE {' AND '.join(where)} ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    found = _rows(store, statement, given)
    return [dict(zip(TICKET_LIST, row, strict=True)) for row in found]


_OPERATORS = {"=": "=", ">=": ">=", "<=": "<="}


def _rows(store: Store, statement: str, given: Sequence[Any]) -> list[Any]:
    marked = statement.replace("?", store.bulk.mark)
    return list(store.connection.exec_driver_sql(marked, tuple(given)).fetchall())


def counts(store: Store) -> JsonObject:
    """How many orders, tickets (by status), events and instructions (by state) there are."""
    numbers: JsonObject = {}
    for table in ("cases", "order_lines", "tickets", "events", "postings"):
        numbers[table] = _rows(store, f"SELECT count(*) FROM {table} WHERE tenant_id = ?", [store.tenant])[0][
            0
        ]
    for name, sql in (
        (
            "status",
            "SELECT status, count(*) FROM tickets WHERE tenant_id = ? GROUP BY status ORDER BY status",
        ),
        (
            "outbox",
            "SELECT state, count(*) FROM outbox WHERE tenant_id = ? GROUP BY state ORDER BY state",
        ),
    ):
        numbers[name] = {row[0]: row[1] for row in _rows(store, sql, [store.tenant])}
    return numbers


def money_totals(store: Store) -> dict[str, tuple[int, int, int]]:
    """Per currency what was paid, is reserved and was refunded, in minor units."""
    found = _rows(
        store,
        "SELECT currency, sum(paid), sum(reserved), sum(refunded) FROM cases "
        "WHERE tenant_id = ? GROUP BY currency ORDER BY currency",
        [store.tenant],
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in found}


def order_numbers(store: Store, chunk: int = 500) -> Iterator[list[str]]:
    """All order numbers in their order, some at a time."""
    last = ""
    while True:
        found = _rows(
            store,
            "SELECT order_no FROM cases WHERE tenant_id = ? AND order_no > ? "
            f"ORDER BY order_no LIMIT {chunk}",
            [store.tenant, last],
        )
        if not found:
            return
        yield [row[0] for row in found]
        last = found[-1][0]


def due_tickets(store: Store, now: datetime, limit: int = 500) -> list[tuple[str, str, str, str]]:
    """(order_no, ticket_no, command, deadline) of tickets whose deadline has passed, oldest first."""
    found = _rows(
        store,
        "SELECT order_no, ticket_no, deadline_command, deadline FROM tickets WHERE tenant_id = ? "
        f"AND deadline <= ? ORDER BY deadline, order_no, ticket_no LIMIT {limit}",
        [store.tenant, time_text(now)],
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]
