"""Postage in a refund is what it gives back beyond the line's money, known where the trade is."""

from collections.abc import Callable
from typing import Any

import pytest

from reverseflow import Apply
from reverseflow_taobao.fields import Struct
from reverseflow_taobao.refunds import read_refund
from reverseflow_taobao.steps import commands
from reverseflow_taobao.trades import read_trade

Build = Callable[..., dict[str, Any]]


def application(refund: dict[str, Any], trade: dict[str, Any]) -> Apply:
    known = read_trade(Struct(trade, "$"))
    first = next(commands(read_refund(Struct(refund, "$")), known, "taobao"))
    assert isinstance(first, Apply)
    return first


SHIPPED = {"status": "WAIT_BUYER_CONFIRM_GOODS", "consign_time": "2026-05-01 18:00:00"}
SHIPPED_LATER = {"status": "WAIT_BUYER_CONFIRM_GOODS", "consign_time": "2026-05-02 18:00:00"}


@pytest.mark.parametrize(
    ("fee", "post_fee", "trade_changes", "postage"),
    [
        ("26.42", "0.00", {}, False),
        ("36.42", "10.00", {}, False),  # the whole unshipped order: the engine adds all of it
        ("36.42", "10.00", SHIPPED_LATER, False),
        ("31.42", "10.00", {}, "5.00"),
        ("26.42", "10.00", {}, "0.00"),
        ("20.00", "10.00", {}, "0.00"),
        ("36.42", "10.00", SHIPPED, "10.00"),
        ("26.42", "10.00", SHIPPED, False),
        ("37.42", "10.00", SHIPPED, "10.00"),  # the engine refuses it, naming what is allowed
        ("26.43", "0.00", {}, False),
    ],
)
def test_what_is_above_the_lines_money_is_postage(
    refund: Build, trade: Build, fee: str, post_fee: str, trade_changes: dict[str, Any],
    postage: str | bool,
) -> None:  # fmt: skip
    sold = trade(payment="36.42", post_fee=post_fee, **trade_changes)
    apply = application(refund(refund_fee=fee), sold)
    assert (apply.amount, apply.refund_shipping) == (fee, postage)


def test_the_postage_of_one_of_several_sub_orders_is_told(refund: Build, trade: Build) -> None:
    (line,) = trade()["orders"]["order"]
    both = {"order": [line, line | {"oid": "2"}]}
    sold = trade(payment="62.84", post_fee="10.00", orders=both)
    assert application(refund(refund_fee="36.42"), sold).refund_shipping == "10.00"
    assert application(refund(), sold).refund_shipping is False
