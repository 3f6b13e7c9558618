"""Finding the refunds and trades in a JSON value, whatever they are wrapped in.

TOP wraps by API (``refunds_receive_get_response``), gateways unwrap lists of one, the push
database (RDS) stores the response as text beside columns of its own, scripts keep bare structs.
"""

from collections.abc import Iterator
from typing import NamedTuple

from reverseflow import JsonFault, parse_json
from reverseflow_taobao.fields import PayloadFault, Struct

RESPONSES = (
    "refunds_receive_get_response",
    "special_refunds_receive_get_response",
    "refund_get_response",
    "special_refund_get_response",
    "trade_fullinfo_get_response",
    "trade_get_response",
    "trades_sold_get_response",
    "trades_sold_increment_get_response",
)
PUSHED, ERROR = "jdp_response", "error_response"
#: Where structs of a kind stand: under the one name as a list, or under both.
_LISTS = (
    ("trades", "trade"),
    ("trade", "trade"),
    ("refunds", "refund"),
    ("refund", "refund"),
)
REFUND, TRADE, EMPTY = "refund", "trade", "empty"


class Found(NamedTuple):
    """A struct and what it is: ``refund``, ``trade``, ``error_response`` or ``empty``."""

    kind: str
    struct: Struct


def find(value: object, path: str = "$") -> Iterator[Found]:
    """The structs in a value, in their order; `PayloadFault` where there is nothing known."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from find(item, f"{path}[{index}]")
        return
    struct = Struct(value, path)
    if PUSHED in struct.value:
        yield from find(_pushed(struct), f"{path}.{PUSHED}")
        return
    found = False
    for kind in _bare(struct):
        found = True
        yield Found(kind, struct)
    for name in struct.value:
        if name == ERROR:
            found = True
            yield Found(ERROR, Struct(struct.value[name], f"{path}.{name}"))
        elif name in RESPONSES:
            found = True
            yield from _in_response(Struct(struct.value[name], f"{path}.{name}"))
    for item in _listed(struct):
        found = True
        yield item
    if not found:
        known = ", ".join((*RESPONSES, PUSHED))
        raise PayloadFault("unknown_payload", f"{path}: neither a refund nor a trade; known are {known}")


def _pushed(struct: Struct) -> object:
    value = struct.value[PUSHED]
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except JsonFault as fault:
        raise struct.fault(fault.code, PUSHED, fault.message) from None


def _bare(struct: Struct) -> Iterator[str]:
    if "refund_id" in struct.value:
        yield REFUND
    elif "tid" in struct.value and "orders" in struct.value:
        yield TRADE


def _in_response(response: Struct) -> Iterator[Found]:
    found = list(_listed(response))
    yield from found or [Found(EMPTY, response)]


def _listed(struct: Struct) -> Iterator[Found]:
    for name, kind in _LISTS:
        if name in struct.value:
            for child in struct.children(name, "" if name == kind else kind):
                yield Found(kind, child)
