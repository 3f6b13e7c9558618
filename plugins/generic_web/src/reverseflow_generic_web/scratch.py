"""The rows of one ledger in a temporary database on disk, so that any order of rows will do.

SQLite deletes the database by itself when it is closed, also when the process is killed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from reverseflow_generic_web.ledger_rows import Entry, is_cancellation

_FIELDS = ", ".join(Entry._fields)
_PLACES = ", ".join("?" * len(Entry._fields))
_TABLE = f"""
    CREATE TABLE entries (
        {_FIELDS.replace("row,", "row INTEGER PRIMARY KEY,")}, cancels INTEGER
    )
"""
_INSERT = f"INSERT INTO entries ({_FIELDS}, cancels) VALUES ({_PLACES}, ?)"  # noqa: S608 - own names
_INVOICES = """
    SELECT invoice FROM entries WHERE cancels = ? AND invoice <> '' GROUP BY invoice
    ORDER BY min(nullif(at, '')), min(row)
"""
_OF_INVOICE = f"SELECT {_FIELDS} FROM entries WHERE invoice = ? ORDER BY row"  # noqa: S608 - own names


class Scratch:
    """Entries by invoice; `add` first, then `invoices` as often as needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for setting in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute(_TABLE)

    def add(self, entries: Iterable[Entry]) -> None:
        """Put all entries down, one at a time, and index them."""
        rows = ((*entry, is_cancellation(entry.invoice)) for entry in entries)
        self._connection.executemany(_INSERT, rows)
        self._connection.execute("CREATE INDEX by_invoice ON entries (invoice, row)")
        self._connection.commit()

    def invoices(self, *, cancelling: bool) -> Iterator[list[Entry]]:
        """The entries invoice by invoice, by date, then by first row; within one by row."""
        for (invoice,) in self._connection.execute(_INVOICES, (cancelling,)):
            found = self._connection.execute(_OF_INVOICE, (invoice,))
            yield [Entry(*row) for row in found]

    def without_invoice(self) -> Iterator[Entry]:
        """The entries that name no invoice, by row."""
        for row in self._connection.execute(_OF_INVOICE, ("",)):
            yield Entry(*row)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """An empty scratch database, gone at the end."""
    with closing(sqlite3.connect("", check_same_thread=False)) as connection:
        yield Scratch(connection)
