"""``reverseflow outbox``: instructions on their way to money and stock movers."""

from typing import Any

import attrs
import click

from reverseflow.cli.common import (
    actor_option,
    json_option,
    open_engine,
    parse_now,
    print_json,
    print_results,
    print_table,
    required_actor,
    settings,
    store_options,
)
from reverseflow.core.errors import ExitStatus

_COLUMNS = ("key", "kind", "state", "amount", "currency", "attempts", "next_at", "last_error")


@click.group()
def outbox() -> None:
    """Deliver instructions to money and stock movers."""


@outbox.command("list")
@click.option(
    "--state", type=click.Choice(["pending", "delivered", "dead"]), help="Only those in this state."
)
@click.option("--ticket", "ticket_no", help="Only those of this ticket.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@json_option
@store_options
def list_(state: str | None, ticket_no: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List instructions with their state, attempts and last error.

    Example: reverseflow outbox list --state pending
    """
    from reverseflow.outbox.relay import list_outbox

    with open_engine(options) as engine:
        found = list_outbox(engine, state=state, ticket_no=ticket_no, limit=limit)
    if as_json:
        for row in found:
            print_json(row)
    else:
        print_table(_COLUMNS, [[row.get(name) for name in _COLUMNS] for row in found], right=("amount",))


@outbox.command()
@click.option("--mover", help="Who carries them out; else the configuration's, else file.")
@click.option("--out", metavar="FILE", help="Where the file mover writes; else instructions.jsonl.")
@click.option(
    "--await-results",
    is_flag=True,
    help="The file mover only hands over; results come by settle_result.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many instructions.")
@json_option
@store_options
def run(
    mover: str | None,
    out: str | None,
    await_results: bool,
    limit: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Deliver what is due, each instruction under its one key.

    Exit status 11 while any is unresolved.

    Example: reverseflow outbox run --out refunds.jsonl
    """
    from reverseflow.outbox.relay import connect_movers, run_outbox

    told = settings()
    name = mover or told.mover
    given = dict(told.movers.get(name, {}))
    if out:
        given["out"] = out
    if await_results:
        given["settles"] = "false"
    with open_engine(options) as engine:
        movers = connect_movers(engine.registry, name, given)
        done = run_outbox(engine, movers, now=parse_now(options.get("now")), limit=limit)
    if as_json:
        print_json(attrs.asdict(done))
    click.echo(
        f"{done.delivered} delivered, {done.settled} settled, {done.failed} failed, "
        f"{done.unknown} unknown, {done.dead} dead",
        err=True,
    )
    if done.failed or done.unknown or done.dead:
        raise click.exceptions.Exit(ExitStatus.DOWNSTREAM_UNRESOLVED)


@outbox.command()
@click.argument("name", metavar="TICKET|KEY")
@click.option("--id", "command_id", default="", help="The idempotency key of this command.")
@actor_option
@json_option
@store_options
def retry(name: str, command_id: str, as_json: bool, **options: Any) -> None:
    """Send an instruction again, under its old key.

    One that failed, was put off, or is dead. It is named by its key, or by its ticket where only
    one of the ticket's failed.

    Example: reverseflow outbox retry E1-R1:refund:p1 --actor finance:wang
    """
    from reverseflow.core.commands import Retry
    from reverseflow.outbox import desk

    actor = required_actor(options)
    with open_engine(options) as engine:
        if ":" in name:
            results = [desk.retry(engine, name, actor=actor, command_id=command_id)]
        else:
            results = engine.execute([Retry(id=command_id, ticket_no=name, actor=actor)])
    print_results(results, as_json=as_json, names=[name])
