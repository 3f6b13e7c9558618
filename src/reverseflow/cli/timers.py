"""``reverseflow timers``: carry out what deadlines say."""

from typing import Any

import click

from reverseflow.cli.common import json_option, open_engine, parse_now, print_results, store_options


@click.group()
def timers() -> None:
    """Carry out what deadlines say."""


@timers.command()
@click.option("--limit", type=click.IntRange(1), help="At most so many tickets.")
@json_option
@store_options
def run(limit: int | None, as_json: bool, **options: Any) -> None:
    """Carry out what is due: close, approve or escalate each ticket whose deadline has passed.

    Safe to run from cron as often as you like, and with several workers.

    Example: reverseflow timers run
    """
    from reverseflow.timers import run_timers

    with open_engine(options) as engine:
        results = run_timers(engine, now=parse_now(options.get("now")), limit=limit)
    applied = [result for result in results if result.outcome == "applied"]
    click.echo(f"{len(applied)} tickets moved on", err=True)
    print_results(applied, as_json=as_json)
