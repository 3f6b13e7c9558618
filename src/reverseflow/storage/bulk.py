"""Set-based writes: many rows of one table in one go, each dialect in its fastest safe way.

SQLite and others use the driver's `executemany`; PostgreSQL takes COPY for new rows and one
``UPDATE … FROM unnest`` for changed ones. A guarded update that does not reach every row it was
given raises `Conflict`: somebody else was there first.
"""

from collections.abc import Sequence
from typing import Any

import attrs
from sqlalchemy import Table
from sqlalchemy.engine import Connection

from reverseflow.core.errors import ReverseFlowError
from reverseflow.storage.database import Conflict, translated

Row = tuple[Any, ...]


@attrs.frozen
class Update:
    """An update of one table: the columns set, then the columns (keys and guards) it must match."""

    table: Table
    set_columns: tuple[str, ...]
    match_columns: tuple[str, ...]


class Bulk:
    """The bulk writer of one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self.mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, given in the table's column order; a taken key raises `Conflict`."""
        if not rows:
            return
        columns = ", ".join(column.name for column in table.columns)
        if self.dialect == "postgresql":
            self._copy(f"COPY {table.name} ({columns}) FROM STDIN", rows)
            return
        marks = ", ".join(self.mark for _ in table.columns)
        self.connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))

    def _copy(self, statement: str, rows: Sequence[Row]) -> None:
        driver = self.connection.connection.driver_connection
        assert driver is not None
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                write = copy.write_row
                for row in rows:
                    write(row)
        except ReverseFlowError:
            raise
        except Exception as error:
            raise translated(error, error) from error

    def update(self, update: Update, rows: Sequence[Row]) -> None:
        """Change rows given as (set values…, match values…); every one of them must be found."""
        if not rows:
            return
        table = update.table
        if self.dialect == "postgresql":
            statement = update_statement(update)
            parameters: Any = tuple(list(column) for column in zip(*rows, strict=True))
        else:
            sets = ", ".join(f"{name} = {self.mark}" for name in update.set_columns)
            match = " AND ".join(f"{name} = {self.mark}" for name in update.match_columns)
            statement = f"UPDATE {table.name} SET {sets} WHERE {match}"
            parameters = list(rows)
        result = self.connection.exec_driver_sql(statement, parameters)
        if result.rowcount != len(rows):
            raise Conflict(f"{result.rowcount} of {len(rows)} rows of {table.name} were as expected")

    def delete(self, table: Table, match_columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Remove the rows with these keys."""
        if rows:
            match = " AND ".join(f"{name} = {self.mark}" for name in match_columns)
            self.connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {match}", list(rows))

    def select(
        self, columns: str, table: str, key: str, values: Sequence[Any], *, where: str = "",
        given: Sequence[Any] = (), tail: str = "",
    ) -> list[Any]:  # fmt: skip
        """Rows whose `key` is one of `values`, in as few statements as the dialect allows."""
        found: list[Any] = []
        for start in range(0, len(values), 10_000):
            part = tuple(values[start : start + 10_000])
            marks = ", ".join(self.mark for _ in part)
            extra = f" AND {where.replace('?', self.mark)}" if where else ""
            statement = f"SELECT {columns} FROM {table} WHERE {key} IN ({marks}){extra} {tail}"
            found.extend(self.connection.exec_driver_sql(statement, (*part, *given)).fetchall())
        return found


def update_statement(update: Update) -> str:
    """PostgreSQL's one statement for any number of rows, given as one array per column."""
    table = update.table
    names = (*update.set_columns, *(f"was_{name}" for name in update.match_columns))
    types = [_pg_type(table, name) for name in (*update.set_columns, *update.match_columns)]
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    sets = ", ".join(f"{name} = v.{name}" for name in update.set_columns)
    match = " AND ".join(f"t.{name} = v.was_{name}" for name in update.match_columns)
    return f"UPDATE {table.name} AS t SET {sets} FROM unnest({arrays}) AS v({', '.join(names)}) WHERE {match}"


def _pg_type(table: Table, name: str) -> str:
    return "bigint" if table.c[name].type.python_type is int else "text"
