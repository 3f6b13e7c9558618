"""What leaves the engine after an event: instructions to move money and stock, one key each.

A key is made of what is meant (ticket, kind, payment or line), never of when or how often it was
tried, so that a retry can never become a second payment.
"""

from collections.abc import Iterator

import attrs

from reverseflow.core.case import Case, Ticket
from reverseflow.core.events import Event
from reverseflow.core.money import format_amount
from reverseflow.core.values import JsonObject

INSTRUCTION_KINDS = ("refund", "charge", "compensate", "stock_in", "stock_out", "notify")
MONEY_KINDS = ("refund", "charge", "compensate")


@attrs.frozen
class Instruction:
    """One thing to be done outside; `amount` in minor units of `currency`, None for goods."""

    key: str
    kind: str
    ticket_no: str
    order_no: str
    currency: str
    payment_no: str = ""
    amount: int | None = None
    lines: tuple[JsonObject, ...] = ()
    attempt: int = 1

    def document(self) -> JsonObject:
        """The instruction in the interchange format, amounts as decimal texts."""
        return {
            "key": self.key,
            "kind": self.kind,
            "ticket_no": self.ticket_no,
            "order_no": self.order_no,
            "payment_no": self.payment_no,
            "amount": None if self.amount is None else format_amount(self.amount, self.currency),
            "currency": self.currency,
            "lines": list(self.lines),
            "attempt": self.attempt,
        }


def instructions_of(event: Event, case: Case) -> Iterator[Instruction]:
    """The instructions an event gives, `case` being the state after it."""
    if event.kind == "settlement_released" and "paid_by" not in event.payload:
        yield from _refunds(case, case.tickets[event.ticket_no])
    elif event.kind == "payout_retried" and event.payload.get("instruct"):
        refunds = _refunds(case, case.tickets[event.ticket_no])
        yield from (told for told in refunds if told.key == event.payload["key"])
    elif event.kind == "goods_inspected":
        yield from _stock_in(case, event)


def _refunds(case: Case, ticket: Ticket) -> Iterator[Instruction]:
    lines = tuple(
        {
            "sku": case.lines[line.line_no].sku,
            "quantity": line.quantity,
            "disposition": line.disposition or None,
        }
        for line in ticket.lines
        if line.quantity
    )
    for payout in ticket.payouts:
        yield Instruction(
            payout.key, "refund", ticket.ticket_no, case.order_no, case.currency,
            payout.payment_no, payout.amount, lines,
        )  # fmt: skip


def _stock_in(case: Case, event: Event) -> Iterator[Instruction]:
    for line_no, _, accepted, _, disposition in event.payload["inspected"]:
        if accepted and disposition != "missing":
            yield Instruction(
                f"{event.ticket_no}:stock_in:{line_no}:{disposition}", "stock_in", event.ticket_no,
                case.order_no, case.currency,
                lines=({"sku": case.lines[line_no].sku, "quantity": accepted, "disposition": disposition},),
            )  # fmt: skip
