"""The relay: claims due rows, hands them to the movers, records the answers, ends the rows.

In this order, each step in a transaction of its own and the mover in none, a crash at any point
leads to the instruction going out again under the same key: a row is delivered only when the case
says that its money no longer waits. Any number of relays may run at once.
"""

import json
import os
import re
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from reverseflow.contracts import Deliver, Delivery
from reverseflow.core.commands import SettleResult
from reverseflow.core.errors import StorageUnavailable
from reverseflow.core.instructions import MONEY_KINDS
from reverseflow.core.results import Result
from reverseflow.core.values import JsonObject, utc
from reverseflow.engine import Engine
from reverseflow.outbox.delivery import UNKNOWN, hand_over
from reverseflow.outbox.desk import list_outbox, retry
from reverseflow.outbox.movers import connect_movers
from reverseflow.outbox.schedule import next_try
from reverseflow.storage.database import Conflict
from reverseflow.storage.outbox_rows import (
    DEAD,
    DELIVERED,
    PENDING,
    Ending,
    OutboxRow,
    claim,
    end,
    release,
)
from reverseflow.storage.store import Store, reading, writing

__all__ = ["OutboxRun", "connect_movers", "list_outbox", "retry", "run_outbox"]

ACTOR = "system:outbox"
#: Rows taken at a time, and how many of them at most a mover gets in one call.
CLAIM = 500
BATCH = 50
#: How long rows are this worker's alone. They are handed over in its first half only, so that a
#: mover may take half of it for an answer before another worker sends the same key as well.
LEASE = timedelta(minutes=10)
#: Money in these states waits for an answer; in any other its instruction is not sent (again).
WAITING = ("released", UNKNOWN)
_ATTEMPTS = 10
_T = TypeVar("_T")


@attrs.frozen
class OutboxRun:
    """How many rows were delivered, put off with an unknown result, or given up as dead.

    Of those delivered, `settled` is what is done for good and `failed` what was refused for good;
    the others were accepted and their result follows, or it was known from elsewhere.
    """

    delivered: int = 0
    settled: int = 0
    failed: int = 0
    unknown: int = 0
    dead: int = 0

    def __add__(self, other: "OutboxRun") -> "OutboxRun":
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return OutboxRun(*(mine + theirs for mine, theirs in pairs))


def run_outbox(
    engine: Engine,
    movers: Mapping[str, Deliver],
    *,
    now: datetime | None = None,
    limit: int | None = None,
    worker: str = "",
    lease: timedelta = LEASE,
) -> OutboxRun:
    """Deliver what is due, at most `limit` rows; `movers` maps a kind to who carries it out.

    Rows are tried until none is due. `now` stands for the clock in tests and replays; `worker` is
    a name no other running worker has. Only what is wrong with the store raises; it is always
    safe to run again.
    """
    relay = _Relay(engine, movers, None if now is None else utc(now), _name_of(worker), lease)
    run, left = OutboxRun(), limit
    while left is None or left > 0:
        claimed = relay.claim(CLAIM if left is None else min(CLAIM, left))
        if not claimed:
            break
        left = None if left is None else left - len(claimed)
        run += relay.carry_out(claimed)
    return run


def _name_of(worker: str) -> str:
    """A worker's name as it stands in a lease; without one, a name nobody else has."""
    name = worker or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    return re.sub(r"[^A-Za-z0-9._:-]", "-", name)[-60:]


