"""The reader of TOP payloads: a JSON document, or JSON Lines of responses, rows or bare structs.

What stands together in one line (or the document) is looked at together: the trades first, each
told as it stood when a refund was applied for, the refunds in the order of their creation, and
at the end each trade as it stands now.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from reverseflow import (
    BadRecord,
    BadRow,
    InputReader,
    Passed,
    ReadContext,
    ReadItem,
    Record,
    RecordOrder,
    Source,
    Warned,
    read_json_document,
    read_json_lines,
    shown,
)
from reverseflow_taobao.envelopes import EMPTY, ERROR, PUSHED, REFUND, RESPONSES, Found, find
from reverseflow_taobao.fields import PayloadFault, Struct
from reverseflow_taobao.refunds import Refund, read_refund
from reverseflow_taobao.steps import apply_id, commands, doubts
from reverseflow_taobao.trades import Trade, read_trade

DEFAULT_PLATFORM = "taobao"
REMEMBERED = 10_000  # trades of earlier lines, for what a later refund does not say itself
_LOOKED_AT = 50  # lines, to tell the format
_MARKS = re.compile("|".join(f'"{name}"' for name in (*RESPONSES, PUSHED, ERROR)))
_BARE = (('"refund_id"', '"tid"'), ('"tid"', '"orders"'))


def detects(source: Source) -> bool:
    """Whether the first lines look like JSON with a wrapper or a struct of TOP in it."""
    rows = [row.raw for row in islice(read_json_lines(source), _LOOKED_AT)]
    text = "\n".join(rows).lstrip()
    if not text.startswith(("{", "[")):
        return False
    return bool(_MARKS.search(text)) or any(all(name in text for name in names) for names in _BARE)


def read(source: Source, context: ReadContext) -> Iterator[ReadItem]:
    """Orders, applications and steps, with every doubt told before the record it is about.

    In a document of several responses the row is the place in its list.
    """
    reading = _Reading(context.platform or DEFAULT_PLATFORM)
    for value in _values(source):
        if isinstance(value, BadRecord):
            yield value
        else:
            yield from reading.items(value)


class _Value(NamedTuple):
    """A JSON value, its row, and the text it came as: empty for a part of a document."""

    row: int
    value: Any
    raw: str = ""


def _values(source: Source) -> Iterator[_Value | BadRecord]:
    if _is_document(source):
        document = read_json_document(source)
        values = document if isinstance(document, list) else [document]
        yield from (_Value(index, value) for index, value in enumerate(values, 1))
        return
    for row in read_json_lines(source):
        if isinstance(row, BadRow):
            yield BadRecord(row.row, (row.raw,), row.code, row.message)
        else:
            yield _Value(row.row, row.value, row.raw)


def _is_document(source: Source) -> bool:
    """Whether the first line is only the beginning of a value, and the second no value either."""
    rows = list(islice(read_json_lines(source), 2))
    if not rows or not isinstance(rows[0], BadRow):
        return False
    return rows[0].raw.strip() in ("{", "[") or all(isinstance(row, BadRow) for row in rows)


class _Unit(NamedTuple):
    """What one value holds: trades by number, refunds, each with the text of its own."""

    row: int
    trades: dict[str, tuple[Trade, str]]
    refunds: list[tuple[Refund, str]]


class _Reading:
    """One reading of a file: it remembers the trades it met, within bounds."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.trades: dict[str, Trade] = {}

    def items(self, value: _Value) -> Iterator[ReadItem]:
        """What comes of one value."""
        unit = _Unit(value.row, {}, [])
        try:
            for found in find(value.value):
                yield from self._take(found, unit, value.raw or _wrapped(found))
        except PayloadFault as fault:
            yield _bad(value.row, value.raw or _text(value.value), fault)
        yield from self._told(unit)

    def _take(self, found: Found, unit: _Unit, raw: str) -> Iterator[ReadItem]:
        """Put a struct where it belongs, or say why it does not."""
        if found.kind == ERROR:
            yield _bad(unit.row, raw, _answered_error(found.struct))
            return
        if found.kind == EMPTY:
            yield Passed(unit.row, "empty_response")
            return
        try:
            if found.kind == REFUND:
                unit.refunds.append((read_refund(found.struct), raw))
                return
            trade = read_trade(found.struct)
        except PayloadFault as fault:
            yield _bad(unit.row, raw, fault, found)
            return
        if trade is None:
            yield Passed(unit.row, "unpaid_trade")
            return
        unit.trades[trade.tid] = (trade, raw)
        self._remember(trade)

    def _remember(self, trade: Trade) -> None:
        while len(self.trades) >= REMEMBERED:
            del self.trades[next(iter(self.trades))]
        self.trades[trade.tid] = trade

    def _told(self, unit: _Unit) -> Iterator[ReadItem]:
        """The records of a unit, in the order in which they are to be carried out."""
        last: dict[str, RecordOrder] = {}
        for trade, _ in unit.trades.values():
            yield from (Warned(unit.row, code, message) for code, message in trade.warnings)
        for refund, raw in sorted(unit.refunds, key=lambda pair: pair[0].created):
            if refund.tid in unit.trades:
                trade, own_raw = unit.trades[refund.tid]
                yield from self._order(unit.row, trade.order(self.platform, refund.created), last, own_raw)
            yield from self._refund(unit.row, refund, raw)
        for trade, raw in unit.trades.values():
            yield from self._order(unit.row, trade.order(self.platform), last, raw)

    def _order(
        self, row: int, order: RecordOrder, last: dict[str, RecordOrder], raw: str
    ) -> Iterator[ReadItem]:
        """The order, unless it was told like this just before."""
        if last.get(order.order_no) != order:
            last[order.order_no] = order
            yield Record(row, order, (raw,), order.kind)

    def _refund(self, row: int, refund: Refund, raw: str) -> Iterator[ReadItem]:
        try:
            told = list(commands(refund, self.trades.get(refund.tid), self.platform))
        except PayloadFault as fault:
            yield BadRecord(
                row, (raw,), fault.code, fault.message, fault.outcome,
                "apply", apply_id(refund), refund.tid,
            )  # fmt: skip
            return
        for code, message in (*refund.warnings, *doubts(refund)):
            yield Warned(row, code, message)
        for command in told:
            yield Record(row, command, (raw,), command.kind)


