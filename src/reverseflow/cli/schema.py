"""``reverseflow schema``: the JSON Schema of a kind of record."""

import json

import click


@click.command()
@click.argument("kind")
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of neutral record (order, apply, approve …).

    Example: reverseflow schema apply
    """
    from reverseflow.builtin.schema import schema_of

    click.echo(json.dumps(schema_of(kind), ensure_ascii=False, indent=2))
