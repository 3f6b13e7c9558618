"""``reverseflow lifecycle``: the lifecycle drawn from its tables."""

from pathlib import Path

import click


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "mermaid", "svg"]),
    default="text",
    show_default=True,
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write it to this file.")
def lifecycle(type_: str | None, style: str, output: str | None) -> None:
    """Draw the legs of a ticket type, their states, and what each waits for.

    Example: reverseflow lifecycle return_refund --format mermaid
    """
    from reverseflow.reports.lifecycle import draw

    picture = draw(type_, style)
    if output:
        Path(output).write_text(picture, encoding="utf-8")
    else:
        click.echo(picture.rstrip("\n"))
