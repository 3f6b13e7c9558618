"""The ``reverseflow`` command: one small file per command group, loaded when it is called."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import IO, Any

import click

from reverseflow import __version__
from reverseflow.cli.faults import reported

#: Where each command lives: module and attribute below `reverseflow.cli`, and its one-line help.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "Carry a real week of a shop through the engine."),
    "init": ("init", "init", "Make a store and a configuration file here."),
    "run": ("run", "run", "Carry files of orders and applications through the engine."),
    "act": ("act", "act", "Carry out many ticket commands from a file."),
    "quote": ("quote", "quote", "Show what an application would be refunded; nothing is written."),
    "order": ("order", "order", "Look at orders."),
    "ticket": ("ticket", "ticket", "List, show and work on tickets."),
    "finance": ("finance", "finance", "Release the money of approved tickets, or send them back."),
    "outbox": ("outbox", "outbox", "Deliver instructions to money and stock movers."),
    "timers": ("timers", "timers", "Carry out what deadlines say."),
    "lifecycle": ("lifecycle", "lifecycle", "Draw the lifecycle of a ticket type."),
    "plugins": ("plugins", "plugins", "Show the plugins that were found."),
    "export": ("export", "export", "Write everything as JSON Lines, for an outside check."),
    "verify": ("verify", "verify", "Recompute everything from the events and compare."),
    "schema": ("schema", "schema", "Print the JSON Schema of a kind of record."),
    "db": ("db", "db", "Upgrade the store's schema, or show its state."),
}


class LazyGroup(click.Group):
    """Commands from the table, imported when called; further ones are the plugins'."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        """The names in the table, in its order."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        cmd_name: str,
    ) -> click.Command | None:
        """The command of a name: a built-in one, else one a plugin registered."""
        if cmd_name in COMMANDS:
            module, attribute, _ = COMMANDS[cmd_name]
            command: click.Command = getattr(import_module(f"reverseflow.cli.{module}"), attribute)
            return command
        return _plugin_command(cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        formatter: click.HelpFormatter,
    ) -> None:
        """The list in ``--help``, from the table: nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, _, help_) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name gets its nearest neighbours as advice."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS)
            if not near:
                raise
            advice = f"{error.message} Did you mean {' or '.join(near)}?"
            raise click.UsageError(advice, ctx) from None


def _plugin_command(name: str) -> click.Command | None:
    from reverseflow.plugins import load_plugins

    for registered in load_plugins().commands:
        if registered.name == name:
            command = registered.load()
            if isinstance(command, click.Command):
                return command
    return None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reverseflow")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Everything that happens to an order after it is paid: refunds, returns and what follows.

    Data goes to standard output, progress and messages to standard error. Exit status: 0 done,
    2 usage, 3 input refused, 4 done in part, 5 refused by the rules, 6 not permitted, 7 plugin
    fault, 8 store unavailable, 9 schema mismatch, 10 damage found, 11 downstream unresolved.
    """
    ctx.ensure_object(dict)["debug"] = debug


def _utf8(stream: IO[Any]) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="backslashreplace")


def main(args: Sequence[str] | None = None) -> None:
    """The entry point of the command line; it ends the process with the exit status."""
    _utf8(sys.stdout)
    _utf8(sys.stderr)
    arguments = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in arguments[:1]
    sys.exit(reported(lambda: cli.main(arguments, "reverseflow", standalone_mode=False), debug=debug))
