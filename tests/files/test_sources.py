"""A file is known, and refused if need be, before a row of it is believed."""

import codecs
import gzip
import hashlib
import io
import os
import socket
import sys
import time
import zipfile
from pathlib import Path

import pytest

from reverseflow.core.errors import InputError
from reverseflow.files import sources
from reverseflow.files.sources import LINE_LIMIT, Source, open_source

ORDERS = "order_no,buyer\nE1,张三\nE2,李四的收货地址\n"


def opened(folder: Path, content: bytes, encoding: str | None = None) -> Source:
    path = folder / "orders.csv"
    path.write_bytes(content)
    return open_source(str(path), encoding)


def refusal(folder: Path, content: bytes, encoding: str | None = None) -> InputError:
    with pytest.raises(InputError) as refused:
        opened(folder, content, encoding)
    assert refused.value.exit_status == 3
    assert refused.value.place.endswith("orders.csv")
    return refused.value


def refusal_of(path: Path | str) -> str:
    started = time.monotonic()
    with pytest.raises(InputError) as refused:
        open_source(str(path))
    assert time.monotonic() - started < 1
    return refused.value.code


def text_of(source: Source) -> str:
    return "".join(line.text for line in source.lines())


def feed_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_utf8_file_is_read_as_it_stands_and_known_by_its_digest(tmp_path: Path) -> None:
    source = opened(tmp_path, ORDERS.encode())
    assert (source.encoding, source.encoding_note) == ("utf-8", "")
    assert hashlib.sha256(ORDERS.encode()).hexdigest() == source.digest
    assert tmp_path / "orders.csv" == source.path
    assert ORDERS == text_of(source) == source.text(1000)


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path, encoding: str | None) -> None:
    source = opened(tmp_path, codecs.BOM_UTF8 + ORDERS.encode(), encoding)
    assert next(source.lines()).text == "order_no,buyer\n"
    assert source.text(1000).startswith("order_no")


def test_a_chinese_legacy_file_is_recognised_and_the_guess_is_stated(tmp_path: Path) -> None:
    source = opened(tmp_path, ORDERS.encode("gb18030"))
    assert text_of(source) == ORDERS
    assert source.encoding == "gb18030"
    assert "read as gb18030, since byte 18 is not UTF-8" in source.encoding_note


def test_a_stated_encoding_is_honoured_without_a_note(tmp_path: Path) -> None:
    source = opened(tmp_path, "naïve;café\n".encode("cp1252"), "cp1252")
    assert (source.encoding, source.encoding_note) == ("cp1252", "")
    assert text_of(source) == "naïve;café\n"


def test_western_text_never_turns_into_chinese_unasked(tmp_path: Path) -> None:
    fault = refusal(tmp_path, "order_no,buyer\nE1,François Jérôme\n".encode("latin-1"))
    assert fault.code == "wrong_encoding"
    assert "byte 22 is not UTF-8, as GB18030 it makes no words" in fault.message


def test_a_damaged_utf8_file_never_turns_into_other_chinese(tmp_path: Path) -> None:
    content = "buyer\n你好\n".encode() + "你".encode()[:2]
    assert "你好" not in content.decode("gb18030"), "it would decode, as other words"
    fault = refusal(tmp_path, content)
    assert fault.code == "wrong_encoding"
    assert fault.message.startswith("byte 13 breaks the UTF-8 text")


@pytest.mark.parametrize("size", [0, sources._CHUNK - 3, sources._CHUNK - 1, 2 * sources._CHUNK])
def test_the_offset_of_an_invalid_byte_is_exact_across_chunks(tmp_path: Path, size: int) -> None:
    content = b"x" * size + "é".encode() + b"\xff\n"
    fault = refusal(tmp_path, content)
    assert fault.code == "wrong_encoding"
    assert fault.message.startswith(f"byte {size + 2} is not UTF-8")


def test_bytes_that_break_the_stated_encoding_are_refused_with_their_offset(tmp_path: Path) -> None:
    fault = refusal(tmp_path, ORDERS.encode("gb18030"), "utf-8")
    assert (
        fault.code,
        fault.message.startswith("byte 18 is not utf-8"),
    ) == ("wrong_encoding", True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    fault = refusal(tmp_path, ORDERS.encode(encoding))
    assert fault.code == "wrong_encoding"
    assert fault.message.startswith("byte ")


def test_a_wide_encoding_is_recognised_by_its_mark(tmp_path: Path) -> None:
    assert "UTF-16" in refusal(tmp_path, codecs.BOM_UTF16_BE + b"ab").message


def test_a_nul_byte_is_refused_with_its_offset(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"order_no\nE1\0\n").message.startswith("byte 11 is NUL")


@pytest.mark.parametrize(
    "name", ["", "klingon", "utf-16", "utf-7", "rot13", "base64", "idna", "unicode_escape", "\0"]
)
def test_an_encoding_that_is_none_of_plain_text_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, b"a\n", name).code == "unknown_encoding"


