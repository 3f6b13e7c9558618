"""Reads what Shopify's Admin API and webhooks give: orders, refunds, orders with refunds inside.

A JSON document (``{"order": …}``, ``{"orders": […]}``, ``{"refund": …}``, ``{"refunds": […]}``,
or the bare object of a webhook) or JSON Lines of them. Option: ``shop``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from reverseflow import (
    BadRecord,
    BadRow,
    InputError,
    InputReader,
    Passed,
    ReadContext,
    ReadItem,
    Record,
    Source,
    Warned,
    read_json_document,
    read_json_lines,
    shown,
)
from reverseflow_generic_web.shopify_fields import Node, PayloadFault
from reverseflow_generic_web.shopify_orders import is_captured, order_of
from reverseflow_generic_web.shopify_refunds import OrderKnown, commands_of, order_known

_MARKS = re.compile(
    r'"(?:financial_status|fulfillment_status|line_items|refund_line_items|admin_graphql_api_id)"\s*:'
)
_LOOKED_AT = 200  # lines, to tell the format
#: How the kinds are wrapped: the key of one, the key of several, a field only that kind has.
_KINDS = (("order", "orders", "line_items"), ("refund", "refunds", "refund_line_items"))


def detects(source: Source) -> bool:
    """Whether the beginning is JSON with the field names of a Shopify order or refund."""
    try:
        lines = [row.raw for row in islice(read_json_lines(source), _LOOKED_AT)]
    except InputError:
        return False
    text = "\n".join(lines).lstrip()
    return text[:1] in ("{", "[") and _MARKS.search(text) is not None


def read(source: Source, context: ReadContext) -> Iterator[ReadItem]:
    """The orders and refunds, each order before the refunds inside it.

    Rows are the lines of JSON Lines; in a document the first order or refund is row 1.

    `InputError` where a document cannot be read; in JSON Lines a bad line is that line's alone.
    """
    shop = context.options.get("shop", "")
    document = _document(source)
    if document is not None:
        for number, (kind, payload) in enumerate(_wrapped(document), 1):
            yield from _items(number, kind, payload, _as_text(kind, payload), shop)
        return
    for row in read_json_lines(source):
        if isinstance(row, BadRow):
            yield BadRecord(row.row, (row.raw,), row.code, row.message)
            continue
        payloads = list(_wrapped(row.value))
        for kind, payload in payloads:
            raw = row.raw if len(payloads) == 1 else _as_text(kind, payload)
            yield from _items(row.row, kind, payload, raw, shop)


def _document(source: Source) -> Any:
    """The source as one document; None where it is JSON Lines, of which the first may be spoilt."""
    rows = [not isinstance(row, BadRow) for row in islice(read_json_lines(source), 2)]
    if rows[:1] == [True]:
        return None
    try:
        return read_json_document(source)
    except InputError:
        if rows == [False, True]:
            return None
        raise


def _as_text(kind: str, payload: object) -> str:
    """A part of a document as a line of its own, to be mended and read again."""
    wrapped = {kind: payload} if kind else payload
    return json.dumps(wrapped, ensure_ascii=False, separators=(",", ":"), default=str)


def _wrapped(document: Any) -> Iterator[tuple[str, Any]]:
    """The payloads in a document with their kind; the kind is empty where it is none we know."""
    if isinstance(document, list):
        for part in document:
            yield from _wrapped(part)
        return
    fields = document if isinstance(document, Mapping) else {}
    for one, several, mark in _KINDS:
        if mark in fields:
            yield one, document
        elif several in fields and isinstance(fields[several], list):
            yield from ((one, payload) for payload in fields[several])
        elif one in fields:
            yield one, fields[one]
        else:
            continue
        return
    yield "", document


def _items(row: int, kind: str, payload: Any, raw: str, shop: str) -> Iterator[ReadItem]:
    if not kind or not isinstance(payload, Mapping):
        message = f"{shown(raw)} is neither an order nor a refund of Shopify"
        yield BadRecord(row, (raw,), "unknown_record", message)
        return
    read_one = _order if kind == "order" else _refund
    yield from _guarded(read_one(row, Node(payload, kind), raw, shop), row, kind, payload, raw)


def _guarded(
    items: Iterator[ReadItem], row: int, kind: str, payload: Mapping[str, Any], raw: str
) -> Iterator[ReadItem]:
    """The items of a payload, with what cannot be read of it as a bad record."""
    try:
        yield from items
    except PayloadFault as fault:
        order_no = str(payload.get("id" if kind == "order" else "order_id") or "")
        yield BadRecord(row, (raw,), fault.code, fault.message, kind=kind, order_no=order_no)


def _order(row: int, order: Node, raw: str, shop: str) -> Iterator[ReadItem]:
    record = order_of(order, shop)
    shipped = {line.line_no: line.shipped or 0 for line in record.lines}
    known = order_known(order, record.currency, shipped)
    refunds = order.nodes("refunds")
    yield Record(row, record, (raw,), "order")
    yield from _warnings(row, order)
    for inner in refunds:
        payload = {"order_id": order.value["id"], **inner.value}
        text = _as_text("refund", payload)
        items = _refund(row, Node(payload, inner.path), text, shop, known)
        yield from _guarded(items, row, "refund", payload, text)


def _warnings(row: int, order: Node) -> Iterator[Warned]:
    status = order.text("financial_status")
    name = shown(order.identity("id"))
    if not is_captured(order):
        message = f"the order {name} is {status}, its money not captured; it is taken as paid"
        yield Warned(row, "payment_not_captured", message)
    if status in ("partially_refunded", "refunded") and not order.nodes("refunds"):
        message = f"the order {name} is {status}, but its refunds are not in the payload"
        yield Warned(row, "refunds_not_told", message)


def _refund(
    row: int, refund: Node, raw: str, _shop: str, known: OrderKnown | None = None
) -> Iterator[ReadItem]:
    if "id" not in refund and any(
        node.text("kind") == "suggested_refund" for node in refund.nodes("transactions")
    ):
        yield Passed(row, "refund_calculation")
        return
    commands = list(commands_of(refund, known))
    for number, command in enumerate(commands):
        yield Record(row, command, (raw,), "refund", int(number == 0))
    if not refund.nodes("transactions"):
        name = shown(refund.identity("id"))
        message = f"Shopify moved no money for the refund {name}; a person decides on it here"
        yield Warned(row, "no_money_moved", message)
    if not commands:
        yield Passed(row, "refund_without_effect")


READER = InputReader(
    "shopify",
    detects,
    read,
    describes="orders and refunds as Shopify's Admin API and webhooks give them, JSON",
    options=("shop",),
)
