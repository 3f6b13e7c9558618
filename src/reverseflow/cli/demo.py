"""``reverseflow demo``: the main job on a real shop's week, from its ledger to settled refunds."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.common import money_text, open_engine, store_options
from reverseflow.cli.run import run_files
from reverseflow.core.errors import DamageFound, UsageError

if TYPE_CHECKING:
    from reverseflow.batch.run import Summary
    from reverseflow.engine import Engine

FILE = "uci_online_retail_2010-12-01_to_08.csv"
STORE, INSTRUCTIONS, REJECTS = (
    "reverseflow-demo.db",
    "reverseflow-demo.instructions.jsonl",
    "reverseflow-demo.rejects.csv",
)


@click.command()
@click.argument("file", required=False)
@store_options
def demo(file: str | None, **options: Any) -> None:
    """Carry a real week of a shop's ledger through the engine, to settled refunds and an audit.

    The week is the first of UCI "Online Retail" (CC BY 4.0); another ledger of that form may be
    given. It leaves a store, the instructions and the rejected rows in the current folder;
    running it again changes nothing.

    Example: reverseflow demo
    """
    from reverseflow.storage.queries import ticket_list

    path = file or str(_real_week())
    options["db"] = options["db"] or f"sqlite:///{STORE}"
    started = time.perf_counter()
    with open_engine(options, create=True) as engine:
        summary = run_files(
            engine, (path,), "generic_web", {"rejects": REJECTS, "format_": "ledger", "quiet": True}
        )
        delivered = _deliver(engine)
        seconds = time.perf_counter() - started
        _report(engine, summary, delivered, seconds)
        _verify(engine)
        example = engine.view(ticket_list, limit=1)
    _next_steps(options["db"], example[0]["ticket_no"] if example else "TICKET")


def _real_week() -> Path:
    """The ledger that ships with the package, or stands in the checkout."""
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "examples", here.parents[1] / "examples"):
        path = folder / "online-retail" / FILE
        if path.exists():
            return path
    raise UsageError("file_missing", "the demo's ledger is not installed; give one: reverseflow demo FILE")


def _deliver(engine: "Engine") -> int:
    from reverseflow.outbox.relay import connect_movers, run_outbox

    movers = connect_movers(engine.registry, "file", {"out": INSTRUCTIONS})
    return run_outbox(engine, movers).delivered


def _report(engine: "Engine", summary: "Summary", delivered: int, seconds: float) -> None:
    """What became of every row, the money, and the time it took."""
    counts, money = engine.counts(), engine.money_totals()
    rows = summary.rows
    click.echo(f"\nThe week, row by row ({sum(rows.values()):,} rows of the ledger):")
    for what, count in rows.most_common():
        click.echo(f"  {count:>8,}  {what.replace('_', ' ')}")
    click.echo("\nWhat stands in the store now:")
    click.echo(f"  {counts['cases']:>8,}  orders with {counts['order_lines']:,} lines")
    for status, count in counts["status"].items():
        click.echo(f"  {count:>8,}  tickets {status.replace('_', ' ')}")
    click.echo(f"  {counts['events']:>8,}  events, {counts['postings']:,} postings")
    click.echo(f"  {delivered:>8,}  instructions delivered now to {INSTRUCTIONS}")
    for currency, (paid, reserved, refunded) in money.items():
        click.echo(
            f"\n{currency}: {money_text(paid, currency)} paid, "
            f"{money_text(refunded, currency)} refunded, "
            f"{money_text(reserved, currency)} reserved"
        )
    if summary.codes:
        click.echo("\nRefused, by code (rows in " + REJECTS + "):")
        for code, count in summary.codes.most_common():
            click.echo(f"  {count:>8,}  {code}")
    if not summary.outcomes["applied"] and summary.outcomes["replayed"]:
        click.echo("\nEverything had been applied before: nothing changed.")
    click.echo(f"\n{seconds:.1f} seconds, {sum(rows.values()) / seconds:,.0f} rows a second.")


def _verify(engine: "Engine") -> None:
    from reverseflow.audit import verify

    findings = list(verify(engine))
    for finding in findings:
        click.echo(str(finding), err=True)
    if findings:
        raise DamageFound("damage_found", f"verify found {len(findings)} contradictions")
    click.echo("verify: every event, claim and posting was recomputed and agrees.")


def _next_steps(url: str, ticket_no: str) -> None:
    command = Path(sys.argv[0])
    at_hand = shutil.which(command.name) and "TOX_ENV_NAME" not in os.environ
    name = command.name if at_hand or not command.exists() else _relative(command)
    click.echo("\nTry next:")
    for rest in (
        "ticket list",
        f"ticket show {ticket_no}",
        "export --output reverseflow-demo.export.jsonl",
    ):
        click.echo(f"  {name} {rest} --db {url}")


def _relative(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
