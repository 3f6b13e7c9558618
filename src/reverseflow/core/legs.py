"""The lifecycle as tables: legs and their states, ticket types, waits, and the public status.

A ticket is a set of legs. A command moves a leg along one row of `TRANSITIONS`; `TYPES` says which
legs a ticket type has; `WAITS` says what a leg waits for; `STATUS` projects the legs to the one
public word. Nothing else in the code base knows a state's successor.
"""

from collections.abc import Iterator, Mapping

import attrs

REVIEW, RETURN, SETTLEMENT, REPLACEMENT = "review", "return", "settlement", "replacement"
#: The legs in the order in which a ticket works through them.
LEGS = (REVIEW, RETURN, REPLACEMENT, SETTLEMENT)
STAFF = ("operations", "platform", "system")


@attrs.frozen
class Transition:
    """One row: in `state` the command `command` of one of `roles` moves `leg` to `next`."""

    leg: str
    state: str
    command: str
    next: str
    roles: tuple[str, ...]


def _rows(leg: str, states: str, command: str, following: str, *roles: str) -> Iterator[Transition]:
    for state in states.split():
        yield Transition(leg, state, command, following, roles)


_BUYER_SIDE = ("buyer", *STAFF)
_GOODS_SIDE = ("warehouse", *STAFF)
_MONEY_SIDE = ("finance", "platform", "system")
_IN_FLIGHT = "released sent unknown failed"

TRANSITIONS: tuple[Transition, ...] = (
    *_rows(REVIEW, "pending", "approve", "approved", *STAFF),
    *_rows(REVIEW, "rejected", "approve", "approved", "platform"),
    *_rows(REVIEW, "pending", "reject", "rejected", *STAFF),
    *_rows(REVIEW, "pending rejected", "revise", "pending", "buyer", "operations", "platform"),
    *_rows(REVIEW, "approved", "send_back", "pending", "finance"),
    *_rows(RETURN, "awaiting in_transit", "ship_back", "in_transit", *_BUYER_SIDE),
    *_rows(RETURN, "awaiting", "book_pickup", "in_transit", *_BUYER_SIDE),
    *_rows(RETURN, "awaiting", "refuse_delivery", "in_transit", *_BUYER_SIDE, "warehouse"),
    *_rows(RETURN, "awaiting", "intercept", "in_transit", "operations", "warehouse", "platform"),
    *_rows(RETURN, "awaiting in_transit received", "receive", "received", *_GOODS_SIDE),
    *_rows(RETURN, "received", "inspect", "inspected", *_GOODS_SIDE),
    *_rows(RETURN, "awaiting", "waive_return", "waived", "operations", "platform"),
    *_rows(RETURN, "in_transit", "lose", "lost", "operations", "warehouse", "platform"),
    *_rows(SETTLEMENT, "due", "release", "released", "finance", "system"),
    *_rows(SETTLEMENT, _IN_FLIGHT, "settle_result:sent", "sent", *_MONEY_SIDE),
    *_rows(SETTLEMENT, "due", "settle_result:settled", "settled", "platform"),
    *_rows(SETTLEMENT, _IN_FLIGHT, "settle_result:settled", "settled", *_MONEY_SIDE),
    *_rows(SETTLEMENT, f"{_IN_FLIGHT} settled", "settle_result:failed", "failed", *_MONEY_SIDE),
    *_rows(SETTLEMENT, "released sent unknown", "settle_result:unknown", "unknown", *_MONEY_SIDE),
    *_rows(SETTLEMENT, "failed", "retry", "released", "finance", "system"),
)

#: Commands that end, reopen or mark the whole ticket rather than move a leg.
TICKET_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "cancel": ("buyer", "operations", "platform", "system"),
    "close": ("platform", "system", "operations"),
    "reopen": ("operations", "platform"),
    "escalate": ("system", "operations", "finance", "warehouse"),
    "note": ("buyer", "operations", "finance", "warehouse", "platform", "system"),
}

INITIAL: Mapping[str, str] = {REVIEW: "pending", RETURN: "awaiting", SETTLEMENT: "due"}
FINAL: Mapping[str, tuple[str, ...]] = {
    REVIEW: ("approved",),
    RETURN: ("inspected", "waived", "lost"),
    SETTLEMENT: ("settled",),
}


@attrs.frozen
class TicketType:
    """A ticket type is which legs it has; `claims_units` whether it takes units of its lines."""

    code: str
    legs: tuple[str, ...]
    claims_units: bool = True
    en: str = ""
    zh: str = ""


TYPES: Mapping[str, TicketType] = {
    type_.code: type_
    for type_ in (
        TicketType("refund_only", (REVIEW, SETTLEMENT), True, "refund only", "仅退款"),
        TicketType("return_refund", (REVIEW, RETURN, SETTLEMENT), True, "return and refund", "退货退款"),
    )
}


@attrs.frozen
class Wait:
    """`leg` may not move before `other` is in one of `states` (under a refund timing, if given)."""

    leg: str
    other: str
    states: tuple[str, ...]
    refund_timing: str = ""


