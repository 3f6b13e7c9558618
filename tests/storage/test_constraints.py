"""What must never be wrong is held by the database too, whoever writes to it."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from reverseflow.core.commands import BuyerFacts
from reverseflow.engine import Engine
from reverseflow.storage import tables
from support.stores import dump, order, refund

CHECKS = sorted(
    (table.name, str(check.name).removeprefix(f"ck_{table.name}_"))
    for table in tables.metadata.sorted_tables
    for check in table.constraints
    if isinstance(check, sa.CheckConstraint)
)
_OVER_PAID = ("reserved = -1", "refunded = -1", "reserved = 3501, refunded = 0", "refunded = 3501",
              "reserved = 3500, refunded = 1")  # fmt: skip
#: Per check the changes that violate it and no other, for rows of `filled`.
VIOLATIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("cases", "within_paid"): _OVER_PAID,
    ("cases", "version"): ("version = 0", "version = -1"),
    ("order_lines", "claimed"): ("claimed = -1", "claimed = quantity + 1"),
    ("order_lines", "within_paid"): ("reserved = -1", "refunded = -1", "refunded = paid + 1, reserved = 0",
                                     "reserved = paid, refunded = 1"),
    ("order_lines", "travelled"): ("shipped = -1", "received = -1", "shipped = quantity + 1",
                                   "received = quantity + 1"),
    ("payments", "within_amount"): _OVER_PAID,
    ("tickets", "amount"): ("amount = -1",),
    ("ticket_lines", "units"): ("quantity = -1", "accepted = -1", "rejected = -1", "accepted = received + 1",
                                "rejected = received + 1", "accepted = received, rejected = 1"),
    ("ticket_lines", "money"): ("value = -1, refund = -2", "refund = -1", "refund = value + 1"),
    ("events", "seq"): ("seq = 0 - seq",),
    ("outbox", "state"): ("state = 'sent'", "state = ''"),
}  # fmt: skip


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A store with a row in every table."""
    buyer = BuyerFacts(account="b1")
    engine.execute([order("E1", buyer=buyer), *refund("E1", "a1", A=2)])
    assert all(dump(engine).values())
    return engine


def refused(engine: Engine, statement: str) -> DBAPIError:
    """The error of a statement the database must not carry out."""
    with pytest.raises(DBAPIError) as caught, engine.database.begin() as connection:
        connection.exec_driver_sql(statement)
    return caught.value


def test_every_check_has_a_violation_here() -> None:
    assert set(VIOLATIONS) == set(CHECKS)


@pytest.mark.parametrize(("table", "check"), CHECKS)
def test_a_violated_check_is_refused(filled: Engine, table: str, check: str) -> None:
    before = dump(filled)
    for change in VIOLATIONS[table, check]:
        error = refused(filled, f"UPDATE {table} SET {change}")
        assert isinstance(error, IntegrityError)
        assert f"ck_{table}_{check}" in str(error.orig)
    assert dump(filled) == before


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_no_column_takes_null_that_is_not_meant_to(filled: Engine, table: sa.Table) -> None:
    for column in table.columns:
        if not column.nullable:
            error = refused(filled, f"UPDATE {table.name} SET {column.name} = NULL")
            assert isinstance(error, IntegrityError)


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_no_column_of_numbers_takes_a_fraction_or_a_text(filled: Engine, table: sa.Table) -> None:
    """M4: SQLite would keep either in a column that is not strict; PostgreSQL rounds a fraction."""
    texts = ["'many'"] if filled.database.dialect.name == "postgresql" else ["'many'", "0.5"]
    for column in table.columns:
        if column.type.python_type is int:
            for text in texts:
                refused(filled, f"UPDATE {table.name} SET {column.name} = {text}")


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_no_key_is_taken_twice_and_each_begins_with_the_tenant(filled: Engine, table: sa.Table) -> None:
    assert next(iter(table.primary_key)).name == "tenant_id"
    columns = ", ".join(column.name for column in table.columns)
    others = columns.replace("tenant_id", "'another'", 1)
    error = refused(filled, f"INSERT INTO {table.name} SELECT {columns} FROM {table.name}")
    assert isinstance(error, IntegrityError)
    with filled.database.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table.name} SELECT {others} FROM {table.name}")
