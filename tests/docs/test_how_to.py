"""The how-to guides do what they say."""

from pathlib import Path
from typing import Protocol

import pytest

from support.pages import DOCS, Page

#: The URL on the page about PostgreSQL.
URL = "postgresql://shop@localhost/shop"


class Console(Protocol):
    """A terminal in an empty folder (`conftest.Console`)."""

    folder: Path

    def run(self, command: str) -> str: ...
    def follow(self, text: str) -> int: ...


def test_a_killed_batch_is_finished_by_running_it_again(console: Console) -> None:
    assert console.follow(Page("how-to/resume-a-batch.md").text) == 5


def test_the_desk_runs_a_round_by_itself(console: Console) -> None:
    """What needs a person is said, everything else is done; a second round finds nothing to do."""
    assert console.follow(Page("how-to/run-the-desk-from-cron.md").text) == 6
    assert not list((console.folder / "inbox").iterdir())
    assert [path.name for path in (console.folder / "broken").iterdir()] == ["hello.txt"]


def test_the_plugin_of_the_guide_is_built_installed_tested_and_used(console: Console) -> None:
    pytest.importorskip("hatchling", reason="the guide builds its package with it")
    assert console.follow(Page("how-to/write-a-plugin.md").text) == 13


def test_the_store_is_kept_in_postgresql(console: Console, postgres_url: str) -> None:
    page = Page("how-to/postgresql.md")
    assert page.text.count(URL) == 2
    assert console.follow(page.text.replace(URL, postgres_url)) == 4


def test_no_guide_is_left_out() -> None:
    """Who adds a guide with a session adds a test of it."""
    told = {path.stem for path in (DOCS / "how-to").glob("*.md") if "```console" in path.read_text("utf-8")}
    assert told == {"postgresql", "resume-a-batch", "run-the-desk-from-cron", "write-a-plugin"}
