"""``reverseflow ticket show``: one ticket with everything around it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.common import (
    json_option,
    open_engine,
    print_json,
    print_pairs,
    print_table,
    store_options,
)
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import STATUSES, TYPES

if TYPE_CHECKING:
    from reverseflow.core.values import JsonObject
    from reverseflow.storage.store import Store
    from reverseflow.storage.views import TicketView

_GOODS = (
    "line_no", "sku", "title", "unit_price", "quantity", "refund", "received", "accepted",
    "rejected", "disposition",
)  # fmt: skip
_PAYOUTS = ("payment_no", "tender", "amount", "state", "delivery", "attempts", "last_error", "key")
_RIGHT = ("unit_price", "quantity", "refund", "received", "accepted", "rejected", "amount")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="TICKET…")
@click.option("--reveal", is_flag=True, help="Show the buyer's personal data unmasked.")
@json_option
@store_options
def show(names: tuple[str, ...], reveal: bool, as_json: bool, **options: Any) -> None:
    """Show everything about a ticket.

    Its goods, its money, the buyer, the return, and what happened to it. A ticket is named by its
    number, the platform's number or the id of its application; all that bear the name are shown.

    Example: reverseflow ticket show E1-R1
    """
    from reverseflow.cli.ticket_document import ticket_document

    with open_engine(options) as engine:
        found = [view for name in names for view in engine.view(_views, name)]
    for number, view in enumerate(found):
        document = ticket_document(view, reveal=reveal)
        if as_json:
            print_json(document)
        else:
            click.echo("\n" if number else "", nl=False)
            _print(document)


def _views(store: "Store", name: str) -> "list[TicketView]":
    from reverseflow.storage.views import ticket_views
    from reverseflow.transaction import places

    found = ticket_views(store, places(store, [name])[name], name)
    if not found:
        order = store.load([name])
        advice = f"; it is an order: reverseflow order show {name}" if order else ""
        raise Refused("unknown_ticket", f"the ticket {shown(name)} is not known{advice}", "ticket_no")
    return found


def _print(document: "JsonObject") -> None:
    status, type_ = document["status"], document["type"]
    click.echo(f"{document['ticket_no']}  {type_} {TYPES[type_].zh}  {status} {STATUSES[status][1]}")
    print_pairs(list(_base(document)))
    click.echo("\ngoods")
    print_table(_GOODS, [[line[name] for name in _GOODS] for line in document["goods"]], _RIGHT)
    click.echo(f"\nmoney: {document['amount']} {document['currency']}")
    _print_money(document)
    click.echo("\nbuyer")
    print_pairs([(name, value) for name, value in document["buyer"].items()])
    if "return" in document["legs"]:
        click.echo("\nreturn")
        print_pairs(list(_return(document["return"])))
    if document["detail"]:
        click.echo("\ndetail")
        print_pairs([(name, _text(value)) for name, value in document["detail"].items()])
    click.echo("\nhistory")
    rows = [(e["seq"], e["at"], e["actor"], e["event"], _text(e["said"])) for e in document["history"]]
    print_table(("seq", "at", "actor", "event", "said"), rows, right=("seq",))


def _base(document: "JsonObject") -> Iterator[tuple[str, object]]:
    """What a ticket is, in the order in which one asks for it (S-32)."""
    yield "order", f"{document['order_no']} (version {document['version']})"
    yield "shop", f"{document['shop']} on {document['platform']}"
    yield "external no", document["external_no"]
    for name, moment in document["order"].items():
        yield f"order {name.removesuffix('_at')}", moment
    yield "phase", document["phase"]
    changed = document["first_reason"] != document["reason"]
    first = f" (at first {document['first_reason']})" if changed else ""
    yield "reason", document["reason"] + first
    yield "applied", f"{document['applied_at']} by {document['opened_by']}"
    if document["reviewed_at"]:
        yield "reviewed", f"{document['reviewed_at']} by {document['reviewer']}"
    yield "released", document["released_at"]
    yield "completed", document["completed_at"]
    yield "legs", ", ".join(f"{leg} {state}" for leg, state in document["legs"].items())
    if document["owner"]:
        yield "turn of", document["owner"]
    if document["deadline"]:
        yield "deadline", f"{document['deadline']}, then {document['deadline_command']}"
    yield "rulebook", f"{document['rulebook']}, refund {document['refund_timing']}"


def _print_money(document: "JsonObject") -> None:
    from reverseflow.cli.quote import figures

    currency = document["currency"]
    print_table(("figure", currency, "why"), list(figures(document["quote"])), right=(currency,))
    if document["payouts"]:
        click.echo()
        rows = [[payout[name] for name in _PAYOUTS] for payout in document["payouts"]]
        print_table(_PAYOUTS, rows, right=("amount", "attempts"))


def _return(told: "JsonObject") -> Iterator[tuple[str, object]]:
    yield "return to", _text(told["return_to"] or {})
    for parcel in told["parcels"]:
        yield "parcel", _text(parcel)
    for receipt in told["receipts"]:
        lines = ", ".join(f"{line_no} × {units}" for line_no, units in receipt["lines"])
        yield "receipt", f"{receipt['at']} by {receipt['by']}: {lines or 'nothing'}"
    for surprise in told["surprises"]:
        yield "surprise", _text(surprise)


def _text(value: object) -> str:
    """A value of a document on one line."""
    if isinstance(value, dict):
        told = [(name, f"({_text(v)})" if isinstance(v, dict) else _text(v)) for name, v in value.items()]
        return ", ".join(f"{name} {text}" for name, text in told if text not in ("", "()"))
    if isinstance(value, list | tuple):
        return " ".join(_text(inner) for inner in value)
    return str(value)


COMMANDS = (show,)