def test_a_mark_of_utf8_contradicts_another_stated_encoding(tmp_path: Path) -> None:
    fault = refusal(tmp_path, codecs.BOM_UTF8 + b"order_no\n", "gb18030")
    assert fault.code == "wrong_encoding"


def test_workbooks_and_archives_are_refused_with_advice(tmp_path: Path) -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    old_workbook = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
    for content, advice in (
        (workbook.getvalue(), "save the sheet as CSV"),
        (empty.getvalue(), "save the sheet as CSV"),
        (gzip.compress(ORDERS.encode()), "unpack it"),
        (old_workbook, "save the sheet as CSV"),
    ):
        fault = refusal(tmp_path, content)
        assert (fault.code, advice in fault.message) == ("not_text", True)


def test_what_is_not_a_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
    assert refusal_of(tmp_path / "nowhere.csv") == "file_missing"
    assert refusal_of("no\0where") == "file_missing"
    assert refusal_of(tmp_path) == "file_is_directory"
    assert refusal_of(tmp_path / "pipe") == "not_a_regular_file"
    assert refusal_of(tmp_path / "socket") == "not_a_regular_file"
    assert refusal_of("/dev/zero") == "not_a_regular_file"
    assert refusal_of(tmp_path / "circle") == "file_unreadable"


def test_a_link_to_a_plain_file_is_followed(tmp_path: Path) -> None:
    opened(tmp_path, ORDERS.encode())
    (tmp_path / "link").symlink_to(tmp_path / "orders.csv")
    assert text_of(open_source(str(tmp_path / "link"))) == ORDERS


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orders.csv").write_bytes(b"order_no\n")

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(InputError) as refused:
        open_source(str(tmp_path / "orders.csv"))
    monkeypatch.undo()
    assert (refused.value.code, refused.value.message) == ("file_unreadable", "permission denied")


def test_a_file_name_cannot_forge_a_line_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        open_source(str(tmp_path / "a\nDONE: all fine\x1b[2J"))
    assert str(refused.value).isprintable()


def test_a_source_can_be_read_in_several_passes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_standard_input(monkeypatch, ORDERS.encode())
    for source in (opened(tmp_path, ORDERS.encode()), open_source("-")):
        pairs = zip(source.lines(), source.lines(), strict=True)
        assert [one == other for one, other in pairs] == [True] * 3
        assert source.text(1000) == ORDERS


def test_standard_input_is_kept_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    content = ORDERS.encode("gb18030") * 100_000
    feed_standard_input(monkeypatch, content)
    source = open_source("-")
    assert (source.path, source.name) == (None, "<stdin>")
    assert hashlib.sha256(content).hexdigest() == source.digest
    assert text_of(source) == ORDERS * 100_000
    source.check_unchanged()


def test_endless_zeros_on_standard_input_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Path("/dev/zero").open() as zeros:
        monkeypatch.setattr(sys, "stdin", zeros)
        assert refusal_of("-") == "wrong_encoding"


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal_of("-") == "file_unreadable"


def test_an_unchanged_file_passes_the_last_look(tmp_path: Path) -> None:
    opened(tmp_path, ORDERS.encode()).check_unchanged()


@pytest.mark.parametrize("content", [ORDERS.replace("E1", "E9"), ORDERS + "E3,王五\n", "", None])
def test_a_file_that_changed_while_it_was_read_is_noticed(tmp_path: Path, content: str | None) -> None:
    source = opened(tmp_path, ORDERS.encode())
    assert source.path
    source.path.unlink()
    if content is not None:
        source.path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        source.check_unchanged()
    assert refused.value.code == "file_changed"


def test_bytes_that_no_longer_decode_are_a_change(tmp_path: Path) -> None:
    source = opened(tmp_path, ORDERS.encode())
    assert source.path
    source.path.write_bytes(b"order_no\n\xff\n")
    with pytest.raises(InputError) as refused:
        text_of(source)
    assert refused.value.code == "file_changed"


def test_a_line_of_any_length_is_cut_and_the_next_one_stands(tmp_path: Path) -> None:
    longest = "x" * (LINE_LIMIT - 1)
    source = opened(tmp_path, f'{longest}\n{longest}"y"{longest}"\nE2\n'.encode())
    whole, cut, after = source.lines()
    assert (1, longest + "\n", False) == (whole.number, whole.text, whole.cut)
    assert (2, longest + '"', True, 2) == cut
    assert (after.number, after.text) == (3, "E2\n")


def test_a_document_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    source = opened(tmp_path, b"12345")
    assert source.text(5) == "12345"
    with pytest.raises(InputError) as refused:
        source.text(4)
    assert refused.value.code == "file_too_large"
