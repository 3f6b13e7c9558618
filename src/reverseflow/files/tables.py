"""CSV tables, read strictly and one record at a time.

A fault within one line is that row's and the next row goes on. A quotation mark left open is
never that: where the next row begins is then unknown, so the file is refused whole, before the
first row is handed out.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import dropwhile

import attrs

from reverseflow.core.errors import InputError, shown
from reverseflow.files.cells import BadRow, forbidden_character
from reverseflow.files.sources import LINE_LIMIT, Line, Source

CELL_LIMIT = 131_072  # characters
#: The columns a rejects file adds to those of its table: allowed in any table, and passed over.
REJECT_COLUMNS = ("reject_code", "reject_message")

_NAMES_SHOWN = 10
_CHARACTERS_SHOWN = 20


@attrs.frozen
class TableRow:
    """A record: the line it begins on (the header is on 1), its cells by column, and as it came."""

    row: int
    cells: dict[str, str]
    raw: str


@attrs.frozen
class _Record:
    row: int
    cells: list[str]
    raw: str


def read_table(
    source: Source, required: Sequence[str], optional: Sequence[str] = (), *, delimiter: str = ","
) -> Iterator[TableRow | BadRow]:
    """The rows under a header that has every `required` column and else only `optional` ones.

    The columns of a rejects file may stand in it too; the rows are handed on without them.

    Cells are handed on as written. Raises `InputError` at once, not at the first row:
    `empty_file`, `duplicate_column`, `missing_column`, `unknown_column`, `unclosed_quote`, or
    the code of a header that is itself a bad row. A bad row has the code `row_too_short`,
    `row_too_long`, `malformed_row`, `cell_too_large`, `line_too_long` or `forbidden_character`.
    """
    header = _header(source, delimiter)
    _refuse_unfit_columns(header, required, optional, source)
    _refuse_open_quote(source, delimiter)
    return _rows(source, header.cells, delimiter)


def peek_header(source: Source, *, delimiter: str = ",") -> list[str]:
    """The column names of the first row, stripped; `InputError` `empty_file` when there is none."""
    return _header(source, delimiter).cells


def _rows(source: Source, columns: list[str], delimiter: str) -> Iterator[TableRow | BadRow]:
    with closing(source.lines()) as lines:
        records = _records(lines, source, delimiter)
        next(records, None)  # the header
        for record in records:
            if isinstance(record, BadRow):
                yield record
            elif len(record.cells) == len(columns):
                cells = dict(zip(columns, record.cells, strict=True))
                for name in REJECT_COLUMNS:
                    cells.pop(name, None)
                yield TableRow(record.row, cells, record.raw)
            else:
                many = len(record.cells) > len(columns)
                code = "row_too_long" if many else "row_too_short"
                message = f"{len(record.cells)} cells under a header of {len(columns)} columns"
                yield BadRow(record.row, record.raw, code, message)


def _header(source: Source, delimiter: str) -> _Record:
    with closing(source.lines()) as lines:
        header = next(_records(lines, source, delimiter), None)
    if header is None:
        raise InputError("empty_file", "there is nothing, not even a header", place=source.name)
    if isinstance(header, BadRow):
        raise InputError(header.code, header.message, place=f"{source.name}:{header.row}")
    return attrs.evolve(header, cells=[name.strip() for name in header.cells])


def _refuse_unfit_columns(
    header: _Record, required: Sequence[str], optional: Sequence[str], source: Source
) -> None:
    """Raise the first of the three column faults, naming all columns of all three."""
    seen = Counter(header.cells)
    wrong = {
        "duplicate": [name for name, times in seen.items() if times > 1],
        "missing": [name for name in required if name not in seen],
        "unknown": [name for name in seen if name not in (*required, *optional, *REJECT_COLUMNS)],
    }
    faults = [fault for fault, names in wrong.items() if names]
    if faults:
        message = "; ".join(f"{fault} column {_listed(wrong[fault])}" for fault in faults)
        place = f"{source.name}:{header.row}"
        raise InputError(f"{faults[0]}_column", message, place=place)


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(shown(name) for name in names[:_NAMES_SHOWN])
    rest = len(names) - _NAMES_SHOWN
    return f"{text} and {rest} more" if rest > 0 else text


def _refuse_open_quote(source: Source, delimiter: str) -> None:
    """Read ahead to the end; `_records` raises where a quotation mark stays open."""
    with closing(source.lines()) as lines:
        quoted = dropwhile(lambda line: not line.cut and '"' not in line.text, lines)
        for _ in _records(quoted, source, delimiter):
            pass


class _LineTooLong(Exception):
    pass


class _Feed:
    """Hands lines to the CSV parser and keeps those of the record it is in."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.taken: list[Line] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        self._size += len(line.text)
        if line.cut or self._size > LINE_LIMIT:
            raise _LineTooLong
        return line.text

    def begin_record(self) -> None:
        self.taken.clear()
        self._size = 0

    @property
    def raw(self) -> str:
        """The record as it came, without the line end after it."""
        text = self.taken[0].text if len(self.taken) == 1 else "".join(x.text for x in self.taken)
        return text.removesuffix("\n").removesuffix("\r")


