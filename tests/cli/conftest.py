"""A shell in an empty folder, and one with orders and tickets in its store."""

import os
from pathlib import Path

import pytest

from cli.shell import Shell, apply, delivered, order, take_back


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder, without settings."""
    for name in [name for name in os.environ if name.startswith("REVERSEFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """A shell on a store with E1 (a unit refunded, E1-R1) and E2 (a return pending, E2-R1)."""
    records = (order(), apply(), delivered(), take_back(external_no="TB7"))
    assert shell.run(*records).status == 0
    return shell
