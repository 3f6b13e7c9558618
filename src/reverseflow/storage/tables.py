"""The tables. `tenant_id` comes first in every key; amounts are minor units, times UTC text.

The state columns are a projection of the events: `verify` rebuilds them and compares. What must
never be wrong is held once more by a CHECK constraint.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: The newest migration; a store at another one is refused.
SCHEMA_HEAD = "0001"

_Key = Text().with_variant(String(191), "mysql", "mariadb")
_Whole = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str) -> Column[str]:
    return Column(name, _Key, nullable=False)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _whole(name: str) -> Column[int]:
    return Column(name, _Whole, nullable=False)


def _time(name: str, *, nullable: bool = True) -> Column[str]:
    return Column(name, _Key, nullable=nullable)


def _table(
    name: str,
    keys: tuple[str, ...],
    *columns: Column[str] | Column[int],
    checks: dict[str, str] | None = None,
) -> Table:
    return Table(
        name,
        metadata,
        _key("tenant_id"),
        *columns,
        PrimaryKeyConstraint("tenant_id", *keys),
        *(CheckConstraint(sql, name=word) for word, sql in (checks or {}).items()),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


_WITHIN_PAID = "reserved >= 0 AND refunded >= 0 AND reserved + refunded <= "

cases = _table(
    "cases", ("order_no",),
    _key("order_no"), _text("platform"), _text("shop"), _text("currency"),
    _time("placed_at"), _time("paid_at"), _time("shipped_at"), _time("received_at"), _time("finished_at"),
    _whole("price_includes_tax"), _whole("paid"), _whole("reserved"), _whole("refunded"),
    _whole("version"), _text("head"), _time("last_at", nullable=False),
    checks={"within_paid": _WITHIN_PAID + "paid", "version": "version >= 1"},
)  # fmt: skip

order_lines = _table(
    "order_lines", ("order_no", "line_no"),
    _key("order_no"), _key("line_no"), _whole("position"), _text("kind"), _text("sku"), _text("title"),
    _whole("quantity"), _whole("unit_price"), _whole("discount"), _text("discounts"), _whole("tax"),
    _whole("paid"), _text("paid_by"), _whole("returnable"), _text("extra"), _whole("shipped"),
    _whole("received"), _whole("claimed"), _whole("reserved"), _whole("refunded"),
    checks={
        "claimed": "claimed >= 0 AND claimed <= quantity",
        "within_paid": _WITHIN_PAID + "paid",
        "travelled": "shipped >= 0 AND received >= 0 AND shipped <= quantity AND received <= quantity",
    },
)  # fmt: skip

payments = _table(
    "payments", ("order_no", "payment_no"),
    _key("order_no"), _key("payment_no"), _whole("position"), _text("tender"), _text("funded_by"),
    _whole("amount"), _whole("reserved"), _whole("refunded"),
    checks={"within_amount": _WITHIN_PAID + "amount"},
)  # fmt: skip

#: Personal data of the buyer, outside the chained events so that it can be erased.
personal = _table(
    "personal", ("order_no",),
    _key("order_no"), _key("account"), _text("level"), _text("name"), _text("phone"), _text("address"),
)  # fmt: skip
Index(None, personal.c.tenant_id, personal.c.account)

tickets = _table(
    "tickets", ("order_no", "ticket_no"),
    _key("order_no"), _key("ticket_no"), _key("external_no"), _text("apply_id"), _text("type"),
    _text("phase"),
    _key("status"), _text("reason"), _text("first_reason"), _whole("amount"),
    _time("applied_at", nullable=False),
    _text("opened_by"), _time("reviewed_at"), _text("reviewer"), _time("released_at"), _time("completed_at"),
    _text("closing"), _time("deadline"), _text("deadline_command"), _text("owner"), _text("rulebook"),
    _text("refund_timing"), _text("legs"), _text("asked"), _text("quote"), _text("payouts"), _text("detail"),
    checks={"amount": "amount >= 0"},
)  # fmt: skip
Index(None, tickets.c.tenant_id, tickets.c.external_no)
Index(None, tickets.c.tenant_id, tickets.c.status, tickets.c.applied_at)
Index(None, tickets.c.tenant_id, tickets.c.deadline)

ticket_lines = _table(
    "ticket_lines", ("order_no", "ticket_no", "line_no"),
    _key("order_no"), _key("ticket_no"), _key("line_no"), _whole("position"), _whole("quantity"),
    _whole("value"),
    _whole("tax"), _text("tenders"), _whole("refund"), Column("asked", _Whole, nullable=True),
    _whole("received"), _whole("accepted"), _whole("rejected"), _text("disposition"),
    checks={
        "units": "quantity >= 0 AND accepted >= 0 AND rejected >= 0 AND accepted + rejected <= received",
        "money": "value >= 0 AND refund >= 0 AND refund <= value",
    },
)  # fmt: skip

events = _table(
    "events", ("order_no", "seq"),
    _key("order_no"), _whole("seq"), _text("kind"), _text("ticket_no"), _time("at", nullable=False),
    _text("actor"), _text("payload"), _text("private", nullable=True), _text("hash"),
    checks={"seq": "seq >= 1"},
)  # fmt: skip

#: Every command carried out, for ever: the same id is never carried out twice.
commands = _table(
    "commands", ("command_id",),
    _key("command_id"), _text("order_no"), _text("ticket_no"), _text("kind"), _text("content"),
    _text("status"), _whole("refund"), _text("currency"),
)  # fmt: skip

outbox = _table(
    "outbox", ("instruction_key",),
    _key("instruction_key"), _text("order_no"), _text("ticket_no"), _text("kind"), _whole("seq"),
    _text("body"),
    _key("state"), _whole("attempts"), _time("next_at", nullable=False), _text("lease"), _text("last_error"),
    checks={"state": "state IN ('pending', 'delivered', 'dead')"},
)  # fmt: skip
Index(None, outbox.c.tenant_id, outbox.c.state, outbox.c.next_at)

postings = _table(
    "postings", ("order_no", "seq", "position"),
    _key("order_no"), _whole("seq"), _whole("position"), _text("account"), _whole("amount"),
    _text("currency"),
)  # fmt: skip
