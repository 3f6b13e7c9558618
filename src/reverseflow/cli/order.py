"""``reverseflow order``: orders, what of them is claimed, and their tickets."""

from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.common import (
    json_option,
    money_text,
    open_engine,
    print_json,
    print_pairs,
    print_table,
    store_options,
)
from reverseflow.cli.texts import buyer_document, when
from reverseflow.core.errors import Refused, shown

if TYPE_CHECKING:
    from reverseflow.core.values import JsonObject
    from reverseflow.storage.views import OrderView

_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")
_MONEY = ("paid", "reserved", "refunded")
_LIST = ("order_no", "platform", "shop", "currency", *_MONEY, "placed_at", "tickets")
_LINES = (
    "line_no", "sku", "title", "quantity", "unit_price", "discount", "tax", "paid", "shipped",
    "received", "claimed", "reserved", "refunded",
)  # fmt: skip
_PAYMENTS = ("payment_no", "tender", "funded_by", "amount", "reserved", "refunded")
_TICKETS = ("ticket_no", "external_no", "type", "status", "amount", "applied_at")


@click.group()
def order() -> None:
    """Look at orders."""


@order.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave so many out.")
@json_option
@store_options
def list_(limit: int, offset: int, as_json: bool, **options: Any) -> None:
    """List orders, the newest first.

    With what was paid, reserved and refunded.

    Example: reverseflow order list --limit 20
    """
    from reverseflow.storage.views import order_list

    with open_engine(options) as engine:
        found = engine.view(order_list, limit=limit + 1, offset=offset)
    for row in found:
        row |= {name: when(row[name]) for name in _TIMES}
        row |= {name: money_text(row[name], row["currency"]) for name in _MONEY}
    if as_json:
        for row in found[:limit]:
            print_json(row)
    else:
        rows = [[row[name] for name in _LIST] for row in found[:limit]]
        print_table(_LIST, rows, right=(*_MONEY, "tickets"))
    if len(found) > limit:
        click.echo(f"there are more: --offset {offset + limit}, or a larger --limit", err=True)


@order.command()
@click.argument("order_no", metavar="ORDER")
@click.option("--reveal", is_flag=True, help="Show the buyer's personal data unmasked.")
@json_option
@store_options
def show(order_no: str, reveal: bool, as_json: bool, **options: Any) -> None:
    """Show an order with its lines and tickets.

    Its facts, what is claimed of each line, its payments, its tickets.

    Example: reverseflow order show E1
    """
    from reverseflow.storage.views import order_view

    with open_engine(options) as engine:
        view = engine.view(order_view, order_no)
    if view is None:
        raise Refused("unknown_order", f"the order {shown(order_no)} is not known", "order_no")
    document = order_document(view, reveal=reveal)
    if as_json:
        print_json(document)
    else:
        _print(document)


def order_document(view: "OrderView", *, reveal: bool = False) -> "JsonObject":
    """An order as one JSON object, amounts as decimal texts."""
    case = view.case

    def text(minor: int) -> str:
        return money_text(minor, case.currency)

    names = ("order_no", "platform", "shop", "currency", "version", "price_includes_tax")
    document: JsonObject = {name: getattr(case, name) for name in names}
    document |= {name: when(getattr(case, name)) for name in _TIMES}
    document |= {"paid": text(case.paid), "buyer": buyer_document(view.buyer, reveal=reveal)}
    document["lines"] = _lines(view)
    document["payments"] = [
        {name: getattr(payment, name) for name in _PAYMENTS[:3]}
        | {name: text(getattr(payment, name)) for name in _PAYMENTS[3:]}
        for payment in case.payments.values()
    ]
    document["tickets"] = [
        {name: getattr(ticket, name) for name in _TICKETS[:4]}
        | {"amount": text(ticket.total), "applied_at": when(ticket.applied_at)}
        for ticket in case.tickets.values()
    ]
    return document


def _lines(view: "OrderView") -> "list[JsonObject]":
    """The lines, shipping and charges among them, with what tickets claim of each."""
    from reverseflow.core.case import Claim

    case, lines = view.case, []
    for line in case.lines.values():
        claim = case.claims.get(line.line_no, Claim())
        discount = line.discount + sum(amount for _, amount in line.discounts)
        amounts = {
            "unit_price": line.unit_price, "discount": discount, "tax": line.tax,
            "paid": line.paid, "reserved": claim.reserved, "refunded": claim.refunded,
        }  # fmt: skip
        names = ("line_no", "kind", "sku", "title", "quantity", "shipped", "received", "returnable")
        lines.append(
            {name: getattr(line, name) for name in names}
            | {name: money_text(amount, case.currency) for name, amount in amounts.items()}
            | {"claimed": claim.units}
        )
    return lines


def _print(document: "JsonObject") -> None:
    click.echo(f"{document['order_no']}  {document['paid']} {document['currency']} paid")
    facts = [("shop", f"{document['shop']} on {document['platform']}")]
    facts += [(name.removesuffix("_at"), document[name]) for name in _TIMES]
    facts += [("buyer", ", ".join(value for value in document["buyer"].values() if value))]
    print_pairs([*facts, ("version", document["version"])])
    for title, columns in (("lines", _LINES), ("payments", _PAYMENTS), ("tickets", _TICKETS)):
        if document[title]:
            click.echo(f"\n{title}")
            rows = [[row[name] for name in columns] for row in document[title]]
            print_table(columns, rows, right=(*_LINES[3:], "amount"))
