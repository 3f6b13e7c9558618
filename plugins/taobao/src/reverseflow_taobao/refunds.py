"""A refund of TOP (`refund_get`, `refunds_receive_get` and their special sisters), understood.

Each field is read once and checked here; `steps` makes commands of it. Only what stays as it is
while a refund goes on may get into the application, or its second reading would contradict the
first: what moves (`modified`, `order_status` …) is looked at and left out. `good_status` counts
for refunds without return alone: there it is what the buyer chose when he applied.
"""

from dataclasses import dataclass
from datetime import datetime

from reverseflow import shown
from reverseflow_taobao import trades
from reverseflow_taobao.fields import PayloadFault, Struct
from reverseflow_taobao.matching import match_reason

REFUND_ONLY, RETURN_REFUND = "refund_only", "return_refund"
_TYPES = {"REFUND": REFUND_ONLY, "REFUND_AND_RETURN": RETURN_REFUND}
_LATER_TYPES = ("TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR", "RESHIPPING")
#: Money for goods the buyer keeps: the enum's words, and the texts that stand there in practice.
_MONEY_ONLY = {"priceProtect": "priceProtect", "cashBack": "cashBack",
               "价保服务": "priceProtect", "退差返现": "cashBack"}  # fmt: skip

#: The steps after the application that a status implies (`steps.MAKERS`); those of goods count
#: for returns alone. `tmall.dispute` and LinkedMall write the same statuses as numbers.
STATUSES: dict[str, tuple[str, ...]] = {
    "WAIT_SELLER_AGREE": (),
    "WAIT_BUYER_RETURN_GOODS": ("approve",),
    "WAIT_SELLER_CONFIRM_RETURN_ADDRESS": ("approve",),
    "WAIT_SELLER_CONFIRM_GOODS": ("approve", "ship_back"),
    "CLOSED": ("close",),
    "SUCCESS": ("approve", "ship_back", "receive", "inspect", "settle"),
    "SELLER_REFUSE_BUYER": ("reject",),
}
_NUMBERED = {"1": "WAIT_SELLER_AGREE", "2": "WAIT_BUYER_RETURN_GOODS",
             "3": "WAIT_SELLER_CONFIRM_GOODS", "4": "CLOSED", "5": "SUCCESS",
             "6": "SELLER_REFUSE_BUYER"}  # fmt: skip
#: Statuses only exchanges, reshipments and freight disputes have.
_LATER_STATUSES = (
    "WAIT_BUYER_CONFIRM_REDO_SEND_GOODS", "WAIT_SELLER_CONSIGN_GOOGDS",
    "WAIT_SELLER_CONSIGN_GOODS", "EXCHANGE_WAIT_BUYER_CONFIRM_GOODS",
    "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS", "EXCHANGE_TRANSFORM_TO_REFUND",
    "POST_FEE_DISPUTE_WAIT_ACTIVATE",
)  # fmt: skip
_LEGAL = {
    "refund_phase": ("onsale", "aftersale"),
    "good_status": ("BUYER_NOT_RECEIVED", "BUYER_RECEIVED", "BUYER_RETURNED_GOODS"),
    "order_status": trades.STATUSES,
}


@dataclass(frozen=True)
class Refund:
    """What a refund says; `fee` in fen, `has_units` False where only money is asked for."""

    refund_id: str
    tid: str
    oid: str
    status: str
    type: str
    has_units: bool
    num: int | None
    fee: int
    created: datetime
    phase: str
    reason: str
    reason_text: str
    note: str
    deadline: datetime | None
    carrier: str
    tracking_no: str
    returned_at: datetime | None
    goods_were_sent: bool
    return_address: str
    alipay_no: str
    path: str
    warnings: tuple[tuple[str, str], ...]


class _Warnings(list[tuple[str, str]]):
    """What a person should know, collected on the way."""

    def __init__(self, struct: Struct) -> None:
        super().__init__()
        self.struct = struct

    def tell(self, code: str, name: str, message: str) -> None:
        self.append((code, f"{self.struct.path}.{name}: {message}"))

    def unknown(self, name: str, value: str) -> None:
        self.tell("unknown_value", name, f"{shown(value)} is not documented; kept as it came")


