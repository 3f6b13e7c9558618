"""Deciding on the review: approve, reject, send back; and ending, escalating, noting a ticket."""

import attrs

from reverseflow.core.asking import GIVE_BACK, Asked
from reverseflow.core.case import Ticket
from reverseflow.core.commands import (
    Approve,
    Cancel,
    Close,
    Escalate,
    Note,
    Reject,
    SendBack,
    TicketCommand,
)
from reverseflow.core.decide.draft import (
    Draft,
    claim_payload,
    require_ticket_command,
    step,
    text_fields,
    why_it_cannot_end,
)
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import SETTLEMENT
from reverseflow.core.quote import compute_quote
from reverseflow.core.reading import amount_in
from reverseflow.core.values import JsonObject


def approve(draft: Draft, ticket: Ticket, command: Approve) -> None:
    """Operations agrees; a lower amount, a service fee or a switch changes the quote."""
    row = step(draft, ticket, command)
    payload: JsonObject = {}
    asked = _terms(draft, ticket, command)
    if asked is not None:
        quote = compute_quote(draft.setting(ticket), asked)
        if command.amount is not None:
            target = amount_in(command.amount, draft.case.currency, "amount")
            if target > quote.total:
                setting = draft.setting(ticket)
                raise Refused(
                    "amount_above_quote",
                    f"{setting.money(target)} approved, {setting.money(quote.total)} allowed",
                    "amount",
                )
            if target < quote.total:
                asked = attrs.evolve(asked, reduction=quote.total - target)
                quote = compute_quote(draft.setting(ticket), asked)
        payload |= {"asked": asked.to_json(), "claim": claim_payload(quote)}
    if command.override:
        payload["detail"] = {"override": {"by": str(draft.actor), "reason": command.override}}
    private = text_fields(command, "note")
    if command.return_to is not None:
        private["return_to"] = attrs.asdict(command.return_to)
    draft.emit_on(ticket, "review_approved", payload, legs={row.leg: row.next}, private=private)


def _terms(draft: Draft, ticket: Ticket, command: Approve) -> Asked | None:
    """What is asked under the reviewer's terms, or None where they change nothing."""
    for switch in command.give_back:
        if switch not in GIVE_BACK:
            raise Refused(
                "unknown_switch",
                f"give_back: {shown(switch)} is not one of {', '.join(GIVE_BACK)}",
                "give_back",
            )
    fee = amount_in(command.service_fee, draft.case.currency, "service_fee")
    before = Asked.from_json(ticket.asked)
    asked = attrs.evolve(before.without_terms(), give_back=command.give_back, service_fee=fee)
    return None if asked == before and command.amount is None else asked


def reject(draft: Draft, ticket: Ticket, command: Reject) -> None:
    """Operations declines, with a reason the buyer can see; the claim stays while he may revise."""
    row = step(draft, ticket, command)
    _require_reason(command, command.reason)
    draft.emit_on(
        ticket, "review_rejected", {"detail": {"rejection": command.reason}},
        legs={row.leg: row.next}, private=text_fields(command, "note"),
    )  # fmt: skip


def send_back(draft: Draft, ticket: Ticket, command: SendBack) -> None:
    """Finance sends an approved ticket back to operations, before the money is released."""
    row = step(draft, ticket, command)
    _require_reason(command, command.reason)
    if ticket.legs.get(SETTLEMENT) != "due":
        raise Refused("money_in_flight", f"the money is {ticket.legs.get(SETTLEMENT)} already")
    draft.emit_on(
        ticket, "review_sent_back", {"detail": {"sent_back": command.reason}},
        legs={row.leg: row.next}, private=text_fields(command, "note"),
    )  # fmt: skip


def _require_reason(command: TicketCommand, reason: str) -> None:
    if not reason.strip():
        raise Refused("reason_required", f"{command.kind} needs a reason", "reason")


def cancel(draft: Draft, ticket: Ticket, command: Cancel) -> None:
    """The application is withdrawn: what it claimed is free again."""
    _end(draft, ticket, command, "ticket_cancelled", "cancelled", command.reason)


def close(draft: Draft, ticket: Ticket, command: Close) -> None:
    """The ticket ends without the buyer: a deadline passed, or the platform closed it."""
    _end(draft, ticket, command, "ticket_closed", "closed", command.reason)


def _end(draft: Draft, ticket: Ticket, command: TicketCommand, kind: str, closing: str, reason: str) -> None:
    require_ticket_command(draft, ticket, command)
    refusal = why_it_cannot_end(ticket.legs)
    if refusal is not None:
        raise Refused(refusal.code, refusal.message)
    payload: JsonObject = {"closing": closing}
    if reason:
        payload["reason"] = reason
    draft.emit_on(ticket, kind, payload, private=text_fields(command, "note"))


def escalate(draft: Draft, ticket: Ticket, command: Escalate) -> None:
    """A deadline passed: the ticket goes to a named queue, where a person must look."""
    require_ticket_command(draft, ticket, command)
    if ticket.status == "completed":
        raise Refused("wrong_state", "the ticket is completed; nobody is waited for")
    if not command.queue.strip():
        raise Refused("missing_value", "queue: say whose queue it goes to", "queue")
    payload: JsonObject = {
        "deadline": [None, "", command.queue],
        "detail": {"escalated": {"queue": command.queue, "from": ticket.owner, "reason": command.reason}},
    }
    draft.emit_on(ticket, "ticket_escalated", payload)


def note(draft: Draft, ticket: Ticket, command: Note) -> None:
    """A note on the ticket; its text stands beside the chained events (it may be personal)."""
    require_ticket_command(draft, ticket, command)
    if not command.text.strip():
        raise Refused("missing_value", "text: a note needs a text", "text")
    number = len(ticket.detail.get("notes", ())) + 1
    notes = [*ticket.detail.get("notes", ()), {"by": str(draft.actor), "text": command.text}]
    draft.emit_on(ticket, "note_added", {"number": number}, private={"notes": notes})
