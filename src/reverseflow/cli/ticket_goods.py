"""``reverseflow ticket …``: the goods on their way back, received, inspected, given up."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reverseflow.cli.asking import inspected, received
from reverseflow.cli.giving import give, on_tickets, refuse_several

_F = TypeVar("_F", bound=Callable[..., Any])
_reason = click.option("--reason", default="", help="Why.")


def _parcel(command: _F) -> _F:
    carrier = click.option("--carrier", default="", help="Who carries the parcel.")
    tracking = click.option("--tracking", "tracking_no", default="", help="Its tracking number.")
    return carrier(tracking(command))


@click.command("ship-back")
@_parcel
@on_tickets
def ship_back(tickets: tuple[str, ...], carrier: str, tracking_no: str, **options: Any) -> None:
    """The buyer sent the goods back.

    Example: reverseflow ticket ship-back E1-R1 --carrier SF --tracking SF123 --actor buyer:b1
    """
    give("ship_back", tickets, options, carrier=carrier, tracking_no=tracking_no)


@click.command()
@_parcel
@on_tickets
def pickup(tickets: tuple[str, ...], carrier: str, tracking_no: str, **options: Any) -> None:
    """A courier is booked to fetch the goods.

    Example: reverseflow ticket pickup E1-R1 --carrier SF --actor operations:li
    """
    give("book_pickup", tickets, options, carrier=carrier, tracking_no=tracking_no)


@click.command("refuse-delivery")
@_parcel
@on_tickets
def refuse_delivery(tickets: tuple[str, ...], carrier: str, tracking_no: str, **options: Any) -> None:
    """The buyer refused the parcel at the door.

    Example: reverseflow ticket refuse-delivery E1-R1 --actor buyer:b1
    """
    give("refuse_delivery", tickets, options, carrier=carrier, tracking_no=tracking_no)


@click.command()
@_parcel
@on_tickets
def intercept(tickets: tuple[str, ...], carrier: str, tracking_no: str, **options: Any) -> None:
    """The carrier turns the parcel round.

    Example: reverseflow ticket intercept E1-R1 --tracking SF123 --actor operations:li
    """
    give("intercept", tickets, options, carrier=carrier, tracking_no=tracking_no)


@click.command()
@click.option("--line", "lines", multiple=True, metavar="LINE=UNITS", help="Else all announced.")
@click.option("--surprise", default="", help="What nobody had announced.")
@on_tickets
def receive(tickets: tuple[str, ...], lines: tuple[str, ...], surprise: str, **options: Any) -> None:
    """A parcel arrived.

    Several receipts add up. Without --line all announced units came.

    Example: reverseflow ticket receive E1-R1 --line A=1 --actor warehouse:zhao
    """
    refuse_several(tickets, "--line", lines)
    give("receive", tickets, options, lines=received(lines), surprise=surprise)


@click.command()
@click.option(
    "--line", "lines", multiple=True, metavar="LINE=ACCEPTED[:REJECTED[:DISPOSITION]]",
    help="Else everything received is accepted.",
)  # fmt: skip
@on_tickets
def inspect(tickets: tuple[str, ...], lines: tuple[str, ...], **options: Any) -> None:
    """Record what inspection found.

    The refund follows what was accepted. Dispositions are restock, refurbish, scrap,
    return_to_buyer and missing.

    Example: reverseflow ticket inspect E1-R1 --line A=1:0:restock --actor warehouse:zhao
    """
    refuse_several(tickets, "--line", lines)
    give("inspect", tickets, options, lines=inspected(lines))


@click.command("waive-return")
@_reason
@on_tickets
def waive_return(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """The goods need not come back.

    Example: reverseflow ticket waive-return E1-R1 --reason perishable --actor operations:li
    """
    give("waive_return", tickets, options, reason=reason)


@click.command()
@_reason
@on_tickets
def lose(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """The parcel was lost on its way back.

    Example: reverseflow ticket lose E1-R1 --reason "carrier confirmed" --actor warehouse:zhao
    """
    give("lose", tickets, options, reason=reason)


COMMANDS = (
    ship_back, pickup, refuse_delivery, intercept, receive, inspect, waive_return, lose,
)  # fmt: skip
