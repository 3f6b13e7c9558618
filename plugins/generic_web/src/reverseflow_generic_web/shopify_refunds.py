"""A Shopify refund becomes an application, with the steps Shopify has already taken.

A refund whose transactions succeeded is history: it is approved, received, inspected and settled
as it was there, and nothing is left to pay. One without is applied for, and a person decides. The
engine computes what the lines allow; what Shopify gave back is the amount asked for, shipping and
all, so more is refused.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from reverseflow import (
    Apply,
    Approve,
    Command,
    ExternalRefund,
    Inspect,
    LineAsked,
    LineInspected,
    Receive,
    SettleResult,
    format_amount,
)
from reverseflow_generic_web.shopify_fields import Node
from reverseflow_generic_web.shopify_orders import payment_no_of

#: Who does it all: what the platform brings, no rule approves at once or finds too late.
PLATFORM = "platform:shopify"
#: What becomes of units by `restock_type`; "missing" are units no stock gets back.
DISPOSITIONS = {"no_restock": "missing"}
#: Where a refund does not name its currency: three decimals, as many as any shop's currency has.
#: The engine reads the amount again, in the currency of the order.
ANY_CURRENCY = "KWD"


class OrderKnown(NamedTuple):
    """What an order's payload says that a refund's own does not.

    `unshipped` units by line, of which each refund takes its own; `payments` by transaction.
    """

    currency: str
    unshipped: dict[str, int]
    payments: dict[str, str]


class Unit(NamedTuple):
    """Units of a line that are refunded, and whether they were shipped and come back."""

    line_no: str
    quantity: int
    shipped: bool
    comes_back: bool
    disposition: str


def order_known(order: Node, currency: str, shipped: dict[str, int]) -> OrderKnown:
    """What the refunds inside an order have to know of it."""
    units = {node.identity("id", required=True): node.count("quantity") for node in order.nodes("line_items")}
    unshipped = {line_no: count - shipped.get(line_no, 0) for line_no, count in units.items()}
    payments = {
        node.identity("id"): payment_no_of(node)
        for node in order.nodes("transactions")
        if node.text("kind") in ("sale", "capture", "authorization")
    }
    return OrderKnown(currency, unshipped, payments)


def commands_of(refund: Node, known: OrderKnown | None) -> Iterator[Command]:
    """The commands a refund stands for; `PayloadFault` where a field cannot be read."""
    number = refund.identity("id", required=True)
    at = refund.time("processed_at") or refund.time("created_at")
    moves = [
        node
        for node in refund.nodes("transactions")
        if node.text("kind") == "refund" and node.text("status") not in ("failure", "error")
    ]
    units = _units(refund, known)
    if not units:
        yield from _money_only(refund, moves, known, at)
        return
    currency = _currency(refund, moves, known)
    executed = bool(moves) and all(node.text("status") == "success" for node in moves)
    apply = _apply(refund, units, moves, currency)
    yield apply
    if executed:
        yield from _steps(apply, units, at)
        yield SettleResult(
            id=f"{apply.id}:settle",
            actor=PLATFORM,
            at=at,
            ticket_no=apply.id,
            result="settled",
            amount=apply.amount,
            currency=currency,
            reference=f"shopify {number}",
        )


def _apply(refund: Node, units: Sequence[Unit], moves: Sequence[Node], currency: str) -> Apply:
    number = refund.identity("id")
    back = any(unit.comes_back for unit in units)
    shipping = _shipping(refund, currency)
    amount = sum(node.money("amount", currency) for node in moves)
    if moves and amount <= shipping:
        left = format_amount(amount - shipping, currency)
        says = f"{left} is left for the lines, shipping taken off"
        raise refund.fault("bad_amount", "transactions", says)
    return Apply(
        id=f"shopify-refund:{number}",
        actor=PLATFORM,
        at=refund.time("processed_at") or refund.time("created_at"),
        order_no=refund.identity("order_id", required=True),
        type="return_refund" if back else "refund_only",
        reason="other",
        reason_text=refund.text("note"),
        lines=tuple(LineAsked(line_no=u.line_no, quantity=u.quantity) for u in units),
        amount=format_amount(amount, currency) if moves else None,
        refund_shipping=format_amount(shipping, currency),
        external_no=number,
    )


def _steps(apply: Apply, units: Sequence[Unit], at: datetime | None) -> Iterator[Command]:
    """The steps between application and payment, all of them done by the platform already."""
    yield Approve(id=f"{apply.id}:approve", actor=PLATFORM, at=at, ticket_no=apply.id)
    if apply.type == "return_refund":
        yield Receive(id=f"{apply.id}:receive", actor=PLATFORM, at=at, ticket_no=apply.id)
        lines = tuple(
            LineInspected(line_no=u.line_no, accepted=u.quantity, disposition=u.disposition) for u in units
        )
        yield Inspect(id=f"{apply.id}:inspect", actor=PLATFORM, at=at, lines=lines, ticket_no=apply.id)


def _money_only(
    refund: Node, moves: Sequence[Node], known: OrderKnown | None, at: datetime | None
) -> Iterator[Command]:
    """A refund without lines (shipping, or a sum agreed on): money given back outside."""
    currency = _currency(refund, moves, known)
    for node in moves:
        if node.text("status") == "success":
            number = node.identity("id", required=True)
            yield ExternalRefund(
                id=f"shopify-transaction:{number}",
                actor=PLATFORM,
                at=at,
                order_no=refund.identity("order_id", required=True),
                payment_no=_payment_no(node, known),
                amount=format_amount(node.money("amount", currency), currency),
                reference=number,
            )


def _units(refund: Node, known: OrderKnown | None) -> list[Unit]:
    """The units refunded, one entry a line."""
    found: dict[str, Unit] = {}
    for node in refund.nodes("refund_line_items"):
        unit = _unit(refund, node, known)
        if (before := found.get(unit.line_no)) is not None:
            unit = unit._replace(
                quantity=before.quantity + unit.quantity,
                shipped=before.shipped or unit.shipped,
                comes_back=before.comes_back or unit.comes_back,
            )
        found[unit.line_no] = unit
    return list(found.values())


def _unit(refund: Node, node: Node, known: OrderKnown | None) -> Unit:
    line_no, quantity = node.identity("line_item_id", required=True), node.count("quantity")
    restock = node.text("restock_type") or ("legacy_restock" if refund.flag("restock") else "")
    if known is None:
        told = node.node("line_item").text("fulfillment_status")
        shipped = restock == "return" or (restock != "cancel" and told in ("fulfilled", "partial"))
    else:
        left = known.unshipped.get(line_no, 0)
        shipped = restock == "return" or quantity > left
        if not shipped:
            known.unshipped[line_no] = left - quantity
    comes_back = shipped and restock in ("return", "legacy_restock")
    return Unit(line_no, quantity, shipped, comes_back, DISPOSITIONS.get(restock, "restock"))


def _currency(refund: Node, moves: Sequence[Node], known: OrderKnown | None) -> str:
    currencies = {node.text("currency") for node in moves} - {""}
    if known is not None:
        currencies.add(known.currency)
    if len(currencies) > 1:
        says = f"{' and '.join(sorted(currencies))} do not add up"
        raise refund.fault("currency_mismatch", "transactions", says)
    return currencies.pop() if currencies else ANY_CURRENCY


def _shipping(refund: Node, currency: str) -> int:
    """What of the money is for shipping, its tax with it."""
    return -sum(
        node.money("amount", currency) + node.money("tax_amount", currency)
        for node in refund.nodes("order_adjustments")
        if node.text("kind") == "shipping_refund"
    )


def _payment_no(move: Node, known: OrderKnown | None) -> str:
    """The payment a refund transaction gives money back to."""
    parent = move.identity("parent_id")
    if known is not None:
        return known.payments.get(parent, "") or move.text("gateway")
    return parent or move.text("gateway")