def _records(lines: Iterator[Line], source: Source, delimiter: str) -> Iterator[_Record | BadRow]:
    """The records that are not blank; `InputError` `unclosed_quote` where one cannot end."""
    feed = _Feed(lines)
    parser = csv.reader(feed, strict=True, delimiter=delimiter)
    while True:
        feed.begin_record()
        try:
            cells = next(parser)
        except StopIteration:
            return
        except (csv.Error, _LineTooLong) as fault:
            yield _bad_record(feed, fault, source, delimiter)
        else:
            if len(cells) > 1 or feed.raw.strip(" \t\r\n"):
                yield _checked(_Record(feed.taken[0].number, cells, feed.raw))


def _checked(record: _Record) -> _Record | BadRow:
    if found := forbidden_character(record.raw):
        before = shown(record.raw[: found[0]][-_CHARACTERS_SHOWN:])
        message = f"the character {found[1]} after {before} is not allowed; remove it"
        return BadRow(record.row, record.raw, "forbidden_character", message)
    if len(record.raw) > CELL_LIMIT and max(map(len, record.cells)) > CELL_LIMIT:
        return _too_large(record.row, record.raw)
    return record


def _too_large(row: int, raw: str) -> BadRow:
    message = f"a cell holds more than {CELL_LIMIT} characters; shorten it"
    return BadRow(row, raw, "cell_too_large", message)


def _bad_record(feed: _Feed, fault: Exception, source: Source, delimiter: str) -> BadRow:
    """The line the parser gave up at as a bad row, if the record surely ends with that line."""
    line, raw = feed.taken[0], feed.raw
    if _left_open(line, delimiter):
        place = f"{source.name}:{line.number}"
        message = f"a quotation mark opened in this row is not closed; {shown(raw)}"
        raise InputError("unclosed_quote", message, place=place)
    if isinstance(fault, _LineTooLong):
        message = f"a line of {LINE_LIMIT} characters or more; shorten it"
        return BadRow(line.number, raw, "line_too_long", message)
    if len(raw) > CELL_LIMIT:
        return _too_large(line.number, raw)
    why = "text follows a closing quotation mark; double the marks inside a quoted cell"
    if "\r" in raw:
        why = "a carriage return stands outside quotation marks; end lines with LF or CR LF"
    return BadRow(line.number, raw, "malformed_row", why)


def _left_open(line: Line, delimiter: str) -> bool:
    """Whether a quoted cell goes on after the first line of a record that could not be parsed.

    A lenient parser tells, by taking a second line into the same record; for a line too long for
    it the number of quotation marks does.
    """
    if not line.cut:
        try:
            return len(list(csv.reader([line.text, "-"], delimiter=delimiter))) == 1
        except csv.Error:
            pass
    return (line.text.count('"') + line.quotes_cut) % 2 == 1
