"""Intake: an order as told becomes what was paid for each line, exactly and once.

Order-level discounts are spread over the lines here and stored; afterwards there are only
additions. What the lines, shipping and charges add up to must be what was paid.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from reverseflow.core.case import CHARGE, FUNDERS, GOODS, MONEY_TENDERS, SHIPPING, TENDERS
from reverseflow.core.commands import LineFacts, RecordOrder, TaxFacts
from reverseflow.core.currencies import exponent_of
from reverseflow.core.errors import AmountError, Refused, shown
from reverseflow.core.money import MAX_MINOR, allocate, format_amount, parse_amount, percent_of
from reverseflow.core.values import JsonObject, time_text, utc

MAX_QUANTITY = 10**9
_RATE = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?", re.ASCII)
_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")


def amount_in(text: object, currency: str, field: str, *, signed: bool = False) -> int:
    """Minor units of an amount in a record; refused with the field's path when it is not one."""
    try:
        minor = parse_amount(text, currency)
    except AmountError as error:
        raise Refused(error.code, f"{field}: {error.message}", field) from None
    if minor < 0 and not signed:
        raise Refused("negative_amount", f"{field}: {shown(text)} is below zero", field)
    return minor


def quantity_in(value: int, field: str, minimum: int = 1) -> int:
    """A count of units; refused outside `minimum`..10^9."""
    if type(value) is not int or not minimum <= value <= MAX_QUANTITY:
        raise Refused(
            "bad_quantity",
            f"{field}: {shown(value)} is not a whole number from {minimum} up",
            field,
        )
    return value


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
                "shipped": _units(facts.shipped, quantity, bool(order.shipped_at), f"{path}.shipped"),
                "received": _units(facts.received, quantity, bool(order.received_at), f"{path}.received"),
                "extra": _extra(facts),
            }
        )
    _spread_discounts(order, lines)
    for index, (facts, line) in enumerate(zip(order.lines, lines, strict=True)):
        _price_line(order, facts, line, f"lines[{index}]")
    return lines


def _units(told: int | None, quantity: int, all_of_them: bool, field: str) -> int:
    if told is None:
        return quantity if all_of_them else 0
    if not 0 <= quantity_in(told, field, 0) <= quantity:
        raise Refused("bad_quantity", f"{field}: {told} is more than the {quantity} bought", field)
    return told


def _extra(facts: LineFacts) -> JsonObject:
    extra = {"bundle": facts.bundle, "category": facts.category, "gift": facts.gift}
    return {key: value for key, value in extra.items() if value}


def _spread_discounts(order: RecordOrder, lines: list[JsonObject]) -> None:
    """Each order-level discount over the lines without a platform split, by their amounts."""
    currency = order.currency
    codes: list[tuple[str, int]] = []
    for index, told in enumerate(order.discounts):
        if told.funded_by not in FUNDERS:
            raise Refused("unknown_funder", f"discounts[{index}].funded_by: {shown(told.funded_by)}")
        codes.append((told.code, amount_in(told.amount, currency, f"discounts[{index}].amount")))
    open_lines = [line for facts, line in zip(order.lines, lines, strict=True) if facts.paid is None]
    if len(open_lines) < len(lines):
        codes = _after_platform_split(order, lines, codes)
    left = [line["unit_price"] * line["quantity"] - line["discount"] for line in open_lines]
    weights = list(left)
    for code, amount in codes:
        if amount == 0:
            continue
        if amount > sum(left):
            raise Refused(
                "discount_above_price",
                f"discounts: {shown(code)} takes {format_amount(amount - sum(left), currency)} "
                f"more than the lines are worth",
                "discounts",
            )
        shares = allocate(amount, weights)
        if any(part > rest for part, rest in zip(shares, left, strict=True)):
            shares = allocate(amount, left)
        for position, part in enumerate(shares):
            if part:
                open_lines[position]["discounts"].append([code, part])
                left[position] -= part


def _after_platform_split(
    order: RecordOrder, lines: list[JsonObject], codes: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Take what the lines with a platform's own split already bear off the order's discounts."""
    left = [amount for _, amount in codes]
    for index, (facts, line) in enumerate(zip(order.lines, lines, strict=True)):
        if facts.paid is None:
            continue
        net = line["unit_price"] * line["quantity"] - line["discount"]
        paid = amount_in(facts.paid, order.currency, f"lines[{index}].paid")
        if not order.price_includes_tax:
            paid -= _tax(order, facts, paid, f"lines[{index}]", included=True)
            if paid < 0:
                raise Refused("tax_above_price", f"lines[{index}].tax: more than was paid for the line")
        if paid > net:
            raise Refused(
                "paid_above_price",
                f"lines[{index}].paid: {shown(facts.paid)} is more than price less discount, "
                f"{format_amount(net, order.currency)}",
            )
        borne = net - paid
        for position, (code, _) in enumerate(codes):
            part = min(borne, left[position])
            if part:
                line["discounts"].append([code, part])
                left[position] -= part
                borne -= part
        if borne:
            line["discounts"].append(["platform_split", borne])
    if all(facts.paid is not None for facts in order.lines):
        return []
    return [(code, amount) for (code, _), amount in zip(codes, left, strict=True)]


def _price_line(order: RecordOrder, facts: LineFacts, line: JsonObject, path: str) -> None:
    net = line["unit_price"] * line["quantity"] - line["discount"]
    net -= sum(part for _, part in line["discounts"])
    line["tax"] = _tax(order, facts, net, path)
    if order.price_includes_tax and line["tax"] > net:
        raise Refused("tax_above_price", f"{path}.tax: {shown(facts.tax)} is more than the line")
    line["paid"] = net if order.price_includes_tax else net + line["tax"]


def _tax(order: RecordOrder, facts: LineFacts, net: int, path: str, *, included: bool | None = None) -> int:
    """The tax of a line: as told, else from its rates, half up to the minor unit on the line.

    Rates on top are rounded one by one; rates within one price share its net, so they are one.
    """
    if facts.tax is not None:
        return amount_in(facts.tax, order.currency, f"{path}.tax")
    told, rates = 0, []
    for index, tax in enumerate(facts.taxes):
        where = f"{path}.taxes[{index}]"
        if tax.amount is not None:
            told += amount_in(tax.amount, order.currency, f"{where}.amount")
        else:
            rates.append(_rate(tax, where))
    if order.price_includes_tax if included is None else included:
        return told + percent_of(net - told, sum(rates), included=True)
    return told + sum(percent_of(net, rate) for rate in rates)


def _rate(tax: TaxFacts, path: str) -> int:
    """A percentage in ten-thousandths of a percent."""
    match = _RATE.fullmatch(tax.rate)
    if match is None:
        raise Refused("bad_rate", f"{path}.rate: {shown(tax.rate)} is not a percentage such as 20")
    return int(match[1] + (match[2] or "").ljust(4, "0"))


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
