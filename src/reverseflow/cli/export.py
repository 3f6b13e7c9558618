"""``reverseflow export``: everything as JSON Lines."""

import json
import sys
from pathlib import Path
from typing import IO, Any

import click

from reverseflow.cli.common import open_engine, parse_now, store_options


@click.command()
@click.option("--since", metavar="TIME", help="Only cases to which something happened at or after this time.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write to this file.")
@store_options
def export(since: str | None, output: str | None, **options: Any) -> None:
    """Write orders, tickets, events, postings and instructions, for an outside program to check.

    Personal data is not in it.

    Example: reverseflow export --output shop.jsonl
    """
    from reverseflow import audit

    after = parse_now(since, "--since")
    with open_engine(options) as engine:
        if output is None:
            _write(sys.stdout, audit.export(engine, since=after))
        else:
            with Path(output).open("w", encoding="utf-8") as file:
                _write(file, audit.export(engine, since=after))


def _write(file: IO[str], documents: Any) -> None:
    for document in documents:
        file.write(json.dumps(document, ensure_ascii=False) + "\n")
