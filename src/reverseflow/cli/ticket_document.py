"""A ticket as one JSON object: everything a reviewer looks at, amounts as decimal texts."""

from collections.abc import Callable, Mapping
from typing import Any

from reverseflow.cli.texts import buyer_document, when
from reverseflow.core.case import GOODS, Case, Ticket
from reverseflow.core.events import Event
from reverseflow.core.legs import TYPES
from reverseflow.core.money import format_amount
from reverseflow.core.quote import FeeLine, Quote
from reverseflow.core.quote_document import quote_document
from reverseflow.core.values import JsonObject
from reverseflow.storage.views import TicketView

_FACTS = (
    "ticket_no", "external_no", "apply_id", "type", "phase", "status", "reason", "first_reason",
    "opened_by", "reviewer", "closing", "owner", "deadline_command", "rulebook", "refund_timing",
)  # fmt: skip
_TIMES = ("applied_at", "reviewed_at", "released_at", "completed_at", "deadline")
_ORDER_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")
#: What of a ticket's detail stands elsewhere in the document.
_ELSEWHERE = ("return_to", "parcels", "surprises")
#: What an event says that stands in the history as it is.
_SAID = ("rule", "reason", "closing", "key", "state", "reference", "received", "inspected", "legs")


def ticket_document(view: TicketView, *, reveal: bool = False) -> JsonObject:
    """Everything about one ticket; the buyer's personal data masked unless it is revealed."""
    case, ticket = view.case, view.ticket
    told: JsonObject = {
        "ticket_no": ticket.ticket_no,
        "order_no": case.order_no,
        "platform": case.platform,
        "shop": case.shop,
        "version": case.version,
    }
    told |= {name: getattr(ticket, name) for name in _FACTS}
    told |= {name: when(getattr(ticket, name)) for name in _TIMES}
    told["legs"] = {leg: ticket.legs[leg] for leg in TYPES[ticket.type].legs}
    told["order"] = {name: when(getattr(case, name)) for name in _ORDER_TIMES}
    told["amount"], told["currency"] = format_amount(ticket.total, case.currency), case.currency
    told["goods"] = _goods(case, ticket)
    told["quote"] = quote_document(case, ticket.type, _quote(ticket), ())
    told["payouts"] = _payouts(view)
    told["buyer"] = {
        **buyer_document(view.buyer, reveal=reveal),
        "past_tickets": view.past_tickets,
    }
    told["return"] = _return(view)
    told["detail"] = {k: v for k, v in ticket.detail.items() if k not in _ELSEWHERE}
    told["history"] = [_happened(event, case.currency) for event in view.events]
    return told


def _goods(case: Case, ticket: Ticket) -> list[JsonObject]:
    """The lines of goods: what they are, what is claimed, and what came of them (S-33)."""
    goods = []
    for line in ticket.lines:
        sold = case.lines[line.line_no]
        if sold.kind == GOODS:
            amounts = {
                "unit_price": sold.unit_price,
                "value": line.value,
                "tax": line.tax,
                "refund": line.refund,
            }
            units = {
                name: getattr(line, name)
                for name in ("quantity", "received", "accepted", "rejected", "disposition")
            }
            texts = {name: format_amount(told, case.currency) for name, told in amounts.items()}
            names = {"line_no": line.line_no, "sku": sold.sku, "title": sold.title}
            goods.append({**names, **texts, **units})
    return goods


def _quote(ticket: Ticket) -> Quote:
    """The quote a ticket was given, from what is stored with it."""
    stored = ticket.quote
    return Quote(
        ticket.lines, ticket.payouts, tuple(FeeLine(*fee) for fee in stored.get("fees", ())),
        tuple((what, amount, why) for what, amount, why in stored.get("not_returned", ())),
        stored.get("freight", 0), ticket.total, stored["strategy"], ticket.rulebook,
    )  # fmt: skip


def _payouts(view: TicketView) -> list[JsonObject]:
    """What goes to which payment, how far it has come, and how its delivery fares."""
    told = []
    for payout in view.ticket.payouts:
        state, attempts, error = view.deliveries.get(payout.key, ("", 0, ""))
        told.append(
            {
                "payment_no": payout.payment_no,
                "tender": view.case.payments[payout.payment_no].tender,
                "amount": format_amount(payout.amount, view.case.currency),
                "state": payout.state,
                "key": payout.key,
                "delivery": state,
                "attempts": attempts,
                "last_error": error,
            }
        )
    return told


def _return(view: TicketView) -> JsonObject:
    """Where the goods go, how they travel, what arrived and what surprised (S-35)."""
    detail = view.ticket.detail
    return {
        "return_to": detail.get("return_to"),
        "parcels": list(detail.get("parcels", ())),
        "receipts": [
            {"at": when(event.at), "by": event.actor, "lines": event.payload["received"]}
            for event in view.events
            if event.kind == "goods_received"
        ],
        "surprises": list(detail.get("surprises", ())),
    }


def _happened(event: Event, currency: str) -> JsonObject:
    """An event for a person: who did what when, and what was said."""
    payload = event.payload
    said: JsonObject = {name: payload[name] for name in _SAID if name in payload}
    if "claim" in payload:
        said["amount"] = format_amount(payload["claim"]["total"], currency)
    elif "amount" in payload:
        said["amount"] = format_amount(payload["amount"], currency)
    if payload.get("deadline"):
        moment, command, owner = payload["deadline"]
        said["deadline"] = {"at": when(moment), "command": command, "owner": owner}
    for told in (payload.get("detail", {}), event.private or {}):
        said |= {name: _LAST.get(name, _as_it_is)(value) for name, value in told.items()}
    said.pop("plugins", None)
    return {
        "seq": event.seq,
        "at": when(event.at),
        "actor": event.actor,
        "event": event.kind,
        "said": said,
    }


def _as_it_is(value: Any) -> Any:
    return value


def _last(values: Any) -> Any:
    return values[-1]


#: Lists that grow with every event: only what the event added is new.
_LAST: Mapping[str, Callable[[Any], Any]] = {"notes": _last, "parcels": _last}
