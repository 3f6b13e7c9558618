"""Giving one command to the tickets named, as one batch through the engine."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from reverseflow.cli.common import (
    actor_option,
    json_option,
    open_engine,
    print_results,
    required_actor,
    store_options,
)
from reverseflow.core.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])


def command_options(command: _F) -> _F:
    """``--note``, ``--id``, ``--expected-version``, ``--actor``, ``--json`` and the store."""
    for option in (
        store_options,
        json_option,
        actor_option,
        click.option(
            "--expected-version", type=click.IntRange(1), metavar="NUMBER",
            help="Refuse when the case has changed since this version.",
        ),
        click.option("--id", "id_", default="", metavar="KEY", help="The idempotency key."),
        click.option("--note", default="", help="A note that goes with it."),
    ):  # fmt: skip
        command = option(command)
    return command


def on_tickets(command: _F) -> _F:
    """The tickets a command is given to, and the options every such command has."""
    named = click.argument("tickets", nargs=-1, required=True, metavar="TICKET…")
    return named(command_options(command))


def give(kind: str, tickets: Sequence[str], options: dict[str, Any], **fields: Any) -> None:
    """Give the command of a kind to each ticket and print what became of it."""
    from reverseflow.core.commands import COMMANDS, TicketCommand

    if len(tickets) > 1 and (options["id_"] or options["expected_version"]):
        raise UsageError("one_ticket_only", "--id and --expected-version are for one ticket")
    command = COMMANDS[kind]
    assert issubclass(command, TicketCommand)
    commands = [
        command(
            ticket_no=name,
            id=options["id_"],
            actor=required_actor(options),
            note=options["note"],
            expected_version=options["expected_version"],
            **fields,
        )
        for name in tickets
    ]
    with open_engine(options) as engine:
        results = engine.execute(commands)
    print_results(results, as_json=options["as_json"], names=tickets)


def refuse_several(tickets: Sequence[str], option: str, given: object) -> None:
    """Options about the lines of one ticket cannot be meant for several."""
    if given and len(tickets) > 1:
        raise UsageError("one_ticket_only", f"{option} is for one ticket")
