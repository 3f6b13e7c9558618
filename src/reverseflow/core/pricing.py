"""What was paid for each line: its share of the order's discounts, and the tax in or on it."""

import re

from reverseflow.core.case import FUNDERS
from reverseflow.core.commands import LineFacts, RecordOrder, TaxFacts
from reverseflow.core.errors import Refused, shown
from reverseflow.core.money import allocate, format_amount, percent_of
from reverseflow.core.reading import amount_in
from reverseflow.core.values import JsonObject

_RATE = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?", re.ASCII)


def spread_discounts(order: RecordOrder, lines: list[JsonObject]) -> None:
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


def price_line(order: RecordOrder, facts: LineFacts, line: JsonObject, path: str) -> None:
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
