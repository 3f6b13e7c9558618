"""What a person does at the outbox: look, and send an instruction again."""

import json
from datetime import datetime

import attrs

from reverseflow.core.commands import Note, Retry
from reverseflow.core.errors import UsageError, shown
from reverseflow.core.instructions import MONEY_KINDS
from reverseflow.core.results import Result
from reverseflow.core.values import JsonObject, parse_time_text, utc
from reverseflow.engine import Engine
from reverseflow.storage import outbox_rows
from reverseflow.storage.outbox_rows import DELIVERED, PENDING, STATES, OutboxRow
from reverseflow.storage.store import Store, reading, writing

#: Who may have an instruction sent again that nobody answered.
_MAY_SEND_MONEY = ("finance", "system")
_MAY_SEND_GOODS = ("warehouse", "operations", "finance", "system")


def list_outbox(
    engine: Engine, state: str | None = None, ticket_no: str | None = None, limit: int = 100
) -> list[JsonObject]:
    """Instructions, those longest in line first: what, how much, how old, how often, and why not.

    `age` is in seconds since the event, `next_at` UTC text for pending ones, else None.
    """
    if state is not None and state not in STATES:
        raise UsageError("unknown_state", f"{shown(state)} is not one of {', '.join(STATES)}")
    now = utc(engine.clock())
    with reading(engine.database) as connection:
        found = outbox_rows.listed(
            Store(connection, engine.tenant), state=state, ticket_no=ticket_no, limit=limit
        )
    return [_entry(row, at, now) for row, at in found]


def _entry(row: OutboxRow, at: str, now: datetime) -> JsonObject:
    body, since = json.loads(row.body), parse_time_text(at)
    assert since is not None
    return {
        "key": row.key,
        "kind": row.kind,
        "ticket_no": row.ticket_no,
        "order_no": row.order_no,
        "payment_no": body["payment_no"],
        "amount": body["amount"],
        "currency": body["currency"],
        "state": row.state,
        "age": max(0, int((now - since).total_seconds())),
        "attempts": row.attempts,
        "next_at": row.next_at if row.state == PENDING else None,
        "worker": row.lease.partition("|")[0],
        "last_error": row.last_error,
    }


def retry(engine: Engine, key: str, *, actor: str, command_id: str = "") -> Result:
    """Have an instruction sent again under its key, by a named person.

    Failed money is released again (the command ``retry``); what was put off or is dead becomes
    due now, with a note on the ticket.
    """
    with reading(engine.database) as connection:
        row = outbox_rows.find(Store(connection, engine.tenant), key)
    if row is None:
        return _refused(command_id, "unknown_instruction", f"there is no instruction {shown(key)}")
    if row.state == DELIVERED or _is_failed_money(engine, row):
        command = Retry(id=command_id, actor=actor, ticket_no=row.ticket_no, key=key)
        return engine.execute([command])[0]
    may = _MAY_SEND_MONEY if row.kind in MONEY_KINDS else _MAY_SEND_GOODS
    role = actor.partition(":")[0]
    if role not in may:
        allowed = f"{shown(role)} may not send a {row.kind} again; allowed: {', '.join(may)}"
        return _refused(command_id, "not_permitted", allowed)
    text = f"{key} is sent again"
    note = Note(id=command_id, actor=actor, ticket_no=row.ticket_no, text=text)
    noted = attrs.evolve(engine.execute([note])[0], kind="retry")
    if noted.outcome in ("applied", "replayed"):
        with writing(engine.database) as connection:
            outbox_rows.hasten(Store(connection, engine.tenant), key, utc(engine.clock()))
    return noted


def _is_failed_money(engine: Engine, row: OutboxRow) -> bool:
    """Whether somebody has recorded meanwhile that this money was refused."""
    found = engine.find_ticket(row.ticket_no)
    if row.kind not in MONEY_KINDS or found is None:
        return False
    case, number = found
    return any(payout.key == row.key and payout.state == "failed" for payout in case.tickets[number].payouts)


def _refused(command_id: str, code: str, message: str) -> Result:
    return Result("refused", "retry", command_id, codes=(code,), message=message)
