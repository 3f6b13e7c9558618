"""What all commands share: the store and actor options, opening the engine, printing."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverseflow.cli.config import Settings, load_settings
from reverseflow.core.errors import ExitStatus, UsageError, shown

if TYPE_CHECKING:
    from reverseflow.core.results import Result
    from reverseflow.engine import Engine
    from reverseflow.plugins import Registry

_F = TypeVar("_F", bound=Callable[..., Any])


def store_options(command: _F) -> _F:
    """``--db``, ``--tenant``, ``--now``, ``--only``, ``--without``: store, clock, plugins."""
    for option in (
        click.option("--without", multiple=True, metavar="PLUGIN", help="Leave a plugin out."),
        click.option("--only", multiple=True, metavar="PLUGIN", help="Use only these plugins."),
        click.option("--now", metavar="TIME", help="Take this ISO 8601 time as now."),
        click.option("--tenant", metavar="NAME", help="Whose store it is."),
        click.option(
            "--db",
            metavar="URL",
            help="The store; else REVERSEFLOW_DATABASE, reverseflow.toml, reverseflow.db.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: _F) -> _F:
    """``--json``: machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")(command)


def actor_option(command: _F) -> _F:
    """``--actor``: who does it."""
    return click.option(
        "--actor", metavar="ROLE:ID", help="Who does it; else REVERSEFLOW_ACTOR, reverseflow.toml."
    )(command)


def settings() -> Settings:
    """The settings of this folder and environment."""
    return load_settings()


def parse_now(text: str | None, option: str = "--now") -> datetime | None:
    """A time with an offset from an option, in UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("bad_time", f"{option}: {shown(text)} is no ISO 8601 time") from None
    if moment.tzinfo is None:
        raise UsageError(
            "time_without_offset",
            f"{option}: {shown(text)} has no offset; write +08:00 or Z behind it",
        )
    return moment.astimezone(UTC)


def registry(options: dict[str, Any]) -> "Registry":
    """The plugins chosen by the options and settings (or put in the context by a test)."""
    context = click.get_current_context(silent=True)
    given = context.obj.get("registry") if context and isinstance(context.obj, dict) else None
    if given is not None:
        chosen: Registry = given
        return chosen
    from reverseflow.plugins import load_plugins

    told = settings()
    return load_plugins(options.get("only") or told.only or None, options.get("without") or told.without)


def database_url(options: dict[str, Any]) -> str:
    """The store's URL: of the option, the environment, the configuration, else the default."""
    return options.get("db") or settings().database


def open_engine(options: dict[str, Any], *, create: bool = False) -> "Engine":
    """The engine on the store the options name; with `create` a missing store is made."""
    from reverseflow.engine import Engine

    moment = parse_now(options.get("now"))
    return Engine(
        database_url(options),
        tenant=options.get("tenant") or settings().tenant,
        plugins=registry(options),
        clock=(lambda: moment) if moment else None,
        create=create,
    )


def required_actor(options: dict[str, Any]) -> str:
    """Who does it; `UsageError` when nobody is named."""
    actor = options.get("actor") or settings().actor
    if not actor:
        raise UsageError(
            "actor_missing",
            "say who does it: --actor operations:NAME, REVERSEFLOW_ACTOR or reverseflow.toml",
        )
    return str(actor)


def print_json(value: object) -> None:
    """One JSON value on a line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_results(results: Iterable["Result"], *, as_json: bool, names: Sequence[str] = ()) -> None:
    """What became of commands; ends the command with the exit status that says so.

    `names` are the tickets as the operator named them, one per result.
    """
    statuses = []
    for result, name in zip_longest(results, names, fillvalue=""):
        assert not isinstance(result, str), "there is a result for every name"
        if as_json:
            print_json(result.document())
        else:
            bad = result.outcome in ("refused", "failed")
            click.echo(_line(result, result.ticket_no or name), err=bad)
        statuses.append(_status(result))
    if any(statuses):
        raise click.exceptions.Exit(max(statuses) if all(statuses) else ExitStatus.DONE_IN_PART)


def _line(result: "Result", name: str) -> str:
    """A result for a person: ``E1-R1 approve applied approved 45.00 CNY``."""
    told = [name or result.order_no or result.id, result.kind, result.outcome, result.status]
    if result.refund:
        told += [result.refund, result.currency]
    said = f": {', '.join(result.codes)}: {result.message}" if result.codes else ""
    return " ".join(word for word in told if word) + said


def _status(result: "Result") -> ExitStatus:
    if result.outcome == "refused":
        return ExitStatus.NOT_PERMITTED if "not_permitted" in result.codes else ExitStatus.REFUSED
    return ExitStatus.PLUGIN_FAULT if result.outcome == "failed" else ExitStatus.DONE


def width(text: str) -> int:
    """Columns a text takes on a terminal: wide characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    """An aligned table; control characters are escaped, columns in `right` are set flush right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([width(name), *(width(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    for row in [list(columns), *cells]:
        parts = [
            " " * (space - width(text)) + text if name in right else text + " " * (space - width(text))
            for text, space, name in zip(row, widths, columns, strict=True)
        ]
        click.echo("  ".join(parts).rstrip())


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one pair a line, aligned; pairs without a value are left out."""
    told = [(name, _cell(value)) for name, value in pairs if value not in (None, "")]
    space = max((width(name) for name, _ in told), default=0)
    for name, text in told:
        click.echo(f"  {name.replace('_', ' ')}{' ' * (space - width(name))}  {text}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))


def money_text(minor: int, currency: str) -> str:
    """An amount as it is printed."""
    from reverseflow.core.money import format_amount

    return format_amount(minor, currency)
