"""What must hold of a case at every moment, checked from its tickets up; `verify` runs it."""

from collections.abc import Iterator

from reverseflow.core.case import Case, Claim
from reverseflow.core.legs import FINAL, SETTLEMENT, current_wait


def broken_invariants(case: Case) -> list[str]:
    """One sentence for everything that does not add up in a case; empty when all is well."""
    return [*_lines(case), *_payments(case), *_order(case), *_tickets(case)]


def _lines(case: Case) -> Iterator[str]:
    """Q1, M2: units claimed ≤ bought; reserved and refunded ≤ paid; the ledger is its tickets."""
    for line_no, line in case.lines.items():
        claim = case.claims.get(line_no, Claim())
        if not 0 <= claim.units <= line.quantity:
            yield f"line {line_no}: {claim.units} units claimed of {line.quantity}"
        if claim.reserved < 0 or claim.refunded < 0 or claim.given > line.paid:
            yield f"line {line_no}: {claim.reserved} reserved and {claim.refunded} refunded of {line.paid}"
        units = money = 0
        for ticket in case.tickets.values():
            own = None if ticket.closing else ticket.line(line_no)
            if own is not None:
                units, money = units + own.quantity, money + own.value
        if (units, money) != (claim.units, claim.given):
            ledger = f"the ledger has {claim.units} and {claim.given}"
            yield f"line {line_no}: tickets claim {units} units and {money}, {ledger}"
        if sum(amount for _, amount in line.paid_by) != line.paid:
            yield f"line {line_no}: its tenders do not add up to {line.paid}"


def _payments(case: Case) -> Iterator[str]:
    """M1: per payment, settled and reserved ≤ captured."""
    for payment in case.payments.values():
        if payment.reserved < 0 or payment.refunded < 0 or payment.left < 0:
            yield (
                f"payment {payment.payment_no}: {payment.reserved} reserved and "
                f"{payment.refunded} refunded of {payment.amount}"
            )
        reserved = sum(
            payout.amount
            for ticket in case.tickets.values()
            if not ticket.closing
            for payout in ticket.payouts
            if payout.payment_no == payment.payment_no and payout.state != "settled"
        )
        if reserved != payment.reserved:
            ledger = f"the ledger has {payment.reserved}"
            yield f"payment {payment.payment_no}: tickets reserve {reserved}, {ledger}"


def _order(case: Case) -> Iterator[str]:
    """M3: what was paid for the lines is what the payments add up to."""
    lines = sum(line.paid for line in case.lines.values())
    if lines != case.paid:
        yield f"lines add up to {lines}, payments to {case.paid}"


def _tickets(case: Case) -> Iterator[str]:
    """M9, L3: no negative refund; every open ticket is waited for by somebody."""
    for ticket in case.tickets.values():
        if ticket.total < 0 or ticket.total != sum(payout.amount for payout in ticket.payouts):
            yield f"ticket {ticket.ticket_no}: total {ticket.total} is not what its payouts add up to"
        if any(line.accepted + line.rejected > line.received for line in ticket.lines):
            yield f"ticket {ticket.ticket_no}: more inspected than received"
        settled = bool(ticket.payouts) and all(payout.state == "settled" for payout in ticket.payouts)
        if ticket.payouts and settled != (ticket.legs.get(SETTLEMENT) == "settled"):
            yield f"ticket {ticket.ticket_no}: its settlement is not what became of its payouts"
        waits = None if ticket.closing else current_wait(ticket.legs, ticket.refund_timing)
        if waits is not None and not ticket.owner:
            yield f"ticket {ticket.ticket_no}: nobody is waited for while {waits[0]} is {waits[1]}"
        if (
            waits is None
            and not ticket.closing
            and any(s not in FINAL[leg] for leg, s in ticket.legs.items())
        ):
            yield f"ticket {ticket.ticket_no}: waits for ever"
