"""A trade (`trade_fullinfo_get`, `trade_get`) as an order of the engine.

What TOP defines: a sub-order's own amount is ``price × num + adjust_fee − discount_fee``;
``divide_order_fee`` is what is left of it after the discounts of the whole trade, of which
``part_mjz_discount`` is its share; ``payment`` of the trade has the postage in it, ``payment`` of
a sub-order only where it is the trade's only one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reverseflow import (
    BuyerFacts,
    DiscountFacts,
    LineFacts,
    PaymentFacts,
    RecordOrder,
    ShippingFacts,
    allocate,
    shown,
)
from reverseflow_taobao.fields import CURRENCY, Struct, yuan

UNPAID = ("TRADE_NO_CREATE_PAY", "WAIT_BUYER_PAY", "PAY_PENDING", "TRADE_CLOSED_BY_TAOBAO")
UNSHIPPED = ("WAIT_SELLER_SEND_GOODS", "PAID_FORBID_CONSIGN")
RECEIVED = ("TRADE_BUYER_SIGNED", "TRADE_FINISHED")
SHIPPED = ("WAIT_BUYER_CONFIRM_GOODS", *RECEIVED)
#: In these the times say what was shipped: part of it, or whatever was before it closed.
BY_ITS_TIMES = ("SELLER_CONSIGNED_PART", "TRADE_CLOSED")
STATUSES = (*UNPAID, *UNSHIPPED, *SHIPPED, *BY_ITS_TIMES)
FINISHED, CLOSED = "TRADE_FINISHED", "TRADE_CLOSED"
_ADDRESS = ("receiver_state", "receiver_city", "receiver_district", "receiver_address")


@dataclass(frozen=True)
class TradeLine:
    """A sub-order: its amounts in fen, after every discount in `paid`, and its times."""

    oid: str
    sku: str
    title: str
    num: int
    unit_price: int
    discount: int
    paid: int
    is_shipped: bool
    shipped_at: datetime | None
    is_received: bool
    received_at: datetime | None

    def shipped_by(self, as_of: datetime | None) -> bool:
        """Whether it was shipped by a moment, or is now."""
        return self.is_shipped and _by(self.shipped_at, as_of)

    def facts(self, as_of: datetime | None) -> LineFacts:
        """The line of the order as it stood at a moment, or stands now."""
        return LineFacts(
            line_no=self.oid,
            sku=self.sku,
            title=self.title,
            quantity=self.num,
            unit_price=yuan(self.unit_price),
            discount=yuan(self.discount),
            paid=yuan(self.paid),
            shipped=self.num if self.shipped_by(as_of) else 0,
            received=self.num if self.is_received and _by(self.received_at, as_of) else 0,
        )


@dataclass(frozen=True)
class Trade:
    """A trade, its amounts in fen; `discount` (of the trade) is off the lines' `paid` already."""

    tid: str
    shop: str
    lines: tuple[TradeLine, ...]
    buyer: BuyerFacts
    payment: int
    payment_no: str
    post_fee: int
    discount: int
    created: datetime | None
    pay_time: datetime | None
    consign_time: datetime | None
    end_time: datetime | None
    is_finished: bool
    warnings: tuple[tuple[str, str], ...] = ()

    def line(self, oid: str) -> TradeLine | None:
        """The sub-order with this number."""
        return next((line for line in self.lines if line.oid == oid), None)

    def order(self, platform: str, as_of: datetime | None = None) -> RecordOrder:
        """The order as it stood at a moment, or stands now."""
        ended_at = self.end_time if _by(self.end_time, as_of) else None
        discount = DiscountFacts(code="trade_discount", amount=yuan(self.discount))
        payment = PaymentFacts(payment_no=self.payment_no, amount=yuan(self.payment))
        return RecordOrder(
            order_no=self.tid,
            currency=CURRENCY,
            platform=platform,
            shop=self.shop,
            lines=tuple(line.facts(as_of) for line in self.lines),
            discounts=(discount,) if self.discount else (),
            shipping=(ShippingFacts(fee=yuan(self.post_fee)),) if self.post_fee else (),
            payments=(payment,),
            buyer=self.buyer,
            placed_at=self.created,
            paid_at=self.pay_time,
            shipped_at=self.consign_time if _by(self.consign_time, as_of) else None,
            received_at=ended_at if self.is_finished else None,
            finished_at=ended_at,
        )


def _by(moment: datetime | None, as_of: datetime | None) -> bool:
    """Whether something had happened by then; what has no time counts as before."""
    return moment is None or as_of is None or moment <= as_of


