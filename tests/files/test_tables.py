"""A table is read row by row; a bad row is one row, a broken file is none."""

import csv
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reverseflow.core.errors import InputError
from reverseflow.files.cells import (
    BadRow,
    CellFault,
    forbidden_character,
    parse_integer,
    parse_time,
)
from reverseflow.files.sources import LINE_LIMIT, Source, open_source
from reverseflow.files.tables import CELL_LIMIT, TableRow, peek_header, read_table

REQUIRED = ("order_no", "amount")
OPTIONAL = ("note",)
HEADER = "order_no,amount,note\n"
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def table(folder: Path, content: str | bytes) -> Source:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(str(path))


def rows(folder: Path, content: str | bytes) -> list[TableRow | BadRow]:
    return list(read_table(table(folder, content), REQUIRED, OPTIONAL))


def outcome(folder: Path, content: str | bytes) -> list[tuple[int, str]]:
    """Each row as its number and either its order number or the code of its fault."""
    return [
        (row.row, row.code if isinstance(row, BadRow) else row.cells["order_no"])
        for row in rows(folder, content)
    ]


def refusal(folder: Path, content: str | bytes) -> InputError:
    with pytest.raises(InputError) as refused:
        read_table(table(folder, content), REQUIRED, OPTIONAL)  # at once, not at the first row
    return refused.value


def test_rows_come_with_their_line_their_cells_and_as_they_stood(tmp_path: Path) -> None:
    content = HEADER + 'E1,5.00,"a ""b"", c"\r\n\n \t\nE2, 6 ,"two\nlines"\nE3,7,'
    columns = ("order_no", "amount", "note")
    cells = [("E1", "5.00", 'a "b", c'), ("E2", " 6 ", "two\nlines"), ("E3", "7", "")]
    raw = ['E1,5.00,"a ""b"", c"', 'E2, 6 ,"two\nlines"', "E3,7,"]
    assert rows(tmp_path, content) == [
        TableRow(row, dict(zip(columns, cells[at], strict=True)), raw[at]) for at, row in enumerate((2, 5, 7))
    ]


def test_columns_stand_in_any_order_and_optional_ones_may_be_missing(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, b"\xef\xbb\xbf amount , order_no\n5.00,E1\n")
    assert isinstance(row, TableRow)
    assert row.cells == {"amount": "5.00", "order_no": "E1"}


def test_another_delimiter_can_be_stated(tmp_path: Path) -> None:
    source = table(tmp_path, "order_no;amount\nE1;1,50\n")
    (row,) = read_table(source, REQUIRED, delimiter=";")
    assert isinstance(row, TableRow)
    assert row.cells["amount"] == "1,50"
    assert peek_header(source, delimiter=";") == ["order_no", "amount"]


def test_the_header_can_be_looked_at_first(tmp_path: Path) -> None:
    source = table(tmp_path, "\n order_no ,amount,订单\nE1,5,x\n")
    assert peek_header(source) == ["order_no", "amount", "订单"]


