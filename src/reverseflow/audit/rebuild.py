"""Rebuilding a case from its stored events alone, checking the chain on the way."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs

from reverseflow.audit.findings import Finding
from reverseflow.core.case import Case
from reverseflow.core.errors import shown
from reverseflow.core.events import Event, canonical_json, event_hash
from reverseflow.core.evolve import evolve
from reverseflow.core.instructions import Instruction, instructions_of
from reverseflow.core.postings import Posting, postings_of
from reverseflow.storage import rows, tables

#: Events the system adds to what a command of another kind led to.
_AUTOMATIC = ("review_approved", "settlement_released")


@attrs.define
class Rebuilt:
    """What the events of a case give: its state, and everything that left it on the way.

    `outcomes` are the (ticket, status, total) every event led to; `told` counts the events by
    kind and ticket, `automatic` those of them that may have had no command of their own. What the
    platform paid by itself was one command: its release is counted as the result it was.
    """

    case: Case
    head: str = ""
    postings: dict[int, tuple[Posting, ...]] = attrs.field(factory=dict)
    instructions: dict[str, tuple[int, Instruction]] = attrs.field(factory=dict)
    outcomes: set[tuple[str, str, int]] = attrs.field(factory=set)
    told: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    automatic: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    _paid_by_itself: int = 0

    def take(self, event: Event) -> None:
        """Go on by one event."""
        before, self.case = self.case, evolve(self.case, event)
        self.postings[event.seq] = postings_of(event, before, self.case)
        for told in instructions_of(event, self.case):
            assert told.key not in self.instructions, f"{told.key} is instructed twice"
            self.instructions[told.key] = (event.seq, told)
        ticket = self.case.tickets.get(event.ticket_no)
        if ticket is not None:
            self.outcomes.add((ticket.ticket_no, ticket.status, ticket.total))
        self._count(event)

    def _count(self, event: Event) -> None:
        kind = event.kind
        if self._paid_by_itself:
            self._paid_by_itself -= 1
            return
        if kind == "settlement_released" and "paid_by" in event.payload:
            self._paid_by_itself = len(event.payload["keys"])
            kind = "payout_settled"
        self.told[kind, event.ticket_no] += 1
        if kind in _AUTOMATIC and event.actor == "system":
            self.automatic[kind, event.ticket_no] += 1


def rebuild(tenant: str, order_no: str, stored: Any, findings: list[Finding]) -> Rebuilt | None:
    """The case its stored events give, None where they give none; what is wrong is added."""
    rebuilt = Rebuilt(Case(order_no))
    number = 0
    for row in stored:
        seq = row.seq
        if seq != number + 1:
            message = f"event {seq} follows event {number}"
            findings.append(Finding(order_no, seq, "number_gap", message))
        number = seq
        try:
            event = rows.event_from(row[2:9])
        except (ValueError, TypeError, AssertionError) as error:
            message = f"event {seq} cannot be read: {shown(str(error))}"
            findings.append(Finding(order_no, seq, "event_unreadable", message))
            return None
        findings.extend(_event_findings(tenant, row, event, rebuilt.head))
        rebuilt.head = row.hash
        try:
            rebuilt.take(event)
        except Exception as error:  # noqa: BLE001 - what was tampered with may break anything
            message = f"event {seq} ({event.kind}) does not go on from the events before it"
            message += f": {type(error).__name__} {shown(str(error))}"
            findings.append(Finding(order_no, seq, "not_rebuilt", message))
            return None
    return rebuilt


def _event_findings(tenant: str, row: Any, event: Event, previous: str) -> Iterator[Finding]:
    hash_ = event_hash(tenant, row.order_no, event, row.payload, previous)
    if hash_ != row.hash:
        message = f"event {row.seq} ({event.kind}) does not have the hash of its content"
        yield Finding(row.order_no, row.seq, "hash_differs", message)
        return
    expected = rows.event_row(tenant, row.order_no, event, canonical_json(event.payload), hash_)
    if expected != tuple(row):
        for column, told, given in zip(tables.events.columns, row, expected, strict=True):
            if told != given:
                message = f"event {row.seq}: {column.name} is not written as the engine writes it"
                yield Finding(row.order_no, row.seq, "event_differs", message)
