"""A Shopify order becomes an order record: what was paid is its ``total_price``.

Totals decide. Discounts are what `total_discounts` says, whatever codes are listed; tax given
only for the whole order is spread over the lines by their amounts. Where lines, shipping, tax and
discounts do not come to the total, the engine refuses the order and names the difference.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from reverseflow import (
    BuyerFacts,
    ChargeFacts,
    DiscountFacts,
    LineFacts,
    PaymentFacts,
    RecordOrder,
    ShippingFacts,
    allocate,
    format_amount,
)
from reverseflow_generic_web.shopify_fields import Node

CAPTURED = ("paid", "partially_refunded", "refunded")
TENDERS = {"gift_card": "gift_card", "shopify_store_credit": "store_credit"}


class Line(NamedTuple):
    """A line item in minor units: `net` is its price less its own discounts."""

    node: Node
    line_no: str
    quantity: int
    price: int
    discount: int
    tax: int
    shipped: int
    delivered: int

    @property
    def net(self) -> int:
        """What it costs, before order-level discounts and tax."""
        return self.price * self.quantity - self.discount


def order_of(order: Node, shop: str) -> RecordOrder:
    """The order record of a payload; `PayloadFault` where a field cannot be read."""
    currency = order.currency("currency")
    lines = _with_order_tax(order, _lines(order, currency), currency)
    if not lines:
        raise order.fault("no_lines", "line_items", "an order has at least one line")
    placed = order.time("created_at")
    done = _done(order)
    return RecordOrder(
        order_no=order.identity("id", required=True),
        shop=shop,
        currency=currency,
        placed_at=placed,
        paid_at=order.time("processed_at") or placed,
        shipped_at=_first([f.time("created_at") for f in done]) or _fulfilled_at(order),
        received_at=_first([f.time("updated_at") for f in done if _is_delivered(f)]),
        finished_at=order.time("closed_at"),
        buyer=_buyer(order),
        price_includes_tax=order.flag("taxes_included"),
        lines=tuple(_line_facts(line, currency) for line in lines),
        discounts=_discounts(order, lines, currency),
        shipping=tuple(_shipping(node, currency) for node in order.nodes("shipping_lines")),
        charges=_charges(order, currency),
        payments=payments_of(order, currency),
    )


def _lines(order: Node, currency: str) -> list[Line]:
    shipped, delivered = _units(_done(order)), _units(filter(_is_delivered, _done(order)))
    all_shipped = order.text("fulfillment_status") == "fulfilled"
    lines = []
    for node in order.nodes("line_items"):
        line_no, quantity = node.identity("id", required=True), node.count("quantity")
        fulfilled = all_shipped or node.text("fulfillment_status") == "fulfilled"
        units = quantity if fulfilled else min(quantity, shipped.get(line_no, 0))
        lines.append(
            Line(
                node, line_no, quantity, node.money("price", currency), _discount(node, currency),
                _total(node, "tax_lines", "price", currency), units,
                min(units, delivered.get(line_no, 0)),
            )
        )  # fmt: skip
    return lines


def _with_order_tax(order: Node, lines: list[Line], currency: str) -> list[Line]:
    """The lines with the order's tax spread over them, where no line has tax of its own."""
    tax = order.money("total_tax", currency)
    tax -= sum(_total(n, "tax_lines", "price", currency) for n in order.nodes("shipping_lines"))
    weights = [line.net for line in lines]
    if tax <= 0 or any(line.tax for line in lines) or min(weights, default=0) < 0:
        return lines
    if not any(weights):
        return lines
    shares = allocate(tax, weights)
    return [line._replace(tax=share) for line, share in zip(lines, shares, strict=True)]


def _line_facts(line: Line, currency: str) -> LineFacts:
    node = line.node
    return LineFacts(
        line_no=line.line_no,
        sku=node.text("sku") or node.identity("variant_id") or line.line_no,
        title=node.text("name") or node.text("title"),
        quantity=line.quantity,
        unit_price=format_amount(line.price, currency),
        discount=format_amount(line.discount, currency),
        tax=format_amount(line.tax, currency),
        shipped=line.shipped,
        received=line.delivered,
    )


def _discount(node: Node, currency: str) -> int:
    """What is off a line or a delivery: its allocations, or the total older payloads have."""
    if node.nodes("discount_allocations"):
        return _total(node, "discount_allocations", "amount", currency)
    return node.money("total_discount", currency)


