"""The same commands on PostgreSQL say the same as on SQLite."""

import pytest

from cli.shell import NOW, Shell, apply, delivered, order, take_back

LI = ("--actor", "operations:li", "--now", NOW)
LOOKS: tuple[tuple[str, ...], ...] = (
    ("ticket", "list", "--json"),
    ("ticket", "list", "--status", "pending_review", "--status", "awaiting_refund", "--columns", "all"),
    ("ticket", "list", "--due", "--sort", "-amount", "--applied-from", "2026-05-02"),
    ("ticket", "list", "--sort", "released_at"),
    ("ticket", "list", "--sort", "-released_at"),
    ("ticket", "show", "TB7", "--json"),
    ("ticket", "show", "E1-R1"),
    ("finance", "list", "--json"),
    ("finance", "list", "--limit", "1", "--offset", "1"),
    ("order", "list", "--json"),
    ("order", "show", "E2"),
    ("outbox", "list", "--json"),
    ("quote", "E1", "--type", "refund_only", "--reason", "not_wanted", "--line", "A=1"),
    ("export",),
    ("verify",),
)


def worked(shell: Shell, url: str) -> list[tuple[int, str, str]]:
    """Work on a store a little, then look at everything."""
    store = ("--db", url)
    shell.done("db", "upgrade", *store)
    refunds = [
        record
        for number in (3, 4)
        for record in (
            delivered(f"E{number}"),
            take_back(f"r{number}", f"E{number}", type="refund_only", reason="agreed"),
        )
    ]
    file = shell.write("in.jsonl", order(), apply(), delivered(), take_back(external_no="TB7"), *refunds)
    shell.done("run", file, "--now", NOW, *store)
    shell.done("ticket", "approve", "TB7", *LI, "--id", "k2", *store)
    for number in (3, 4):
        shell.done("ticket", "approve", f"E{number}-R1", *LI, "--id", f"k{number}", *store)
    answers = [shell(*look, "--now", NOW, *store) for look in LOOKS]
    return [(answer.status, answer.out, answer.err) for answer in answers]


def test_every_look_at_a_postgresql_store_is_that_at_sqlite(
    shell: Shell, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.folder)
    on_sqlite = worked(shell, "sqlite:///here.db")
    on_postgresql = worked(shell, postgres_url)
    for look, expected, actual in zip(LOOKS, on_sqlite, on_postgresql, strict=True):
        assert 0 == expected[0], look
        assert expected == actual, look


def test_a_postgresql_server_that_is_not_there_is_unavailable(shell: Shell) -> None:
    answer = shell("ticket", "list", "--db", "postgresql://nobody:secret@127.0.0.1:1/none")
    assert 8 == answer.status
    assert "store_unavailable" in answer.err and "secret" not in answer.err
