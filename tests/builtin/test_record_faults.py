"""The fields of a record are what they should be, or every fault of them is named."""

import json
from typing import Any

import pytest

from reverseflow import Apply, Approve, RecordOrder
from reverseflow.builtin.neutral import RecordError, read_record
from reverseflow.core.commands import COMMANDS

LINE = {"line_no": "A", "sku": "SKU-A", "quantity": 1, "unit_price": "100.00"}
ORDER = {"order_no": "E1", "currency": "CNY", "lines": [LINE]}
APPLY = {"id": "a1", "order_no": "E1", "type": "refund_only", "reason": "not_wanted"}


def faults(kind: str, **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(RecordError) as error:
        read_record(kind, fields)
    return [(fault.code, fault.path) for fault in error.value.faults]


def test_shipping_is_one_entry_or_several() -> None:
    one = read_record("order", ORDER | {"shipping": {"fee": "5.00"}})
    several = read_record("order", ORDER | {"shipping": [{"fee": "5.00"}, {"fee": "2.00"}]})
    assert isinstance(one, RecordOrder)
    assert isinstance(several, RecordOrder)
    assert ["5.00"] == [entry.fee for entry in one.shipping]
    assert ["5.00", "2.00"] == [entry.fee for entry in several.shipping]


@pytest.mark.parametrize(("told", "read"), [("5.00", "5.00"), (True, True), (False, False)])
def test_shipping_is_asked_back_as_an_amount_or_as_yes_and_no(told: object, read: object) -> None:
    command = read_record("apply", APPLY | {"refund_shipping": told})
    assert isinstance(command, Apply)
    assert read is command.refund_shipping or read == command.refund_shipping


def test_a_replacement_names_its_line_by_the_key_for() -> None:
    command = read_record("apply", APPLY | {"replacement": [{"for": "B", "sku": "SKU-B-XL"}]})
    assert isinstance(command, Apply)
    assert "B" == command.replacement[0].for_
    assert [("unknown_field", "$.replacement[0]"), ("missing_field", "$.replacement[0].for")] == (
        sorted(faults("apply", **APPLY, replacement=[{"for_": "B", "sku": "x"}]), reverse=True)
    )


def test_every_kind_of_command_has_a_record() -> None:
    required: dict[str, dict[str, Any]] = {
        "order": ORDER,
        "apply": APPLY,
        "external_refund": {"order_no": "E1", "payment_no": "p1", "amount": "1.00"},
        "settle_result": {"result": "sent"},
    }
    for kind, class_ in COMMANDS.items():
        assert class_ is type(read_record(kind, required.get(kind, {"ticket_no": "E1-R1"})))


def test_every_fault_of_a_record_is_named_with_its_path() -> None:
    expected = [
        ("missing_field", "$.currency"),
        ("missing_field", "$.lines[0].line_no"),
        ("wrong_type", "$.lines[1].quantity"),
        ("unknown_field", "$.lines[1]"),
        ("unknown_field", "$.lines[1]"),
        ("wrong_type", "$.lines[2]"),
        ("not_a_time", "$.paid_at"),
        ("wrong_type", "$.shipping[0].fee"),
        ("unknown_field", "$"),
    ]
    lines = [
        {"sku": "s", "quantity": 1, "unit_price": "1"},
        LINE | {"quantity": "1", "qty": 1, "price": 2},
        "C",
    ]
    found = faults("order", order_no="E1", lines=lines, paid_at="yesterday", shipping=[{"fee": 5}], oder=1)
    assert sorted(expected) == sorted(found)


def test_a_message_stays_short_however_many_faults_there_are() -> None:
    with pytest.raises(RecordError) as error:
        read_record("apply", APPLY | {"lines": [{}] * 5000})
    assert 5000 == len(error.value.faults)
    assert error.value.message.endswith("and 4950 more")


@pytest.mark.parametrize("quantity", ["1", 1.5, 1.0, True, None, [1], {}])
def test_a_quantity_is_a_whole_number_and_nothing_is_turned_into_one(quantity: object) -> None:
    told = json.loads(json.dumps(LINE | {"quantity": quantity}))
    assert [("wrong_type", "$.lines[0].quantity")] == faults("order", **ORDER | {"lines": [told]})


@pytest.mark.parametrize("amount", [45, 45.0, True, ["45.00"], {"minor": 4500}])
def test_an_amount_is_text(amount: object) -> None:
    assert [("wrong_type", "$.amount")] == faults("apply", **APPLY, amount=amount)


@pytest.mark.parametrize("lines", ["A", {"line_no": "A"}, None, 1])
def test_a_list_is_a_list(lines: object) -> None:
    assert [("wrong_type", "$.lines")] == faults("apply", **APPLY, lines=lines)


@pytest.mark.parametrize("truth", [0, "false", None])
def test_true_and_false_are_not_spelt_otherwise(truth: object) -> None:
    assert [("wrong_type", "$.price_includes_tax")] == (faults("order", **ORDER, price_includes_tax=truth))


@pytest.mark.parametrize("shipping", [3, None])
def test_shipping_asked_back_is_nothing_else(shipping: object) -> None:
    assert [("wrong_type", "$.refund_shipping")] == faults("apply", **APPLY, refund_shipping=shipping)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-05-01T10:00:00", "time_without_offset"),
        ("2026-05-01 10:00", "time_without_offset"),
        ("2026-05-01", "not_a_time"),
        ("1777600800", "not_a_time"),
        ("2026-02-30T10:00:00Z", "not_a_time"),
        ("", "not_a_time"),
        ("0001-01-01T00:00:00+08:00", "out_of_range"),
    ],
)
def test_a_time_has_an_offset_and_is_in_the_calendar(text: str, code: str) -> None:
    assert [(code, "$.at")] == faults("apply", **APPLY, at=text)


def test_a_time_is_text() -> None:
    assert [("wrong_type", "$.at")] == faults("apply", **APPLY, at=1777600800)


def test_what_is_personal_is_not_repeated_in_a_message() -> None:
    with pytest.raises(RecordError) as error:
        read_record("order", ORDER | {"buyer": {"phone": 13800138000}})
    assert "13800138000" not in error.value.message
    with pytest.raises(RecordError) as error:
        read_record("approve", {"return_to": {"phone": 13800138000}})
    assert "13800138000" not in error.value.message


def test_null_stands_for_nothing_only_where_there_may_be_nothing() -> None:
    command = read_record("approve", {"ticket_no": "E1-R1", "override": None, "return_to": None})
    assert isinstance(command, Approve)
    assert (None, None) == (command.override, command.return_to)
    assert [("wrong_type", "$.note")] == faults("approve", note=None)
