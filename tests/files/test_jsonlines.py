"""JSON is read so that no two parsers can understand it differently."""

import json
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest

from reverseflow.core.errors import InputError
from reverseflow.files.cells import BadRow
from reverseflow.files.jsonlines import (
    DEPTH_LIMIT,
    JsonFault,
    JsonRow,
    parse_json,
    read_json_document,
    read_json_lines,
)
from reverseflow.files.sources import LINE_LIMIT, Source, open_source


def source(folder: Path, content: str) -> Source:
    path = folder / "t.json"
    path.write_bytes(content.encode())
    return open_source(str(path))


def fault_of(text: str) -> JsonFault:
    started = time.monotonic()
    with pytest.raises(JsonFault) as fault:
        parse_json(text)
    assert time.monotonic() - started < 1
    assert fault.value.message.isprintable()
    assert len(fault.value.message) < 200
    return fault.value


def nested(depth: int) -> str:
    pairs, odd = divmod(depth, 2)
    return '[{"a":' * pairs + "[" * odd + "1" + "]" * odd + "}]" * pairs


def test_a_value_is_read_with_its_types() -> None:
    text = '{"id": 1234567890123456789, "rate": 0.06, "much": 1e3, "on": true, "l": [null, "退款"]}'
    value = parse_json(text)
    assert {
        "id": 1234567890123456789,
        "rate": Decimal("0.06"),
        "much": Decimal(1000),
        "on": True,
        "l": [None, "退款"],
    } == value
    assert isinstance(value, dict)
    assert [int, Decimal, Decimal, bool] == [type(value[k]) for k in ("id", "rate", "much", "on")]


def test_escaped_characters_and_pairs_are_joined() -> None:
    assert parse_json('"\\u00e9\\ud83d\\ude00\\n"') == "é😀\n"


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_what_is_not_finite_is_refused(text: str) -> None:
    assert fault_of(text).code == "not_finite"


def test_a_key_that_stands_twice_is_refused_by_name() -> None:
    fault = fault_of('{"x": {"amount": "1", "b": 2, "amount": "9"}}')
    assert (fault.code, "'amount'" in fault.message) == ("duplicate_key", True)
    assert fault_of('{"a": 1, "\\u0061": 1}').code == "duplicate_key"


def test_a_key_that_stands_twice_among_very_many_is_found_at_once() -> None:
    keys = ",".join(f'"k{n}":1' for n in range(80_000))
    assert "'last'" in fault_of(f'{{{keys},"last":1,"last":2}}').message


@pytest.mark.parametrize("text", ["1" * 40, "-" + "1" * 39, "0." + "1" * 38, "1e30", "1.5E-30"])
def test_a_number_within_bounds_is_exact(text: str) -> None:
    assert Decimal(text) == parse_json(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1" * 41, "number_too_long"),
        ("[" + "9" * 100_000 + "]", "number_too_long"),
        ("0." + "1" * 39, "number_too_long"),
        ("1e31", "number_out_of_range"),
        ("1e-31", "number_out_of_range"),
        ("1e1000000", "number_out_of_range"),
        ("01", "malformed_json"),
        ("+1", "malformed_json"),
        (".5", "malformed_json"),
        ("１", "malformed_json"),
        ("1_000", "malformed_json"),
    ],
)
def test_a_number_out_of_bounds_is_refused(text: str, code: str) -> None:
    assert code == fault_of(text).code


@pytest.mark.parametrize("depth", [DEPTH_LIMIT - 1, DEPTH_LIMIT])
def test_values_may_be_nested_up_to_a_limit(depth: int) -> None:
    text = f"[{nested(depth - 1)}, [], {{}}]"
    assert json.loads(text) == parse_json(text)


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 1, DEPTH_LIMIT + 2, 900, 100_000])
def test_values_nested_deeper_are_refused_without_a_trace(depth: int) -> None:
    assert fault_of(nested(depth)).code == "nested_too_deep"
    assert fault_of("[" * depth).code in {"nested_too_deep", "malformed_json"}


def test_many_shallow_values_are_not_deep() -> None:
    assert parse_json("[" + ",".join(["[]"] * 1000) + "]") == [[]] * 1000


