"""Checking the commands carried out against the events they led to.

An event does not name its command, so they are counted: per ticket and kind there are as many
commands as events. The chain does not have what a command asked: a content changed with skill is
not found, nor another id, nor another outcome that the ticket really had.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from reverseflow.audit.findings import Finding
from reverseflow.audit.rebuild import Rebuilt
from reverseflow.core.commands import COMMANDS
from reverseflow.core.errors import shown
from reverseflow.core.events import canonical_json
from reverseflow.storage import tables
from reverseflow.storage.audit_rows import CaseRows

#: What a command of a kind leads to: exactly one event of one of these kinds.
EVENTS_OF: Mapping[str, tuple[str, ...]] = {
    "apply": ("ticket_opened",),
    "external_refund": ("external_refund_recorded",),
    "revise": ("ticket_revised",),
    "approve": ("review_approved",),
    "reject": ("review_rejected",),
    "send_back": ("review_sent_back",),
    "cancel": ("ticket_cancelled",),
    "close": ("ticket_closed",),
    "reopen": ("ticket_reopened",),
    "escalate": ("ticket_escalated",),
    "note": ("note_added",),
    "ship_back": ("return_shipped",),
    "book_pickup": ("pickup_booked",),
    "refuse_delivery": ("delivery_refused",),
    "intercept": ("parcel_intercepted",),
    "receive": ("goods_received",),
    "inspect": ("goods_inspected",),
    "waive_return": ("return_waived",),
    "lose": ("return_lost",),
    "release": ("settlement_released",),
    "settle_result": ("payout_sent", "payout_settled", "payout_failed", "payout_unknown"),
    "retry": ("payout_retried",),
}

_COMMAND_OF = {event: command for command, events in EVENTS_OF.items() for event in events}


def differing_commands(stored: CaseRows, rebuilt: Rebuilt) -> Iterator[Finding]:
    """Every command that led to nothing in this case, and every event without its command."""
    counted: Counter[tuple[str, str]] = Counter()
    applied: dict[str, str] = {}
    for row in stored.of(tables.commands):
        counted[row.kind, row.ticket_no] += 1
        if row.kind == "apply":
            applied[row.ticket_no] = row.command_id
        for fault in _faults(row, rebuilt):
            message = f"command {shown(row.command_id)} ({shown(row.kind)}): {fault}"
            yield Finding(stored.order_no, None, "command_differs", message)
    for ticket in rebuilt.case.tickets.values():
        if ticket.apply_id != applied.get(ticket.ticket_no, ""):
            message = f"ticket {ticket.ticket_no}: the command {shown(ticket.apply_id)} is not kept"
            yield Finding(stored.order_no, None, "command_missing", message)
    yield from _miscounted(stored.order_no, counted, rebuilt)


def _miscounted(order_no: str, counted: Counter[tuple[str, str]], rebuilt: Rebuilt) -> Iterator[Finding]:
    most, least = (_by_command(events) for events in (rebuilt.told, rebuilt.told - rebuilt.automatic))
    for kind, ticket_no in {**most, **counted}:
        known, events = counted[kind, ticket_no], most[kind, ticket_no]
        if not least[kind, ticket_no] <= known <= events:
            code = "command_unexpected" if known > events else "command_missing"
            where = f"ticket {shown(ticket_no)}" if ticket_no else "the order"
            message = f"{where}: {known} commands {shown(kind)} are kept for {events} events"
            yield Finding(order_no, None, code, message)


def _by_command(events: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """How often the events of a case say that a command was carried out, by kind and ticket."""
    found: Counter[tuple[str, str]] = Counter()
    for (kind, ticket_no), number in events.items():
        if kind in _COMMAND_OF:
            found[_COMMAND_OF[kind], ticket_no] += number
    return found


def _faults(row: Any, rebuilt: Rebuilt) -> Iterator[str]:
    case, ticket = rebuilt.case, rebuilt.case.tickets.get(row.ticket_no)
    if row.kind not in COMMANDS:
        yield "there is no such kind of command"
    if row.ticket_no and ticket is None:
        yield f"the order has no ticket {shown(row.ticket_no)}"
    if row.currency != case.currency:
        yield f"its currency is {shown(row.currency)}, the order's {case.currency}"
    outcome = (row.ticket_no, row.status, row.refund)
    if outcome not in (rebuilt.outcomes if row.ticket_no else {("", "", 0)}):
        yield f"its ticket never was {shown(row.status)} with a refund of {row.refund}"
    try:
        content = json.loads(row.content)
        is_canonical = canonical_json(content) == row.content
    except (ValueError, TypeError):
        yield "its content cannot be read"
        return
    if not isinstance(content, dict) or not is_canonical:
        yield "its content is not written as the engine writes it"
        return
    if content.get("kind") != row.kind:
        yield f"its content is of the kind {shown(content.get('kind'))}"
    if content.get("order_no", row.order_no) != row.order_no:
        yield f"its content is about the order {shown(content['order_no'])}"
    names = (ticket.ticket_no, ticket.external_no, ticket.apply_id) if ticket else ()
    if any(content.get(name, "") not in ("", *names) for name in ("ticket_no", "external_no")):
        yield "its content is about another ticket"
