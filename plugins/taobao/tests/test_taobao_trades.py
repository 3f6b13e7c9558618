"""A trade becomes an order whose lines, postage and payment agree to the fen."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reverseflow import RecordOrder
from reverseflow.core.case import Case
from reverseflow.core.decide import Decision, decide
from reverseflow.core.errors import Refusal
from reverseflow.plugins import registry_of
from reverseflow_taobao.fields import PayloadFault, Struct
from reverseflow_taobao.trades import Trade, read_trade

Build = Callable[..., dict[str, Any]]
NOW = datetime(2026, 7, 1, tzinfo=UTC)
RULEBOOK = registry_of({"taobao": __import__("reverseflow_taobao")}).rulebook("taobao")


def trade_of(payload: dict[str, Any]) -> Trade:
    found = read_trade(Struct(payload, "$.trade"))
    assert found is not None
    return found


def recorded(order: RecordOrder) -> Case:
    outcome = decide(Case(order.order_no), order, RULEBOOK, NOW)
    assert isinstance(outcome, Decision), outcome
    return outcome.case


def several(*lines: dict[str, str | int], **trade: str) -> dict[str, Any]:
    orders = [{"oid": str(n), "num": 1, "outer_sku_id": f"S{n}"} | line for n, line in enumerate(lines, 1)]
    return {"tid": "9", "status": "WAIT_SELLER_SEND_GOODS", "orders": {"order": orders}} | trade


def test_a_trade_is_an_order_with_its_buyer_and_times(trade: Build) -> None:
    order = trade_of(trade()).order("taobao")
    assert (order.order_no, order.currency, order.platform) == ("2231884277", "CNY", "taobao")
    (line,) = order.lines
    assert (
        line.line_no, line.sku, line.quantity, line.unit_price, line.paid,
    ) == ("2231884277", "SKU-1", 1, "26.42", "26.42")  # fmt: skip
    (payment,) = order.payments
    assert (
        payment.payment_no,
        payment.amount,
        payment.tender,
    ) == ("2026050122001", "26.42", "cash")
    assert (
        order.buyer.account, order.buyer.name, order.buyer.address,
    ) == ("AAF1", "李雷", "杭州 文一路1号")  # fmt: skip
    assert datetime(2026, 5, 1, 2, 1, tzinfo=UTC) == order.paid_at
    assert recorded(order).paid == 2642


@pytest.mark.parametrize(
    ("payload", "paid"),
    [
        pytest.param(  # a published trade: 160.00 less 20.00, postage 8.00 in the only payment
            several({"price": "160.00", "discount_fee": "20.00", "payment": "148.00",
                     "divide_order_fee": "140.00"}, payment="148.00", post_fee="8.00"),
            [14000], id="the postage is in the payment of an only sub-order"),
        pytest.param(
            several({"price": "160.00", "discount_fee": "20.00", "payment": "148.00"},
                    payment="148.00", post_fee="8.00"),
            [14000], id="the same without the platform's split"),
        pytest.param(
            several({"price": "160.00", "discount_fee": "20.00", "payment": "140.00"},
                    payment="148.00", post_fee="8.00"),
            [14000], id="a payment of the sub-order by itself"),
        pytest.param(
            several({"price": "100.00", "payment": "110.00"}, payment="105.00", post_fee="10.00",
                    discount_fee="5.00"),
            [9500], id="a discount of the trade on an only sub-order"),
        pytest.param(
            several({"price": "100.00", "payment": "100.00", "divide_order_fee": "90.00"},
                    {"price": "50.00", "num": 2, "payment": "100.00", "divide_order_fee": "90.00"},
                    payment="190.00", post_fee="10.00", discount_fee="20.00"),
            [9000, 9000], id="E1 by the platform's split"),
        pytest.param(
            several({"price": "100.00", "part_mjz_discount": "10.00"},
                    {"price": "50.00", "num": 2, "part_mjz_discount": "10.00"},
                    payment="190.00", post_fee="10.00"),
            [9000, 9000], id="E1 by the shares of the discount"),
        pytest.param(
            several({"price": "100.00", "payment": "100.00"},
                    {"price": "50.00", "num": 2, "payment": "100.00"},
                    payment="190.00", post_fee="10.00", discount_fee="20.00"),
            [9000, 9000], id="E1 spread by their amounts"),
        pytest.param(
            several({"price": "100.00", "part_mjz_discount": "15.00"}, {"price": "60.00"},
                    {"price": "40.00"}, payment="180.00", discount_fee="20.00"),
            [8500, 5700, 3800], id="what the split of one line leaves of the discount"),
        pytest.param(
            several({"price": "100.00", "discount_fee": "10.00", "payment": "90.00"},
                    {"price": "50.00", "num": 2, "discount_fee": "10.00", "payment": "90.00"},
                    payment="190.00", post_fee="10.00", discount_fee="20.00"),
            [9000, 9000], id="a discount told twice counts once"),
        pytest.param(
            several({"price": "10.00", "num": 3, "adjust_fee": "0.01", "payment": "30.01"},
                    payment="30.01"),
            [3001], id="a price raised by one fen over three units"),
        pytest.param(
            several({"price": "100.00", "adjust_fee": "12.50", "discount_fee": "5.00",
                     "divide_order_fee": "107.50"}, payment="107.50"),
            [10750], id="a price raised above its discount"),
        pytest.param(
            several({"price": "100.00", "adjust_fee": "-12.50", "divide_order_fee": "87.50"},
                    payment="87.50"),
            [8750], id="a price lowered"),
    ],
)  # fmt: skip
def test_what_was_paid_for_each_line(payload: dict[str, Any], paid: list[int]) -> None:
    case = recorded(trade_of(payload).order("taobao"))
    assert paid == [line.paid for line in case.goods]


def test_amounts_that_do_not_add_up_are_left_to_the_engine_to_refuse(trade: Build) -> None:
    order = trade_of(trade(payment="30.00")).order("taobao")
    outcome = decide(Case(order.order_no), order, RULEBOOK, NOW)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "amounts_do_not_add_up"


def test_a_raised_price_stands_in_the_unit_price() -> None:
    (line,) = trade_of(several({"price": "10.00", "num": 3, "adjust_fee": "0.01"}, payment="30.01")).lines
    assert (line.unit_price, line.discount, line.paid) == (1001, 2, 3001)


@pytest.mark.parametrize("status", ["WAIT_BUYER_PAY", "TRADE_CLOSED_BY_TAOBAO", "TRADE_NO_CREATE_PAY"])
def test_a_trade_that_was_not_paid_is_no_order_yet(trade: Build, status: str) -> None:
    assert read_trade(Struct(trade(status=status), "$")) is None


@pytest.mark.parametrize(
    ("status", "line", "shipped", "received"),
    [
        ("WAIT_SELLER_SEND_GOODS", "", 0, 0),
        ("PAID_FORBID_CONSIGN", "", 0, 0),
        ("WAIT_BUYER_CONFIRM_GOODS", "", 1, 0),
        ("TRADE_BUYER_SIGNED", "", 1, 1),
        ("TRADE_FINISHED", "", 1, 1),
        ("SELLER_CONSIGNED_PART", "WAIT_SELLER_SEND_GOODS", 0, 0),
        ("SELLER_CONSIGNED_PART", "WAIT_BUYER_CONFIRM_GOODS", 1, 0),
        ("TRADE_CLOSED", "TRADE_CLOSED", 0, 0),
    ],
)
def test_a_status_says_where_the_goods_are(
    trade: Build, status: str, line: str, shipped: int, received: int
) -> None:
    facts = trade_of(trade({"status": line}, status=status)).order("taobao").lines[0]
    assert (shipped, received) == (facts.shipped, facts.received)


def test_a_closed_trade_was_shipped_if_it_has_a_time_of_shipping(trade: Build) -> None:
    closed = trade(status="TRADE_CLOSED", consign_time="2026-05-02 08:00:00")
    assert trade_of(closed).order("taobao").lines[0].shipped == 1


def test_an_order_is_told_as_it_stood_at_a_moment(trade: Build) -> None:
    finished = trade_of(
        trade(
            status="TRADE_FINISHED",
            consign_time="2026-05-02 08:00:00",
            end_time="2026-05-09 08:00:00",
        )
    )
    for day, shipped, received in ((1, 0, 0), (3, 1, 0), (10, 1, 1)):
        order = finished.order("taobao", datetime(2026, 5, day, 12, tzinfo=UTC))
        assert (shipped, received) == (order.lines[0].shipped, order.lines[0].received)
        assert bool(received) == (order.received_at is not None)
        assert bool(received) == (order.finished_at is not None)


def test_an_unknown_status_is_told_and_the_times_decide(trade: Build) -> None:
    found = trade_of(trade(status="TRADE_ON_THE_MOON"))
    assert list(found.warnings) == [
        ("unknown_value", "$.trade.status: 'TRADE_ON_THE_MOON' is not a status of a trade")
    ]
    assert not found.lines[0].is_shipped


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"tid": None}, "missing_value", "$.trade.tid"),
        ({"tid": "E1"}, "bad_number", "$.trade.tid"),
        ({"status": None}, "missing_value", "$.trade.status"),
        ({"payment": None}, "missing_value", "$.trade.payment"),
        ({"payment": 26.42}, "bad_amount", "$.trade.payment"),
        ({"orders": {}}, "missing_value", "$.trade.orders.order"),
        ({"orders": "none"}, "wrong_type", "$.trade.orders"),
        ({"pay_time": "2026-5-1 10:00:00"}, "not_a_time", "$.trade.pay_time"),
        ({"pay_time": "2026-02-30 10:00:00"}, "not_a_time", "$.trade.pay_time"),
    ],
)
def test_a_fault_names_the_field(trade: Build, change: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(PayloadFault) as fault:
        read_trade(Struct(trade(**change), "$.trade"))
    assert code == fault.value.code
    assert fault.value.message.startswith(f"{path}:")


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"oid": ""}, "missing_value", "oid"),
        ({"num": 0}, "bad_quantity", "num"),
        ({"num": True}, "wrong_type", "num"),
        ({"price": "26,42"}, "bad_amount", "price"),
        ({"price": "26.421"}, "bad_amount", "price"),
        ({"discount_fee": "99.00"}, "bad_amount", "discount_fee"),
    ],
)
def test_a_fault_in_a_sub_order_names_its_place(
    trade: Build, change: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(PayloadFault) as fault:
        read_trade(Struct(trade(change), "$.trade"))
    assert (code, True) == (
        fault.value.code,
        f"$.trade.orders.order[0].{path}:" in fault.value.message,
    )