@pytest.mark.parametrize(
    "text",
    [
        '"\\ud800"',
        '{"\\udfff": 1}',
        '["\\ude00\\ud83d"]',
        '"\\u0000"',
        '{"a": ["\\u202e"]}',
        '"\ud800"',
        '"\\u001b[2J"',
        '"\u202e"',
        '"\x07"',
        '"\\ufeff"',
    ],
)
def test_a_character_no_input_may_hold_is_refused_escaped_or_not(text: str) -> None:
    assert fault_of(text).code == "forbidden_character"


def test_a_fault_has_its_line_and_column() -> None:
    places = [
        (fault.line, fault.column)
        for fault in (
            fault_of('{"a": 1,\n "b" 2}'),
            fault_of("[1,\n\n  x]"),
            fault_of('["ab\x07"]'),
        )
    ]
    assert places == [(2, 6), (3, 3), (1, 5)]


@pytest.mark.parametrize("text", ["", " ", "{", '{"a":1}{', "[1,]", "{'a': 1}", '"a\nb"', "nul"])
def test_what_is_not_json_is_refused(text: str) -> None:
    assert fault_of(text).code == "malformed_json"


def test_a_bad_line_is_refused_alone_with_its_column(tmp_path: Path) -> None:
    content = '{"a": 1}\n\n  \t\n{"b": \r\n{"c": 1, "c": 2}\n"\\ud800"\n{"d": 4}\r\n{"e": '
    assert [
        JsonRow(1, {"a": 1}, '{"a": 1}'),
        BadRow(4, '{"b": ', "malformed_json", "column 7: expecting value"),
        BadRow(5, '{"c": 1, "c": 2}', "duplicate_key", "the key 'c' stands twice in one object"),
        BadRow(6, '"\\ud800"', "forbidden_character", "the character U+D800 is not allowed; remove it"),
        JsonRow(7, {"d": 4}, '{"d": 4}'),
        BadRow(8, '{"e": ', "malformed_json", "column 7: expecting value"),
    ] == list(read_json_lines(source(tmp_path, content)))


def test_a_last_line_without_a_line_end_counts_when_complete(tmp_path: Path) -> None:
    assert [JsonRow(1, 1, "1"), JsonRow(2, 2, "2")] == list(read_json_lines(source(tmp_path, "1\n2")))


def test_a_blank_source_holds_no_lines(tmp_path: Path) -> None:
    assert list(read_json_lines(source(tmp_path, "\n \r\n"))) == []


def test_a_line_of_any_length_is_refused_alone_in_little_memory(tmp_path: Path) -> None:
    long = source(tmp_path, '{"a": 1}\n"' + "x" * 16 * LINE_LIMIT + '"\n{"b": 2}\n')
    tracemalloc.start()
    try:
        first, bad, last = read_json_lines(long)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(bad, BadRow)
    assert (bad.row, bad.code, len(bad.raw)) == (2, "line_too_long", LINE_LIMIT)
    assert [JsonRow(1, {"a": 1}, '{"a": 1}'), JsonRow(3, {"b": 2}, '{"b": 2}')] == [first, last]
    assert peak < 6 * LINE_LIMIT


def test_a_document_is_read_whole(tmp_path: Path) -> None:
    document = source(tmp_path, '\ufeff{"trade": {\n "tid": 1234567890123456789}}\n')
    assert read_json_document(document) == {"trade": {"tid": 1234567890123456789}}


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        ('{"a": 1,\n "b" 2}', "malformed_json", "t.json:2:6"),
        ('{"a": 1, "a": 2}', "duplicate_key", "t.json"),
        ('["a",\n"\u202e"]', "forbidden_character", "t.json:2:2"),
        (" \n", "empty_file", "t.json"),
        ('["0123456789012345678901234567890123456789"]', "file_too_large", "t.json"),
    ],
)
def test_a_faulty_document_is_refused_with_its_place(
    tmp_path: Path, content: str, code: str, place: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_json_document(source(tmp_path, content), limit=32)
    assert code == refused.value.code
    assert refused.value.place.endswith(place)
