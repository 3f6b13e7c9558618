"""``reverseflow verify``: everything recomputed from the events."""

from typing import Any

import click

from reverseflow.cli.common import json_option, open_engine, print_json, store_options
from reverseflow.core.errors import ExitStatus


@click.command()
@json_option
@store_options
def verify(as_json: bool, **options: Any) -> None:
    """Recompute every case from its events and compare: hashes, rows, money, instructions.

    Prints each contradiction; exit status 10 when there is one.

    Example: reverseflow verify --db sqlite:///shop.db
    """
    from reverseflow import audit

    found = 0
    with open_engine(options) as engine:
        for finding in audit.verify(engine):
            found += 1
            if as_json:
                place = {"order_no": finding.order_no, "seq": finding.seq}
                print_json(place | {"code": finding.code, "message": finding.message})
            else:
                click.echo(str(finding))
        counts = engine.counts()
    if found:
        click.echo(f"{found} contradictions", err=True)
        raise click.exceptions.Exit(ExitStatus.DAMAGE_FOUND)
    click.echo(f"{counts['cases']:,} cases and {counts['events']:,} events agree", err=True)
