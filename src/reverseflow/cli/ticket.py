"""``reverseflow ticket``: the list of all tickets, and the commands that work on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from reverseflow.cli import ticket_goods, ticket_review, ticket_show
from reverseflow.cli.common import (
    json_option,
    money_text,
    open_engine,
    print_json,
    print_table,
    store_options,
)
from reverseflow.cli.texts import moment_between, when
from reverseflow.core.errors import UsageError, shown
from reverseflow.core.legs import STATUSES, TYPES
from reverseflow.core.values import JsonObject, time_text

#: The columns of S-27.
DEFAULT_COLUMNS = (
    "ticket_no", "order_no", "shop", "type", "amount", "currency", "applied_at", "reviewed_at",
    "placed_at", "status",
)  # fmt: skip
#: Filters: the option, the column and the operator (S-28).
_FILTERS = (
    ("ticket_no", "ticket_no", "="),
    ("order_no", "order_no", "="),
    ("external_no", "external_no", "="),
    ("statuses", "status", "in"),
    ("types", "type", "in"),
    ("platform", "platform", "="),
    ("shop", "shop", "="),
    ("owner", "owner", "="),
)
_SPANS = (("applied", "applied_at"), ("placed", "placed_at"))


@click.group()
def ticket() -> None:
    """List, show and work on tickets."""


@ticket.command("list")
@click.option("--ticket", "ticket_no", metavar="NUMBER", help="The ticket with this number.")
@click.option("--order", "order_no", metavar="NUMBER", help="The tickets of this order.")
@click.option("--external", "external_no", metavar="NUMBER", help="With this platform number.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(list(STATUSES)),
    metavar="STATUS",
    help=f"{', '.join(STATUSES)}; may be repeated.",
)
@click.option(
    "--type", "types", multiple=True, type=click.Choice(list(TYPES)), metavar="TYPE",
    help=f"{', '.join(TYPES)}; may be repeated.",
)  # fmt: skip
@click.option("--platform", help="Only this platform's.")
@click.option("--shop", help="Only this shop's.")
@click.option("--owner", help="Only those whose turn it is: buyer, operations, finance …")
@click.option("--applied-from", metavar="TIME", help="Applied on or after this day (UTC) or time.")
@click.option("--applied-to", metavar="TIME", help="Applied on or before.")
@click.option("--placed-from", metavar="TIME", help="Ordered on or after.")
@click.option("--placed-to", metavar="TIME", help="Ordered on or before.")
@click.option("--due", is_flag=True, help="Only those whose deadline has passed.")
@click.option("--columns", metavar="A,B,…", help="Which columns, in this order; or all.")
@click.option(
    "--sort", default="-applied_at", show_default=True, metavar="[-]COLUMN",
    help="By which column; - turns it round.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave so many out.")
@json_option
@store_options
def list_(columns: str | None, sort: str, as_json: bool, **options: Any) -> None:
    """List tickets: filtered, sorted, in your columns.

    Example: reverseflow ticket list --status pending_review --sort applied_at --columns all
    """
    from reverseflow.storage.queries import TICKET_LIST, ticket_list

    wanted = _columns(columns, list(TICKET_LIST), as_json=as_json)
    by = _known(sort.removeprefix("-"), list(TICKET_LIST), "--sort")
    limit, offset = options["limit"], options["offset"]
    with open_engine(options) as engine:
        filters = _filters(options)
        if options["due"]:
            filters.append(("deadline", "<=", time_text(engine.clock())))
        found = engine.view(
            ticket_list, filters, sort=by, descending=sort.startswith("-"),
            limit=limit + 1, offset=offset,
        )  # fmt: skip
    rows = [_printable(row) for row in found[:limit]]
    if as_json:
        for row in rows:
            print_json({name: row[name] for name in wanted})
    else:
        print_table(wanted, [[row[name] for name in wanted] for row in rows], right=("amount",))
    if len(found) > limit:
        click.echo(f"there are more: --offset {offset + limit}, or a larger --limit", err=True)


def _columns(told: str | None, known: Sequence[str], *, as_json: bool) -> list[str]:
    if told == "all" or (told is None and as_json):
        return list(known)
    if told is None:
        return list(DEFAULT_COLUMNS)
    return [_known(name.strip(), known, "--columns") for name in told.split(",")]


def _known(name: str, known: Sequence[str], option: str) -> str:
    if name not in known:
        raise UsageError("unknown_column", f"{option}: {shown(name)} is not one of {', '.join(known)}")
    return name


def _filters(options: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """The filters told, as the list's query takes them."""
    filters: list[tuple[str, str, Any]] = [
        (column, operator, options[name]) for name, column, operator in _FILTERS if options[name]
    ]
    for name, column in _SPANS:
        for side, operator in (("from", ">="), ("to", "<=")):
            moment = moment_between(options[f"{name}_{side}"], f"--{name}-{side}", end=side == "to")
            if moment:
                filters.append((column, operator, moment))
    return filters


def _printable(row: JsonObject) -> JsonObject:
    """A row with its amount as decimal text and its times as they are printed."""
    times = {name: when(row[name]) for name in row if name.endswith("_at") or name == "deadline"}
    return row | times | {"amount": money_text(row["amount"], row["currency"])}


for _command in (*ticket_show.COMMANDS, *ticket_review.COMMANDS, *ticket_goods.COMMANDS):
    ticket.add_command(_command)
