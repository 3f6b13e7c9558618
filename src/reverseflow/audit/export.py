"""`export`: the whole store as JSON Lines objects that an outside program can check.

An object's single key is its kind. Orders come in the code-point order of their numbers; each
``order`` is followed by its ``ticket``, ``event``, ``posting`` and ``instruction`` objects, in the
order in which they came about. Amounts are decimal texts in major units of the order's currency,
times are UTC (``2026-05-01T02:00:00.000000Z``), ``null`` where there is none. Everything is as it
is stored, nothing is computed here. Personal data is not exported.

``event.payload`` is the one place where amounts are whole minor units: it is the chained value.
The ``hash`` of an event is the SHA-256, in lower-case hexadecimal digits, of these UTF-8 bytes::

    reverseflow.event.v1 LF previous_hash LF head LF payload

without a line feed at the end; ``previous_hash`` is the hash of the event before, empty for the
first. ``head`` is the canonical JSON of the array ``[tenant, order_no, number, kind, ticket_no,
at, actor]``, its values as exported, and ``payload`` the canonical JSON of the exported payload.
Canonical JSON has the keys of objects in code-point order, no white space, whole numbers only, and
all characters as they are but for ``"``, ``\\`` and U+0000 to U+001F, which are written ``\\"``,
``\\\\``, ``\\b``, ``\\f``, ``\\n``, ``\\r``, ``\\t`` and otherwise ``\\u00xx`` in lower case.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reverseflow.core.errors import DamageFound, shown
from reverseflow.core.money import format_amount
from reverseflow.core.values import JsonObject, time_text, utc
from reverseflow.engine import Engine
from reverseflow.storage import tables
from reverseflow.storage.audit_rows import AuditRows, CaseRows, snapshot


def export(engine: Engine, *, since: datetime | None = None) -> Iterator[JsonObject]:
    """Everything in the engine's store, or the orders whose last event is not before `since`.

    A stream of one snapshot; writers are not held up. `DamageFound` at rows that cannot be read.
    """
    after = None if since is None else time_text(utc(since))
    with snapshot(engine.database) as connection:
        for chunk in AuditRows(connection, engine.tenant).cases(after):
            for stored in chunk:
                yield from _case(engine.tenant, stored)


def _case(tenant: str, stored: CaseRows) -> list[JsonObject]:
    try:
        (row,) = stored.of(tables.cases)
        return [
            {"order": _order(tenant, row, stored)},
            *({"ticket": _ticket(row, ticket, stored)} for ticket in _tickets(stored)),
            *({"event": event} for event in _events(tenant, stored)),
            *({"posting": _posting(posting)} for posting in stored.of(tables.postings)),
            *({"instruction": _instruction(told)} for told in _outbox(stored)),
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamageFound(
            "store_damaged",
            f"the order {shown(stored.order_no)} cannot be read; run: reverseflow verify",
            place=stored.order_no,
        ) from error


def _order(tenant: str, row: Any, stored: CaseRows) -> JsonObject:
    currency = row.currency
    return {
        "tenant": tenant,
        "order_no": row.order_no,
        "platform": row.platform,
        "shop": row.shop,
        "currency": currency,
        "placed_at": row.placed_at,
        "paid_at": row.paid_at,
        "shipped_at": row.shipped_at,
        "received_at": row.received_at,
        "finished_at": row.finished_at,
        "price_includes_tax": bool(row.price_includes_tax),
        **_amounts(row, currency, "paid", "reserved", "refunded"),
        "lines": [_line(line, currency) for line in stored.of(tables.order_lines)],
        "payments": [
            {
                "payment_no": payment.payment_no,
                "tender": payment.tender,
                "funded_by": payment.funded_by,
                **_amounts(payment, currency, "amount", "reserved", "refunded"),
            }
            for payment in stored.of(tables.payments)
        ],
        "events": row.version,
        "head": row.head,
        "last_at": row.last_at,
    }


def _amounts(row: Any, currency: str, *names: str) -> JsonObject:
    return {name: format_amount(getattr(row, name), currency) for name in names}


def _line(row: Any, currency: str) -> JsonObject:
    return {
        "line_no": row.line_no,
        "kind": row.kind,
        "sku": row.sku,
        "title": row.title,
        "quantity": row.quantity,
        **_amounts(row, currency, "unit_price", "discount", "tax", "paid"),
        "discounts": _parts("code", row.discounts, currency),
        "paid_by": _parts("tender", row.paid_by, currency),
        "returnable": bool(row.returnable),
        "shipped": row.shipped,
        "received": row.received,
        "claimed": row.claimed,
        **_amounts(row, currency, "reserved", "refunded"),
        **json.loads(row.extra),
    }


def _parts(name: str, text: str, currency: str) -> list[JsonObject]:
    pairs = json.loads(text)
    return [{name: word, "amount": format_amount(amount, currency)} for word, amount in pairs]


def _tickets(stored: CaseRows) -> list[Any]:
    return sorted(stored.of(tables.tickets), key=lambda row: (len(row.ticket_no), row.ticket_no))


def _ticket(case: Any, row: Any, stored: CaseRows) -> JsonObject:
    currency = case.currency
    lines = [
        _ticket_line(line, currency)
        for line in stored.of(tables.ticket_lines)
        if line.ticket_no == row.ticket_no
    ]
    payouts = [
        {
            "payment_no": payment_no,
            "amount": format_amount(amount, currency),
            "key": key,
            "state": state,
        }
        for payment_no, amount, key, state in json.loads(row.payouts)
    ]
    return {
        "order_no": row.order_no,
        "ticket_no": row.ticket_no,
        "external_no": row.external_no,
        "apply_id": row.apply_id,
        "type": row.type,
        "phase": row.phase,
        "status": row.status,
        "legs": dict(sorted(json.loads(row.legs).items())),
        "closing": row.closing,
        "reason": row.reason,
        "first_reason": row.first_reason,
        "currency": currency,
        "total": format_amount(row.amount, currency),
        "lines": lines,
        "payouts": payouts,
        "quote": _quote(json.loads(row.quote), currency),
        "applied_at": row.applied_at,
        "opened_by": row.opened_by,
        "reviewed_at": row.reviewed_at,
        "reviewer": row.reviewer,
        "released_at": row.released_at,
        "completed_at": row.completed_at,
        "deadline": row.deadline,
        "deadline_command": row.deadline_command,
        "owner": row.owner,
        "rulebook": row.rulebook,
        "refund_timing": row.refund_timing,
    }


def _ticket_line(row: Any, currency: str) -> JsonObject:
    return {
        "line_no": row.line_no,
        "quantity": row.quantity,
        **_amounts(row, currency, "value", "tax", "refund"),
        "asked": None if row.asked is None else format_amount(row.asked, currency),
        "tenders": _parts("tender", row.tenders, currency),
        "received": row.received,
        "accepted": row.accepted,
        "rejected": row.rejected,
        "disposition": row.disposition,
    }


def _quote(summary: JsonObject, currency: str) -> JsonObject:
    """What explains a ticket's total besides its lines and payouts; fees are signed."""
    return {
        "strategy": summary["strategy"],
        "freight": format_amount(summary.get("freight", 0), currency),
        "fees": [
            {
                "code": code,
                "plugin": plugin,
                "amount": format_amount(amount, currency),
                "payer": payer,
                "why": why,
            }
            for code, plugin, amount, payer, why in summary.get("fees", ())
        ],
        "not_returned": [
            {"what": what, "amount": format_amount(amount, currency), "why": why}
            for what, amount, why in summary.get("not_returned", ())
        ],
    }


def _events(tenant: str, stored: CaseRows) -> Iterator[JsonObject]:
    previous = ""
    for row in stored.of(tables.events):
        yield {
            "tenant": tenant,
            "order_no": row.order_no,
            "number": row.seq,
            "kind": row.kind,
            "ticket_no": row.ticket_no,
            "at": row.at,
            "actor": row.actor,
            "payload": json.loads(row.payload),
            "previous_hash": previous,
            "hash": row.hash,
        }
        previous = row.hash


def _posting(row: Any) -> JsonObject:
    return {
        "order_no": row.order_no,
        "event": row.seq,
        "account": row.account,
        "amount": format_amount(row.amount, row.currency),
        "currency": row.currency,
    }


def _outbox(stored: CaseRows) -> list[Any]:
    return sorted(stored.of(tables.outbox), key=lambda row: (row.seq, row.instruction_key))


def _instruction(row: Any) -> JsonObject:
    """The instruction as movers get it, with the event that gave it and how delivery stands."""
    return {
        **json.loads(row.body),
        "key": row.instruction_key,
        "event": row.seq,
        "state": row.state,
        "attempts": row.attempts,
    }
