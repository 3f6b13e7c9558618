"""`verify` on stores nobody tampered with, on erased ones, on another tenant's, on PostgreSQL."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from audit.histories import History, opened, told
from audit.tampering import Tampered
from reverseflow.audit import verify
from reverseflow.audit.command_rows import EVENTS_OF
from reverseflow.core.commands import COMMANDS
from reverseflow.core.events import EVENT_KINDS
from reverseflow.storage import audit_rows, tables

ORDERS = tuple(f"E{number}" for number in range(7))
PRIVATE = ("note", "notes", "reason_text", "return_to")


def test_orders_are_looked_at_in_chunks_and_progress_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_rows, "CHUNK", 3)
    engine = opened(str(tmp_path / "store.db"))
    History(engine, 1, ORDERS).run(30)
    done: list[int] = []
    assert list(verify(engine, progress=done.append)) == []
    assert done == [3, 6, 7]
    engine.close()


def test_an_empty_store_has_no_findings(tmp_path: Path) -> None:
    engine = opened(str(tmp_path / "store.db"))
    assert list(verify(engine)) == []
    engine.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_is_written_meanwhile_neither_waits_nor_is_seen(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    """An audit reads one snapshot; else a case could have a version that its events do not have."""
    postgres = database == "postgresql"
    url = request.getfixturevalue("postgres_url") if postgres else str(tmp_path / "store.db")
    engine = opened(url)
    history = History(engine, 2, ORDERS[:2]).run(5)

    def events() -> int:
        return sum(len(stored.of(tables.events)) for chunk in rows.cases() for stored in chunk)

    with audit_rows.snapshot(engine.database) as connection:
        rows = audit_rows.AuditRows(connection, "default")
        before = events()
        history.run(10)
        assert events() == before
    with audit_rows.snapshot(engine.database) as connection:
        rows = audit_rows.AuditRows(connection, "default")
        assert events() > before
    engine.close()


def test_each_tenant_is_verified_by_itself(tmp_path: Path) -> None:
    url = str(tmp_path / "store.db")
    one, other = opened(url, "one"), opened(url, "other")
    told(other, History(one, 3, ORDERS[:2]).run(20).script)
    assert list(verify(one)) == list(verify(other)) == []
    with one.database.begin() as connection:
        connection.execute(sa.delete(tables.events).where(tables.events.c.tenant_id == "one"))
    assert {finding.code for finding in verify(one)} == {"events_missing"}
    assert list(verify(other)) == []
    one.close()
    other.close()


def erase(store: Tampered, *, details: bool = True) -> None:
    """What erasing an order's personal data does to the rows."""
    store.raw.execute("DELETE FROM personal")
    store.raw.execute("UPDATE events SET private = NULL")
    for row in store.rows(tables.tickets) if details else ():
        detail = {k: v for k, v in json.loads(row[-1]).items() if k not in PRIVATE}
        text = json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        store.put(tables.tickets, row, "detail", text)


def test_erased_personal_data_is_no_damage(store: Tampered) -> None:
    with store.kept(tables.personal, tables.events, tables.tickets):
        erase(store)
        assert store.findings() == []


def test_personal_data_erased_by_half_is_found(store: Tampered) -> None:
    with store.kept(tables.personal, tables.events, tables.tickets):
        erase(store, details=False)
        findings = store.findings()
    assert findings and {finding.code for finding in findings} == {"row_differs"}
    assert all(".detail" in f.message or "detail differs" in f.message for f in findings)


def test_every_command_has_the_event_it_leads_to() -> None:
    """A new command needs its row here; else its missing rows would not be found."""
    assert set(EVENTS_OF) == set(COMMANDS) - {"order"}
    assert {kind for kinds in EVENTS_OF.values() for kind in kinds} <= set(EVENT_KINDS)


#: Each tampering adds its own finding to those before.
ON_POSTGRESQL = (
    ("UPDATE outbox SET seq = seq + 1", "instruction_differs"),
    ("UPDATE payments SET refunded = refunded + 1, amount = amount + 2", "row_differs"),
    ("DELETE FROM postings WHERE account = 'sales'", "postings_unbalanced"),
    ("DELETE FROM commands WHERE kind = 'apply'", "command_missing"),
    ("UPDATE events SET payload = '{}' WHERE kind = 'note_added'", "hash_differs"),
    ("UPDATE cases SET version = version + 1", "tail_cut"),
    ("UPDATE events SET seq = seq + 1000 WHERE kind = 'note_added'", "number_gap"),
    ("DELETE FROM cases WHERE order_no = 'E3'", "orphan"),
)


def test_tampering_is_found_on_postgresql(postgres_url: str) -> None:
    engine = opened(postgres_url)
    History(engine, 5, ORDERS).run(60)
    codes = {finding.code for finding in verify(engine)}
    assert codes == set()
    for statement, code in ON_POSTGRESQL:
        assert code not in codes
        with engine.database.begin() as connection:
            assert connection.exec_driver_sql(statement).rowcount
        codes = {finding.code for finding in verify(engine)}
        assert code in codes
    engine.close()
