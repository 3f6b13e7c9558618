"""The neutral format: a line becomes a command, or says everything that is wrong with it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reverseflow import BadRecord, RecordOrder, Source, open_source
from reverseflow.builtin import neutral
from reverseflow.core.commands import COMMANDS

LINE = {"line_no": "A", "sku": "SKU-A", "quantity": 1, "unit_price": "100.00"}
ORDER = {"order_no": "E1", "currency": "CNY", "lines": [LINE]}
APPLY = {"id": "a1", "order_no": "E1", "type": "refund_only", "reason": "not_wanted"}


def opened(folder: Path, *lines: str, encoding: str = "utf-8") -> Source:
    path = folder / "input.jsonl"
    path.write_bytes("\n".join(lines).encode(encoding))
    source: Source = open_source(str(path))
    return source


def items(folder: Path, *lines: str, **options: Any) -> list[Any]:
    return list(neutral.read(opened(folder, *lines, **options), None))  # type: ignore[arg-type]


def line(kind: str, **fields: Any) -> str:
    return json.dumps({kind: fields}, ensure_ascii=False)


def bad(folder: Path, text: str) -> BadRecord:
    (item,) = items(folder, text)
    assert isinstance(item, BadRecord)
    assert "failed" == item.outcome
    assert (text,) == item.raw
    return item


def test_an_order_is_read_with_everything_it_tells(tmp_path: Path) -> None:
    told = ORDER | {
        "paid_at": "2026-05-01T10:01:00+08:00",
        "shipped_at": None,
        "buyer": {"account": "b1"},
        "lines": [LINE | {"taxes": [{"code": "vat20", "rate": "20"}], "gift": True}],
        "payments": [{"payment_no": "p1", "amount": "100.00"}],
    }
    (record,) = items(tmp_path, line("order", **told))
    order = record.command
    assert isinstance(order, RecordOrder)
    assert (1, "order") == (record.row, record.what)
    assert datetime(2026, 5, 1, 2, 1, tzinfo=UTC) == order.paid_at
    assert [("vat20", "20")] == [(tax.code, tax.rate) for tax in order.lines[0].taxes]
    assert order.lines[0].gift
    assert ("b1", "100.00") == (order.buyer.account, order.payments[0].amount)


def test_a_record_without_an_id_gets_the_same_one_whenever_its_file_is_read(tmp_path: Path) -> None:
    fields = {name: value for name, value in APPLY.items() if name != "id"}
    source = opened(tmp_path, "", line("apply", **fields), line("apply", **fields, id=""))
    first, second = (
        [item.command.id for item in neutral.read(source, None)]  # type: ignore[arg-type,union-attr]
        for _ in range(2)
    )
    assert [f"{source.digest[:16]}:2", f"{source.digest[:16]}:3"] == first == second


def test_an_id_of_its_own_is_kept(tmp_path: Path) -> None:
    (record,) = items(tmp_path, line("apply", **APPLY))
    assert "a1" == record.command.id


def test_ids_of_nineteen_digits_stay_as_they_are(tmp_path: Path) -> None:
    (record,) = items(tmp_path, line("apply", **APPLY | {"order_no": "1234567890123456789"}))
    assert "1234567890123456789" == record.command.order_no
    as_number = bad(tmp_path, line("apply", **APPLY | {"order_no": 1234567890123456789}))
    assert "wrong_type" == as_number.code
    assert "$.order_no: text in quotation marks is expected, not 1234567890123456789" == (as_number.message)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_byte_order_mark_and_gb18030_are_read(tmp_path: Path, encoding: str) -> None:
    note = "买家要求退款，商品质量有问题，请尽快处理"
    lines = [line("apply", **APPLY, note=note)] * 20
    records = items(tmp_path, *lines, encoding=encoding)
    assert [note] * 20 == [record.command.note for record in records]


def test_a_bad_line_is_one_line_and_the_others_are_read(tmp_path: Path) -> None:
    good = line("apply", **APPLY)
    found = items(tmp_path, good, good[:-9], "", "{}", good)
    assert [1, 2, 4, 5] == [item.row for item in found]
    assert [False, True, True, False] == [isinstance(item, BadRecord) for item in found]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"apply": {"id": "a1", "order_no"', "malformed_json"),
        ('{"apply": {"id": "a1", "id": "a2"}}', "duplicate_key"),
        ('{"apply": {}, "apply": {}}', "duplicate_key"),
        ('{"apply": {"amount": NaN}}', "not_finite"),
        ('{"apply": {"amount": 1e999999999}}', "number_out_of_range"),
        ('{"apply": {"id": "a\\u0000"}}', "forbidden_character"),
        ("[]", "bad_record"),
        ("3", "bad_record"),
        ("{}", "bad_record"),
        ('{"apply": {}, "order": {}}', "bad_record"),
        ('{"aply": {}}', "unknown_kind"),
        ('{"apply": 3}', "wrong_type"),
        ('{"release": []}', "wrong_type"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, code: str) -> None:
    assert code == bad(tmp_path, text).code


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    assert all(kind in bad(tmp_path, '{"aply": {}}').message for kind in COMMANDS)


def test_a_refused_record_still_says_what_it_was_about(tmp_path: Path) -> None:
    found = bad(tmp_path, line("apply", **APPLY, qty=1))
    assert ("apply", "a1", "E1") == (found.kind, found.id, found.order_no)
    nameless = bad(tmp_path, line("apply", id=7, order_no=None))
    assert ("apply", "", "") == (nameless.kind, nameless.id, nameless.order_no)


def test_a_message_names_key_path_and_what_is_allowed(tmp_path: Path) -> None:
    found = bad(tmp_path, line("apply", **APPLY, lines=[{"line_no": "B", "qty": 1}]))
    assert "unknown_field" == found.code
    assert "$.lines[0]: unknown key 'qty'; known here are line_no, quantity, amount" == (found.message)


def test_faults_of_several_codes_make_a_bad_record(tmp_path: Path) -> None:
    found = bad(tmp_path, line("apply", **APPLY, qty=1, note=1))
    assert "bad_record" == found.code
    assert "$.note: " in found.message
    assert "'qty'" in found.message


@pytest.mark.parametrize(
    ("lines", "neutral_format"),
    [
        ([line("order", **ORDER)], True),
        ([line("apply", **APPLY)], True),
        (["", "  " + line("release", ticket_no="E1-R1")], True),
        (['{"aply": {}}', line("apply", **APPLY)], True),
        ([line("order", **ORDER)[:-9]], True),
        ([line("order", id=450789469, line_items=[])], False),
        (["{", '"order": {', '"id": 1}}'], False),
        (['{"refund_get_response": {"refund": {}}}'], False),
        (["InvoiceNo,StockCode,Quantity", "536365,85123A,6"], False),
        ([], False),
    ],
)
def test_the_format_is_told_by_its_first_lines(
    tmp_path: Path, lines: list[str], neutral_format: bool
) -> None:
    assert neutral_format is neutral.detects(opened(tmp_path, *lines))