WAITS: tuple[Wait, ...] = (
    Wait(RETURN, REVIEW, ("approved",)),
    Wait(SETTLEMENT, REVIEW, ("approved",)),
    Wait(SETTLEMENT, RETURN, FINAL[RETURN], "after_inspection"),
)
REFUND_TIMINGS = ("after_inspection", "on_approval")


@attrs.frozen
class StatusRow:
    """The first row whose leg is in one of its states names the ticket's status.

    `without` names a leg the ticket must not have for the row to count.
    """

    status: str
    leg: str
    states: tuple[str, ...]
    without: str = ""


STATUS: tuple[StatusRow, ...] = (
    StatusRow("pending_review", REVIEW, ("pending",)),
    StatusRow("rejected", REVIEW, ("rejected",)),
    StatusRow("awaiting_return", RETURN, ("awaiting", "in_transit", "received")),
    StatusRow("approved", SETTLEMENT, ("due",), without=RETURN),
    StatusRow("awaiting_refund", SETTLEMENT, ("due", "released", "sent", "unknown", "failed")),
)
CLOSINGS = ("cancelled", "closed", "converted")
STATUSES: Mapping[str, tuple[str, str]] = {
    "pending_review": ("pending review", "待审核"),
    "approved": ("approved", "审核通过"),
    "rejected": ("rejected", "审核拒绝"),
    "awaiting_return": ("awaiting return", "待退货"),
    "awaiting_refund": ("awaiting refund", "待退款"),
    "awaiting_exchange": ("awaiting exchange", "待换货"),
    "completed": ("completed", "已完成"),
    "cancelled": ("cancelled", "已撤销"),
    "closed": ("closed", "已关闭"),
    "converted": ("converted", "已转换"),
}
OPEN_STATUSES = tuple(s for s in STATUSES if s not in (*CLOSINGS, "completed"))


def status_of(legs: Mapping[str, str], closing: str = "") -> str:
    """The public status of a ticket with these leg states: the one projection there is."""
    if closing:
        return closing
    for row in STATUS:
        if legs.get(row.leg) in row.states and row.without not in legs:
            return row.status
    return "completed"


@attrs.frozen
class Deadline:
    """What is waited for while `leg` is in `state`: whose queue it is, and what a timer does then.

    `command` is carried out by the system when `hours` have passed without a step. `phase` and
    `type` narrow the row to some tickets.
    """

    leg: str
    state: str
    owner: str
    hours: int
    command: str
    phase: str = ""
    type: str = ""


#: Defaults of every platform; a rulebook may give its own rows, which then come first.
DEADLINES: tuple[Deadline, ...] = (
    Deadline(REVIEW, "pending", "operations", 48, "escalate"),
    Deadline(REVIEW, "rejected", "buyer", 168, "close"),
    Deadline(RETURN, "awaiting", "buyer", 168, "close"),
    Deadline(RETURN, "in_transit", "warehouse", 240, "escalate"),
    Deadline(RETURN, "received", "warehouse", 72, "escalate"),
    Deadline(SETTLEMENT, "due", "finance", 48, "escalate"),
    Deadline(SETTLEMENT, "released", "system", 24, "escalate"),
    Deadline(SETTLEMENT, "sent", "system", 72, "escalate"),
    Deadline(SETTLEMENT, "unknown", "finance", 24, "escalate"),
    Deadline(SETTLEMENT, "failed", "finance", 24, "escalate"),
)


def in_order(legs: Mapping[str, str]) -> dict[str, str]:
    """Leg states in the order in which a ticket works through them (JSON does not keep it)."""
    return {leg: legs[leg] for leg in LEGS if leg in legs}


_BY_COMMAND: dict[str, tuple[Transition, ...]] = {}
for _row in TRANSITIONS:
    _BY_COMMAND[_row.command] = (*_BY_COMMAND.get(_row.command, ()), _row)


def transition(command: str, legs: Mapping[str, str]) -> Transition | None:
    """The row a command follows for a ticket in these leg states, or None where it has none."""
    for row in _BY_COMMAND.get(command, ()):
        if legs.get(row.leg) == row.state:
            return row
    return None


def moved_leg(command: str) -> str:
    """The leg a command moves (``ship_back`` → ``return``)."""
    return _BY_COMMAND[command][0].leg


def unmet_wait(leg: str, legs: Mapping[str, str], refund_timing: str) -> Wait | None:
    """What `leg` still waits for, or None when it may move."""
    for wait in WAITS:
        if wait.leg == leg and wait.refund_timing in ("", refund_timing):
            state = legs.get(wait.other)
            if state is not None and state not in wait.states:
                return wait
    return None


def current_wait(legs: Mapping[str, str], refund_timing: str) -> tuple[str, str] | None:
    """The (leg, state) a ticket is waiting in now, in the order of its legs; None at the end."""
    for leg in LEGS:
        state = legs.get(leg)
        if state is None or state in FINAL[leg]:
            continue
        if unmet_wait(leg, legs, refund_timing) is None:
            return leg, state
    return None
