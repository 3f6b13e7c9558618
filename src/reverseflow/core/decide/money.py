"""Deciding on the settlement: finance releases; results move each payout, and the leg with them."""

from reverseflow.core.case import Payout, Ticket
from reverseflow.core.commands import Release, Retry, SettleResult
from reverseflow.core.decide.draft import Draft, require_role, step, text_fields
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import SETTLEMENT, transition
from reverseflow.core.money import format_amount
from reverseflow.core.reading import amount_in
from reverseflow.core.values import Actor, JsonObject

#: The leg shows the worst of its payouts.
_WORST_FIRST = ("failed", "unknown", "released", "sent", "settled")
RESULTS = ("sent", "settled", "failed", "unknown")


def release(draft: Draft, ticket: Ticket, command: Release) -> None:
    """Finance releases the money of a ticket."""
    step(draft, ticket, command)
    _release(draft, ticket, draft.actor, {}, text_fields(command, "note"))


def release_now(draft: Draft, ticket: Ticket, actor: Actor) -> Ticket:
    """Release the money of a ticket that waits for nothing."""
    return _release(draft, ticket, actor, {})


def _release(
    draft: Draft, ticket: Ticket, actor: Actor, extra: JsonObject, private: JsonObject | None = None
) -> Ticket:
    """Give each payout its key: one per payment, kept for ever. Without any, all is settled."""
    keys = [
        [payout.payment_no, f"{ticket.ticket_no}:refund:{payout.payment_no}"] for payout in ticket.payouts
    ]
    state = "released" if keys else "settled"
    payload: JsonObject = {"keys": keys, **extra}
    return draft.emit_on(
        ticket, "settlement_released", payload, legs={SETTLEMENT: state}, actor=actor, private=private
    )


def settle_result(draft: Draft, ticket: Ticket, command: SettleResult) -> None:
    """What became of an instruction; told again, nothing changes."""
    if command.result not in RESULTS:
        raise Refused(
            "unknown_result",
            f"{shown(command.result)} is not one of {', '.join(RESULTS)}",
            "result",
        )
    if ticket.legs.get(SETTLEMENT) == "due" and command.result == "settled":
        step(draft, ticket, command, "settle_result:settled")
        _require_same_money(draft, command, ticket.total)
        _paid_by_platform(draft, ticket, command)
        return
    payout = _payout(ticket, command.key, command.payment_no)
    _require_same_money(draft, command, payout.amount)
    if payout.state == command.result:
        require_role(draft, command, ("finance", "platform", "system"))
        return
    _move(
        draft,
        ticket,
        command,
        payout,
        f"settle_result:{command.result}",
        f"payout_{command.result}",
    )


def _require_same_money(draft: Draft, command: SettleResult, expected: int) -> None:
    """Refuse a result that names another amount or currency than was to be paid."""
    currency = draft.case.currency
    if command.currency and command.currency != currency:
        raise Refused(
            "currency_mismatch", f"currency: {shown(command.currency)} is not {currency}", "currency"
        )
    if command.amount is not None and amount_in(command.amount, currency, "amount") != expected:
        raise Refused(
            "amount_differs",
            f"amount: {shown(command.amount)} was paid, {format_amount(expected, currency)} is due",
            "amount",
        )


def _paid_by_platform(draft: Draft, ticket: Ticket, command: SettleResult) -> None:
    """The platform paid by itself: recorded as released and settled, and nothing is instructed."""
    keys = [f"{ticket.ticket_no}:refund:{payout.payment_no}" for payout in ticket.payouts]
    extra = {"paid_by": "platform", "detail": {"paid_by_platform": keys}}
    ticket = _release(draft, ticket, draft.actor, extra, text_fields(command, "note"))
    for payout in ticket.payouts:
        payload: JsonObject = {"key": payout.key, "state": "settled", "amount": payout.amount}
        payload |= text_fields(command, "reference")
        others = {p.state for p in draft.case.tickets[ticket.ticket_no].payouts if p.key != payout.key}
        leg = next(state for state in _WORST_FIRST if state in others | {"settled"})
        draft.emit_on(draft.case.tickets[ticket.ticket_no], "payout_settled", payload, legs={SETTLEMENT: leg})


def retry(draft: Draft, ticket: Ticket, command: Retry) -> None:
    """A failed instruction goes out again under its old key."""
    failed = [payout.key for payout in ticket.payouts if payout.state == "failed"]
    key = command.key or (failed[0] if len(failed) == 1 else "")
    _move(draft, ticket, command, _payout(ticket, key, ""), "retry", "payout_retried")


def _move(
    draft: Draft,
    ticket: Ticket,
    command: SettleResult | Retry,
    payout: Payout,
    word: str,
    kind: str,
) -> None:
    row = transition(word, {SETTLEMENT: payout.state})
    if row is None:
        raise Refused("wrong_state", f"{word} does not apply while the money is {payout.state}")
    require_role(draft, command, row.roles)
    states = {row.next} | {other.state for other in ticket.payouts if other.key != payout.key}
    leg = next(state for state in _WORST_FIRST if state in states)
    payload: JsonObject = {"key": payout.key, "state": row.next, "amount": payout.amount}
    if isinstance(command, SettleResult):
        payload |= text_fields(command, "reference")
    elif payout.key in (paid := ticket.detail.get("paid_by_platform", ())):
        # The platform's payment failed late: now it is ours to pay, for the first time.
        rest = [key for key in paid if key != payout.key]
        payload |= {"instruct": True, "detail": {"paid_by_platform": rest}}
    draft.emit_on(ticket, kind, payload, legs={SETTLEMENT: leg}, private=text_fields(command, "note"))


def _payout(ticket: Ticket, key: str, payment_no: str) -> Payout:
    """The payout a result is about: by its key, by its payment, or the only one."""
    released = [payout for payout in ticket.payouts if payout.key]
    if not released:
        raise Refused("wrong_state", "no money of this ticket was released")
    if key or payment_no:
        released = [p for p in released if key in ("", p.key) and payment_no in ("", p.payment_no)]
    if len(released) != 1:
        raise Refused(
            "unknown_instruction",
            f"{shown(key or payment_no)} does not name one of: {', '.join(p.key for p in ticket.payouts)}",
            "key",
        )
    return released[0]
