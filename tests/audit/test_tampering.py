"""What is changed in a store by hand is found; what cannot be found is listed with its reason."""

import random

import pytest
from sqlalchemy import Table

from audit.tampering import TABLES, Row, Tampered, index_of, other_values
from reverseflow.audit import verify
from reverseflow.audit.findings import CODES
from reverseflow.core.errors import shown
from reverseflow.core.events import event_hash
from reverseflow.storage import tables
from reverseflow.storage.rows import event_from
from support.cases import RELEASE

#: Columns whose change is never found, and why.
UNCOVERED = {
    **dict.fromkeys(
        [("personal", name) for name in ("tenant_id", "account", "level", "name", "phone", "address")],
        "personal data stands beside the chain so that it can be erased",
    ),
    **dict.fromkeys(
        [("outbox", name) for name in ("state", "attempts", "next_at", "lease", "last_error")],
        "how delivery stands follows from no event; what came of it is an event",
    ),
}
#: Columns in which some changes are found and others cannot be, and why.
IN_PART = {
    ("commands", "command_id"): "only an application's id is in the chain",
    ("commands", "content"): "what was asked is not in the chain; it is read and compared in part",
    ("outbox", "body"): "the number of the attempt is the relay's",
    ("events", "private"): "erasable; a text that a later one replaced is seen nowhere else",
}
COLUMNS = [(table, column.name) for table in TABLES for column in table.columns]


