"""``reverseflow db``: the store's schema."""

from typing import Any

import click

from reverseflow.cli.common import database_url, json_option, print_json, store_options
from reverseflow.core.errors import ExitStatus


@click.group()
def db() -> None:
    """Upgrade the store's schema, or show its state."""


@db.command()
@store_options
def upgrade(**options: Any) -> None:
    """Bring the store to this version's schema.

    An empty database gets all tables.

    Example: reverseflow db upgrade --db postgresql://shop@localhost/shop
    """
    from reverseflow.storage import database

    engine = database.open_database(database_url(options))
    click.echo(f"the store is at schema {database.upgrade(engine)}")
    engine.dispose()


@db.command()
@json_option
@store_options
def status(as_json: bool, **options: Any) -> None:
    """Show the store's schema and this version's.

    Exit status 9 when they differ.

    Example: reverseflow db status
    """
    from reverseflow.storage import database
    from reverseflow.storage.tables import SCHEMA_HEAD

    engine = database.open_database(database_url(options), must_exist=True)
    with database.storage_errors(), database.reader(engine).connect() as connection:
        found = database.schema_version(connection)
    engine.dispose()
    if as_json:
        print_json({"schema": found, "wanted": SCHEMA_HEAD})
    else:
        click.echo(f"schema {found or 'none'}, this version works with {SCHEMA_HEAD}")
    if found != SCHEMA_HEAD:
        raise click.exceptions.Exit(ExitStatus.SCHEMA_MISMATCH)
