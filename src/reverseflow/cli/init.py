"""``reverseflow init``: a store and a configuration file."""

import json
from pathlib import Path
from typing import Any

import click

from reverseflow.cli.common import database_url, open_engine, store_options
from reverseflow.cli.config import FILE
from reverseflow.core.errors import UsageError

_TEMPLATE = """\
# The settings of ReverseFlow in this folder; environment variables REVERSEFLOW_* and options win.

# The store: sqlite:///file.db, or postgresql://user@host/name with reverseflow[postgres].
database = {database}

# Whose store it is; several tenants may share one database.
# tenant = "default"

# Who works here, as role:name (buyer, operations, finance, warehouse, platform, system).
# actor = "operations:li"

# Whose files `reverseflow run` reads when --platform is not given.
# platform = "generic_web"

# Who carries out instructions, and its options.
# mover = "file"
# [movers.file]
# out = "instructions.jsonl"

# [plugins]
# only = ["generic_web"]
"""


@click.command()
@click.option("--force", is_flag=True, help="Write the configuration even when there is one.")
@store_options
def init(force: bool, **options: Any) -> None:
    """Make a store here, and a configuration file that names it.

    Example: reverseflow init --db sqlite:///shop.db
    """
    path = Path(FILE)
    if path.exists() and not force:
        raise UsageError("file_exists", f"{FILE} is here already; --force writes it anew")
    url = database_url(options)
    with open_engine(options, create=True):
        pass
    path.write_text(_TEMPLATE.format(database=json.dumps(url, ensure_ascii=False)), encoding="utf-8")
    click.echo(f"{url.partition('@')[2] or url} is ready; the settings are in {FILE}")
