"""Deciding on the goods coming back: on the road, received, inspected, waived, lost."""

import attrs

from reverseflow.core.asking import Asked
from reverseflow.core.case import Ticket
from reverseflow.core.commands import (
    BookPickup,
    Inspect,
    Intercept,
    LineInspected,
    Lose,
    Receive,
    RefuseDelivery,
    ShipBack,
    WaiveReturn,
)
from reverseflow.core.decide.draft import Draft, claim_payload, step, text_fields
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import SETTLEMENT
from reverseflow.core.money import share
from reverseflow.core.quote import compute_quote
from reverseflow.core.reading import quantity_in
from reverseflow.core.values import JsonObject, time_text

DISPOSITIONS = ("restock", "refurbish", "scrap", "return_to_buyer", "missing")
_WAYS = {
    "ship_back": "return_shipped",
    "book_pickup": "pickup_booked",
    "refuse_delivery": "delivery_refused",
    "intercept": "parcel_intercepted",
}


def travel(draft: Draft, ticket: Ticket, command: ShipBack | BookPickup | RefuseDelivery | Intercept) -> None:
    """A parcel is on its way back; several add up."""
    row = step(draft, ticket, command)
    if command.kind == "ship_back" and not command.tracking_no.strip():
        raise Refused("tracking_required", "ship_back needs the carrier's tracking number", "tracking_no")
    parcel = {"way": command.kind, **text_fields(command, "carrier", "tracking_no")}
    payload: JsonObject = {"detail": {"parcels": [*ticket.detail.get("parcels", ()), parcel]}}
    draft.emit_on(
        ticket,
        _WAYS[command.kind],
        payload,
        legs={row.leg: row.next},
        private=text_fields(command, "note"),
    )


def receive(draft: Draft, ticket: Ticket, command: Receive) -> None:
    """A parcel arrives; what was not announced is recorded as a surprise, not refused."""
    row = step(draft, ticket, command)
    if command.lines:
        told = _counted(command)
    else:
        told = [
            (line.line_no, line.quantity - line.received)
            for line in ticket.lines
            if line.quantity > line.received
        ]
    received, surprises = [], []
    for line_no, quantity in told:
        line = ticket.line(line_no)
        if line is None or line.quantity == 0:
            surprises.append(["unlisted_item", line_no, quantity])
            continue
        received.append([line_no, quantity])
        if line.received + quantity > line.quantity:
            surprises.append(["more_than_announced", line_no, line.received + quantity - line.quantity])
    if not any(quantity for _, quantity in told):
        surprises.append(["empty_parcel", "", 0])
    if command.surprise:
        surprises.append(["told", command.surprise, 0])
    payload: JsonObject = {"received": received}
    if surprises:
        payload["detail"] = {"surprises": [*ticket.detail.get("surprises", ()), *surprises]}
    draft.emit_on(
        ticket,
        "goods_received",
        payload,
        legs={row.leg: row.next},
        private=text_fields(command, "note"),
    )


def _counted(command: Receive) -> list[tuple[str, int]]:
    """Per line what is in the parcel; a line counted twice counts twice."""
    units: dict[str, int] = {}
    for index, line in enumerate(command.lines):
        quantity = quantity_in(line.quantity, f"lines[{index}].quantity", 0)
        units[line.line_no] = units.get(line.line_no, 0) + quantity
    return list(units.items())


def inspect(draft: Draft, ticket: Ticket, command: Inspect) -> None:
    """Inspection gives each line accepted and rejected units; the money follows what arrived."""
    row = step(draft, ticket, command)
    found = _found(draft, ticket, command)
    payload: JsonObject = {"inspected": found, "stock_in_at": time_text(draft.now)}
    accepted = {str(row[0]): int(row[2]) for row in found}
    short = any(accepted.get(line.line_no, 0) != line.quantity for line in ticket.lines if line.quantity)
    if short and ticket.legs.get(SETTLEMENT) == "due":
        asked = _only_accepted(ticket, accepted)
        if asked.lines:
            asked = _scaled_reduction(draft, ticket, asked)
            quote = compute_quote(draft.setting(ticket), asked, capped=True)
            payload |= {"asked": asked.to_json(), "claim": claim_payload(quote)}
        else:
            payload |= {"closing": "closed", "reason": "nothing_accepted"}
    draft.emit_on(
        ticket,
        "goods_inspected",
        payload,
        legs={row.leg: row.next},
        private=text_fields(command, "note"),
    )


