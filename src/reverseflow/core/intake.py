"""Intake: an order as told becomes what was paid for each line, exactly and once.

Order-level discounts are spread over the lines here and stored; afterwards there are only
additions. What the lines, shipping and charges add up to must be what was paid.
"""

from collections.abc import Sequence
from datetime import datetime

from reverseflow.core.case import CHARGE, FUNDERS, GOODS, MONEY_TENDERS, SHIPPING, TENDERS
from reverseflow.core.commands import LineFacts, RecordOrder
from reverseflow.core.currencies import exponent_of
from reverseflow.core.errors import AmountError, Refused, shown
from reverseflow.core.money import MAX_MINOR, allocate, format_amount
from reverseflow.core.pricing import price_line, spread_discounts
from reverseflow.core.reading import amount_in, quantity_in, units_in
from reverseflow.core.values import JsonObject, time_text, utc

_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")


def order_payload(order: RecordOrder, platform: str) -> JsonObject:
    """The payload of ``order_recorded``: the order with every split computed (minor units)."""
    try:
        exponent_of(order.currency)
    except AmountError as error:
        raise Refused(error.code, error.message, "currency") from None
    if not order.order_no.strip():
        raise Refused("missing_value", "order_no: an order needs a number", "order_no")
    if not order.lines:
        raise Refused("no_lines", "lines: an order has at least one line", "lines")
    goods = _goods_lines(order)
    lines = goods + _shipping_lines(order) + _charge_lines(order)
    payments = _payments(order)
    _check_sum(order, lines, payments)
    _spread_payments(lines, payments)
    payload: JsonObject = {
        "platform": order.platform or platform,
        "shop": order.shop,
        "currency": order.currency,
        "price_includes_tax": order.price_includes_tax,
        "lines": lines,
        "payments": payments,
    }
    for name in _TIMES:
        if (moment := getattr(order, name)) is not None:
            payload[name] = time_text(utc(moment))
    return payload


def order_time(order: RecordOrder) -> datetime | None:
    """When the order was paid, else placed."""
    return order.paid_at or order.placed_at


def _goods_lines(order: RecordOrder) -> list[JsonObject]:
    currency = order.currency
    lines: list[JsonObject] = []
    seen = set()
    for index, facts in enumerate(order.lines):
        path = f"lines[{index}]"
        if facts.line_no in seen or not facts.line_no or facts.line_no.startswith("#"):
            raise Refused(
                "bad_line_no",
                f"{path}.line_no: {shown(facts.line_no)} is empty, taken or begins with #",
            )
        seen.add(facts.line_no)
        quantity = quantity_in(facts.quantity, f"{path}.quantity")
        unit_price = amount_in(facts.unit_price, currency, f"{path}.unit_price")
        discount = amount_in(facts.discount, currency, f"{path}.discount")
        if discount > unit_price * quantity:
            raise Refused(
                "discount_above_price",
                f"{path}.discount: {shown(facts.discount)} is more than the line",
            )
        amount_in(format_amount(unit_price * quantity, currency), currency, path)
        lines.append(
            {
                "line_no": facts.line_no,
                "kind": GOODS,
                "sku": facts.sku,
                "title": facts.title,
                "quantity": quantity,
                "unit_price": unit_price,
                "discount": discount,
                "discounts": [],
                "returnable": facts.returnable,
                "shipped": units_in(facts.shipped, quantity, bool(order.shipped_at), f"{path}.shipped"),
                "received": units_in(facts.received, quantity, bool(order.received_at), f"{path}.received"),
                "extra": _extra(facts),
            }
        )
    spread_discounts(order, lines)
    for index, (facts, line) in enumerate(zip(order.lines, lines, strict=True)):
        price_line(order, facts, line, f"lines[{index}]")
    return lines


def _extra(facts: LineFacts) -> JsonObject:
    extra = {"bundle": facts.bundle, "category": facts.category, "gift": facts.gift}
    return {key: value for key, value in extra.items() if value}


def _other_line(kind: str, line_no: str, title: str, net: int, tax: int, order: RecordOrder) -> JsonObject:
    return {
        "line_no": line_no, "kind": kind, "sku": "", "title": title, "quantity": 1,
        "unit_price": net, "discount": 0, "discounts": [], "tax": tax,
        "paid": net if order.price_includes_tax else net + tax,
        "returnable": True, "shipped": 0, "received": 0, "extra": {},
    }  # fmt: skip