@pytest.mark.parametrize(
    ("header", "code", "message"),
    [
        ("order_no", "missing_column", "missing column 'amount'"),
        ("note", "missing_column", "missing column 'order_no', 'amount'"),
        ("order_no,amount,notes", "unknown_column", "unknown column 'notes'"),
        ("order_no,amount,", "unknown_column", "unknown column ''"),
        (
            "Order_no,amount",
            "missing_column",
            "missing column 'order_no'; unknown column 'Order_no'",
        ),
        ("order_no,amount,note, note", "duplicate_column", "duplicate column 'note'"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file(
    tmp_path: Path, header: str, code: str, message: str
) -> None:
    fault = refusal(tmp_path, f"{header}\nE1,5,\n")
    assert (code, message) == (fault.code, fault.message)
    assert fault.place.endswith("t.csv:1")


def test_a_header_of_very_many_wrong_columns_is_refused_in_few_words(tmp_path: Path) -> None:
    fault = refusal(tmp_path, ",".join(f"c{n}" for n in range(90_000)) + "\n")
    assert fault.code == "missing_column"
    assert "'c9' and 89990 more" in fault.message
    assert len(fault.message) < 200


@pytest.mark.parametrize("content", ["", "\n\n  \r\n", b"\xef\xbb\xbf"])
def test_a_blank_file_is_refused(tmp_path: Path, content: str | bytes) -> None:
    assert refusal(tmp_path, content).code == "empty_file"
    with pytest.raises(InputError, match="empty_file"):
        peek_header(table(tmp_path, content))


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert rows(tmp_path, HEADER) == []


def test_a_row_with_too_few_or_too_many_cells_is_refused_alone(tmp_path: Path) -> None:
    content = HEADER + "E1,5,\nE2,5\nE3,5,,\nE4,5,\n"
    expected = [(2, "E1"), (3, "row_too_short"), (4, "row_too_long"), (5, "E4")]
    assert outcome(tmp_path, content) == expected
    too_short = BadRow(3, "E2,5", "row_too_short", "2 cells under a header of 3 columns")
    assert rows(tmp_path, content)[1] == too_short


@pytest.mark.parametrize("character", ["\x01", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ufeff"])
def test_a_character_no_input_may_hold_refuses_its_row_alone(tmp_path: Path, character: str) -> None:
    found = rows(tmp_path, HEADER + f"E1,5,ok{character}\nE2,5,\n")
    assert isinstance(found[0], BadRow)
    assert (found[0].row, found[0].code) == (2, "forbidden_character")
    assert f"U+{ord(character):04X} after 'E1,5,ok'" in found[0].message
    assert isinstance(found[1], TableRow)


def test_tabs_and_chinese_spaces_and_emoji_are_ordinary_characters(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, HEADER + "E1\t,5,退\u3000款 👩‍💻\n")
    assert isinstance(row, TableRow)
    assert (row.cells["order_no"], row.cells["note"]) == ("E1\t", "退\u3000款 👩‍💻")


def test_a_lone_surrogate_and_nul_are_forbidden_wherever_they_come_from() -> None:
    assert forbidden_character("ab\ud800") == (2, "U+D800")
    assert forbidden_character("\0ab") == (0, "U+0000")
    assert forbidden_character("a\tb\r\nc") is None


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_huge_cell_is_refused_alone(tmp_path: Path, quote: str) -> None:
    largest, larger = "x" * CELL_LIMIT, "x" * (CELL_LIMIT + 1)
    content = HEADER + "".join(
        f"E{n},5,{quote}{cell}{quote}\n" for n, cell in enumerate([larger, largest, "y"])
    )
    assert outcome(tmp_path, content) == [(2, "cell_too_large"), (3, "E1"), (4, "E2")]


def test_a_huge_cell_is_refused_whatever_other_code_set_for_all_tables(tmp_path: Path) -> None:
    before = csv.field_size_limit(1 << 30)
    try:
        assert outcome(tmp_path, f"{HEADER}{'x' * (CELL_LIMIT + 1)},5,") == [(2, "cell_too_large")]
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_huge_line_is_refused_alone_and_not_kept_whole(tmp_path: Path, quote: str) -> None:
    content = HEADER + f"E1,5,{quote}{'x' * 3 * LINE_LIMIT}{quote}\nE2,5,\n"
    assert outcome(tmp_path, content) == [(2, "line_too_long"), (3, "E2")]
    assert len(rows(tmp_path, content)[0].raw) == LINE_LIMIT


def test_a_huge_quoted_cell_cannot_smuggle_in_a_row(tmp_path: Path) -> None:
    for size in (CELL_LIMIT + 1, 2 * LINE_LIMIT):
        smuggled = HEADER + f'E1,5,"{"x" * size}\nE9,1000,"\nE2,5,\n'
        fault = refusal(tmp_path, smuggled)
        assert (fault.code, fault.place.endswith("t.csv:2")) == ("unclosed_quote", True)


def test_badly_quoted_text_is_refused_alone(tmp_path: Path) -> None:
    content = HEADER + 'E1,5,"5" disk"\nE2,5,"5" disk\nE3,5,5" disk\nE4,5,\n'
    expected = [(2, "malformed_row"), (3, "malformed_row"), (4, "E3"), (5, "E4")]
    assert outcome(tmp_path, content) == expected


@pytest.mark.parametrize(
    "broken",
    [
        'E2,5,"open\nE3,5,\nE4,5,\n',  # to the end of the file
        'E2,5,"open',  # a file cut off
        'E2,5,"open\nE3,5,"closed"\n',  # taken for closed by the next quoted cell
        'E2,5,"5"x,"open\nE3,5,\n',  # behind another fault of the same row
        'E2,5,"open\n' + "E3,5,\n" * 50_000,  # beyond what one cell may hold
    ],
)
def test_an_open_quote_refuses_the_file_and_names_its_row(tmp_path: Path, broken: str) -> None:
    fault = refusal(tmp_path, HEADER + 'E1,5,"fine"\n' + broken)
    assert fault.code == "unclosed_quote"
    assert fault.place.endswith("t.csv:3")


def test_a_last_row_without_a_line_end_counts_only_when_complete(tmp_path: Path) -> None:
    assert outcome(tmp_path, HEADER + "E1,5,") == [(2, "E1")]
    assert outcome(tmp_path, HEADER + "E1,5,\nE2,5") == [(2, "E1"), (3, "row_too_short")]


def test_line_ends_of_old_are_refused_in_words(tmp_path: Path) -> None:
    fault = refusal(tmp_path, "order_no,amount\rE1,5\r")
    assert fault.code == "malformed_row"
    assert "carriage return" in fault.message


def test_a_large_table_is_read_in_little_memory(tmp_path: Path) -> None:
    source = table(tmp_path, HEADER + 'E1,5.00,"some note"\n' * 100_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_table(source, REQUIRED, OPTIONAL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 300_000


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("-3", -3)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert number == parse_integer(text, minimum=-5, maximum=10)


NO_NUMBERS = ["-", "+1", "1_000", "1,000", "1.0", "1e3", " 1", "1\n", "１２", "٣", "-0", "0x1"]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "", "-00", "NaN", "1" * 19])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(CellFault, match="not_an_integer"):
        parse_integer(text, minimum=-(10**30), maximum=10**30)


def test_an_endless_number_is_refused_in_few_words() -> None:
    with pytest.raises(CellFault) as fault:
        parse_integer("1" * 1_000_000, minimum=0, maximum=10)
    assert fault.value.code == "not_an_integer"
    assert len(fault.value.message) < 200


@pytest.mark.parametrize("text", ["0", "11", "-1"])
def test_a_whole_number_out_of_its_range_is_refused(text: str) -> None:
    with pytest.raises(CellFault, match=f"out_of_range: {text} is not from 1 to 10"):
        parse_integer(text, minimum=1, maximum=10)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01T10:00:00+08:00", datetime(2026, 5, 1, 2, tzinfo=UTC)),
        ("2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("2026-05-01 10:00", datetime(2026, 5, 1, 2, tzinfo=UTC)),
        ("2026/5/1 9:05", datetime(2026, 5, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_its_own_zone_or_the_stated_one(text: str, moment: datetime) -> None:
    read = parse_time(text, ["iso", "%Y/%m/%d %H:%M"], SHANGHAI)
    assert (moment, UTC) == (read, read.tzinfo)


NO_TIMES = ["", "2026-05-01", "20260501T100000", "2026-W18-5", "2026-05-01x10:00", "46143.5"]
NEVER = ["２０２６-05-01 10:00", "2026-02-30 10:00", "2026-05-01 24:30", "2026-05-01 10:00+25:00"]


@pytest.mark.parametrize("text", [*NO_TIMES, *NEVER, "9" * 100_000])
def test_what_is_no_time_is_refused(text: str) -> None:
    for formats in (["iso"], ["iso", "%Y-%m-%d %H:%M"]):
        with pytest.raises(CellFault) as fault:
            parse_time(text, formats, SHANGHAI)
        assert fault.value.code == "not_a_time"


def test_a_time_the_clocks_skipped_is_refused_and_one_shown_twice_is_the_earlier() -> None:
    with pytest.raises(CellFault, match="no_such_time"):
        parse_time("2026-03-29 02:30", ["iso"], BERLIN)
    twice = parse_time("2026-10-25 02:30", ["iso"], BERLIN)
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) == twice


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00"])
def test_a_time_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(CellFault, match="out_of_range"):
        parse_time(text, ["iso"], SHANGHAI)
