"""What a refund says becomes an application and steps, the same ones at every reading."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from reverseflow import Apply, Approve, Command, SettleResult, ShipBack
from reverseflow.core.commands import CaseCommand
from reverseflow.core.content import content_of
from reverseflow_taobao.fields import PayloadFault, Struct
from reverseflow_taobao.refunds import STATUSES, read_refund
from reverseflow_taobao.steps import MAKERS, commands, doubts, steps
from reverseflow_taobao.trades import Trade, read_trade

Build = Callable[..., dict[str, Any]]


def told(payload: dict[str, Any], trade: Trade | None = None) -> list[Command]:
    return list(commands(read_refund(Struct(payload, "$")), trade, "taobao"))


def application(payload: dict[str, Any], trade: Trade | None = None) -> Apply:
    first = told(payload, trade)[0]
    assert isinstance(first, Apply)
    return first


def test_a_refund_is_an_application_under_its_own_number(refund: Build) -> None:
    apply = application(refund(desc="拍错了"))
    assert apply.id == "top:7112233445566778899"
    assert apply.external_no == "7112233445566778899"
    assert (apply.order_no, apply.type, apply.amount) == ("2231884277", "refund_only", "26.42")
    (line,) = apply.lines
    assert (line.line_no, line.quantity, line.amount) == ("2231884277", 1, None)
    assert (
        apply.reason, apply.reason_text, apply.note,
    ) == ("TB_NOT_WANTED", "多拍/拍错/不想要", "拍错了")  # fmt: skip
    assert (apply.phase, apply.actor) == ("onsale", "platform:taobao")
    assert datetime.fromisoformat("2026-05-02T09:00:00+08:00") == apply.at
    assert apply.deadline is None


def test_a_number_of_nineteen_digits_stays_whole_as_number_and_as_text(refund: Build) -> None:
    assert application(refund()) == application(refund(refund_id=7112233445566778899, tid=2231884277))


@pytest.mark.parametrize(
    ("status", "refund_only", "return_refund"),
    [
        ("WAIT_SELLER_AGREE", "", ""),
        ("WAIT_BUYER_RETURN_GOODS", "approve", "approve"),
        ("WAIT_SELLER_CONFIRM_RETURN_ADDRESS", "approve", "approve"),
        ("WAIT_SELLER_CONFIRM_GOODS", "approve", "approve ship_back"),
        ("SELLER_REFUSE_BUYER", "reject", "reject"),
        ("CLOSED", "close", "close"),
        ("SUCCESS", "approve settle", "approve ship_back receive inspect settle"),
        ("5", "approve settle", "approve ship_back receive inspect settle"),
    ],
)
def test_a_status_says_what_happened_so_far(
    refund: Build, returned: Build, status: str, refund_only: str, return_refund: str
) -> None:
    assert refund_only.split() == steps(read_refund(Struct(refund(status=status), "$")))
    assert return_refund.split() == steps(read_refund(Struct(returned(status=status), "$")))


def test_every_status_is_known_and_every_step_can_be_made() -> None:
    assert set(MAKERS) == {step for steps in STATUSES.values() for step in steps}


def test_each_step_has_a_key_of_its_own_and_names_the_refund(returned: Build) -> None:
    apply, *following = told(returned(status="SUCCESS"))
    assert [f"{apply.id}:{step}" for step in ("approve", "ship_back", "receive", "inspect", "settle")] == [
        command.id for command in following
    ]
    for command in following:
        assert isinstance(command, CaseCommand)
        assert getattr(command, "external_no", "") == "7112233445566778899"
        assert command.actor == "platform:taobao"


def test_a_later_payload_repeats_the_steps_before_it_word_for_word(returned: Build) -> None:
    seen: list[str] = []
    for day, status in enumerate(
        ("WAIT_SELLER_AGREE", "WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS", "SUCCESS"), 11
    ):
        payload = returned(
            status=status, modified=f"2026-05-{day} 10:00:00", refund_version=day,
            order_status="TRADE_CLOSED" if status == "SUCCESS" else "TRADE_FINISHED",
            refund_remind_timeout={
                "exist_timeout": True, "remind_type": 1, "timeout": f"2026-05-{day + 5} 09:00:00",
            },
        )  # fmt: skip
        now = [content_of(c) for c in told(payload) if isinstance(c, CaseCommand)]
        assert seen == now[: len(seen)]
        seen = now
    assert len(seen) == 6


def test_the_platforms_deadline_is_that_of_the_review_while_it_waits_for_the_seller(
    refund: Build,
) -> None:
    timeout = {"exist_timeout": True, "timeout": "2026-05-04 09:00:00"}
    apply = application(refund(refund_remind_timeout=timeout))
    assert datetime.fromisoformat("2026-05-04T09:00:00+08:00") == apply.deadline
    for change in (
        {"refund_remind_timeout": timeout, "status": "WAIT_BUYER_RETURN_GOODS"},
        {"refund_remind_timeout": {"exist_timeout": False, "timeout": "2026-05-04 09:00:00"}},
        {"refund_remind_timeout": {"exist_timeout": True}},
    ):
        assert application(refund(**change)).deadline is None


@pytest.mark.parametrize(
    ("change", "type_"),
    [
        ({"dispute_type": "REFUND_AND_RETURN", "has_good_return": True}, "return_refund"),
        ({"dispute_type": None, "has_good_return": True}, "return_refund"),
        ({"dispute_type": None, "has_good_return": "true"}, "return_refund"),
        ({"dispute_type": None, "has_good_return": False}, "refund_only"),
        ({"dispute_type": "OTHERS", "has_good_return": True}, "return_refund"),
        ({"dispute_type": "REFUND", "has_good_return": None}, "refund_only"),
        ({"special_refund_type": "priceProtect"}, "refund_only"),
    ],
)
def test_the_type(refund: Build, change: dict[str, Any], type_: str) -> None:
    found = read_refund(Struct(refund(reason="其他", **change), "$"))
    assert (type_, ()) == (found.type, found.warnings)


@pytest.mark.parametrize(
    "change",
    [
        {"special_refund_type": "cashBack"},
        {"good_status": "BUYER_RECEIVED", "payment": "16.42", "refund_fee": "10.00"},
    ],
)
def test_money_for_goods_the_buyer_keeps_leaves_his_units_unclaimed(
    refund: Build, change: dict[str, Any]
) -> None:
    apply = application(refund(**change))
    (line,) = apply.lines
    assert (None, apply.amount) == (line.quantity, None)
    assert change.get("refund_fee", "26.42") == line.amount


@pytest.mark.parametrize(
    "change",
    [
        *({"dispute_type": t} for t in ("TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR", "RESHIPPING")),
        {"status": "WAIT_SELLER_CONSIGN_GOOGDS"},
        {"status": "EXCHANGE_TRANSFORM_TO_REFUND"},
        {"status": "POST_FEE_DISPUTE_WAIT_ACTIVATE"},
    ],
)
def test_exchanges_repairs_and_reshipments_are_refused_for_now(refund: Build, change: dict[str, Any]) -> None:
    with pytest.raises(PayloadFault) as fault:
        read_refund(Struct(refund(**change), "$"))
    assert (fault.value.code, fault.value.outcome) == ("type_not_supported", "refused")


@pytest.mark.parametrize(
    ("change", "code", "field", "note"),
    [
        ({"order_status": "BUYER_RECEIVED"}, "unknown_value", "order_status", ""),
        ({"good_status": "EATEN"}, "unknown_value", "good_status", ""),
        ({"status": "ON_HOLD"}, "unknown_value", "status", ""),
        ({"refund_phase": "presale"}, "unknown_value", "refund_phase", "refund_phase: presale"),
        ({"dispute_type": "GIFT"}, "unknown_value", "dispute_type", "dispute_type: GIFT"),
        ({"special_refund_type": "退差返现"}, "unknown_value", "special_refund_type",
         "special_refund_type: 退差返现"),
        ({"payment": "200.07"}, "contradiction", "payment", ""),
        ({"has_good_return": True}, "contradiction", "has_good_return", ""),
        ({"reason": "天气不好"}, "reason_not_matched", "reason", ""),
    ],
)  # fmt: skip
def test_what_the_documentation_does_not_know_is_kept_and_told(
    refund: Build, change: dict[str, Any], code: str, field: str, note: str
) -> None:
    found = read_refund(Struct(refund(**change), "$"))
    ((told_code, message),) = found.warnings
    assert (code, True) == (told_code, message.startswith(f"$.{field}: "))
    assert note == found.note


def test_the_raw_text_of_the_reason_is_kept(refund: Build) -> None:
    apply = application(refund(reason="天气不好"))
    assert (apply.reason, apply.reason_text) == ("TB_OTHER", "天气不好")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"refund_id": None}, "missing_value", "refund_id"),
        ({"refund_id": "R1"}, "bad_number", "refund_id"),
        ({"tid": None}, "missing_value", "tid"),
        ({"oid": ""}, "missing_value", "oid"),
        ({"status": None}, "missing_value", "status"),
        ({"created": None}, "missing_value", "created"),
        ({"created": "02.05.2026"}, "not_a_time", "created"),
        ({"refund_fee": None}, "missing_value", "refund_fee"),
        ({"refund_fee": "1e3"}, "bad_amount", "refund_fee"),
        ({"refund_fee": "26.425"}, "bad_amount", "refund_fee"),
        ({"refund_fee": 26}, "bad_amount", "refund_fee"),
        ({"num": "two"}, "bad_quantity", "num"),
        ({"has_good_return": "maybe"}, "wrong_type", "has_good_return"),
        ({"dispute_type": None, "has_good_return": None}, "missing_value", "has_good_return"),
        ({"reason": ["a"]}, "wrong_type", "reason"),
        ({"refund_remind_timeout": "soon"}, "wrong_type", "refund_remind_timeout"),
        ({"num": None}, "missing_value", "num"),
    ],
)
def test_a_fault_names_the_field(refund: Build, change: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(PayloadFault) as fault:
        told(refund(**change))
    assert code == fault.value.code
    assert fault.value.message.startswith(f"$.{field}:")


def test_the_trade_supplies_the_number_of_units(refund: Build, trade: Build) -> None:
    apply = application(refund(num=None), read_trade(Struct(trade({"num": 3}), "$")))
    assert [(line.quantity, line.amount) for line in apply.lines] == [(3, None)]


def test_the_approval_names_the_platforms_amount_and_the_sellers_address(returned: Build) -> None:
    approve = told(returned(status="WAIT_BUYER_RETURN_GOODS", address="杭州仓 3 号门"))[1]
    assert isinstance(approve, Approve)
    assert (approve.amount, approve.at) == ("26.42", None)
    assert approve.return_to is not None
    assert approve.return_to.address == "杭州仓 3 号门"


def test_the_way_back_is_told_with_carrier_number_and_time(returned: Build) -> None:
    ship_back = told(returned(status="WAIT_SELLER_CONFIRM_GOODS"))[2]
    assert isinstance(ship_back, ShipBack)
    assert (ship_back.carrier, ship_back.tracking_no) == ("申通快递", "123456789")
    assert datetime.fromisoformat("2026-05-12T18:00:00+08:00") == ship_back.at


def test_the_settlement_names_amount_currency_and_payment(refund: Build) -> None:
    settle = told(refund(status="SUCCESS", alipay_no="2026050122001"))[-1]
    assert isinstance(settle, SettleResult)
    assert (
        settle.result, settle.amount, settle.currency, settle.reference,
    ) == ("settled", "26.42", "CNY", "2026050122001")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"status": "WAIT_SELLER_CONFIRM_GOODS"}, []),
        ({"status": "WAIT_SELLER_CONFIRM_GOODS", "sid": ""}, ["missing_value"]),
        ({"status": "WAIT_BUYER_RETURN_GOODS", "sid": ""}, []),
        ({"status": "SUCCESS", "sid": ""}, []),
        ({"status": "SUCCESS", "sid": "", "good_status": "BUYER_RECEIVED",
          "good_return_time": None}, ["goods_unconfirmed"]),
    ],
)  # fmt: skip
def test_a_step_that_is_not_proved_is_told(returned: Build, change: dict[str, Any], codes: list[str]) -> None:
    found = read_refund(Struct(returned(**change), "$"))
    assert codes == [code for code, _ in doubts(found)]
    assert ("ship_back" in steps(found)) == ("sid" not in change)
