"""`evolve(case, event)`: the next state of a case. Total, without checks: events are facts.

An event about a ticket may carry ``legs`` (leg states that change), ``claim`` (the ticket's new
claim on lines and payments, which replaces its old one), ``asked`` and ``deadline``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from reverseflow.core.case import Case, Claim, OrderLine, Payment, Payout, Ticket, TicketLine
from reverseflow.core.events import Event
from reverseflow.core.legs import SETTLEMENT, in_order
from reverseflow.core.values import JsonObject, parse_time_text, replaced

_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")


def evolve(case: Case, event: Event) -> Case:
    """The case after `event`."""
    payload = event.payload
    changes: dict[str, Any] = {"version": event.seq, "last_at": event.at}
    handler = _ORDER_EVENTS.get(event.kind)
    if handler is not None:
        changes.update(handler(case, payload))
    elif event.kind == "ticket_opened":
        ticket = _opened(event)
        changes |= _reclaim(case, None, ticket)
        changes["tickets"] = {**case.tickets, ticket.ticket_no: ticket}
    else:
        old = case.tickets[event.ticket_no]
        new = _next_ticket(old, event)
        changes |= _reclaim(case, old, new) if _money_moved(old, new) else {}
        changes["tickets"] = {**case.tickets, new.ticket_no: new}
    return replaced(case, **changes)


def _money_moved(old: Ticket, new: Ticket) -> bool:
    return (
        old.lines is not new.lines
        or old.payouts is not new.payouts
        or old.closing != new.closing
        or old.legs.get(SETTLEMENT) != new.legs.get(SETTLEMENT)
    )


def _recorded(_case: Case, payload: JsonObject) -> dict[str, Any]:
    lines = {}
    for told in payload["lines"]:
        fields = dict(told)
        fields["discounts"] = tuple((code, amount) for code, amount in told["discounts"])
        fields["paid_by"] = tuple((tender, amount) for tender, amount in told["paid_by"])
        lines[told["line_no"]] = OrderLine(**fields)
    fields = {name: payload[name] for name in ("platform", "shop", "currency", "price_includes_tax")}
    fields |= _times(payload)
    fields["lines"] = lines
    fields["payments"] = {told["payment_no"]: Payment(**told) for told in payload["payments"]}
    return fields


def _times(payload: JsonObject) -> dict[str, datetime | None]:
    return {name: parse_time_text(payload[name]) for name in _TIMES if name in payload}


def _updated(case: Case, payload: JsonObject) -> dict[str, Any]:
    changes: dict[str, Any] = dict(_times(payload))
    if "lines" in payload:
        lines = dict(case.lines)
        for line_no, shipped, received in payload["lines"]:
            lines[line_no] = replaced(lines[line_no], shipped=shipped, received=received)
        changes["lines"] = lines
    return changes


def _refunded_outside(case: Case, payload: JsonObject) -> dict[str, Any]:
    payment = case.payments[payload["payment_no"]]
    refunded = replaced(payment, refunded=payment.refunded + payload["amount"])
    return {"payments": {**case.payments, payment.payment_no: refunded}}


_ORDER_EVENTS: dict[str, Callable[[Case, JsonObject], dict[str, Any]]] = {
    "order_recorded": _recorded,
    "order_updated": _updated,
    "external_refund_recorded": _refunded_outside,
}


def _claim_fields(claim: JsonObject, old: Ticket | None = None) -> dict[str, Any]:
    """The fields a claim sets; what became of the goods of a line so far stays with the line."""
    lines = []
    for no, quantity, value, tax, tenders, refund, asked in claim["lines"]:
        line = TicketLine(no, quantity, value, tax, tuple((t, a) for t, a in tenders), refund, asked)
        before = old.line(no) if old else None
        if before is not None and before.received:
            line = replaced(
                line, received=before.received, accepted=before.accepted,
                rejected=before.rejected, disposition=before.disposition,
            )  # fmt: skip
        lines.append(line)
    return {
        "lines": tuple(lines),
        "payouts": tuple(Payout(payment_no, amount) for payment_no, amount in claim["payouts"]),
        "total": claim["total"],
        "quote": claim["quote"],
    }


def _deadline_fields(deadline: list[str] | None) -> dict[str, Any]:
    if deadline is None:
        return {"deadline": None, "deadline_command": "", "owner": ""}
    moment, command, owner = deadline
    return {"deadline": parse_time_text(moment), "deadline_command": command, "owner": owner}


def _opened(event: Event) -> Ticket:
    payload = event.payload
    fields = {
        name: payload[name]
        for name in ("type", "phase", "reason", "legs", "asked", "rulebook", "refund_timing")
    }
    fields["legs"] = in_order(payload["legs"])
    return Ticket(
        ticket_no=event.ticket_no,
        **fields,
        **_claim_fields(payload["claim"]),
        **_deadline_fields(payload.get("deadline")),
        applied_at=event.at,
        opened_by=event.actor,
        first_reason=payload["reason"],
        external_no=payload.get("external_no", ""),
        apply_id=payload.get("apply_id", ""),
        detail={**payload.get("detail", {}), **(event.private or {})},
    )


def _next_ticket(ticket: Ticket, event: Event) -> Ticket:
    payload = event.payload
    changes: dict[str, Any] = {}
    if "legs" in payload:
        changes["legs"] = {**ticket.legs, **payload["legs"]}
    if "claim" in payload:
        changes |= _claim_fields(payload["claim"], ticket)
    if "asked" in payload:
        changes["asked"] = payload["asked"]
    if "deadline" in payload:
        changes |= _deadline_fields(payload["deadline"])
    if "detail" in payload or event.private:
        changes["detail"] = {**ticket.detail, **payload.get("detail", {}), **(event.private or {})}
    if "closing" in payload:
        changes["closing"] = payload["closing"]
    handler = _TICKET_EVENTS.get(event.kind)
    if handler is not None:
        changes |= handler(replaced(ticket, **changes) if "claim" in payload else ticket, event)
    new = replaced(ticket, **changes)
    if new.status == "completed" and new.completed_at is None:
        return replaced(new, completed_at=event.at)
    return new


def _reviewed(_ticket: Ticket, event: Event) -> dict[str, Any]:
    return {"reviewed_at": event.at, "reviewer": event.actor}


def _revised(ticket: Ticket, event: Event) -> dict[str, Any]:
    payload = event.payload
    return {"reason": payload.get("reason", ticket.reason), "phase": payload.get("phase", ticket.phase)}


def _received(ticket: Ticket, event: Event) -> dict[str, Any]:
    units: dict[str, int] = dict(event.payload["received"])
    return {
        "lines": tuple(
            replaced(line, received=line.received + units[line.line_no]) if line.line_no in units else line
            for line in ticket.lines
        )
    }


def _inspected(ticket: Ticket, event: Event) -> dict[str, Any]:
    found = {row[0]: row for row in event.payload["inspected"]}
    lines = []
    for line in ticket.lines:
        if line.line_no in found:
            _, received, accepted, rejected, disposition = found[line.line_no]
            line = replaced(  # noqa: PLW2901 - the row with what inspection found
                line,
                received=received,
                accepted=accepted,
                rejected=rejected,
                disposition=disposition,
            )
        lines.append(line)
    return {"lines": tuple(lines)}


def _released(ticket: Ticket, event: Event) -> dict[str, Any]:
    keys = dict(event.payload["keys"])
    payouts = tuple(
        replaced(payout, key=keys[payout.payment_no], state="released") for payout in ticket.payouts
    )
    return {"payouts": payouts, "released_at": event.at}


def _payout_moved(ticket: Ticket, event: Event) -> dict[str, Any]:
    key, state = event.payload["key"], event.payload["state"]
    payouts = tuple(
        replaced(payout, state=state) if payout.key == key else payout for payout in ticket.payouts
    )
    changes: dict[str, Any] = {"payouts": payouts}
    if state == "failed" and ticket.completed_at is not None:
        changes["completed_at"] = None
    return changes


_TICKET_EVENTS: dict[str, Callable[[Ticket, Event], dict[str, Any]]] = {
    "review_approved": _reviewed,
    "review_rejected": _reviewed,
    "ticket_revised": _revised,
    "goods_received": _received,
    "goods_inspected": _inspected,
    "settlement_released": _released,
    "payout_sent": _payout_moved,
    "payout_settled": _payout_moved,
    "payout_failed": _payout_moved,
    "payout_unknown": _payout_moved,
    "payout_retried": _payout_moved,
}


def _hold(ticket: Ticket | None) -> tuple[dict[str, Claim], dict[str, tuple[int, int]]]:
    """What a ticket holds: per line units and money, per payment (reserved, refunded)."""
    if ticket is None or ticket.closing:
        return {}, {}
    settled = ticket.legs.get(SETTLEMENT) == "settled"
    lines = {
        line.line_no: Claim(line.quantity, 0 if settled else line.value, line.value if settled else 0)
        for line in ticket.lines
    }
    payments = {
        payout.payment_no: (0, payout.amount) if payout.state == "settled" else (payout.amount, 0)
        for payout in ticket.payouts
    }
    return lines, payments


def _reclaim(case: Case, old: Ticket | None, new: Ticket) -> dict[str, Any]:
    """The claim ledger with what `new` holds in place of what `old` held."""
    old_lines, old_payments = _hold(old)
    new_lines, new_payments = _hold(new)
    changes: dict[str, Any] = {}
    if old_lines != new_lines:
        changes["claims"] = _moved_claims(case.claims, old_lines, new_lines)
    if old_payments != new_payments:
        payments = dict(case.payments)
        for payment_no in {**old_payments, **new_payments}:
            before, after = (
                old_payments.get(payment_no, (0, 0)),
                new_payments.get(payment_no, (0, 0)),
            )
            payment = payments[payment_no]
            payments[payment_no] = replaced(
                payment,
                reserved=payment.reserved - before[0] + after[0],
                refunded=payment.refunded - before[1] + after[1],
            )
        changes["payments"] = payments
    return changes


_NO_CLAIM = Claim()


def _moved_claims(
    claims: Mapping[str, Claim], old: Mapping[str, Claim], new: Mapping[str, Claim]
) -> dict[str, Claim]:
    moved = dict(claims)
    for line_no in {**old, **new}:
        before, after, now = (
            old.get(line_no, _NO_CLAIM),
            new.get(line_no, _NO_CLAIM),
            moved.get(line_no, _NO_CLAIM),
        )
        moved[line_no] = Claim(
            now.units - before.units + after.units,
            now.reserved - before.reserved + after.reserved,
            now.refunded - before.refunded + after.refunded,
        )
    return moved
