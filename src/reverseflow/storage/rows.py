"""Rows of the tables and the values of the core, each way in one explicit function."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from reverseflow.core.case import Case, Claim, OrderLine, Payment, Payout, Ticket, TicketLine
from reverseflow.core.events import Event, canonical_json
from reverseflow.core.legs import in_order
from reverseflow.core.values import parse_time_text, time_text
from reverseflow.storage.bulk import Row, Update
from reverseflow.storage.tables import cases, order_lines, payments, ticket_lines, tickets

_NO_CLAIM = Claim()

CASE_UPDATE = Update(
    cases,
    (
        "placed_at",
        "paid_at",
        "shipped_at",
        "received_at",
        "finished_at",
        "paid",
        "reserved",
        "refunded",
        "version",
        "head",
        "last_at",
    ),
    ("tenant_id", "order_no", "version"),
)
LINE_UPDATE = Update(
    order_lines,
    ("shipped", "received", "claimed", "reserved", "refunded"),
    ("tenant_id", "order_no", "line_no", "claimed", "reserved", "refunded"),
)
PAYMENT_UPDATE = Update(
    payments,
    ("reserved", "refunded"),
    ("tenant_id", "order_no", "payment_no", "reserved", "refunded"),
)
TICKET_UPDATE = Update(
    tickets,
    tuple(c.name for c in tickets.columns if c.name not in ("tenant_id", "order_no", "ticket_no")),
    ("tenant_id", "order_no", "ticket_no"),
)
TICKET_LINE_UPDATE = Update(
    ticket_lines,
    tuple(
        c.name
        for c in ticket_lines.columns
        if c.name not in ("tenant_id", "order_no", "ticket_no", "line_no")
    ),
    ("tenant_id", "order_no", "ticket_no", "line_no"),
)


def _money(case: Case) -> tuple[int, int, int]:
    paid = reserved = refunded = 0
    for payment in case.payments.values():
        paid += payment.amount
        reserved += payment.reserved
        refunded += payment.refunded
    return paid, reserved, refunded


def case_row(tenant: str, case: Case, head: str) -> Row:
    """A row of ``cases``."""
    return (
        tenant, case.order_no, case.platform, case.shop, case.currency, time_text(case.placed_at),
        time_text(case.paid_at), time_text(case.shipped_at), time_text(case.received_at),
        time_text(case.finished_at), int(case.price_includes_tax), *_money(case), case.version,
        head, time_text(case.last_at),
    )  # fmt: skip


def case_update(tenant: str, old: Case, new: Case, head: str) -> Row:
    """The parameters of `CASE_UPDATE`, guarded by the version read."""
    return (
        time_text(new.placed_at), time_text(new.paid_at), time_text(new.shipped_at),
        time_text(new.received_at), time_text(new.finished_at), *_money(new), new.version, head,
        time_text(new.last_at), tenant, new.order_no, old.version,
    )  # fmt: skip


def line_row(tenant: str, case: Case, position: int, line: OrderLine) -> Row:
    """A row of ``order_lines``."""
    claim = case.claims.get(line.line_no, _NO_CLAIM)
    return (
        tenant, case.order_no, line.line_no, position, line.kind, line.sku, line.title, line.quantity,
        line.unit_price, line.discount, _pairs(line.discounts), line.tax, line.paid, _pairs(line.paid_by),
        int(line.returnable), canonical_json(line.extra) if line.extra else "{}", line.shipped,
        line.received, claim.units, claim.reserved, claim.refunded,
    )  # fmt: skip


def changed_lines(tenant: str, old: Case, new: Case) -> Iterable[Row]:
    """The parameters of `LINE_UPDATE` for every line whose claim or journey changed."""
    if old.claims is new.claims and old.lines is new.lines:
        return
    for line_no, line in new.lines.items():
        before, after = old.claims.get(line_no, _NO_CLAIM), new.claims.get(line_no, _NO_CLAIM)
        if (before is not after and before != after) or line is not old.lines[line_no]:
            yield (
                line.shipped, line.received, after.units, after.reserved, after.refunded, tenant,
                new.order_no, line_no, before.units, before.reserved, before.refunded,
            )  # fmt: skip


def payment_row(tenant: str, case: Case, position: int, payment: Payment) -> Row:
    """A row of ``payments``."""
    return (
        tenant, case.order_no, payment.payment_no, position, payment.tender, payment.funded_by,
        payment.amount, payment.reserved, payment.refunded,
    )  # fmt: skip


def changed_payments(tenant: str, old: Case, new: Case) -> Iterable[Row]:
    """The parameters of `PAYMENT_UPDATE` for every payment that changed."""
    if old.payments is new.payments:
        return
    for number, payment in new.payments.items():
        before = old.payments[number]
        if payment is not before and payment != before:
            yield (
                payment.reserved, payment.refunded, tenant, new.order_no, number,
                before.reserved, before.refunded,
            )  # fmt: skip


def _ticket_values(ticket: Ticket) -> Row:
    return (
        ticket.external_no, ticket.apply_id, ticket.type, ticket.phase, ticket.status, ticket.reason,
        ticket.first_reason, ticket.total, time_text(ticket.applied_at), ticket.opened_by,
        time_text(ticket.reviewed_at), ticket.reviewer, time_text(ticket.released_at),
        time_text(ticket.completed_at), ticket.closing, time_text(ticket.deadline),
        ticket.deadline_command, ticket.owner, ticket.rulebook, ticket.refund_timing,
        canonical_json(ticket.legs), canonical_json(ticket.asked),
        canonical_json(ticket.quote), _payouts(ticket.payouts),
        canonical_json(ticket.detail) if ticket.detail else "{}",
    )  # fmt: skip


def _payouts(payouts: Sequence[Payout]) -> str:
    return json.dumps([[p.payment_no, p.amount, p.key, p.state] for p in payouts], ensure_ascii=False)


def _pairs(pairs: Sequence[tuple[str, int]]) -> str:
    return canonical_json(pairs) if pairs else "[]"


def ticket_row(tenant: str, order_no: str, ticket: Ticket) -> Row:
    """A row of ``tickets``."""
    return (tenant, order_no, ticket.ticket_no, *_ticket_values(ticket))


def ticket_update(tenant: str, order_no: str, ticket: Ticket) -> Row:
    """The parameters of `TICKET_UPDATE`."""
    return (*_ticket_values(ticket), tenant, order_no, ticket.ticket_no)


def _ticket_line_values(position: int, line: TicketLine) -> Row:
    return (
        position, line.quantity, line.value, line.tax, _pairs(line.tenders), line.refund, line.asked,
        line.received, line.accepted, line.rejected, line.disposition,
    )  # fmt: skip


def ticket_line_row(tenant: str, order_no: str, ticket_no: str, position: int, line: TicketLine) -> Row:
    """A row of ``ticket_lines``."""
    return (tenant, order_no, ticket_no, line.line_no, *_ticket_line_values(position, line))


def ticket_line_update(tenant: str, order_no: str, ticket_no: str, position: int, line: TicketLine) -> Row:
    """The parameters of `TICKET_LINE_UPDATE`."""
    return (*_ticket_line_values(position, line), tenant, order_no, ticket_no, line.line_no)


def event_row(tenant: str, order_no: str, event: Event, payload_text: str, hash_: str) -> Row:
    """A row of ``events``."""
    return (
        tenant, order_no, event.seq, event.kind, event.ticket_no, time_text(event.at), event.actor,
        payload_text, canonical_json(event.private) if event.private else None, hash_,
    )  # fmt: skip


def event_from(row: Sequence[Any]) -> Event:
    """An event from (seq, kind, ticket_no, at, actor, payload, private)."""
    at = parse_time_text(row[3])
    assert at is not None
    return Event(
        row[0],
        row[1],
        row[2],
        at,
        row[4],
        json.loads(row[5]),
        json.loads(row[6]) if row[6] else None,
    )


CASE_COLUMNS = (
    "order_no, platform, shop, currency, placed_at, paid_at, shipped_at, received_at, finished_at, "
    "price_includes_tax, version, head, last_at"
)
LINE_COLUMNS = (
    "order_no, line_no, kind, sku, title, quantity, unit_price, discount, discounts, tax, paid, paid_by, "
    "returnable, shipped, received, extra, claimed, reserved, refunded"
)
PAYMENT_COLUMNS = "order_no, payment_no, tender, funded_by, amount, reserved, refunded"
TICKET_COLUMNS = (
    "order_no, ticket_no, type, phase, reason, legs, payouts, amount, quote, asked, applied_at, opened_by, "
    "rulebook, refund_timing, first_reason, external_no, apply_id, reviewed_at, reviewer, released_at, "
    "completed_at, closing, deadline, deadline_command, owner, detail"
)
TICKET_LINE_COLUMNS = (
    "order_no, ticket_no, line_no, quantity, value, tax, tenders, refund, asked, received, accepted, "
    "rejected, disposition"
)


def line_from(row: Sequence[Any]) -> tuple[OrderLine, Claim | None]:
    """An order line and its claim from `LINE_COLUMNS`."""
    line = OrderLine(
        row[1], row[2], row[3], row[4], row[5], row[6], row[7], _pairs_from(row[8]), row[9], row[10],
        _pairs_from(row[11]), bool(row[12]), row[13], row[14], {} if row[15] == "{}" else json.loads(row[15]),
    )  # fmt: skip
    claim = Claim(row[16], row[17], row[18]) if row[16] or row[17] or row[18] else None
    return line, claim


@lru_cache(maxsize=4096)
def _pairs_from(text: str) -> tuple[tuple[str, int], ...]:
    return () if text == "[]" else tuple((code, amount) for code, amount in json.loads(text))


def payment_from(row: Sequence[Any]) -> Payment:
    """A payment from `PAYMENT_COLUMNS`."""
    return Payment(*row[1:7])


def ticket_line_from(row: Sequence[Any]) -> TicketLine:
    """A ticket line from `TICKET_LINE_COLUMNS`."""
    return TicketLine(row[2], row[3], row[4], row[5], _pairs_from(row[6]), *row[7:13])


def ticket_from(row: Sequence[Any], lines: Sequence[TicketLine]) -> Ticket:
    """A ticket from `TICKET_COLUMNS` and its lines."""
    applied_at = parse_time_text(row[10])
    assert applied_at is not None
    return Ticket(
        row[1], row[2], row[3], row[4], in_order(json.loads(row[5])), tuple(lines),
        tuple(Payout(*payout) for payout in json.loads(row[6])), row[7], json.loads(row[8]),
        json.loads(row[9]), applied_at, row[11], row[12], row[13], row[14], row[15], row[16],
        parse_time_text(row[17]), row[18],
        parse_time_text(row[19]), parse_time_text(row[20]), row[21], parse_time_text(row[22]), row[23],
        row[24], {} if row[25] == "{}" else json.loads(row[25]),
    )  # fmt: skip


def case_from(
    row: Sequence[Any], lines: dict[str, OrderLine], claims: dict[str, Claim],
    payments: dict[str, Payment], tickets: dict[str, Ticket], buyer: str,
) -> Case:  # fmt: skip
    """A case from `CASE_COLUMNS` and its parts."""
    placed_at, paid_at, shipped_at, received_at, finished_at = map(parse_time_text, row[4:9])
    return Case(
        row[0], row[1], row[2], row[3], placed_at, paid_at, shipped_at, received_at, finished_at,
        bool(row[9]), lines, claims, payments, tickets, row[10], row[11], parse_time_text(row[12]), buyer,
    )  # fmt: skip
