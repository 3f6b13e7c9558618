"""A decision in the making: events are emitted one by one, each on the state after the last."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from reverseflow.core.asking import Setting
from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import CaseCommand
from reverseflow.core.errors import Refusal, Refused, shown
from reverseflow.core.events import Event
from reverseflow.core.evolve import evolve
from reverseflow.core.instructions import Instruction, instructions_of
from reverseflow.core.legs import (
    RETURN,
    SETTLEMENT,
    TICKET_COMMANDS,
    Transition,
    current_wait,
    moved_leg,
    transition,
    unmet_wait,
)
from reverseflow.core.postings import Posting, postings_of
from reverseflow.core.quote import Quote
from reverseflow.core.rulebook import Reason, Rulebook
from reverseflow.core.values import Actor, JsonObject, normalised, time_text


@attrs.frozen
class Decision:
    """What a command does: its events (none: it was done already) and the case after them.

    Instructions and postings come with the number of the event they follow from.
    """

    events: tuple[Event, ...]
    case: Case
    ticket_no: str = ""
    instructions: tuple[tuple[int, Instruction], ...] = ()
    postings: tuple[tuple[int, Posting], ...] = ()


Outcome = Decision | Refusal


@attrs.define
class Draft:
    """The case as it stands within a decision; `now` is UTC and never before the last event."""

    case: Case
    rulebook: Rulebook
    now: datetime
    actor: Actor
    events: list[Event] = attrs.field(factory=list)
    instructions: list[tuple[int, Instruction]] = attrs.field(factory=list)
    postings: list[tuple[int, Posting]] = attrs.field(factory=list)

    def emit(
        self, kind: str, ticket_no: str, payload: JsonObject, private: JsonObject | None = None,
        actor: Actor | None = None,
    ) -> None:  # fmt: skip
        """Add an event and evolve the case by it."""
        actor = actor or self.actor
        who = actor.role if actor.role == "buyer" else str(actor)
        event = Event(self.case.version + 1, kind, ticket_no, self.now, who, payload, private or None)
        before, self.case = self.case, evolve(self.case, event)
        self.events.append(event)
        self.instructions.extend((event.seq, told) for told in instructions_of(event, self.case))
        self.postings.extend((event.seq, row) for row in postings_of(event, before, self.case))

    def emit_on(
        self, ticket: Ticket, kind: str, payload: JsonObject, *,
        legs: Mapping[str, str] | None = None, private: JsonObject | None = None,
        actor: Actor | None = None,
    ) -> Ticket:  # fmt: skip
        """Add an event about a ticket, with the deadline of what it waits for then."""
        if legs:
            payload["legs"] = dict(legs)
        self._set_deadline(ticket, payload)
        self.emit(kind, ticket.ticket_no, payload, private, actor)
        return self.case.tickets[ticket.ticket_no]

    def _set_deadline(self, ticket: Ticket, payload: JsonObject) -> None:
        if "deadline" in payload:
            return
        before = None if ticket.closing else current_wait(ticket.legs, ticket.refund_timing)
        closing = payload.get("closing", ticket.closing)
        legs = {**ticket.legs, **payload.get("legs", {})}
        after = None if closing else current_wait(legs, ticket.refund_timing)
        if after != before:
            deadline = self.deadline(after, ticket.phase, ticket.type)
        elif ticket.deadline is not None:
            deadline = [time_text(ticket.deadline), ticket.deadline_command, ticket.owner]
        else:
            return
        if deadline is not None and deadline[1] == "close" and why_it_cannot_end(legs) is not None:
            deadline[1] = "escalate"  # a timer must never be refused: a person looks instead
        if after != before or deadline is None or deadline[1] != ticket.deadline_command:
            payload["deadline"] = deadline

    def deadline(self, wait: tuple[str, str] | None, phase: str, type_: str) -> list[str | None] | None:
        """The stored deadline of a wait: when, the command a timer gives then, and whose turn it is."""
        if wait is None:
            return None
        row = self.rulebook.deadline(*wait, phase, type_)
        return [time_text(self.now + timedelta(hours=row.hours)), row.command, row.owner]

    def decision(self, ticket_no: str = "") -> Decision:
        """What was drafted, as a decision."""
        return Decision(
            tuple(self.events), self.case, ticket_no, tuple(self.instructions), tuple(self.postings)
        )

    def setting(self, ticket: Ticket) -> Setting:
        """What a ticket's money is computed in: its own pinned policy and reason."""
        policy = self.rulebook.policy_version(ticket.rulebook)
        reason = self.rulebook.reasons.get(ticket.reason) or Reason(ticket.reason, "", "")
        return Setting(self.case, ticket.type, ticket.phase, reason, policy, self.rulebook, self.now, ticket)


