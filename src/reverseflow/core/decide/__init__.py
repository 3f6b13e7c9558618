"""`decide(case, command, rulebook, now)`: what a command does to a case, or why not. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import (
    Apply,
    CaseCommand,
    Command,
    ExternalRefund,
    RecordOrder,
    TicketCommand,
)
from reverseflow.core.decide import application, goods, money, orders, review
from reverseflow.core.decide.draft import Decision, Draft, Outcome
from reverseflow.core.errors import Refusal, Refused, shown
from reverseflow.core.quote_document import quote_document
from reverseflow.core.rulebook import Rulebook
from reverseflow.core.values import SYSTEM, Actor, JsonObject, utc

__all__ = ["Decision", "Outcome", "decide", "preview"]

_TICKET_HANDLERS: dict[str, Callable[[Draft, Ticket, Any], None]] = {
    "revise": application.revise,
    "reopen": application.reopen,
    "approve": review.approve,
    "reject": review.reject,
    "send_back": review.send_back,
    "cancel": review.cancel,
    "close": review.close,
    "escalate": review.escalate,
    "note": review.note,
    "ship_back": goods.travel,
    "book_pickup": goods.travel,
    "refuse_delivery": goods.travel,
    "intercept": goods.travel,
    "receive": goods.receive,
    "inspect": goods.inspect,
    "waive_return": goods.give_up,
    "lose": goods.give_up,
    "release": money.release,
    "settle_result": money.settle_result,
    "retry": money.retry,
}


def decide(case: Case, command: Command, rulebook: Rulebook, now: datetime) -> Outcome:
    """The events `command` leads to, or the refusal; the case itself is left as it was.

    `now` is an aware time; a command's own ``at`` goes before it, and no event is dated before
    the last one. A plugin that breaks its contract raises `PluginError`.
    """
    try:
        return _decide(case, command, rulebook, now)
    except Refused as refused:
        return refused.refusal


def _decide(case: Case, command: Command, rulebook: Rulebook, now: datetime) -> Outcome:
    if isinstance(command, RecordOrder):
        draft = Draft(case, rulebook, _not_before(case, now), SYSTEM)
        orders.record(draft, command)
        return draft.decision()
    draft = Draft(case, rulebook, _not_before(case, command.at or now), Actor.parse(command.actor))
    _require_order(case)
    if command.expected_version is not None and command.expected_version != case.version:
        raise Refused(
            "changed_meanwhile",
            f"changed since you looked: version {command.expected_version} expected, {case.version} found",
            "expected_version",
        )
    if isinstance(command, Apply):
        return draft.decision(application.apply(draft, command))
    if isinstance(command, ExternalRefund):
        orders.external_refund(draft, command)
        return draft.decision()
    ticket = _ticket_of(case, command)
    _TICKET_HANDLERS[command.kind](draft, ticket, command)
    return draft.decision(ticket.ticket_no)


def _require_order(case: Case) -> None:
    if not case.exists:
        raise Refused("unknown_order", f"the order {shown(case.order_no)} is not known", "order_no")


def _not_before(case: Case, moment: datetime) -> datetime:
    moment = utc(moment)
    return moment if case.last_at is None else max(moment, case.last_at)


def _ticket_of(case: Case, command: CaseCommand) -> Ticket:
    """The ticket a command names: by its number, its external number or the id of its apply."""
    assert isinstance(command, TicketCommand)
    name, other = command.ticket_no, command.external_no
    named = [ticket for ticket in case.tickets.values() if name == ticket.ticket_no] or [
        ticket
        for ticket in case.tickets.values()
        if (name or other) and (name or other) in (ticket.external_no, ticket.apply_id)
    ]
    if named and name and other:
        named = [ticket for ticket in named if other == ticket.external_no]
        if not named:
            raise Refused("names_differ", f"{shown(name)} is not the ticket {shown(other)}", "external_no")
    if named:  # a number used again names the live ticket, else the last
        return next((ticket for ticket in named if not ticket.closing), named[-1])
    raise Refused(
        "unknown_ticket",
        f"the ticket {shown(name or command.external_no)} is not known",
        "ticket_no",
    )


def preview(case: Case, command: Apply, rulebook: Rulebook, now: datetime) -> JsonObject | Refusal:
    """The quote an application would get, in the interchange format, or why it would get none."""
    try:
        draft = Draft(case, rulebook, _not_before(case, command.at or now), Actor.parse(command.actor))
        _require_order(case)
        found = application.examine(draft, command)
    except Refused as refused:
        return refused.refusal
    return quote_document(case, found.type.code, found.quote, found.verdicts)
