"""``reverseflow quote``: the money of an application, before there is one."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.asking import application, application_options
from reverseflow.cli.common import (
    actor_option,
    json_option,
    open_engine,
    print_json,
    print_table,
    settings,
    store_options,
)
from reverseflow.core.errors import ExitStatus, ReverseFlowError, UsageError, shown

if TYPE_CHECKING:
    from reverseflow.core.commands import Apply
    from reverseflow.core.values import JsonObject
    from reverseflow.engine import Engine

#: Why something is not given back, for a person.
_WHY = {
    "discount_not_paid": "a discount: it was never paid",
    "tender_policy": "the policy does not give this tender back",
    "refunded_outside": "was given back outside of the engine already",
}
_LINE_COLUMNS = ("line_no", "quantity", "list", "discount", "tax", "refund")


@click.command()
@click.argument("source", metavar="FILE|-|ORDER")
@application_options
@click.option("--encoding", metavar="NAME", help="The file's encoding; else UTF-8 or detected.")
@actor_option
@json_option
@store_options
def quote(source: str, as_json: bool, **options: Any) -> None:
    """Show what an application would be refunded, figure by figure; nothing is written.

    Give a file of neutral records (orders in it count as known), ``-`` for standard input, or an
    order number with --type, --reason and --line. Exit status 5 when the rules refuse.

    Example: reverseflow quote E1 --type refund_only --reason not_wanted --line B=1
    """
    asked = [options[name] for name in ("type_", "reason", "lines", "amount", "refund_shipping")]
    statuses: list[ExitStatus] = []
    with open_engine(options) as engine, ExitStack() as stack:
        applications = (
            iter([("", application(source, options, actor=_actor(options)))])
            if any(asked)
            else _from_file(engine, source, options, stack)
        )
        for place, wanted in applications:
            statuses.append(_quote(engine, place, wanted, as_json=as_json))
    if not statuses:
        raise UsageError("nothing_to_quote", f"{shown(source)} holds no application")
    if any(statuses):
        mixed = not all(statuses)
        raise click.exceptions.Exit(ExitStatus.DONE_IN_PART if mixed else max(statuses))


def _actor(options: Mapping[str, Any]) -> str:
    return str(options["actor"] or settings().actor or "system")


def _from_file(
    engine: "Engine", name: str, options: Mapping[str, Any], stack: ExitStack
) -> "Iterator[tuple[str, Apply | ReverseFlowError]]":
    """The applications in a file; an order before them is recorded, and undone at the end."""
    from reverseflow.builtin import neutral
    from reverseflow.contracts import BadRecord, Record
    from reverseflow.core.commands import Apply, RecordOrder
    from reverseflow.core.errors import InputError
    from reverseflow.files import open_source

    dry = False
    source = open_source(name, options["encoding"])
    for item in neutral.read(source, None):  # type: ignore[arg-type]
        place = f"{source.name}:{item.row}"
        if isinstance(item, BadRecord):
            yield place, InputError(item.code, item.message)
        elif isinstance(item, Record) and isinstance(item.command, Apply):
            yield place, item.command
        elif isinstance(item, Record) and isinstance(item.command, RecordOrder):
            if not dry:
                stack.enter_context(engine.dry_run())
                dry = True
            result = engine.execute([item.command], platform=settings().platform)[0]
            if result.outcome == "refused":
                yield place, _refusal(result.codes[0], result.message)
        else:
            yield place, InputError("not_an_application", "only an application can be quoted")
