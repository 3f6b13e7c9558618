"""A store to tamper with: raw SQL past every CHECK, what `verify` says then, and back again."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve
from sqlalchemy import Table

from audit.histories import NOON, History, opened
from reverseflow.audit import Finding, verify
from reverseflow.core.commands import (
    COMMANDS,
    BuyerFacts,
    ChargeFacts,
    Command,
    ReturnAddress,
    TaxFacts,
    TicketCommand,
)
from reverseflow.storage import tables
from support.cases import PAID_AT, USUAL, coupon, found, freight, goods, money, paid, sale, units

Row = tuple[Any, ...]
TABLES = list(tables.metadata.sorted_tables)
_SOME_TIME = "2026-05-09T09:09:09.000009Z"


def script() -> list[list[Command]]:
    """One order with all that matters: a return settled in part, a refund paid by the platform."""
    order = sale(
        goods("A", "99.99", 2, taxes=(TaxFacts(code="vat", rate="13"),), category="shoes"),
        goods("B", "50.00"), coupon("20.00"), freight("10.00"), ChargeFacts(code="wrap", amount="3"),
        paid("42.98", "gift_card"), paid("200.00"), order_no="E1", platform="slow", shop="第一店",
        buyer=BuyerFacts(account="canary-account", name="canary-name", phone="canary-phone",
                         address="canary-road"),
        shipped_at=PAID_AT, received_at=PAID_AT,
    )  # fmt: skip
    return [
        [order],
        [_told("apply", order_no="E1", type="return_refund", reason="quality", external_no="X1",
               lines=units(A=2), reason_text="canary-note: it broke", evidence=("photo.jpg",))],
        [_told("approve", service_fee="5.00", return_to=ReturnAddress(address="canary-road"))],
        [_told("ship_back", note="canary-note one"), _told("receive", surprise="a brick")],
        [_told("inspect", lines=(found("A", 1, 1, "refurbish"),)), _told("release")],
        [_told("settle_result", payment_no="cash", result="sent")],
        [_told("settle_result", payment_no="cash", result="settled", reference="bank 7")],
        [_told("settle_result", payment_no="cash", result="failed", note="canary-note: late")],
        [_told("retry", key="E1-R1:refund:cash")],
        [_told("settle_result", payment_no="cash", result="settled", reference="bank", amount="70.72")],
        [_told("note", text="canary-note two"), _told("note", text="canary-note three")],
        [_told("apply", order_no="E1", type="refund_only", reason="agreed", lines=money(B="9.50"))],
        [_told("reject", ticket_no="E1-R2"), _told("revise", ticket_no="E1-R2", lines=money(B="9"))],
        [_told("approve", ticket_no="E1-R2"),
         _told("settle_result", ticket_no="E1-R2", result="settled", actor="platform")],
        [_told("external_refund", order_no="E1", payment_no="cash", amount="1.00")],
        [evolve(order, finished_at=NOON)],
    ]  # fmt: skip


def _told(kind: str, **fields: Any) -> Command:
    """A command as it is usually given, on the order's first ticket."""
    usual = {**USUAL[kind], "id": f"{kind}-{sorted(fields)}-{len(fields.get('text', ''))}", "at": NOON}
    if usual["actor"] == "buyer:b1":
        usual["actor"] = "buyer:canary-account"
    if issubclass(COMMANDS[kind], TicketCommand):
        usual["ticket_no"] = "E1-R1"
    return COMMANDS[kind](**{**usual, **fields})


class Tampered:
    """A SQLite store with a rich history, open for tampering."""

    def __init__(self, path: Path) -> None:
        self.engine = opened(str(path))
        for batch in script():
            results = self.engine.execute(batch)
            assert {result.outcome for result in results} == {"applied"}, results
        History(self.engine, seed=33, order_nos=("E2", "E3")).run(30)
        self.raw = sqlite3.connect(path, isolation_level=None)
        for pragma in ("ignore_check_constraints=ON", "synchronous=OFF"):
            self.raw.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        self.raw.close()
        self.engine.close()

    def codes(self) -> set[str]:
        """The codes of what is found, but for what the database's own CHECKs find."""
        return {finding.code for finding in self.findings()}

    def findings(self) -> list[Finding]:
        return [finding for finding in verify(self.engine) if finding.code != "store_damaged"]

    def rows(self, table: Table) -> list[Row]:
        keys = ", ".join(column.name for column in table.primary_key)
        return self.raw.execute(f"SELECT * FROM {table.name} ORDER BY {keys}").fetchall()

    @contextmanager
    def kept(self, *tampered: Table) -> Iterator[None]:
        """Within it these tables may be tampered with; afterwards they are as they were."""
        before = {table.name: self.rows(table) for table in tampered}
        try:
            yield
        finally:
            self.raw.execute("BEGIN")
            for table in tampered:
                self.raw.execute(f"DELETE FROM {table.name}")
                marks = ", ".join("?" for _ in table.columns)
                statement = f"INSERT INTO {table.name} VALUES ({marks})"
                self.raw.executemany(statement, before[table.name])
            self.raw.execute("COMMIT")

    def put(self, table: Table, row: Row, name: str, value: Any) -> bool:
        """Set one column of one row; False where the key is taken or the column refuses."""
        where, key = self._where(table, row)
        try:
            statement = f"UPDATE {table.name} SET {name} = ? WHERE {where}"
            return self.raw.execute(statement, (value, *key)).rowcount == 1
        except sqlite3.IntegrityError:
            return False

    def delete(self, table: Table, row: Row) -> None:
        where, key = self._where(table, row)
        assert self.raw.execute(f"DELETE FROM {table.name} WHERE {where}", key).rowcount == 1

    def insert(self, table: Table, row: Row) -> None:
        marks = ", ".join("?" for _ in row)
        self.raw.execute(f"INSERT INTO {table.name} VALUES ({marks})", row)

    @staticmethod
    def _where(table: Table, row: Row) -> tuple[str, list[Any]]:
        keys = [column.name for column in table.primary_key]
        values = [row[index_of(table, name)] for name in keys]
        return " AND ".join(f"{name} = ?" for name in keys), values


def index_of(table: Table, name: str) -> int:
    """The place of a column in a row."""
    return [column.name for column in table.columns].index(name)


def other_values(table: Table, name: str, value: Any) -> Sequence[Any]:
    """Values to put in place of one, each another value in the column's own terms."""
    column = table.columns[name]
    if column.type.python_type is int:
        changed: list[Any] = [7] if value is None else [value + 1, -value - 1]
    elif value is None:
        changed = [_SOME_TIME if name.endswith("_at") or name == "deadline" else '{"note":"new"}']
    else:
        digit = next((c for c in value if c.isdigit()), None)
        bumped = value.replace(digit, str((int(digit) + 1) % 10), 1) if digit else value.upper()
        changed = [bumped, value + (" " if value[:1] in "[{" else "x")]
        if '"attempt":1' in value:
            changed.append(value.replace('"attempt":1', '"attempt":2'))
    if column.nullable:
        changed.append(None)
    return [other for other in changed if other != value]
