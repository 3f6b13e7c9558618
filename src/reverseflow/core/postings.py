"""Double-entry postings of the money events: signed minor units, each event adding up to zero.

Accounts: ``clearing:<payment>`` (what lies with the payment), ``sales``, ``refunds_reserved``
(released, not yet settled) and ``fee_income``. A debit is positive. A correction is a reversal.
"""

from collections.abc import Callable, Iterator

from reverseflow.core.case import Case, Payout
from reverseflow.core.events import Event

Posting = tuple[str, int]


def postings_of(event: Event, before: Case, after: Case) -> tuple[Posting, ...]:
    """The (account, amount) rows of an event; empty where no money moves."""
    maker = _MAKERS.get(event.kind)
    return tuple(row for row in maker(event, before, after) if row[1]) if maker else ()


def _captured(_event: Event, _before: Case, after: Case) -> Iterator[Posting]:
    for payment in after.payments.values():
        yield f"clearing:{payment.payment_no}", payment.amount - payment.refunded
        yield "sales", payment.refunded - payment.amount


def _refunded_outside(event: Event, _before: Case, _after: Case) -> Iterator[Posting]:
    yield "sales", event.payload["amount"]
    yield f"clearing:{event.payload['payment_no']}", -event.payload["amount"]


def _released(event: Event, _before: Case, after: Case) -> Iterator[Posting]:
    ticket = after.tickets[event.ticket_no]
    fees = -sum(fee[2] for fee in ticket.quote.get("fees", ()))
    yield "sales", ticket.total + fees
    yield "refunds_reserved", -ticket.total
    yield "fee_income", -fees


def _moved(event: Event, before: Case, _after: Case) -> Iterator[Posting]:
    payout = _payout(before, event)
    was, settled = payout.state == "settled", event.payload["state"] == "settled"
    amount = payout.amount * (settled - was)
    yield "refunds_reserved", amount
    yield f"clearing:{payout.payment_no}", -amount


def _payout(case: Case, event: Event) -> Payout:
    payouts = case.tickets[event.ticket_no].payouts
    return next(payout for payout in payouts if payout.key == event.payload["key"])


_MAKERS: dict[str, Callable[[Event, Case, Case], Iterator[Posting]]] = {
    "order_recorded": _captured,
    "external_refund_recorded": _refunded_outside,
    "settlement_released": _released,
    "payout_settled": _moved,
    "payout_failed": _moved,
}
