"""The timers: when a ticket's deadline has passed, the system gives the command stored with it.

Any number of workers may run them at once: the command's id is made of the ticket and its deadline,
and it asks for the version of the case in which the deadline had passed, so that nothing fires
twice, and nothing fires on a ticket that moved on meanwhile.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

import attrs

from reverseflow.core.commands import Approve, Cancel, Close, Escalate, TicketCommand
from reverseflow.core.results import Result
from reverseflow.core.values import time_text, utc
from reverseflow.engine import Engine
from reverseflow.storage.queries import due_tickets
from reverseflow.storage.store import Store, reading

ACTOR = "system:timer"
CHUNK = 500
ESCALATE = Escalate.kind
#: What a timer can do, by the word stored with the deadline.
COMMANDS: Mapping[str, type[TicketCommand]] = {kind.kind: kind for kind in (Approve, Cancel, Close, Escalate)}
#: Refusals that only say that somebody else was quicker.
_OVERTAKEN = {"changed_meanwhile", "id_with_other_content"}
_OVERTAKEN_AT_MOST = 10
_log = logging.getLogger("reverseflow.timers")


@attrs.frozen
class _Due:
    """A deadline that has passed; `version` is of the case in which it had, 0 when it moved on."""

    ticket_no: str
    order_no: str
    command: str
    deadline: str
    version: int

    @property
    def key(self) -> tuple[str, str]:
        return self.ticket_no, self.deadline


@attrs.define
class _Tried:
    """What was tried for one deadline in this run: what was refused, how often we came too late."""

    refusals: list[str] = attrs.field(factory=list)
    overtaken: int = 0
    given_up: bool = False


def run_timers(engine: Engine, *, now: datetime | None = None, limit: int | None = None) -> list[Result]:
    """Fire what is due, the longest due first, until nothing is or `limit` commands were given.

    A command that is refused (the money is in flight, say) is followed by an escalation: the
    deadline is used up and a person looks. What even that cannot move is logged and left.
    """
    fired: list[Result] = []
    tried: dict[tuple[str, str], _Tried] = {}
    while limit is None or len(fired) < limit:
        moment = utc(engine.clock() if now is None else now)
        given_up = sum(one.given_up for one in tried.values())
        room = CHUNK if limit is None else min(CHUNK, limit - len(fired))
        due = _due(engine, moment, room + given_up, tried)[:room]
        if not due:
            break
        commands = [_command(one, tried.setdefault(one.key, _Tried()), moment) for one in due]
        for one, command, result in zip(due, commands, engine.execute(commands), strict=True):
            if not _note_outcome(tried[one.key], command, result):
                fired.append(result)
    return fired


def _due(engine: Engine, moment: datetime, limit: int, tried: Mapping[tuple[str, str], _Tried]) -> list[_Due]:
    """What is due now and not given up, oldest first, up to the second ticket of one case.

    That one's command asks for the version the first one's command leads to.
    """
    with reading(engine.database) as connection:
        store = Store(connection, engine.tenant)
        rows = due_tickets(store, moment, limit)
        rows = [row for row in rows if not tried.get((row[1], row[3]), _Tried()).given_up]
        cases = store.load(row[0] for row in rows)
    found: dict[str, _Due] = {}
    for order_no, ticket_no, command, deadline in rows:
        if order_no in found:
            break
        case = cases[order_no]
        stands = time_text(case.tickets[ticket_no].deadline) == deadline
        version = case.version if stands else 0
        found[order_no] = _Due(ticket_no, order_no, command, deadline, version)
    return list(found.values())


def _command(due: _Due, tried: _Tried, moment: datetime) -> TicketCommand:
    """The command of a deadline, or an escalation once that was refused."""
    word = due.command if due.command in COMMANDS and not tried.refusals else ESCALATE
    told = {"reason": "; ".join(tried.refusals) or "deadline_passed"} if word != "approve" else {}
    return COMMANDS[word](
        id=f"timer:{due.ticket_no}:{due.deadline}:{word}", actor=ACTOR, at=moment,
        ticket_no=due.ticket_no, expected_version=due.version, **told,
    )  # fmt: skip


def _note_outcome(tried: _Tried, command: TicketCommand, result: Result) -> bool:
    """Remember what became of a command; whether somebody else was quicker."""
    if _OVERTAKEN & {*result.codes}:
        tried.overtaken += 1
        tried.given_up = tried.overtaken >= _OVERTAKEN_AT_MOST
        return True
    if result.outcome != "applied":
        tried.refusals.append(f"{command.kind}: {', '.join(result.codes) or result.outcome}")
        tried.given_up = command.kind == ESCALATE
    if tried.given_up:
        _log.error("nothing moves ticket %s on: %s", command.ticket_no, result.message)
    return result.outcome == "replayed"
