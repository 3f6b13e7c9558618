"""The front door: light to import, and the same for type checkers as for the interpreter."""

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reverseflow

HEAVY = ("alembic", "cattrs", "click", "pluggy", "sqlalchemy", "sqlite3", "psycopg", "asyncio")


def loaded_after(code: str) -> set[str]:
    """The modules a fresh interpreter has loaded after some code."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    told = subprocess.run(
        [sys.executable, "-S", "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(told.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import reverseflow",
        "import reverseflow; reverseflow.Money(1, 'CNY')",
        "from reverseflow import Money, Reason, Rule, Verdict",
        "import reverseflow; dir(reverseflow)",
    ],
)
def test_importing_the_front_door_loads_nothing_heavy(code: str) -> None:
    loaded = loaded_after(code)
    assert "reverseflow" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_an_engine_is_what_loads_the_database() -> None:
    """Else the test above would show nothing."""
    assert {"sqlalchemy", "pluggy"} <= loaded_after("from reverseflow import Engine")


def names_for_type_checkers() -> dict[str, str]:
    """What is imported under ``TYPE_CHECKING``: name → module."""
    tree = ast.parse(Path(reverseflow.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names:
            assert alias.asname == alias.name, "without `as` a type checker takes it for private"
            found[alias.name] = node.module
    return found


def test_type_checkers_are_told_the_same_names_of_the_same_modules() -> None:
    assert names_for_type_checkers() == {
        name: f"reverseflow.{room}" for name, room in reverseflow._HOME.items()
    }


def test_every_name_is_there_and_listed() -> None:
    assert set(reverseflow.__all__) == {"__version__", *reverseflow._HOME} == set(dir(reverseflow))
    for name, room in reverseflow._HOME.items():
        assert getattr(reverseflow, name) is getattr(import_module(f"reverseflow.{room}"), name)


def test_a_name_that_is_not_there_is_said_not_to_be_there() -> None:
    with pytest.raises(AttributeError, match="module 'reverseflow' has no attribute 'Refund'"):
        reverseflow.Refund  # noqa: B018 - to look is the test