def _found(draft: Draft, ticket: Ticket, command: Inspect) -> list[list[int | str]]:
    """Per line: number, received, accepted, rejected, disposition; checked against what arrived."""
    told = {line.line_no: line for line in command.lines}
    if len(told) != len(command.lines):
        raise Refused("duplicate_line", "lines: a line is named twice", "lines")
    for line_no in told:
        known = ticket.line(line_no)
        if known is None or known.quantity == 0:
            raise Refused("unknown_line", f"the ticket has no line {shown(line_no)}", "lines")
    reason = draft.rulebook.reasons.get(ticket.reason)
    default = reason.disposition if reason else DISPOSITIONS[0]
    found: list[list[int | str]] = []
    for line in ticket.lines:
        if line.quantity == 0:
            continue
        result = told.get(line.line_no)
        if result is None and told and line.received:
            raise Refused(
                "line_missing",
                f"{line.received} of line {shown(line.line_no)} came in; say what became of them",
                "lines",
            )
        if result is None:
            result = LineInspected(line_no=line.line_no, accepted=min(line.received, line.quantity))
        accepted = quantity_in(result.accepted, "accepted", 0)
        rejected = quantity_in(result.rejected, "rejected", 0)
        if accepted + rejected > line.received or accepted > line.quantity:
            raise Refused(
                "more_than_received",
                f"line {shown(line.line_no)}: {accepted} accepted and {rejected} rejected, "
                f"{line.received} received of {line.quantity} announced",
                "lines",
            )
        disposition = result.disposition or default
        if disposition not in DISPOSITIONS:
            raise Refused(
                "unknown_disposition",
                f"{shown(disposition)} is not one of {', '.join(DISPOSITIONS)}",
                "lines",
            )
        found.append([line.line_no, line.received, accepted, rejected, disposition])
    return found


def _only_accepted(ticket: Ticket, accepted: dict[str, int]) -> Asked:
    """What was asked for, brought down to the units accepted."""
    asked = Asked.from_json(ticket.asked)
    lines: list[tuple[str, int, int | None]] = []
    for line_no, units, amount in asked.lines:
        claimed = ticket.line(line_no)
        if units == 0:
            lines.append((line_no, 0, amount))
        elif accepted.get(line_no):
            money = claimed.asked if claimed else amount
            kept = accepted[line_no]
            lines.append((line_no, kept, None if money is None else share(money, kept, units)))
    shipping = asked.shipping
    if asked.amount is not None:  # what of it was for the freight stays as it was agreed
        shipping = sum(line.refund for line in ticket.lines if line.line_no.startswith("#shipping"))
    return attrs.evolve(asked, lines=tuple(lines), amount=None, shipping=shipping)


def _scaled_reduction(draft: Draft, ticket: Ticket, asked: Asked) -> Asked:
    """What a review took off the amount, in proportion to what is left of it."""
    before = ticket.total + asked.reduction
    if not asked.reduction or not before:
        return asked
    plain = compute_quote(draft.setting(ticket), attrs.evolve(asked, reduction=0), capped=True)
    return attrs.evolve(asked, reduction=share(asked.reduction, min(plain.total, before), before))


def give_up(draft: Draft, ticket: Ticket, command: WaiveReturn | Lose) -> None:
    """The goods need not come back, or were lost on the road."""
    row = step(draft, ticket, command)
    kind = "return_waived" if command.kind == "waive_return" else "return_lost"
    payload = text_fields(command, "reason")
    draft.emit_on(ticket, kind, payload, legs={row.leg: row.next}, private=text_fields(command, "note"))