def _discounts(order: Node, lines: Sequence[Line], currency: str) -> tuple[DiscountFacts, ...]:
    """The part of `total_discounts` that no line and no delivery has."""
    off = order.money("total_discounts", currency) - sum(line.discount for line in lines)
    off -= sum(_discount(node, currency) for node in order.nodes("shipping_lines"))
    if off <= 0:
        return ()
    codes = [code for node in order.nodes("discount_codes") if (code := node.text("code"))]
    code = codes[0] if len(codes) == 1 else "discount"
    return (DiscountFacts(code=code, amount=format_amount(off, currency)),)


def _shipping(node: Node, currency: str) -> ShippingFacts:
    return ShippingFacts(
        fee=format_amount(node.money("price", currency), currency),
        discount=format_amount(_discount(node, currency), currency),
        tax=format_amount(_total(node, "tax_lines", "price", currency), currency),
    )


def _charges(order: Node, currency: str) -> tuple[ChargeFacts, ...]:
    duties = order.node("original_total_duties_set").node("shop_money").money("amount", currency)
    amounts = {"tip": order.money("total_tip_received", currency), "duties": duties}
    return tuple(
        ChargeFacts(code=code, amount=format_amount(amount, currency), refundable=code == "duties")
        for code, amount in amounts.items()
        if amount
    )


def payments_of(order: Node, currency: str) -> tuple[PaymentFacts, ...]:
    """What the order was paid with: its captures, else its authorisations, else its gateway.

    A capture goes under the number of the authorisation it captures, so that an order told before
    and after it was captured is the same order.
    """
    done = [node for node in order.nodes("transactions") if node.text("status") == "success"]
    paid = [node for node in done if node.text("kind") in ("sale", "capture")]
    paid = paid or [node for node in done if node.text("kind") == "authorization"]
    amounts: dict[tuple[str, str], int] = {}
    for node in paid:
        payment = payment_no_of(node), TENDERS.get(node.text("gateway"), "cash")
        amounts[payment] = amounts.get(payment, 0) + node.money("amount", currency)
    if not paid and (total := order.money("total_price", currency)):
        names = order.value.get("payment_gateway_names")
        first = str(names[0]) if isinstance(names, list) and names else "shopify"
        gateway = order.text("gateway") or first
        amounts[gateway, TENDERS.get(gateway, "cash")] = total
    return tuple(
        PaymentFacts(payment_no=number, amount=format_amount(amount, currency), tender=tender)
        for (number, tender), amount in amounts.items()
    )


def payment_no_of(transaction: Node) -> str:
    """The number a sale, capture or authorisation is recorded under."""
    return transaction.identity("parent_id") or transaction.identity("id", required=True)


def is_captured(order: Node) -> bool:
    """Whether the money was taken, as far as the payload says."""
    return order.text("financial_status", "paid") in CAPTURED


def _done(order: Node) -> list[Node]:
    return [node for node in order.nodes("fulfillments") if node.text("status") == "success"]


def _is_delivered(fulfilment: Node) -> bool:
    return fulfilment.text("shipment_status") == "delivered"


def _fulfilled_at(order: Node) -> datetime | None:
    if order.text("fulfillment_status") != "fulfilled":
        return None
    return order.time("closed_at") or order.time("updated_at") or order.time("created_at")


def _first(moments: Sequence[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _units(fulfilments: Iterable[Node]) -> dict[str, int]:
    units: dict[str, int] = {}
    for fulfilment in fulfilments:
        for node in fulfilment.nodes("line_items"):
            line_no = node.identity("id")
            units[line_no] = units.get(line_no, 0) + node.count("quantity")
    return units


def _total(node: Node, name: str, field: str, currency: str) -> int:
    return sum(part.money(field, currency) for part in node.nodes(name))


def _buyer(order: Node) -> BuyerFacts:
    customer, address = order.node("customer"), order.node("shipping_address")
    parts = [address.text(name) for name in ("address1", "address2", "zip", "city", "country")]
    return BuyerFacts(
        account=customer.identity("id") or order.text("email"),
        name=address.text("name"),
        phone=address.text("phone") or order.text("phone"),
        address=", ".join(part for part in parts if part),
    )
