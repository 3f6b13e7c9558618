"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.String(191), "mysql", "mariadb")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "cases",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("placed_at", KEY, nullable=True),
        sa.Column("paid_at", KEY, nullable=True),
        sa.Column("shipped_at", KEY, nullable=True),
        sa.Column("received_at", KEY, nullable=True),
        sa.Column("finished_at", KEY, nullable=True),
        sa.Column("price_includes_tax", WHOLE, nullable=False),
        sa.Column("paid", WHOLE, nullable=False),
        sa.Column("reserved", WHOLE, nullable=False),
        sa.Column("refunded", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("last_at", KEY, nullable=False),
        sa.CheckConstraint(
            "reserved >= 0 AND refunded >= 0 AND reserved + refunded <= paid",
            name=op.f("ck_cases_within_paid"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_cases_version")),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", name="pk_cases"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("command_id", KEY, nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("ticket_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("refund", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "command_id", name="pk_commands"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket_no", sa.Text(), nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("private", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_events_seq")),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "seq", name="pk_events"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_lines",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("line_no", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("unit_price", WHOLE, nullable=False),
        sa.Column("discount", WHOLE, nullable=False),
        sa.Column("discounts", sa.Text(), nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("paid", WHOLE, nullable=False),
        sa.Column("paid_by", sa.Text(), nullable=False),
        sa.Column("returnable", WHOLE, nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("shipped", WHOLE, nullable=False),
        sa.Column("received", WHOLE, nullable=False),
        sa.Column("claimed", WHOLE, nullable=False),
        sa.Column("reserved", WHOLE, nullable=False),
        sa.Column("refunded", WHOLE, nullable=False),
        sa.CheckConstraint("claimed >= 0 AND claimed <= quantity", name=op.f("ck_order_lines_claimed")),
        sa.CheckConstraint(
            "reserved >= 0 AND refunded >= 0 AND reserved + refunded <= paid",
            name=op.f("ck_order_lines_within_paid"),
        ),
        sa.CheckConstraint(
            "shipped >= 0 AND received >= 0 AND shipped <= quantity AND received <= quantity",
            name=op.f("ck_order_lines_travelled"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "line_no", name="pk_order_lines"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("instruction_key", KEY, nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("ticket_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", KEY, nullable=False),
        sa.Column("lease", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name=op.f("ck_outbox_state")),
        sa.PrimaryKeyConstraint("tenant_id", "instruction_key", name="pk_outbox"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbox_tenant_id_state_next_at", "outbox", ["tenant_id", "state", "next_at"], unique=False
    )
    op.create_table(
        "payments",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("payment_no", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("funded_by", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("reserved", WHOLE, nullable=False),
        sa.Column("refunded", WHOLE, nullable=False),
        sa.CheckConstraint(
            "reserved >= 0 AND refunded >= 0 AND reserved + refunded <= amount",
            name=op.f("ck_payments_within_amount"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "payment_no", name="pk_payments"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "personal",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", name="pk_personal"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_personal_tenant_id_account", "personal", ["tenant_id", "account"], unique=False)
    op.create_table(
        "postings",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "seq", "position", name="pk_postings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticket_lines",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("ticket_no", KEY, nullable=False),
        sa.Column("line_no", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("tenders", sa.Text(), nullable=False),
        sa.Column("refund", WHOLE, nullable=False),
        sa.Column("asked", WHOLE, nullable=True),
        sa.Column("received", WHOLE, nullable=False),
        sa.Column("accepted", WHOLE, nullable=False),
        sa.Column("rejected", WHOLE, nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "quantity >= 0 AND accepted >= 0 AND rejected >= 0 AND accepted + rejected <= received",
            name=op.f("ck_ticket_lines_units"),
        ),
        sa.CheckConstraint(
            "value >= 0 AND refund >= 0 AND refund <= value", name=op.f("ck_ticket_lines_money")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "ticket_no", "line_no", name="pk_ticket_lines"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tickets",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("order_no", KEY, nullable=False),
        sa.Column("ticket_no", KEY, nullable=False),
        sa.Column("external_no", KEY, nullable=False),
        sa.Column("apply_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_reason", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("applied_at", KEY, nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("reviewed_at", KEY, nullable=True),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("released_at", KEY, nullable=True),
        sa.Column("completed_at", KEY, nullable=True),
        sa.Column("closing", sa.Text(), nullable=False),
        sa.Column("deadline", KEY, nullable=True),
        sa.Column("deadline_command", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("rulebook", sa.Text(), nullable=False),
        sa.Column("refund_timing", sa.Text(), nullable=False),
        sa.Column("legs", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("payouts", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_tickets_amount")),
        sa.PrimaryKeyConstraint("tenant_id", "order_no", "ticket_no", name="pk_tickets"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tickets_tenant_id_deadline", "tickets", ["tenant_id", "deadline"], unique=False)
    op.create_index("ix_tickets_tenant_id_external_no", "tickets", ["tenant_id", "external_no"], unique=False)
    op.create_index(
        "ix_tickets_tenant_id_status_applied_at",
        "tickets",
        ["tenant_id", "status", "applied_at"],
        unique=False,
    )
