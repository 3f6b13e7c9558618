"""The floor: the very rows the engine wrote, written again by the driver alone.

A run of the engine is recorded at `Bulk` (which rows go into which table, in which transaction);
the floor replays that on an equal store with nothing in between: stdlib `sqlite3` with the same
durability, or psycopg with COPY.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import Table

from reverseflow.storage.bulk import Bulk, Row, Update

Write = tuple[str, Any, list[Row]]
Transaction = list[Write]


class Recorder:
    """Collects what the engine writes, one list per transaction."""

    def __init__(self) -> None:
        self.transactions: list[Transaction] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within it, every `Bulk` of the engine also tells what it writes."""
        recorder = self

        class Telling(Bulk):
            def __init__(self, connection: Any) -> None:
                super().__init__(connection)
                self._writes: Transaction = []
                recorder.transactions.append(self._writes)

            def insert(self, table: Table, rows: Sequence[Row]) -> None:
                self._writes.append(("insert", table, list(rows)))
                super().insert(table, rows)

            def update(self, update: Update, rows: Sequence[Row]) -> None:
                self._writes.append(("update", update, list(rows)))
                super().update(update, rows)

        with mock.patch("reverseflow.storage.store.Bulk", Telling):
            yield

    @property
    def rows(self) -> int:
        """How many rows were written or changed."""
        return sum(len(rows) for writes in self.transactions for _, _, rows in writes)


def sqlite_floor(path: str, transactions: list[Transaction]) -> float:
    """Seconds the stdlib driver takes for the same rows, one commit per transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    prepared = [
        [(_statement(what, target), rows) for what, target, rows in writes if rows] for writes in transactions
    ]
    started = time.perf_counter()
    for writes in prepared:
        if writes:
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in writes:
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _statement(what: str, target: Any) -> str:
    if what == "insert":
        marks = ", ".join("?" for _ in target.columns)
        return f"INSERT INTO {target.name} VALUES ({marks})"
    sets = ", ".join(f"{name} = ?" for name in target.set_columns)
    match = " AND ".join(f"{name} = ?" for name in target.match_columns)
    return f"UPDATE {target.table.name} SET {sets} WHERE {match}"


def postgres_floor(
    url: str, transactions: list[Transaction], update: Callable[[Any, Update, list[Row]], None]
) -> float:
    """Seconds psycopg takes: COPY for new rows, one set-based UPDATE for changed ones."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        for writes in transactions:
            for what, target, rows in writes:
                if rows and what == "insert":
                    with cursor.copy(f"COPY {target.name} FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
                elif rows:
                    update(cursor, target, rows)
            connection.commit()
        return time.perf_counter() - started
