"""Help is quick, complete, and names an example for every command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import cleandoc

import click
import pytest

from cli.shell import Shell
from reverseflow.cli import COMMANDS, cli


def every_command(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from every_command(inner, *path, name)
    else:
        yield path, command


def test_every_command_says_in_a_line_what_it_does_and_shows_an_example() -> None:
    seen = set()
    for path, command in every_command(cli):
        words = " ".join(path)
        first, *rest = cleandoc(command.help or "").split("\n\n")
        assert first.endswith("."), words
        assert any(part.startswith(f"Example: reverseflow {words}") for part in rest), words
        seen.add(words)
    assert {"run", "ticket approve", "finance send-back", "outbox retry", "db status"} <= seen


@pytest.mark.parametrize("group", ["ticket", "finance", "order", "outbox", "db"])
def test_no_line_of_a_list_of_commands_is_cut(shell: Shell, group: str) -> None:
    listed = shell.done(group, "--help").out.partition("Commands:")[2]
    assert "..." not in listed


def test_the_help_of_all_commands_is_the_table() -> None:
    for module, attribute, help_ in COMMANDS.values():
        assert module and attribute and help_.endswith(".")


@pytest.mark.parametrize("arguments", [["--help"], ["ticket", "list", "--help"], ["quote", "--help"]])
def test_help_loads_no_database_library(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom reverseflow.cli import cli\n"
        f"cli.main({arguments!r}, 'reverseflow', standalone_mode=False)\n"
        "heavy = {'sqlalchemy', 'alembic', 'cattrs'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    path = repr([entry for entry in sys.path if entry])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{script}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistyped_command_is_told_its_neighbour(shell: Shell) -> None:
    answer = shell("tickt")
    assert answer.status == 2
    assert "ticket" in answer.err


def test_a_mistyped_option_is_a_usage_error(shell: Shell) -> None:
    answer = shell("ticket", "list", "--statsu", "approved")
    assert answer.status == 2
    assert "--status" in answer.err


def test_the_shell_completes_commands_and_values(shell: Shell) -> None:
    typed = {"COMP_WORDS": "reverseflow ticket list --status awaiting_e", "COMP_CWORD": "4"}
    environment = {**os.environ, **typed, "_REVERSEFLOW_COMPLETE": "bash_complete"}
    process = shell.start(stdout=subprocess.PIPE, env=environment)
    said, _ = process.communicate(timeout=60)
    assert b"plain,awaiting_exchange\n" == said
    assert 0 == process.returncode


def test_python_m_reverseflow_is_the_command(shell: Shell) -> None:
    path = repr([entry for entry in sys.path if entry])
    script = f"import sys, runpy; sys.path[:0] = {path}; sys.argv = ['reverseflow', '--version']"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; runpy.run_module('reverseflow', run_name='__main__')"],
        capture_output=True, text=True, check=False, cwd=shell.folder,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("reverseflow, version ")
