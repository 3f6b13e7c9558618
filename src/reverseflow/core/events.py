"""Events: what happened to a case, numbered without gaps and chained by hash.

A payload holds JSON values only (amounts in minor units, times as text). `private` is personal or
free text that stands beside the chained bytes so that it can be erased.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from reverseflow.core.values import JsonObject, time_text

_TAG = b"reverseflow.event.v1\n"
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


#: The encoder's C part, made once rather than per call (None on another Python than CPython).
_MAKE: Callable[..., Callable[[object, int], Iterable[str]]] | None = vars(json.encoder)["c_make_encoder"]
_PIECES = _MAKE and _MAKE(
    None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", True, False, False
)


def _encode(value: object) -> str:
    return "".join(_PIECES(value, 0)) if _PIECES else _ENCODER.encode(value)


EVENT_KINDS = (
    "order_recorded",
    "order_updated",
    "external_refund_recorded",
    "ticket_opened",
    "ticket_revised",
    "review_approved",
    "review_rejected",
    "review_sent_back",
    "ticket_cancelled",
    "ticket_closed",
    "ticket_reopened",
    "ticket_escalated",
    "note_added",
    "return_shipped",
    "pickup_booked",
    "delivery_refused",
    "parcel_intercepted",
    "goods_received",
    "goods_inspected",
    "return_waived",
    "return_lost",
    "settlement_released",
    "payout_sent",
    "payout_settled",
    "payout_failed",
    "payout_unknown",
    "payout_retried",
)


@attrs.frozen
class Event:
    """One thing that happened: its number in the case, its kind, when, by whom, and its payload."""

    seq: int
    kind: str
    ticket_no: str
    at: datetime
    actor: str
    payload: JsonObject
    private: JsonObject | None = None


def canonical_json(value: object) -> str:
    """The one text of a JSON value: sorted keys, no spaces, UTF-8 characters as they are."""
    return _encode(value)


def event_hash(tenant: str, order_no: str, event: Event, payload_text: str, previous: str) -> str:
    """The hash that chains an event to the one before (hex; the first one's previous is empty).

    SHA-256 over a domain tag, the previous hash, the event's head and its payload, each as
    canonical JSON on a line of its own.
    """
    head = _encode(
        [tenant, order_no, event.seq, event.kind, event.ticket_no, time_text(event.at), event.actor]
    )
    digest = hashlib.sha256(_TAG)
    digest.update(f"{previous}\n{head}\n{payload_text}".encode())
    return digest.hexdigest()