def some(rows: list[Row], count: int = 3) -> list[Row]:
    """A few rows from everywhere in a table; before a release all of them."""
    return rows if RELEASE else rows[:: -max(1, len(rows) // count)]


def is_found(store: Tampered, table: Table, row: Row, name: str, value: object) -> bool | None:
    """Whether a changed column is found; None where the table does not take the value."""
    with store.kept(table):
        return bool(store.codes()) if store.put(table, row, name, value) else None


def test_an_untouched_store_has_no_findings_and_rows_in_every_table(store: Tampered) -> None:
    assert store.findings() == []
    assert [table.name for table in TABLES if len(store.rows(table)) < 3] == []


@pytest.mark.parametrize(("table", "name"), COLUMNS, ids=[f"{t.name}.{n}" for t, n in COLUMNS])
def test_a_changed_column_is_found(store: Tampered, table: Table, name: str) -> None:
    index, in_part = index_of(table, name), (table.name, name) in IN_PART
    answers = [
        is_found(store, table, row, name, value)
        for row in some(store.rows(table), 12 if in_part else 2)
        for value in other_values(table, name, row[index])
    ]
    answers = [answer for answer in answers if answer is not None]
    if (table.name, name) in UNCOVERED:
        assert set(answers) == {False}, "it is found: take it off the list"
    elif in_part:
        assert set(answers) == {True, False}, "it is found always, or never: mend the lists"
    else:
        assert set(answers) == {True}


def test_every_tampering_out_of_many_random_ones_is_found(store: Tampered) -> None:
    """E4: any value of any row, one at a time."""
    pick, missed, done = random.Random(4), [], 0
    columns = [c for c in COLUMNS if (c[0].name, c[1]) not in {**UNCOVERED, **IN_PART}]
    rows = {table.name: store.rows(table) for table in TABLES}
    while done < (2000 if RELEASE else 200):
        table, name = pick.choice(columns)
        row = pick.choice(rows[table.name])
        value = pick.choice(other_values(table, name, row[index_of(table, name)]))
        found = is_found(store, table, row, name, value)
        done += found is not None
        if found is False:
            missed.append((table.name, name, row, value))
    assert missed == []
    assert store.findings() == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_deleted_row_is_found(store: Tampered, table: Table) -> None:
    for row in some(store.rows(table)):
        with store.kept(table):
            store.delete(table, row)
            assert bool(store.codes()) == (table is not tables.personal)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_added_row_is_found(store: Tampered, table: Table) -> None:
    key = index_of(table, [column.name for column in table.primary_key][-1])
    for row in some(store.rows(table)):
        added = list(row)
        added[key] = added[key] + 1000 if isinstance(added[key], int) else added[key] + "-new"
        with store.kept(table):
            store.insert(table, tuple(added))
            assert store.codes()


@pytest.mark.parametrize(
    "table",
    # Two commands that trade places trade their ids, which are not in the chain.
    [table for table in TABLES if table not in (tables.personal, tables.commands)],
    ids=lambda table: table.name,
)
def test_two_rows_that_traded_places_are_found(store: Tampered, table: Table) -> None:
    keys = {index_of(table, column.name) for column in table.primary_key}
    rows = store.rows(table)
    for first, second in ((rows[0], rows[1]), (rows[1], rows[-1])):
        with store.kept(table):
            for row, other in ((first, second), (second, first)):
                store.delete(table, row)
                store.insert(table, tuple(v if i in keys else other[i] for i, v in enumerate(row)))
            assert store.codes()


def by_order(store: Tampered) -> dict[str, list[Row]]:
    """The events of every order."""
    found: dict[str, list[Row]] = {}
    for row in store.rows(tables.events):
        found.setdefault(row[1], []).append(row)
    return found


def test_a_tail_that_was_cut_is_found_however_long_it_is(store: Tampered) -> None:
    for order_no, events in by_order(store).items():
        for left in range(1, len(events)):
            with store.kept(tables.events):
                store.raw.execute("DELETE FROM events WHERE order_no = ? AND seq > ?", (order_no, left))
                findings = store.findings()
            assert ("tail_cut", left) in {(finding.code, finding.seq) for finding in findings}


def test_a_tail_cut_with_the_case_set_back_to_it_is_found(store: Tampered) -> None:
    """Whoever also mends the case's head meets the rows that the events gave."""
    for order_no, events in by_order(store).items():
        last = events[-2]
        with store.kept(tables.events, tables.cases):
            store.delete(tables.events, events[-1])
            store.raw.execute(
                "UPDATE cases SET version = ?, head = ?, last_at = ? WHERE order_no = ?",
                (last[2], last[9], last[5], order_no),
            )
            assert store.codes() - {"tail_cut", "head_differs"}


def test_all_events_gone_is_found(store: Tampered) -> None:
    with store.kept(tables.events):
        store.raw.execute("DELETE FROM events WHERE order_no = 'E2'")
        assert store.codes() == {"events_missing"}


def test_a_case_gone_leaves_orphans_in_every_table(store: Tampered) -> None:
    order_no = store.rows(tables.outbox)[0][2]
    with store.kept(tables.cases):
        store.raw.execute("DELETE FROM cases WHERE order_no = ?", (order_no,))
        findings = store.findings()
    assert {(finding.order_no, finding.code) for finding in findings} == {(order_no, "orphan")}
    named = {finding.message.split()[0] for finding in findings}
    assert named == {table.name for table in TABLES} - {"cases"}


def test_the_event_that_was_changed_is_named(store: Tampered) -> None:
    """The chain is checked link by link: the links after a changed one are not blamed for it."""
    row = by_order(store)["E1"][4]
    with store.kept(tables.events):
        store.put(tables.events, row, "actor", "operations:wang")
        found = {(finding.seq, finding.code) for finding in store.findings()}
    assert (5, "hash_differs") in found
    assert [seq for seq, code in found if code == "hash_differs"] == [5]


def test_an_event_changed_with_its_own_hash_breaks_the_next_link(store: Tampered) -> None:
    events = by_order(store)["E1"]
    row, previous = list(events[4]), events[3][9]
    row[6] = "operations:wang"
    hash_ = event_hash("default", "E1", event_from(row[2:9]), row[7], previous)
    with store.kept(tables.events):
        store.put(tables.events, events[4], "actor", row[6])
        store.put(tables.events, events[4], "hash", hash_)
        found = {(finding.seq, finding.code) for finding in store.findings()}
    assert (6, "hash_differs") in found


def test_what_cannot_be_read_is_a_finding_and_does_not_stop_the_others(store: Tampered) -> None:
    rows = by_order(store)
    with store.kept(tables.events, tables.tickets):
        store.put(tables.events, rows["E1"][3], "payload", "{")
        opened = next(row for row in rows["E2"] if row[3] == "ticket_opened")
        store.put(tables.events, opened, "payload", "{}")
        ticket = next(row for row in store.rows(tables.tickets) if row[1] == "E3")
        store.put(tables.tickets, ticket, "legs", "nonsense")
        found = {(finding.order_no, finding.code) for finding in store.findings()}
    assert {("E1", "event_unreadable"), ("E2", "not_rebuilt"), ("E3", "row_differs")} <= found


def test_every_finding_has_a_known_code_and_shows_no_personal_text(store: Tampered) -> None:
    ticket = next(row for row in store.rows(tables.tickets) if "canary" in row[-1])
    with store.kept(tables.tickets, tables.events):
        store.put(tables.tickets, ticket, "detail", '{"note":"canary of mine"}')
        store.raw.execute("DELETE FROM events WHERE seq = 2")
        findings = store.findings()
    assert {finding.code for finding in findings} <= set(CODES)
    assert [finding for finding in findings if "canary" in finding.message] == []


def test_the_database_says_what_its_own_checks_find(store: Tampered) -> None:
    row = store.rows(tables.payments)[0]
    with store.kept(tables.payments):
        store.put(tables.payments, row, "refunded", -1)
        messages = [f.message for f in verify(store.engine) if f.code == "store_damaged"]
    assert [message for message in messages if "CHECK" in message], shown(messages)
