"""``reverseflow plugins``: what was found, what is in use, and why the rest is not."""

from typing import Any

import attrs
import click

from reverseflow.cli.common import json_option, print_json, print_table, registry
from reverseflow.core.errors import ExitStatus


@click.command()
@click.option("--strict", is_flag=True, help="Exit with status 7 when a plugin failed to load.")
@click.option("--only", multiple=True, metavar="PLUGIN", help="Use only these plugins.")
@click.option("--without", multiple=True, metavar="PLUGIN", help="Leave a plugin out.")
@json_option
def plugins(strict: bool, as_json: bool, **options: Any) -> None:
    """Show the plugins that were found: loaded, left out, or failed with their error.

    Example: reverseflow plugins --json
    """
    found = registry(options).plugins
    if as_json:
        for info in found:
            print_json(attrs.asdict(info))
    else:
        print_table(
            ("name", "distribution", "version", "status", "provides"),
            [(i.name, i.distribution, i.version, i.status, i.error or ", ".join(i.provides)) for i in found],
        )
    if strict and any(info.status == "failed" for info in found):
        raise click.exceptions.Exit(ExitStatus.PLUGIN_FAULT)
