"""``reverseflow act``: many ticket commands from a file."""

from typing import Any

import click

from reverseflow.cli.common import open_engine, store_options
from reverseflow.cli.run import run_files, say_summary


@click.command()
@click.argument("file")
@click.option("--results", type=click.Path(dir_okay=False), help="Write a result line per command here.")
@click.option("--rejects", type=click.Path(dir_okay=False), help="Write refused and failed rows here.")
@click.option("--encoding", metavar="NAME", help="The encoding; else UTF-8 or strictly detected.")
@click.option("--dry-run", is_flag=True, help="Decide everything as usual, keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result lines on standard output.")
@store_options
def act(file: str, dry_run: bool, **options: Any) -> None:
    """Carry out many ticket commands: neutral records, or a table of them.

    In a table each row is one command: the columns ``command`` and ``ticket_no`` are required,
    further ones are the command's fields (actor, at, reason, amount,
    lines as ``A=2 B=1`` …). Running the file again changes nothing.

    Example: reverseflow act approvals.csv --rejects approvals.rejects.csv
    """
    from reverseflow.batch import actions
    from reverseflow.builtin import neutral

    with open_engine(options) as engine:
        readers = (actions.READER, neutral.READER)
        if dry_run:
            with engine.dry_run():
                summary = run_files(engine, (file,), "", options, readers)
        else:
            summary = run_files(engine, (file,), "", options, readers)
    say_summary(summary, dry_run=dry_run, rejects=options["rejects"])
    raise click.exceptions.Exit(summary.exit_status)
