"""From a refund to the commands it implies: the application, then a step for each thing it says.

Every command has an id made of the refund's number, so that a payload read again is a replay, and
a later one repeats the steps before it unchanged.
"""

from collections.abc import Callable, Iterator

from reverseflow import (
    Apply,
    Approve,
    Close,
    Command,
    Inspect,
    LineAsked,
    Receive,
    Reject,
    ReturnAddress,
    SettleResult,
    ShipBack,
)
from reverseflow_taobao.fields import CURRENCY, PayloadFault, yuan
from reverseflow_taobao.refunds import RETURN_REFUND, STATUSES, Refund
from reverseflow_taobao.trades import Trade, TradeLine

GOODS_STEPS = ("ship_back", "receive", "inspect")


def apply_id(refund: Refund) -> str:
    """The key of the refund's application; the keys of its steps begin with it."""
    return f"top:{refund.refund_id}"


def commands(refund: Refund, trade: Trade | None, platform: str) -> Iterator[Command]:
    """The application and the steps of the refund's status, in their order."""
    yield _application(refund, trade, platform)
    for step in steps(refund):
        yield MAKERS[step](refund, platform)


def steps(refund: Refund) -> list[str]:
    """The steps after the application; no goods travel without a return and a tracking number."""
    return [
        step
        for step in STATUSES.get(refund.status, ())
        if (step not in GOODS_STEPS or refund.type == RETURN_REFUND)
        and (step != "ship_back" or refund.tracking_no)
    ]


def doubts(refund: Refund) -> Iterator[tuple[str, str]]:
    """What the steps leave open, as a code and a sentence."""
    told = STATUSES.get(refund.status, ())
    if refund.type != RETURN_REFUND or "ship_back" not in told or refund.tracking_no:
        return
    if "receive" not in told:
        message = "the goods are on their way, without a tracking number; that step is left out"
        yield "missing_value", f"{refund.path}.sid: {message}"
    elif not (refund.goods_were_sent or refund.returned_at):
        message = "the money was paid, nothing says that goods came back; they are booked as received"
        yield "goods_unconfirmed", f"{refund.path}.status: {message}"


def _application(refund: Refund, trade: Trade | None, platform: str) -> Apply:
    asked, amount, postage = _asked(refund, trade)
    return Apply(
        id=apply_id(refund),
        actor=f"platform:{platform}",
        at=refund.created,
        note=refund.note,
        order_no=refund.tid,
        type=refund.type,
        reason=refund.reason,
        reason_text=refund.reason_text,
        lines=(asked,),
        amount=amount,
        refund_shipping=postage,
        external_no=refund.refund_id,
        phase=refund.phase,
        deadline=refund.deadline,
    )


def _asked(refund: Refund, trade: Trade | None) -> tuple[LineAsked, str | None, str | bool]:
    """The line, the money of the whole, and the postage in it."""
    if not refund.has_units:
        return LineAsked(line_no=refund.oid, amount=yuan(refund.fee)), None, False
    line = trade.line(refund.oid) if trade else None
    num = refund.num or (line.num if line else None)
    if num is None:
        raise PayloadFault("missing_value", f"{refund.path}.num: is missing; ask TOP for it")
    postage = _postage(refund, trade, line, num) if trade and line else False
    return LineAsked(line_no=refund.oid, quantity=num), yuan(refund.fee), postage


def _postage(refund: Refund, trade: Trade, line: TradeLine, num: int) -> str | bool:
    """The postage in a refund: what it is above the line's money.

    False where the engine finds the same unasked (all of it for a whole unshipped order, else
    none): so the application is the same where the trade is not known.
    """
    told = min(max(0, refund.fee - line.paid), trade.post_fee)
    whole = trade.lines == (line,) and num == line.num and not line.shipped_by(refund.created)
    return False if told == (trade.post_fee if whole else 0) else yuan(told)


def _approve(refund: Refund, platform: str) -> Approve:
    address = refund.return_address if refund.type == RETURN_REFUND else ""
    return Approve(
        id=f"{apply_id(refund)}:approve",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
        amount=yuan(refund.fee),
        return_to=ReturnAddress(address=address) if address else None,
    )


def _reject(refund: Refund, platform: str) -> Reject:
    return Reject(
        id=f"{apply_id(refund)}:reject",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
        reason="the seller refused on the platform",
    )


def _close(refund: Refund, platform: str) -> Close:
    return Close(
        id=f"{apply_id(refund)}:close",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
        reason="closed on the platform",
    )


def _ship_back(refund: Refund, platform: str) -> ShipBack:
    return ShipBack(
        id=f"{apply_id(refund)}:ship_back",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
        at=refund.returned_at,
        carrier=refund.carrier,
        tracking_no=refund.tracking_no,
    )


def _receive(refund: Refund, platform: str) -> Receive:
    return Receive(
        id=f"{apply_id(refund)}:receive",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
    )


def _inspect(refund: Refund, platform: str) -> Inspect:
    return Inspect(
        id=f"{apply_id(refund)}:inspect",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
    )


def _settle(refund: Refund, platform: str) -> SettleResult:
    """The platform has paid by itself: nothing is left to instruct."""
    return SettleResult(
        id=f"{apply_id(refund)}:settle",
        external_no=refund.refund_id,
        actor=f"platform:{platform}",
        result="settled",
        amount=yuan(refund.fee),
        currency=CURRENCY,
        reference=refund.alipay_no,
    )


MAKERS: dict[str, Callable[[Refund, str], Command]] = {
    "approve": _approve,
    "reject": _reject,
    "close": _close,
    "ship_back": _ship_back,
    "receive": _receive,
    "inspect": _inspect,
    "settle": _settle,
}
