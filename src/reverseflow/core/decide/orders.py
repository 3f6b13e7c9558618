"""Deciding on orders: recording one, updating what happened to it, money given back outside."""

from reverseflow.core.case import GOODS, Case
from reverseflow.core.commands import ExternalRefund, RecordOrder
from reverseflow.core.decide.draft import Draft, require_role
from reverseflow.core.errors import Refused, shown
from reverseflow.core.intake import order_payload, order_time
from reverseflow.core.money import format_amount
from reverseflow.core.reading import amount_in
from reverseflow.core.values import JsonObject, time_text, utc

_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")
_LINE_FACTS = ("kind", "sku", "quantity", "unit_price", "discount", "tax", "paid")


def record(draft: Draft, order: RecordOrder) -> None:
    """Record a new order; for a known one update its facts in time, never its amounts."""
    payload = order_payload(order, draft.rulebook.platform.code)
    if not draft.case.exists:
        draft.now = min(draft.now, utc(order_time(order) or draft.now))
        draft.emit("order_recorded", "", payload)
        return
    _require_same_order(draft.case, payload)
    changes = _changed_facts(draft.case, payload)
    if changes:
        times = [utc(moment) for name in _TIMES if name in changes and (moment := getattr(order, name))]
        if times and draft.case.last_at is not None:
            draft.now = max(draft.case.last_at, min(draft.now, max(times)))
        draft.emit("order_updated", "", changes)


def _require_same_order(case: Case, payload: JsonObject) -> None:
    """Refuse an order that contradicts the recorded one, naming the field."""
    for name in ("platform", "shop", "currency", "price_includes_tax"):
        if payload[name] != getattr(case, name):
            _differs(case, name, getattr(case, name), payload[name])
    told = {line["line_no"]: line for line in payload["lines"]}
    if list(told) != list(case.lines):
        _differs(case, "lines", list(case.lines), list(told))
    for line_no, line in case.lines.items():
        for name in _LINE_FACTS:
            if told[line_no][name] != getattr(line, name):
                _differs(case, f"lines.{line_no}.{name}", getattr(line, name), told[line_no][name])
    paid = {payment["payment_no"]: (payment["tender"], payment["amount"]) for payment in payload["payments"]}
    known = {payment.payment_no: (payment.tender, payment.amount) for payment in case.payments.values()}
    if paid != known:
        _differs(case, "payments", known, paid)
    for told_payment in payload["payments"]:
        number, outside = told_payment["payment_no"], told_payment["refunded"]
        if outside > case.payments[number].refunded:
            raise Refused(
                "order_differs",
                f"payments.{number}.refunded: more than is known; record it as external_refund",
                f"payments.{number}.refunded",
            )


def _differs(case: Case, field: str, known: object, told: object) -> None:
    raise Refused(
        "order_differs",
        f"the order {shown(case.order_no)} is known with another {field}: {shown(known)}, told {shown(told)}",
        field,
    )


def _changed_facts(case: Case, payload: JsonObject) -> JsonObject:
    """The times and counts told that are not known yet; what is not told is left as it is."""
    changes: JsonObject = {
        name: payload[name]
        for name in _TIMES
        if payload.get(name) is not None and payload[name] != time_text(getattr(case, name))
    }
    lines = []
    for told in payload["lines"]:
        if told["kind"] == GOODS:
            line = case.lines[told["line_no"]]
            shipped, received = (
                max(told["shipped"], line.shipped),
                max(told["received"], line.received),
            )
            if (shipped, received) != (line.shipped, line.received):
                lines.append([line.line_no, shipped, received])
    if lines:
        changes["lines"] = lines
    return changes


def external_refund(draft: Draft, command: ExternalRefund) -> None:
    """Record money given back outside the engine, within what is left of the payment."""
    require_role(draft, command, ("finance", "platform", "system", "operations"))
    case = draft.case
    payment = case.payments.get(command.payment_no)
    if payment is None:
        raise Refused(
            "unknown_payment", f"the order has no payment {shown(command.payment_no)}", "payment_no"
        )
    amount = amount_in(command.amount, case.currency, "amount")
    if not 0 < amount <= payment.left:
        raise Refused(
            "amount_above_paid",
            f"amount: {shown(command.amount)} given, {format_amount(payment.left, case.currency)} "
            f"is left of payment {payment.payment_no}",
            "amount",
        )
    payload: JsonObject = {"payment_no": payment.payment_no, "amount": amount}
    if command.reference:
        payload["reference"] = command.reference
    draft.emit("external_refund_recorded", "", payload)
