"""``reverseflow quote``: the money of an application, before there is one."""

from collections.abc import Iterator, Mapping
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
from reverseflow.core.errors import ExitStatus, InputError, ReverseFlowError, UsageError

if TYPE_CHECKING:
    from reverseflow.core.commands import Apply
    from reverseflow.core.values import JsonObject
    from reverseflow.engine import Engine

#: Why something is not given back, for a person.
_WHY = {
    "discount_not_paid": "a discount: it was never paid",
    "tender_policy": "the policy does not give this tender back",
    "refunded_outside": "given back outside of the engine already",
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

    Give a file with the neutral records of applications (``-`` is standard input), or an order's
    number with --type, --reason and --line. Exit status 5 when the rules refuse.

    Example: reverseflow quote E1 --type refund_only --reason not_wanted --line B=1
    """
    asked = [options[name] for name in ("type_", "reason", "lines", "amount", "refund_shipping")]
    actor = str(options["actor"] or settings().actor or "system")
    with open_engine(options) as engine:
        if any(asked):
            found: Iterator[_Found] = iter([("", application(source, options, actor=actor))])
        else:
            found = _applications(engine, source, options)
        statuses = [_quote(engine, place, one, as_json=as_json) for place, one in found]
    if any(statuses):
        raise click.exceptions.Exit(max(statuses) if all(statuses) else ExitStatus.DONE_IN_PART)


_Found = tuple[str, "Apply | ReverseFlowError"]


def _applications(engine: "Engine", name: str, options: Mapping[str, Any]) -> Iterator[_Found]:
    """The applications of a file, each with its place; other records are passed over."""
    from reverseflow.batch.run import Batch, Summary
    from reverseflow.builtin import neutral
    from reverseflow.contracts import BadRecord, Record
    from reverseflow.core.commands import Apply
    from reverseflow.files import open_source

    try:
        source = open_source(name, options["encoding"])
    except InputError as error:
        hint = "; to quote an order give --type, --reason and --line"
        more = hint if error.code == "file_missing" else ""
        raise InputError(error.code, error.message + more, place=error.place) from None
    number = passed = 0
    for item in neutral.read(source, Batch(engine, source, neutral.READER, "", Summary())):
        place = f"{source.name}:{item.row}"
        if isinstance(item, BadRecord):
            number += 1
            yield place, InputError(item.code, item.message)
        elif isinstance(item, Record) and isinstance(item.command, Apply):
            number += 1
            yield place, item.command
        else:
            passed += 1
    if passed:
        what = "1 record that is" if passed == 1 else f"{passed} records that are"
        click.echo(f"{source.name}: {what} no application passed over", err=True)
    if not number:
        raise UsageError("nothing_to_quote", "the file holds no application", place=source.name)


def _quote(engine: "Engine", place: str, asked: "Apply | ReverseFlowError", *, as_json: bool) -> ExitStatus:
    """Print the quote of one application, or why there is none; the exit status it leads to."""
    try:
        if isinstance(asked, ReverseFlowError):
            raise asked
        document = engine.quote(asked)
    except ReverseFlowError as error:
        where = f"{place}: " if place else ""
        click.echo(f"reverseflow: {where}{error}", err=True)
        plain = error.exit_status == ExitStatus.INTERNAL_ERROR  # a refusal, not a fault
        return ExitStatus.REFUSED if plain else error.exit_status
    if as_json:
        print_json(document)
    else:
        _print(document)
    refusing = [verdict for verdict in document["verdicts"] if verdict["outcome"] == "refuse"]
    for verdict in refusing:
        click.echo(
            f"reverseflow: {verdict['code']}: the rule {verdict['rule']} would refuse this",
            err=True,
        )
    return ExitStatus.REFUSED if refusing else ExitStatus.DONE


def _print(document: "JsonObject") -> None:
    """A quote for a person: the lines, then every other figure with its why."""
    currency, total = document["currency"], document["total"]
    click.echo(f"{document['order_no']}  {document['type']}  {total} {currency}\n")
    print_table(
        _LINE_COLUMNS,
        [[line[name] for name in _LINE_COLUMNS] for line in document["lines"]],
        right=_LINE_COLUMNS[1:],
    )
    click.echo()
    print_table(("figure", currency, "why"), list(figures(document)), right=(currency,))
    click.echo(f"\nstrategy {document['strategy']}, rulebook {document['rulebook']}")


def figures(document: "JsonObject") -> Iterator[tuple[str, str, str]]:
    """Every figure of a quote besides its lines: what, amount, why."""
    some = set(document["freight"]) - set("0.")
    yield "freight", document["freight"], "shipping given back" if some else "none is given back"
    for fee in document["fees"]:
        yield f"fee {fee['code']}", fee["amount"], f"{fee['why']} ({fee['plugin']}; {fee['payer']})"
    yield "total", document["total"], "lines, freight and fees together"
    for tender in document["tenders"]:
        yield f"to {tender['payment_no']}", tender["refund"], f"goes back as {tender['tender']}"
    for kept in document["not_returned"]:
        yield f"not {kept['what']}", kept["amount"], _WHY.get(kept["why"], kept["why"])
    for verdict in document["verdicts"]:
        yield f"rule {verdict['rule']}", "", f"{verdict['outcome']}: {verdict['code']}"