def _shipping_lines(order: RecordOrder) -> list[JsonObject]:
    lines = []
    for index, told in enumerate(order.shipping):
        path = f"shipping[{index}]"
        fee, discount, tax = (
            amount_in(getattr(told, name), order.currency, f"{path}.{name}")
            for name in ("fee", "discount", "tax")
        )
        if discount > fee:
            raise Refused("discount_above_price", f"{path}.discount: more than the fee")
        if order.price_includes_tax and tax > fee - discount:
            raise Refused("tax_above_price", f"{path}.tax: {shown(told.tax)} is more than the fee")
        if fee - discount + tax:
            line_no = "#shipping" if index == 0 else f"#shipping:{index + 1}"
            line = _other_line(SHIPPING, line_no, "shipping", fee - discount, tax, order)
            line["discount"], line["unit_price"] = discount, fee
            lines.append(line)
    return lines


def _charge_lines(order: RecordOrder) -> list[JsonObject]:
    lines: list[JsonObject] = []
    for index, told in enumerate(order.charges):
        path = f"charges[{index}]"
        amount = amount_in(told.amount, order.currency, f"{path}.amount")
        tax = amount_in(told.tax, order.currency, f"{path}.tax")
        line_no = f"#charge:{told.code}"
        while any(line["line_no"] == line_no for line in lines):
            line_no += f":{index + 1}"
        if order.price_includes_tax and tax > amount:
            raise Refused("tax_above_price", f"{path}.tax: {shown(told.tax)} is more than the charge")
        line = _other_line(CHARGE, line_no, told.code, amount, tax, order)
        line["returnable"] = told.refundable
        lines.append(line)
    return lines


def _payments(order: RecordOrder) -> list[JsonObject]:
    payments: list[JsonObject] = []
    for index, told in enumerate(order.payments):
        path = f"payments[{index}]"
        amount = amount_in(told.amount, order.currency, f"{path}.amount")
        refunded = amount_in(told.refunded, order.currency, f"{path}.refunded")
        if told.tender not in TENDERS:
            raise Refused(
                "unknown_tender",
                f"{path}.tender: {shown(told.tender)} is not one of {', '.join(TENDERS)}",
            )
        if told.funded_by not in FUNDERS:
            raise Refused("unknown_funder", f"{path}.funded_by: {shown(told.funded_by)}")
        if refunded > amount:
            raise Refused(
                "refunded_above_paid",
                f"{path}.refunded: {shown(told.refunded)} is more than was paid",
            )
        if not told.payment_no or any(p["payment_no"] == told.payment_no for p in payments):
            raise Refused("bad_payment_no", f"{path}.payment_no: {shown(told.payment_no)} is empty or taken")
        payments.append(
            {
                "payment_no": told.payment_no,
                "tender": told.tender,
                "funded_by": told.funded_by,
                "amount": amount,
                "refunded": refunded,
            }
        )
    return payments


def _check_sum(order: RecordOrder, lines: Sequence[JsonObject], payments: Sequence[JsonObject]) -> None:
    due = sum(line["paid"] for line in lines)
    paid = sum(payment["amount"] for payment in payments)
    if max(due, paid) > MAX_MINOR:
        raise Refused(
            "amount_out_of_range",
            f"payments: the order comes to more than {format_amount(MAX_MINOR, order.currency)}",
            "payments",
        )
    if due != paid:
        due_text, paid_text = (format_amount(a, order.currency) for a in (due, paid))
        difference = format_amount(paid - due, order.currency)
        raise Refused(
            "amounts_do_not_add_up",
            f"payments: {paid_text} was paid for lines, shipping and charges of {due_text} "
            f"{order.currency} (difference {difference})",
            "payments",
        )


def _spread_payments(lines: Sequence[JsonObject], payments: Sequence[JsonObject]) -> None:
    """Split what was paid for each line over the tenders; the buyer's own money takes the rest."""
    totals: dict[str, int] = {}
    for payment in payments:
        totals[payment["tender"]] = totals.get(payment["tender"], 0) + payment["amount"]
    totals = {tender: amount for tender, amount in totals.items() if amount}
    order = sorted(totals, key=lambda tender: (tender in MONEY_TENDERS, -TENDERS.index(tender)))
    left = [line["paid"] for line in lines]
    for line in lines:
        line["paid_by"] = []
    for tender in order:
        parts = left if tender == order[-1] else allocate(totals[tender], left)
        for line, part in zip(lines, parts, strict=True):
            if part:
                line["paid_by"].insert(0, [tender, part])
        left = [rest - part for rest, part in zip(left, parts, strict=True)]