def claim_payload(quote: Quote) -> JsonObject:
    """A quote as the claim an event carries."""
    return {
        "lines": [
            [
                line.line_no, line.quantity, line.value, line.tax, [list(part) for part in line.tenders],
                line.refund, line.asked,
            ]
            for line in quote.lines
        ],
        "payouts": [[payout.payment_no, payout.amount] for payout in quote.payouts],
        "total": quote.total,
        "quote": quote.summary(),
    }  # fmt: skip


def require_role(draft: Draft, command: CaseCommand, roles: tuple[str, ...]) -> None:
    """Refuse an actor whose role may not give the command, or who is not this order's buyer."""
    actor = draft.actor
    if actor.role not in roles:
        raise Refused(
            "not_permitted",
            f"{actor.role} may not {command.kind}; allowed: {', '.join(roles)}",
            "actor",
        )
    if actor.role == "buyer" and draft.case.buyer and actor.id != normalised(draft.case.buyer):
        raise Refused("not_permitted", f"{shown(str(actor))} is not the buyer of this order", "actor")


def step(draft: Draft, ticket: Ticket, command: CaseCommand, word: str = "") -> Transition:
    """The row of the lifecycle a command follows, or the refusal that names what stands against it."""
    word = word or command.kind
    if ticket.closing:
        raise Refused("ticket_closed", f"the ticket is {ticket.closing}; reopen it first")
    row = transition(word, ticket.legs)
    if row is None:
        leg = moved_leg(word)
        state = ticket.legs.get(leg)
        if state is None:
            raise Refused("no_such_leg", f"a {ticket.type} ticket has no {leg}; {word} does not apply")
        raise Refused("wrong_state", f"{word} does not apply while the {leg} is {state} ({ticket.status})")
    require_role(draft, command, row.roles)
    wait = (
        unmet_wait(row.leg, ticket.legs, ticket.refund_timing)
        if row.leg != SETTLEMENT or row.state == "due"
        else None
    )
    if wait is not None:
        raise Refused("not_yet", f"{word} waits for the {wait.other}, which is {ticket.legs[wait.other]}")
    return row


def require_ticket_command(draft: Draft, ticket: Ticket, command: CaseCommand) -> None:
    """Check a command that is about the whole ticket: its role, and that the ticket is open."""
    require_role(draft, command, TICKET_COMMANDS[command.kind])
    if ticket.closing and command.kind not in ("reopen", "note"):
        raise Refused("ticket_closed", f"the ticket is {ticket.closing} already")


def why_it_cannot_end(legs: Mapping[str, str]) -> Refusal | None:
    """What forbids cancelling or closing a ticket: money on its way, or goods taken in."""
    if legs.get(SETTLEMENT, "due") != "due":
        return Refusal("money_in_flight", f"the money is {legs[SETTLEMENT]} already")
    if legs.get(RETURN) == "inspected":
        return Refusal("goods_taken_in", "the goods are back and inspected; the refund is due")
    return None


def text_fields(command: Any, *names: str) -> JsonObject:
    """The named text fields of a command that are not empty."""
    return {name: value for name in names if (value := getattr(command, name))}