@attrs.frozen
class _Relay:
    engine: Engine
    movers: Mapping[str, Deliver]
    told_now: datetime | None
    worker: str
    lease: timedelta

    def _now(self) -> datetime:
        return utc(self.engine.clock()) if self.told_now is None else self.told_now

    def _write(self, work: Callable[[Store], _T]) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                with writing(self.engine.database) as connection:
                    return work(Store(connection, self.engine.tenant))
            except Conflict:
                continue
        raise StorageUnavailable("store_busy", "gave way to other writers; safe to run again")

    def claim(self, limit: int) -> list[OutboxRow]:
        """Take rows for this worker."""
        now = self._now()
        return self._write(
            lambda store: claim(
                store, tuple(self.movers), worker=self.worker,
                now=now, until=now + self.lease, limit=limit,
            )
        )  # fmt: skip

    def carry_out(self, rows: Sequence[OutboxRow]) -> OutboxRun:
        """Deliver claimed rows; what there is no time left for goes back in line."""
        run, late, begin_before = OutboxRun(), list[OutboxRow](), self._now() + self.lease / 2
        for deliver, group in self._groups(rows):
            if self._now() < begin_before:
                run += self._deliver(deliver, group)
            else:
                late.extend(group)
        if late:
            self._write(lambda store: release(store, late))
        return run

    def _groups(self, rows: Sequence[OutboxRow]) -> Iterator[tuple[Deliver, list[OutboxRow]]]:
        """Rows that go out together: new ones by mover; one that was tried before goes alone.

        So an instruction that makes a mover stumble takes others with it at most once.
        """
        together: dict[int, list[OutboxRow]] = {}
        for row in rows:
            if not row.tried_before:
                together.setdefault(id(self.movers[row.kind]), []).append(row)
        for group in together.values():
            for start in range(0, len(group), BATCH):
                yield self.movers[group[0].kind], group[start : start + BATCH]
        for row in rows:
            if row.tried_before:
                yield self.movers[row.kind], [row]

    def _deliver(self, deliver: Deliver, rows: Sequence[OutboxRow]) -> OutboxRun:
        waiting = self._waiting(rows)
        sent = [row for row in rows if row.key in waiting]
        answers = hand_over(deliver, [_document(row) for row in sent]) if sent else {}
        refused = self._record(sent, answers)
        still_waiting = self._waiting(sent)
        endings = [Ending(row, DELIVERED, row.attempts) for row in rows if row.key not in waiting]
        endings.extend(
            self._ending(row, answers[row.key], row.key in still_waiting, refused.get(row.key))
            for row in sent
        )
        self._write(lambda store: end(store, endings))
        return _counted(endings, answers)

    def _waiting(self, rows: Sequence[OutboxRow]) -> set[str]:
        """The keys of the rows that are to be sent: money that waits, and everything else."""
        money = [row for row in rows if row.kind in MONEY_KINDS]
        states: dict[str, str] = {}
        if money:
            with reading(self.engine.database) as connection:
                cases = Store(connection, self.engine.tenant).load(row.order_no for row in money)
            for case in cases.values():
                for ticket in case.tickets.values():
                    states.update((payout.key, payout.state) for payout in ticket.payouts)
        return {row.key for row in rows if row.kind not in MONEY_KINDS or states.get(row.key) in WAITING}

    def _record(self, rows: Sequence[OutboxRow], answers: Mapping[str, Delivery]) -> dict[str, Result]:
        """Tell the cases what became of their money; the results by key that were not taken."""
        money = [row for row in rows if row.kind in MONEY_KINDS]
        if not money:
            return {}
        commands = [_settle_result(row, answers[row.key], self.told_now) for row in money]
        results = zip(money, self.engine.execute(commands), strict=True)
        return {row.key: told for row, told in results if told.outcome in ("refused", "failed")}

    def _ending(self, row: OutboxRow, answer: Delivery, waits: bool, refused: Result | None) -> Ending:
        """What becomes of a row that was sent: by its answer, and whether its money still waits."""
        attempt, is_money = row.attempts + 1, row.kind in MONEY_KINDS
        taken = answer.result in ("sent", "settled")
        error = "" if taken else answer.message or answer.result
        if is_money and not waits:
            return Ending(row, DELIVERED, attempt, last_error=error)
        if not is_money and taken:
            return Ending(row, DELIVERED, attempt)
        if not is_money and answer.result == "failed":
            return Ending(row, DEAD, attempt, last_error=error)
        if refused is not None and answer.result != UNKNOWN:
            error = f"{answer.result}, not recorded: {refused.message}"
        again = next_try(attempt, self._now())
        state = DEAD if again is None else PENDING
        return Ending(row, state, attempt, again, error or f"{answer.result}, not recorded")


def _document(row: OutboxRow) -> JsonObject:
    document: JsonObject = json.loads(row.body)
    return document | {"attempt": row.attempts + 1}


def _settle_result(row: OutboxRow, answer: Delivery, at: datetime | None) -> SettleResult:
    return SettleResult(
        id=f"{row.key}#{row.attempts + 1}:{answer.result}", actor=ACTOR, at=at,
        ticket_no=row.ticket_no, key=row.key, result=answer.result,
        reference=answer.reference, note=answer.message,
    )  # fmt: skip


def _counted(endings: Sequence[Ending], answers: Mapping[str, Delivery]) -> OutboxRun:
    states = Counter(ending.state for ending in endings)
    results = Counter(
        answers[ending.row.key].result
        for ending in endings
        if ending.state == DELIVERED and ending.row.key in answers
    )
    return OutboxRun(
        delivered=states[DELIVERED], settled=results["settled"], failed=results["failed"],
        unknown=states[PENDING], dead=states[DEAD],
    )  # fmt: skip
