"""``demo``: a real week, told for a person, and told again without changing anything."""

import json
import sqlite3
from pathlib import Path

from cli.shell import Shell


def stored() -> list[tuple[str, int, str, str]]:
    """The events of the demo's store, each with the hash of all that was before."""
    connection = sqlite3.connect("reverseflow-demo.db")
    try:
        return connection.execute(
            "SELECT order_no, seq, at, hash FROM events ORDER BY order_no, seq"
        ).fetchall()
    finally:
        connection.close()


def test_the_demo_carries_a_real_week_through_and_again_changes_nothing(shell: Shell) -> None:
    first = shell.done("demo").out
    assert "14,594 rows of the ledger" in first
    for told in (" orders with ", " refunded", "no_purchase_found", "agrees.", "Try next:"):
        assert told in first
    before = stored()
    instructions = Path("reverseflow-demo.instructions.jsonl").read_text()
    assert "changed" not in first

    second = shell.done("demo").out
    assert "Everything had been applied before: nothing changed." in second
    assert before == stored()
    assert instructions == Path("reverseflow-demo.instructions.jsonl").read_text()

    _the_commands_it_names_work(shell, second)
    _its_rejects_are_a_ledger(shell)


def _the_commands_it_names_work(shell: Shell, told: str) -> None:
    commands = [line.split() for line in told.partition("Try next:")[2].splitlines() if line]
    assert 3 == len(commands)
    for _, *arguments in commands:
        shell.done(*arguments)
    exported = Path("reverseflow-demo.export.jsonl").read_text().splitlines()
    assert {"order", "ticket", "event", "posting", "instruction"} == {
        next(iter(json.loads(line))) for line in exported
    }


def _its_rejects_are_a_ledger(shell: Shell) -> None:
    header = Path("reverseflow-demo.rejects.csv").read_text().splitlines()[0]
    assert header.startswith("InvoiceNo,StockCode,")
    assert header.endswith(",reject_code,reject_message")
    assert not shell.folder.joinpath("reverseflow.db").exists()


def test_a_ledger_that_is_not_there_is_named(shell: Shell) -> None:
    assert shell("demo", "nowhere.csv").status == 3
