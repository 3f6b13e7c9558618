"""The outbox table: rows are claimed under a lease, then delivered, put off or given up as dead.

A lease is ``<worker>|<until>``; a row whose lease has run out may be claimed again. Ending a row
asks for the lease and the number of attempts it was claimed with: whoever lost the row meanwhile,
or whose row was put back in line by a person, changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa

from reverseflow.core.instructions import MONEY_KINDS
from reverseflow.core.values import time_text
from reverseflow.storage.store import Store
from reverseflow.storage.tables import events, outbox

PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
STATES = (PENDING, DELIVERED, DEAD)

_IN_LINE = (outbox.c.next_at, outbox.c.instruction_key)
_PAGE = 200  # rows looked at in one go, at least
#: The last 27 characters of a lease are its time; of no lease, nothing, which is before any time.
_leased_until = sa.func.substr(outbox.c.lease, sa.func.length(outbox.c.lease) - 26)


@attrs.frozen
class OutboxRow:
    """An instruction on its way out; `attempts` is how often it was tried before.

    `tried_before` says that a mover may have had it already, even where no answer was recorded.
    """

    key: str
    order_no: str
    ticket_no: str
    kind: str
    seq: int
    body: str
    state: str
    attempts: int
    next_at: str
    lease: str
    last_error: str
    tried_before: bool = False


#: The columns of an `OutboxRow`: those of the table but the tenant's.
_COLUMNS = [column for column in outbox.columns if column.name != "tenant_id"]


@attrs.frozen
class Ending:
    """What becomes of a claimed row; `next_at` is when a pending one is tried again."""

    row: OutboxRow
    state: str
    attempts: int
    next_at: datetime | None = None
    last_error: str = ""


def claim(
    store: Store, kinds: Sequence[str], *, worker: str, now: datetime, until: datetime, limit: int
) -> list[OutboxRow]:
    """Take up to `limit` due rows of these kinds for a worker, the longest due first.

    Of a ticket only the rows of its earliest event that is not done yet are given; another
    ticket's troubles hold up nothing. To be called within a write transaction.
    """
    rows: list[OutboxRow] = []
    for page in _due(store, kinds, now, max(limit, _PAGE)):
        turns = _turns(store, kinds, page)
        rows.extend(row for row in page if row.seq == turns[_lane(row)])
        if len(rows) >= limit:
            break
    lease = f"{worker}|{time_text(until)}"
    taken = [_taken(row, lease) for row in rows[:limit]]
    if taken:
        store.connection.execute(_the_row(store).values(lease=lease), [{"key": row.key} for row in taken])
    return taken


def _taken(row: OutboxRow, lease: str) -> OutboxRow:
    return attrs.evolve(row, lease=lease, tried_before=row.attempts > 0 or row.lease != "")


def _due(store: Store, kinds: Sequence[str], now: datetime, page: int) -> Iterator[list[OutboxRow]]:
    """The rows that are due and nobody's, page by page, held until the transaction ends.

    What another transaction holds is left out; SQLite, which has one writer, needs no such thing.
    """
    moment, last = time_text(now), ("", "")
    query = (
        sa.select(*_COLUMNS)
        .where(*_pending(store, kinds), outbox.c.next_at <= moment, _leased_until <= moment)
        .order_by(*_IN_LINE)
        .limit(page)
        .with_for_update(skip_locked=True)
    )
    while True:
        after = query.where(
            outbox.c.next_at >= last[0],
            (outbox.c.next_at > last[0]) | (outbox.c.instruction_key > last[1]),
        )
        rows = [OutboxRow(*row) for row in store.connection.execute(after)]
        if rows:
            yield rows
        if len(rows) < page:
            return
        last = rows[-1].next_at, rows[-1].key


def _lane(row: OutboxRow) -> tuple[str, str, bool]:
    """Within a lane instructions leave one event after the other."""
    return row.order_no, row.ticket_no, row.kind in MONEY_KINDS


def _turns(store: Store, kinds: Sequence[str], rows: Sequence[OutboxRow]) -> dict[tuple[str, str, bool], int]:
    """Per ticket of these rows, its money and its goods apart, the event whose turn it is.

    A stock system that is down must not hold back a refund, nor the other way round.

    A query of its own: as a part of the other one, a planner without statistics makes it quadratic.
    """
    ticket = (outbox.c.order_no, outbox.c.ticket_no, outbox.c.kind.in_(MONEY_KINDS).label("money"))
    query = (
        sa.select(*ticket, sa.func.min(outbox.c.seq))
        .where(*_pending(store, kinds), outbox.c.order_no.in_({row.order_no for row in rows}))
        .group_by(sa.text("1, 2, 3"))
    )
    return {(row[0], row[1], bool(row[2])): row[3] for row in store.connection.execute(query)}


def _pending(store: Store, kinds: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return outbox.c.tenant_id == store.tenant, outbox.c.state == PENDING, outbox.c.kind.in_(kinds)


def end(store: Store, endings: Sequence[Ending]) -> None:
    """Record what became of claimed rows and let go of them; a row lost meanwhile stays as it is.

    A row the engine took out of the line itself (its money is settled) only gets its attempt counted.
    """
    in_order = sorted(endings, key=lambda ending: ending.row.key)
    if not in_order:
        return
    as_claimed = _the_row(store).where(outbox.c.attempts == sa.bindparam("attempted"))
    told: dict[str, sa.BindParameter[object]] = {name: sa.bindparam(f"new_{name}") for name in _ENDED}
    held = as_claimed.where(outbox.c.lease == sa.bindparam("held")).values(lease="", **told)
    store.connection.execute(held, [_ended(ending) for ending in in_order])
    if delivered := [_ended(ending) for ending in in_order if ending.state == DELIVERED]:
        withdrawn = as_claimed.where(outbox.c.state == DELIVERED, outbox.c.lease == "")
        store.connection.execute(withdrawn.values(attempts=told["attempts"]), delivered)
    release(store, [ending.row for ending in in_order])


_ENDED = ("state", "attempts", "next_at", "last_error")


def _ended(ending: Ending) -> dict[str, object]:
    row = ending.row
    return {
        "key": row.key,
        "held": row.lease,
        "attempted": row.attempts,
        "new_state": ending.state,
        "new_attempts": ending.attempts,
        "new_next_at": time_text(ending.next_at) or row.next_at,
        "new_last_error": ending.last_error,
    }


def release(store: Store, rows: Sequence[OutboxRow]) -> None:
    """Let go of claimed rows, which stay in line as they are."""
    if rows:
        let_go = _the_row(store).where(outbox.c.lease == sa.bindparam("held")).values(lease="")
        in_order = sorted(rows, key=lambda row: row.key)
        store.connection.execute(let_go, [{"key": r.key, "held": r.lease} for r in in_order])


def hasten(store: Store, key: str, now: datetime) -> None:
    """Make a row that is dead or put off due now; its key, its attempts and a lease stay."""
    due = (
        _the_row(store)
        .where(outbox.c.state.in_((PENDING, DEAD)))
        .values(state=PENDING, next_at=time_text(now))
    )
    store.connection.execute(due, {"key": key})


def _the_row(store: Store) -> sa.Update:
    """An update of the row whose key is given as the parameter ``key``."""
    return sa.update(outbox).where(
        outbox.c.tenant_id == store.tenant, outbox.c.instruction_key == sa.bindparam("key")
    )


def find(store: Store, key: str) -> OutboxRow | None:
    """The row of an instruction, None when there is none."""
    query = sa.select(*_COLUMNS).where(outbox.c.tenant_id == store.tenant, outbox.c.instruction_key == key)
    row = store.connection.execute(query).one_or_none()
    return None if row is None else OutboxRow(*row)


def listed(
    store: Store, *, state: str | None = None, ticket_no: str | None = None, limit: int = 100
) -> list[tuple[OutboxRow, str]]:
    """Rows, those longest in line first, each with the time of the event it follows from."""
    its_event = (
        (events.c.tenant_id == outbox.c.tenant_id)
        & (events.c.order_no == outbox.c.order_no)
        & (events.c.seq == outbox.c.seq)
    )
    query = (
        sa.select(*_COLUMNS, sa.func.coalesce(events.c.at, outbox.c.next_at))
        .select_from(outbox.outerjoin(events, its_event))
        .where(outbox.c.tenant_id == store.tenant)
        .order_by(*_IN_LINE)
        .limit(limit)
    )
    if state is not None:
        query = query.where(outbox.c.state == state)
    if ticket_no is not None:
        query = query.where(outbox.c.ticket_no == ticket_no)
    return [(OutboxRow(*row[:-1]), row[-1]) for row in store.connection.execute(query)]


def counts(store: Store) -> dict[str, dict[str, int]]:
    """How many rows there are by state, then by kind."""
    query = (
        sa.select(outbox.c.state, outbox.c.kind, sa.func.count())
        .where(outbox.c.tenant_id == store.tenant)
        .group_by(outbox.c.state, outbox.c.kind)
        .order_by(outbox.c.state, outbox.c.kind)
    )
    numbers: dict[str, dict[str, int]] = {state: {} for state in STATES}
    for state, kind, number in store.connection.execute(query):
        numbers[state][kind] = number
    return numbers
