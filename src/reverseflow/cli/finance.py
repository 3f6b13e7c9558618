"""``reverseflow finance``: the queue of approved tickets; releasing their money."""

from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.common import (
    json_option,
    money_text,
    open_engine,
    print_json,
    print_table,
    store_options,
)
from reverseflow.cli.giving import give, on_tickets
from reverseflow.cli.texts import when

if TYPE_CHECKING:
    from reverseflow.core.case import Case, Ticket
    from reverseflow.core.values import JsonObject

#: The columns of S-37.
_COLUMNS = (
    "ticket_no", "applied_at", "reviewed_at", "goods", "unit_price", "quantity", "subtotal",
    "total", "currency",
)  # fmt: skip
_RIGHT = ("unit_price", "quantity", "subtotal", "total")


@click.group()
def finance() -> None:
    """Release the money of approved tickets, or send them back."""


@finance.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave so many out.")
@json_option
@store_options
def list_(limit: int, offset: int, as_json: bool, **options: Any) -> None:
    """List approved tickets whose money is due.

    Only those that wait for nothing but finance.

    Example: reverseflow finance list
    """
    from reverseflow.storage.views import releasable

    with open_engine(options) as engine:
        found = engine.view(releasable, limit=limit + 1, offset=offset)
    documents = [_document(case, ticket) for case, ticket in found[:limit]]
    if as_json:
        for document in documents:
            print_json(document)
    else:
        rows = [
            [(document | line)[name] for name in _COLUMNS]
            for document in documents
            for line in document["lines"]
        ]
        print_table(_COLUMNS, rows, right=_RIGHT)
    if len(found) > limit:
        click.echo(f"there are more: --offset {offset + limit}, or a larger --limit", err=True)


def _document(case: "Case", ticket: "Ticket") -> "JsonObject":
    """A ticket as finance sees it: what was approved for which goods; fees are lines too."""
    from reverseflow.core.case import GOODS

    lines: list[JsonObject] = []
    for line in ticket.lines:
        sold = case.lines[line.line_no]
        lines.append(
            {
                "goods": sold.title or sold.sku or sold.kind,
                "unit_price": money_text(sold.unit_price, case.currency),
                "quantity": line.quantity if sold.kind == GOODS else None,
                "subtotal": money_text(line.refund, case.currency),
            }
        )
    for code, _, amount, *_ in ticket.quote.get("fees", ()):
        fee = {"unit_price": None, "quantity": None, "subtotal": money_text(amount, case.currency)}
        lines.append({"goods": f"fee {code}", **fee})
    return {
        "ticket_no": ticket.ticket_no,
        "order_no": case.order_no,
        "applied_at": when(ticket.applied_at),
        "reviewed_at": when(ticket.reviewed_at),
        "reviewer": ticket.reviewer,
        "lines": lines,
        "total": money_text(ticket.total, case.currency),
        "currency": case.currency,
    }


@finance.command()
@on_tickets
def release(tickets: tuple[str, ...], **options: Any) -> None:
    """Release the money of tickets.

    Instructions leave for the payments it came from.

    Example: reverseflow finance release E1-R1 E2-R1 --actor finance:wang
    """
    give("release", tickets, options)


@finance.command("send-back")
@click.option("--reason", required=True, help="Why operations should look again.")
@on_tickets
def send_back(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """Send approved tickets back to operations.

    Example: reverseflow finance send-back E1-R1 --reason "too much" --actor finance:wang
    """
    give("send_back", tickets, options, reason=reason)
