"""What an audit reads: every stored row of every case, some cases at a time, in one snapshot.

Most tables begin their keys with the order: they are read with one query per chunk of cases.
``outbox`` and ``commands`` have keys of their own; each is read once, sorted by order, and merged
in. Memory stays constant, and orders come in the code-point order of their numbers everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
from sqlalchemy import Table
from sqlalchemy.engine import Connection, Engine

from reverseflow.storage import tables
from reverseflow.storage.bulk import Bulk
from reverseflow.storage.database import reader, storage_errors

CHUNK = 200

#: The tables whose keys begin with the order, and how the rows of a case are sorted.
_BY_ORDER: tuple[tuple[Table, str], ...] = (
    (tables.cases, "order_no"),
    (tables.order_lines, "position"),
    (tables.payments, "position"),
    (tables.tickets, "ticket_no"),
    (tables.ticket_lines, "position"),
    (tables.events, "seq"),
    (tables.postings, "seq, position"),
)
_MERGED = (tables.outbox, tables.commands)
_WITHOUT_CASE = (
    "AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.tenant_id = t.tenant_id AND c.order_no = t.order_no)"
)
_CODE_POINTS = {
    "postgresql": ' COLLATE "C"',
    "mysql": " COLLATE utf8mb4_bin",
    "mariadb": " COLLATE utf8mb4_bin",
}


@attrs.frozen
class CaseRows:
    """The rows of one case by table name; a row has its table's columns in their order."""

    order_no: str
    rows: Mapping[str, Sequence[Any]]

    def of(self, table: Table) -> Sequence[Any]:
        """The rows of one table."""
        return self.rows.get(table.name, ())


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the store as it was at its first question, whoever writes."""
    source = reader(engine)
    if engine.dialect.name != "sqlite":
        source = source.execution_options(isolation_level="REPEATABLE READ")
    with storage_errors(), source.connect() as connection:
        yield connection


class AuditRows:
    """The stored rows of one tenant, through one open snapshot."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self.connection = connection
        self.tenant = tenant
        self.bulk = Bulk(connection)

    def cases(self, since: str | None = None) -> Iterator[list[CaseRows]]:
        """All cases, some at a time; with `since` those whose last event is not before it."""
        merged = {table.name: _Sorted(self._sorted(table)) for table in _MERGED}
        for order_nos in self._order_numbers(since):
            found: dict[str, dict[str, list[Any]]] = {order_no: {} for order_no in order_nos}
            for table, sorting in _BY_ORDER:
                for row in self._rows(table, order_nos, sorting):
                    found[row.order_no].setdefault(table.name, []).append(row)
            for order_no in order_nos:
                for name, rows in merged.items():
                    found[order_no][name] = rows.take(order_no)
            yield [CaseRows(order_no, rows) for order_no, rows in found.items()]

    def orphans(self) -> Iterator[tuple[str, str]]:
        """(table, order) of rows whose order has no case."""
        names = [table for table, _ in _BY_ORDER if table is not tables.cases]
        tail = f"{_WITHOUT_CASE} GROUP BY order_no {self._sorting('order_no')}"
        for table in (*names, tables.personal, *_MERGED):
            for row in self._select("order_no", f"{table.name} t", tail):
                yield table.name, row[0]

    def damage(self) -> Iterator[str]:
        """What the database says is wrong with its own file (SQLite)."""
        if self.bulk.dialect == "sqlite":
            for row in self.connection.exec_driver_sql("PRAGMA integrity_check"):
                if row[0] != "ok":
                    yield row[0]

    def _order_numbers(self, since: str | None) -> Iterator[list[str]]:
        recent = "" if since is None else f"AND last_at >= {self.bulk.mark} "
        given = () if since is None else (since,)
        found = self._select("order_no", "cases", recent + self._sorting("order_no"), *given)
        while chunk := [row[0] for row in found.fetchmany(CHUNK)]:
            yield chunk

    def _rows(self, table: Table, order_nos: Sequence[str], sorting: str) -> list[Any]:
        return self.bulk.select(
            _columns(table), table.name, "order_no", order_nos,
            where="tenant_id = ?", given=(self.tenant,), tail=f"ORDER BY {sorting}",
        )  # fmt: skip

    def _sorted(self, table: Table) -> Iterator[Any]:
        key = table.primary_key.columns.keys()[-1]
        return iter(self._select(_columns(table), table.name, self._sorting("order_no", key)))

    def _sorting(self, *columns: str) -> str:
        collation = _CODE_POINTS.get(self.bulk.dialect, "")
        return f"ORDER BY {', '.join(column + collation for column in columns)}"

    def _select(self, columns: str, table: str, tail: str, *given: str) -> Any:
        """The tenant's rows as they are fetched; PostgreSQL must be told, MySQL buffers."""
        statement = f"SELECT {columns} FROM {table} WHERE tenant_id = {self.bulk.mark} {tail}"
        return self.connection.exec_driver_sql(
            statement,
            (self.tenant, *given),
            execution_options={"stream_results": self.bulk.dialect == "postgresql"},
        )


class _Sorted:
    """Rows sorted by order, taken order by order."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def take(self, order_no: str) -> list[Any]:
        """The rows of this order; those of orders before it are passed over."""
        found = []
        while self._next is not None and self._next.order_no <= order_no:
            if self._next.order_no == order_no:
                found.append(self._next)
            self._next = next(self._rows, None)
        return found


def _columns(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)
