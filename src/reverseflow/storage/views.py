"""What a person looks at: a ticket with everything around it, an order, finance's queue.

Each function asks one reading snapshot; `Engine.view` opens it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import BuyerFacts
from reverseflow.core.events import Event
from reverseflow.core.legs import OPEN_STATUSES, REVIEW, SETTLEMENT, unmet_wait
from reverseflow.core.values import JsonObject, time_text
from reverseflow.storage.store import Store

ORDER_LIST = (
    "order_no", "platform", "shop", "currency", "paid", "reserved", "refunded", "placed_at", "paid_at",
    "shipped_at", "received_at", "finished_at", "version", "tickets",
)  # fmt: skip
_PAGE = 200


@attrs.frozen
class OrderView:
    """An order as it stands, and who bought it (personal data, unmasked)."""

    case: Case
    buyer: BuyerFacts


@attrs.frozen
class TicketView:
    """A ticket with its case, its events, its buyer and how often he applied before (S-34).

    `deliveries` maps the key of a payout's instruction to (state, attempts, last error).
    """

    case: Case
    ticket: Ticket
    buyer: BuyerFacts
    past_tickets: int
    events: tuple[Event, ...]
    deliveries: dict[str, tuple[str, int, str]]


def order_view(store: Store, order_no: str) -> OrderView | None:
    """An order with its buyer, None when it is not known."""
    case = store.load([order_no]).get(order_no)
    return None if case is None else OrderView(case, _buyer(store, order_no))


def ticket_views(store: Store, order_nos: Sequence[str], name: str) -> list[TicketView]:
    """The tickets of these orders with this number, external number or apply id."""
    return [
        _ticket_view(store, case, ticket)
        for _, case in sorted(store.load(order_nos).items())
        for ticket in case.tickets.values()
        if name in (ticket.ticket_no, ticket.external_no, ticket.apply_id)
    ]


def _ticket_view(store: Store, case: Case, ticket: Ticket) -> TicketView:
    events = tuple(
        event for event, _, _ in store.events(case.order_no) if event.ticket_no == ticket.ticket_no
    )
    keys = [payout.key for payout in ticket.payouts if payout.key]
    delivered = store.bulk.select(
        "instruction_key, state, attempts, last_error", "outbox", "instruction_key", keys,
        where="tenant_id = ?", given=(store.tenant,),
    )  # fmt: skip
    buyer = _buyer(store, case.order_no)
    return TicketView(
        case, ticket, buyer, _past_tickets(store, buyer.account, ticket), events,
        {row[0]: (row[1], row[2], row[3]) for row in delivered},
    )  # fmt: skip


def _buyer(store: Store, order_no: str) -> BuyerFacts:
    found = store.bulk.select(
        "account, level, name, phone, address", "personal", "order_no", [order_no],
        where="tenant_id = ?", given=(store.tenant,),
    )  # fmt: skip
    if not found:
        return BuyerFacts()
    account, level, name, phone, address = found[0]
    return BuyerFacts(account=account, level=level, name=name, phone=phone, address=address)


def _past_tickets(store: Store, account: str, ticket: Ticket) -> int:
    """How many tickets the account had opened before this one, on all its orders."""
    if not account:
        return 0
    found = _rows(
        store,
        "SELECT count(*) FROM personal p JOIN tickets t ON t.tenant_id = p.tenant_id "
        "AND t.order_no = p.order_no WHERE p.tenant_id = ? AND p.account = ? "
        "AND (t.applied_at < ? OR (t.applied_at = ? AND t.ticket_no < ?))",
        [store.tenant, account, *[time_text(ticket.applied_at)] * 2, ticket.ticket_no],
    )
    return int(found[0][0])


def order_list(store: Store, *, limit: int, offset: int = 0) -> list[JsonObject]:
    """Orders, the one placed last first: the columns of `ORDER_LIST`, amounts in minor units."""
    columns = ", ".join(f"c.{name}" for name in ORDER_LIST[:-1])
    found = _rows(
        store,
        f"SELECT {columns}, (SELECT count(*) FROM tickets t WHERE t.tenant_id = c.tenant_id "
        "AND t.order_no = c.order_no) FROM cases c WHERE c.tenant_id = ? "
        "ORDER BY coalesce(c.placed_at, c.paid_at, '') DESC, c.order_no "
        f"LIMIT {int(limit)} OFFSET {int(offset)}",
        [store.tenant],
    )
    return [dict(zip(ORDER_LIST, row, strict=True)) for row in found]


def releasable(store: Store, *, limit: int, offset: int = 0) -> list[tuple[Case, Ticket]]:
    """Finance's queue (S-37): approved, the money due and waiting for nothing; oldest first."""
    found: list[tuple[Case, Ticket]] = []
    for page in _reviewed_unreleased(store):
        cases = store.load(order_no for order_no, _ in page)
        for order_no, ticket_no in page:
            ticket = cases[order_no].tickets[ticket_no]
            if _is_releasable(ticket):
                found.append((cases[order_no], ticket))
        if len(found) >= offset + limit:
            break
    return found[offset : offset + limit]


def _is_releasable(ticket: Ticket) -> bool:
    """Whether nothing but finance stands between a ticket and its money."""
    legs = ticket.legs
    return (
        not ticket.closing
        and legs.get(REVIEW, "approved") == "approved"
        and legs.get(SETTLEMENT) == "due"
        and unmet_wait(SETTLEMENT, legs, ticket.refund_timing) is None
    )


def _reviewed_unreleased(store: Store) -> Iterator[list[tuple[str, str]]]:
    """(order, ticket) numbers of open tickets that were reviewed and not released, in pages."""
    marks = ", ".join("?" for _ in OPEN_STATUSES)
    last: tuple[str, str, str] = ("", "", "")
    while True:
        found = _rows(
            store,
            "SELECT reviewed_at, order_no, ticket_no FROM tickets WHERE tenant_id = ? "
            f"AND status IN ({marks}) AND released_at IS NULL AND (reviewed_at > ? "
            "OR (reviewed_at = ? AND (order_no > ? OR (order_no = ? AND ticket_no > ?)))) "
            f"ORDER BY reviewed_at, order_no, ticket_no LIMIT {_PAGE}",
            [store.tenant, *OPEN_STATUSES, last[0], last[0], last[1], last[1], last[2]],
        )
        if not found:
            return
        yield [(row[1], row[2]) for row in found]
        last = (found[-1][0], found[-1][1], found[-1][2])


def _rows(store: Store, statement: str, given: Sequence[Any]) -> list[Any]:
    marked = statement.replace("?", store.bulk.mark)
    return list(store.connection.exec_driver_sql(marked, tuple(given)).fetchall())