def _bad(row: int, raw: str, fault: PayloadFault, found: Found | None = None) -> BadRecord:
    """A bad record, with what can be said of the struct it is about."""
    kind, id_, order_no = "", "", ""
    if found is not None:
        kind = "apply" if found.kind == REFUND else "order"
        value = found.struct.value
        order_no = _named(value.get("tid"))
        if found.kind == REFUND and (refund_id := _named(value.get("refund_id"))):
            id_ = f"top:{refund_id}"
    return BadRecord(row, (raw,), fault.code, fault.message, fault.outcome, kind, id_, order_no)


def _named(value: object) -> str:
    """A number of the platform as it stands there, whether it is one or not."""
    return str(value) if isinstance(value, str | int) else ""


def _answered_error(error: Struct) -> PayloadFault:
    """What the platform refused to answer, and why."""
    words = [f"{name} {shown(error.text(name))}" for name in
             ("code", "msg", "sub_code", "sub_msg", "request_id") if error.text(name)]  # fmt: skip
    code = re.sub("[^0-9A-Za-z]+", "_", error.text("code")) or "unknown"
    message = f"{error.path}: the platform answered with an error: {', '.join(words)}"
    return PayloadFault(f"top_error_{code}", message, "refused")


def _wrapped(found: Found) -> str:
    """A struct of a document as a line that can be read by itself."""
    if found.kind == REFUND:
        return _text({"refund_get_response": {"refund": found.struct.value}})
    if found.kind in (ERROR, EMPTY):
        return _text({ERROR: found.struct.value})
    return _text({"trade_fullinfo_get_response": {"trade": found.struct.value}})


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=float)


READER = InputReader("top", detects, read, describes="refunds and trades of the Taobao Open Platform")