def read_refund(struct: Struct) -> Refund:
    """The refund in a struct; `PayloadFault` where it cannot be used, or is of a later type."""
    warnings = _Warnings(struct)
    note = [struct.text("desc")]
    refund_id, status = struct.number("refund_id"), struct.required("status")
    status = _NUMBERED.get(status, status)
    type_, has_units = _type(struct, status, warnings, note)
    if status not in STATUSES:
        warnings.unknown("status", status)
    for name, legal in _LEGAL.items():
        if (value := struct.text(name)) and value not in legal:
            warnings.unknown(name, value)
    _check_amounts(struct, warnings)
    phase = struct.text("refund_phase")
    if phase and phase not in _LEGAL["refund_phase"]:
        note.append(f"refund_phase: {phase}")
    return Refund(
        refund_id=refund_id,
        tid=struct.number("tid"),
        oid=struct.number("oid"),
        status=status,
        type=type_,
        has_units=has_units,
        num=struct.count("num"),
        fee=struct.required_fen("refund_fee"),
        created=struct.required_time("created"),
        phase=phase,
        reason=_reason(struct, type_, warnings),
        reason_text=struct.text("reason"),
        note="\n".join(filter(None, note)),
        deadline=_deadline(struct) if status == "WAIT_SELLER_AGREE" else None,
        carrier=struct.text("company_name"),
        tracking_no=struct.text("sid"),
        returned_at=struct.time("good_return_time"),
        goods_were_sent=struct.text("good_status") == "BUYER_RETURNED_GOODS",
        return_address=struct.text("address"),
        alipay_no=struct.text("alipay_no"),
        path=struct.path,
        warnings=tuple(warnings),
    )


def _type(struct: Struct, status: str, warnings: _Warnings, note: list[str]) -> tuple[str, bool]:
    """The ticket type, and whether units are asked for or money alone.

    A special refund is money for goods the buyer keeps, whatever else the payload says; then the
    dispute type counts, then whether goods must come back.
    """
    dispute, special = struct.text("dispute_type"), struct.text("special_refund_type")
    if dispute in _LATER_TYPES or status in _LATER_STATUSES:
        name = "dispute_type" if dispute in _LATER_TYPES else "status"
        message = f"{struct.path}.{name}: {dispute or status} is not handled yet"
        raise PayloadFault("type_not_supported", message, "refused")
    for name, value, known in (
        ("dispute_type", dispute, (*_TYPES, "OTHERS")),
        ("special_refund_type", special, ("priceProtect", "cashBack")),
    ):
        if value and value not in known:
            warnings.unknown(name, value)
            note.append(f"{name}: {value}")
    goods_return = struct.flag("has_good_return")
    if special in _MONEY_ONLY:
        if goods_return:
            message = f"no goods come back for a {_MONEY_ONLY[special]}; taken as money alone"
            warnings.tell("contradiction", "has_good_return", message)
        return REFUND_ONLY, False
    if dispute in _TYPES:
        type_ = _TYPES[dispute]
        if goods_return is not None and goods_return != (type_ == RETURN_REFUND):
            warnings.tell("contradiction", "has_good_return", f"{dispute} says otherwise")
    elif goods_return is None:
        raise struct.fault("missing_value", "has_good_return", "is missing, and so is dispute_type")
    else:
        type_ = RETURN_REFUND if goods_return else REFUND_ONLY
    return type_, type_ == RETURN_REFUND or not _is_part_refund(struct)


def _is_part_refund(struct: Struct) -> bool:
    """Whether the buyer keeps goods he has and the seller keeps part of the money (E6)."""
    return struct.text("good_status") == "BUYER_RECEIVED" and bool(struct.fen("payment"))


def _check_amounts(struct: Struct, warnings: _Warnings) -> None:
    payment, total = struct.fen("payment"), struct.fen("total_fee")
    if payment is not None and total is not None and payment > total:
        message = f"{struct.text('payment')} to the seller is more than {struct.text('total_fee')}"
        warnings.tell("contradiction", "payment", f"{message}, the whole trade")


def _reason(struct: Struct, type_: str, warnings: _Warnings) -> str:
    text = struct.text("reason")
    received = struct.text("good_status") == "BUYER_RECEIVED" or struct.text("refund_phase") == "aftersale"
    match = match_reason(text, type_, received=received)
    if match.because:
        message = f"{shown(text)} is {match.because}; taken as {match.code}"
        warnings.tell("reason_not_matched", "reason", message)
    return match.code


def _deadline(struct: Struct) -> datetime | None:
    timeout = struct.child("refund_remind_timeout")
    if timeout is None or not timeout.flag("exist_timeout"):
        return None
    return timeout.time("timeout")
