"""A quote in the interchange format: decimal texts, every figure with what it is for."""

from collections.abc import Iterable

from reverseflow.core.case import CHARGE, SHIPPING, Case, TicketLine
from reverseflow.core.money import format_amount, share
from reverseflow.core.quote import Quote
from reverseflow.core.rulebook import Rule, Verdict
from reverseflow.core.values import JsonObject


def quote_document(
    case: Case, type_: str, quote: Quote, verdicts: Iterable[tuple[Rule, Verdict]]
) -> JsonObject:
    """The quote of an application as ``reverseflow quote --json`` prints it."""

    def text(minor: int) -> str:
        return format_amount(minor, case.currency)

    return {
        "order_no": case.order_no,
        "currency": case.currency,
        "type": type_,
        "verdicts": [
            {"rule": rule.code, "outcome": verdict.outcome, "code": verdict.code}
            for rule, verdict in verdicts
        ],
        "lines": [
            {name: value if name in ("line_no", "quantity") else text(value)
             for name, value in _line(case, line).items()}
            for line in quote.lines
            if case.lines[line.line_no].kind != SHIPPING
        ],
        "freight": text(quote.freight),
        "fees": [
            {
                "code": fee.code, "plugin": fee.plugin, "amount": text(fee.amount),
                "payer": fee.payer, "why": fee.why,
            }
            for fee in quote.fees
        ],
        "tenders": [
            {
                "payment_no": payout.payment_no,
                "tender": case.payments[payout.payment_no].tender,
                "refund": text(payout.amount),
            }
            for payout in quote.payouts
        ],
        "not_returned": [
            {"what": what, "amount": text(amount), "why": why} for what, amount, why in quote.not_returned
        ],
        "strategy": quote.strategy,
        "rulebook": quote.rulebook,
        "total": text(quote.total),
    }  # fmt: skip


def _line(case: Case, claimed: TicketLine) -> JsonObject:
    """The figures of one line: list price and discounts of its units, tax in them, the refund."""
    line = case.lines[claimed.line_no]
    listed = line.unit_price * claimed.quantity
    discount = 0
    if line.kind == CHARGE:
        listed = claimed.value
    if claimed.quantity:
        added_tax = 0 if case.price_includes_tax else claimed.tax
        whole = line.discount + sum(amount for _, amount in line.discounts)
        discount = (
            listed + added_tax - claimed.value
            if claimed.asked is None
            else share(whole, claimed.quantity, line.quantity)
        )
    return {
        "line_no": line.line_no,
        "quantity": claimed.quantity,
        "list": listed,
        "discount": discount,
        "tax": claimed.tax,
        "refund": claimed.refund,
    }
