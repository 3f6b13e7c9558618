"""Refunds and trades are found in whatever a gateway, the push database or a script writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reverseflow import (
    BadRecord,
    InputError,
    Passed,
    ReadItem,
    Record,
    RecordOrder,
    Warned,
    open_source,
)
from reverseflow_taobao.payloads import READER, REMEMBERED

Build = Callable[..., dict[str, Any]]
Read = Callable[..., list[ReadItem]]
Shape = Callable[[dict[str, Any]], object]

PUBLISHED = {
    "refund_id": "83477", "tid": 2231884277, "oid": 2231884277, "status": "SUCCESS",
    "order_status": "BUYER_RECEIVED", "good_status": "BUYER_RECEIVED", "has_good_return": True,
    "refund_fee": "10.00", "payment": "200.07", "total_fee": "10.00", "reason": "退还邮费",
    "desc": "hello world", "refund_phase": "onsale", "refund_version": 1411375308927,
    "operation_contraint": "refund_onweb", "sku": "30004447689|颜色分类:军绿色;尺码:XS",
    "outer_id": "ISBN-001", "num": 1, "company_name": "申通快递", "sid": "123456789",
    "created": "2000-01-01 00:00:00", "modified": "2000-01-01 00:00:00",
    "attribute": "{\"key1\":\"value1\"}", "special_refund_type": "退差返现",
    "buyer_open_uid": "XADSDXADSDSD",
}  # fmt: skip

SHAPES: dict[str, Shape] = {
    "a list": lambda r: {"refunds_receive_get_response": {"refunds": {"refund": [r]}}},
    "an object instead of a list": lambda r: {
        "refunds_receive_get_response": {"refunds": {"refund": r}, "has_next": False}
    },
    "a simplified list": lambda r: {"refunds_receive_get_response": {"refunds": [r]}},
    "special refunds": lambda r: {
        "special_refunds_receive_get_response": {"refunds": {"refund": [r]}}
    },
    "one refund": lambda r: {"refund_get_response": {"refund": r}},
    "a bare struct": lambda r: r,
    "a push row": lambda r: {
        "refund_id": 1, "tid": 2, "status": "CLOSED",
        "jdp_response": json.dumps({"refund_get_response": {"refund": r}}),
    },
    "a push row with an object": lambda r: {"jdp_response": {"refund_get_response": {"refund": r}}},
    "a list of responses": lambda r: [{"refund_get_response": {"refund": r}}],
    "a list within a list": lambda r: {"refunds": [r]},
}  # fmt: skip


def kinds(items: list[ReadItem]) -> list[str]:
    return [i.command.kind if isinstance(i, Record) else type(i).__name__ for i in items]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_refund_is_found_in_every_wrapping_as_line_and_as_document(
    read: Read, refund: Build, shape: Shape
) -> None:
    payload = shape(refund())
    for items in (read(payload), read(text=json.dumps(payload, indent=2))):
        ((record,),) = ([i for i in items if isinstance(i, Record)],)
        assert record.command.id == "top:7112233445566778899"
        assert (record.what, record.row) == ("apply", 1)


@pytest.mark.parametrize("key", ["trade_fullinfo_get_response", "trade_get_response"])
def test_the_trade_goes_before_its_refund_wherever_it_stands(
    read: Read, refund: Build, trade: Build, key: str
) -> None:
    wrapped = {key: {"trade": trade()}}
    together = {"refund_get_response": {"refund": refund()}} | wrapped
    assert kinds(read(together)) == ["order", "apply"]
    assert kinds(read(wrapped, refund())) == ["order", "apply"]
    assert kinds(read({"refunds": [refund()], "trades": [trade()]})) == ["order", "apply"]
    assert kinds(read({"trades": {"trade": [trade()]}}, refund())) == ["order", "apply"]
    assert kinds(read({"refund": refund(), "trade": trade()})) == ["order", "apply"]
    assert kinds(read({"jdp_response": json.dumps(wrapped)})) == ["order"]


def test_an_order_is_told_as_it_stood_at_the_application_and_then_as_it_stands(
    read: Read, refund: Build, trade: Build
) -> None:
    shipped = trade(status="WAIT_BUYER_CONFIRM_GOODS", consign_time="2026-05-03 08:00:00")
    items = read({"trade": shipped, "refund": refund(status="CLOSED")})
    assert kinds(items) == ["order", "apply", "close", "order"]
    told = [item.command for item in items if isinstance(item, Record)]
    orders = [command for command in told if isinstance(command, RecordOrder)]
    assert [order.lines[0].shipped for order in orders] == [0, 1]


def test_refunds_of_one_payload_are_told_in_the_order_of_their_creation(read: Read, refund: Build) -> None:
    later = refund(refund_id="2", created="2026-05-03 09:00:00")
    items = read({"refunds": [later, refund(refund_id="1")]})
    assert [i.command.id for i in items if isinstance(i, Record)] == ["top:1", "top:2"]


def test_the_published_sample_is_read_with_its_oddities_told(read: Read) -> None:
    items = read({"refunds_receive_get_response": {"refunds": {"refund": [PUBLISHED]}}})
    warned = [item for item in items if isinstance(item, Warned)]
    assert {"order_status", "special_refund_type", "payment", "has_good_return"} == {
        item.message.split(":")[0].rpartition(".")[2] for item in warned
    }
    assert all("$.refunds_receive_get_response.refunds.refund[0]." in w.message for w in warned)
    assert kinds(items) == ["Warned"] * 4 + ["apply", "approve", "settle_result"]


def test_the_raw_text_of_a_line_is_kept_and_a_part_of_a_document_is_wrapped_anew(
    read: Read, refund: Build
) -> None:
    line = '{"refund_get_response" : {"refund":' + json.dumps(refund()) + "}}"
    (record,) = read(text=line + "\n")
    assert isinstance(record, Record)
    assert (line,) == record.raw
    (part,) = read(text=json.dumps([refund()], indent=1))
    assert isinstance(part, Record)
    (again,) = read(text=part.raw[0])
    assert isinstance(again, Record)
    assert part.command == again.command


def test_an_answer_that_is_an_error_is_refused_with_its_code(read: Read) -> None:
    error = {"code": 27, "msg": "Invalid session", "sub_code": "invalid-sessionkey"}
    (bad,) = read({"error_response": error})
    assert isinstance(bad, BadRecord)
    assert (bad.code, bad.outcome) == ("top_error_27", "refused")
    assert "'Invalid session'" in bad.message and "'invalid-sessionkey'" in bad.message


def test_an_empty_answer_and_an_unpaid_trade_are_passed_over(read: Read, trade: Build) -> None:
    assert [Passed(1, "empty_response"), Passed(2, "unpaid_trade")] == read(
        {"refunds_receive_get_response": {"total_results": 0}}, trade(status="WAIT_BUYER_PAY")
    )


def test_one_bad_refund_does_not_stop_the_others_and_is_named_by_its_path(read: Read, refund: Build) -> None:
    bad = refund(refund_id="2", tid=None)
    items = read({"refunds_receive_get_response": {"refunds": {"refund": [refund(), bad]}}})
    assert kinds(items) == ["BadRecord", "apply"]
    (found,) = [item for item in items if isinstance(item, BadRecord)]
    assert found.message == "$.refunds_receive_get_response.refunds.refund[1].tid: is missing"
    assert (
        found.code, found.outcome, found.kind, found.id,
    ) == ("missing_value", "failed", "apply", "top:2")  # fmt: skip


def test_the_short_answer_of_the_field_guide_says_what_it_lacks(read: Read) -> None:
    short = {
        "refund_id": "9001", "status": "WAIT_SELLER_CONFIRM_GOODS", "refund_fee": "26.42",
        "refund_version": "10001", "refund_phase": "onsale",
    }  # fmt: skip
    (bad,) = read({"refund_get_response": {"refund": short}})
    assert isinstance(bad, BadRecord)
    assert (bad.code, bad.id) == ("missing_value", "top:9001")


def test_an_exchange_is_refused_and_the_next_line_goes_on(read: Read, refund: Build) -> None:
    items = read(refund(refund_id="1", dispute_type="TMALL_EXCHANGE"), refund())
    assert kinds(items) == ["BadRecord", "apply"]
    assert isinstance(items[0], BadRecord)
    assert (items[0].code, items[0].outcome) == ("type_not_supported", "refused")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"refund_id": ', "malformed_json"),
        ('{"refund_id": 1, "refund_id": 2}', "duplicate_key"),
        ("{}", "unknown_payload"),
        ('"refund"', "wrong_type"),
        ('{"refund_get_response": []}', "wrong_type"),
        ('{"jdp_response": "{"}', "malformed_json"),
    ],
)
def test_a_line_that_is_nothing_known_fails_alone(read: Read, refund: Build, line: str, code: str) -> None:
    items = read(text=f"{json.dumps(refund())}\n{line}\n{json.dumps(refund())}\n")
    assert kinds(items) == ["apply", "BadRecord", "apply"]
    assert isinstance(items[1], BadRecord)
    assert (code, 2, (line,)) == (items[1].code, items[1].row, items[1].raw)


def test_a_first_line_that_is_broken_does_not_make_the_file_a_document(read: Read, refund: Build) -> None:
    items = read(text='{"refund_id": \n' + json.dumps(refund()))
    assert kinds(items) == ["BadRecord", "apply"]


def test_a_document_that_breaks_off_is_refused_whole(read: Read, refund: Build) -> None:
    with pytest.raises(InputError) as error:
        read(text=json.dumps([refund()], indent=1)[:-10])
    assert error.value.code == "malformed_json"


def test_a_document_may_be_one_line_longer_than_a_line_of_json_lines_may_be(
    read: Read, refund: Build
) -> None:
    refunds = [refund(refund_id=str(n)) for n in range(3_000)]
    text = json.dumps({"refunds_receive_get_response": {"refunds": {"refund": refunds}}})
    assert len(text) > 1 << 20
    assert kinds(read(text=text)) == ["apply"] * 3_000


def test_a_blank_file_holds_nothing(read: Read) -> None:
    assert read(text="\n\n") == []


def test_the_platform_asked_for_is_the_actors_and_the_orders(read: Read, refund: Build, trade: Build) -> None:
    items = read({"trade": trade(), "refund": refund(status="SUCCESS")}, platform="tmall")
    told = [item.command for item in items if isinstance(item, Record)]
    assert getattr(told[0], "platform", "") == "tmall"
    assert {"platform:tmall"} == {getattr(c, "actor", "") for c in told[1:]}


def test_only_so_many_trades_are_remembered(read: Read, refund: Build, trade: Build) -> None:
    lines = (json.dumps(trade(tid=str(n))) for n in range(REMEMBERED))
    text = "\n".join((json.dumps(trade()), *lines, json.dumps(refund(num=None))))
    assert isinstance(read(text=text)[-1], BadRecord)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_payload_is_recognised(tmp_path: Path, refund: Build, shape: Shape, indent: int | None) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(shape(refund()), indent=indent), encoding="utf-8")
    assert READER.detects(open_source(str(path)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "refund_id,tid\n1,2\n",
        '["refund_id"]',
        '{"order": {"order_no": "E1"}}',
        '{"apply": {"id": "a"}}',
    ],
)
def test_another_file_is_not_taken_for_a_payload(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text, encoding="utf-8")
    assert not READER.detects(open_source(str(path)))