def read_trade(struct: Struct) -> Trade | None:
    """The trade in a struct; None while it is not paid: there is nothing to give back yet."""
    tid = struct.number("tid")
    status = struct.required("status")
    if status in UNPAID:
        return None
    orders = list(struct.children("orders", "order"))
    if not orders:
        raise struct.fault("missing_value", "orders.order", "is missing")
    payment, post_fee = struct.required_fen("payment"), struct.fen("post_fee") or 0
    paid = _paid(struct, orders, payment, post_fee)
    alone = len(orders) == 1
    lines = tuple(_line(order, struct, part, alone=alone) for order, part in zip(orders, paid, strict=True))
    told = {status, *(order.text("status") for order in orders)} - {"", *STATUSES}
    return Trade(
        tid=tid,
        shop=struct.text("seller_nick"),
        lines=lines,
        buyer=_buyer(struct),
        payment=payment,
        payment_no=struct.text("alipay_no") or "alipay",
        post_fee=post_fee,
        discount=struct.fen("discount_fee") or 0,
        created=struct.time("created"),
        pay_time=struct.time("pay_time"),
        consign_time=struct.time("consign_time"),
        end_time=struct.time("end_time") if status in (FINISHED, CLOSED) else None,
        is_finished=status == FINISHED,
        warnings=tuple(
            ("unknown_value", f"{struct.path}.status: {shown(word)} is not a status of a trade")
            for word in sorted(told)
        ),
    )


def _own_amount(order: Struct) -> tuple[int, int]:
    """What a sub-order costs before anything (``price × num``), and by itself."""
    listed = order.required_fen("price") * _num(order)
    own = listed + (order.fen("adjust_fee") or 0) - (order.fen("discount_fee") or 0)
    if own < 0:
        raise order.fault("bad_amount", "discount_fee", "takes the sub-order below zero")
    return listed, own


def _num(order: Struct) -> int:
    num = order.count("num")
    if num is None:
        raise order.fault("missing_value", "num", "is missing")
    return num


def _paid(trade: Struct, orders: list[Struct], payment: int, post_fee: int) -> list[int]:
    """What was paid for each sub-order.

    Where the platform does not say how it split, the sub-orders' own payments count if they make
    up the trade's; else what is left of its ``discount_fee`` is spread over those sub-orders.
    """
    split = [_split(order) for order in orders]
    post_fee_within = post_fee if len(orders) == 1 else 0
    told = [
        _own_payment(order, payment, post_fee_within) if part is None else part
        for order, part in zip(orders, split, strict=True)
    ]
    if None not in split or sum(told) + post_fee == payment:
        return told
    own = [_own_amount(order)[1] for order in orders]
    left = (trade.fen("discount_fee") or 0) - sum(
        amount - part for amount, part in zip(own, split, strict=True) if part is not None
    )
    weights = [amount if part is None else 0 for amount, part in zip(own, split, strict=True)]
    if not 0 < left <= sum(weights):
        return told
    shares = allocate(left, weights)
    return [
        amount - share if part is None else part
        for amount, part, share in zip(own, split, shares, strict=True)
    ]


def _split(order: Struct) -> int | None:
    """What the platform says is left of a sub-order after the discounts of the whole trade."""
    left = order.fen("divide_order_fee")
    share = order.fen("part_mjz_discount")
    return _own_amount(order)[1] - share if left is None and share is not None else left


def _own_payment(order: Struct, trade_payment: int, post_fee_within: int) -> int:
    """What a sub-order's ``payment`` says was paid for its goods."""
    _, own = _own_amount(order)
    told = order.fen("payment")
    if told is None:
        return own
    if post_fee_within and told in (trade_payment, own + post_fee_within):
        return told - post_fee_within
    return told


def _line(order: Struct, trade: Struct, paid: int, *, alone: bool) -> TradeLine:
    unit_price, discount = _price(order)
    status = order.text("status") or trade.text("status")
    known = status in UNSHIPPED or status in SHIPPED
    shipped_at = order.time("consign_time")
    if shipped_at is None and (alone or status in SHIPPED):
        shipped_at = trade.time("consign_time")
    return TradeLine(
        oid=order.number("oid"),
        sku=_first(order, ("outer_sku_id", "sku_id", "outer_iid", "num_iid")),
        title=order.text("title"),
        num=_num(order),
        unit_price=unit_price,
        discount=discount,
        paid=paid,
        is_shipped=status in SHIPPED if known else shipped_at is not None,
        shipped_at=shipped_at,
        is_received=status in RECEIVED,
        received_at=_received_at(order, trade) if status == FINISHED else None,
    )


def _received_at(order: Struct, trade: Struct) -> datetime | None:
    return order.time("end_time") or trade.time("end_time")


def _price(order: Struct) -> tuple[int, int]:
    """Unit price and the discount of the line; a price the seller raised is in the unit price."""
    num = _num(order)
    listed, own = _own_amount(order)
    if own <= listed:
        return order.required_fen("price"), listed - own
    unit_price = allocate(own, [1, num - 1])[0]
    if unit_price * num < own:
        unit_price += 1
    return unit_price, unit_price * num - own


def _buyer(trade: Struct) -> BuyerFacts:
    return BuyerFacts(
        account=_first(trade, ("buyer_open_uid", "buyer_nick")),
        name=trade.text("receiver_name"),
        phone=_first(trade, ("receiver_mobile", "receiver_phone")),
        address=" ".join(filter(None, map(trade.text, _ADDRESS))),
    )


def _first(struct: Struct, names: Iterable[str]) -> str:
    return next(filter(None, map(struct.text, names)), "")
