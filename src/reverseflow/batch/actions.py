"""Bulk transitions from a table: one command a row, its kind in the column ``command``."""

from collections.abc import Iterator

from reverseflow.batch.rejects import CODE, MESSAGE
from reverseflow.builtin.neutral import RecordError, read_record
from reverseflow.contracts import BadRecord, InputReader, ReadContext, ReadItem, Record
from reverseflow.files import BadRow, Source, TableRow, parse_integer, peek_header, read_table

#: Columns besides ``command`` and ``ticket_no``; an empty cell is a field not given.
COLUMNS = (
    "id", "external_no", "actor", "at", "note", "expected_version", "reason", "amount", "service_fee",
    "give_back", "carrier", "tracking_no", "lines", "result", "key", "payment_no", "currency",
    "reference", "text", "queue",
)  # fmt: skip
_NOT_HERE = ("order", "apply", "external_refund")


def detects(source: Source) -> bool:
    """Whether the file is a table with the columns ``command`` and ``ticket_no``."""
    try:
        header = peek_header(source)
    except ValueError:
        return False
    return "command" in header and "ticket_no" in header


def read(source: Source, _context: ReadContext) -> Iterator[ReadItem]:
    """A record per row; a row without an id gets one from the file's digest and its number."""
    optional = (*COLUMNS, CODE, MESSAGE)
    for row in read_table(source, required=("command", "ticket_no"), optional=optional):
        yield (_bad(row) if isinstance(row, BadRow) else _item(row, f"{source.digest[:16]}:{row.row}"))


def _bad(row: BadRow) -> BadRecord:
    return BadRecord(row.row, (row.raw,), row.code, row.message)


def _item(row: TableRow, made_id: str) -> ReadItem:
    cells = {
        name: cell.strip() for name, cell in row.cells.items() if cell.strip() and name not in (CODE, MESSAGE)
    }
    kind = cells.pop("command", "")
    fields: dict[str, object] = {"id": made_id, **cells}
    try:
        if kind in _NOT_HERE:
            raise ValueError(f"{kind} is no transition of a ticket; give it to: reverseflow run")
        if "expected_version" in cells:
            fields["expected_version"] = parse_integer(cells["expected_version"], minimum=1, maximum=10**9)
        if "give_back" in cells:
            fields["give_back"] = cells["give_back"].split()
        if "lines" in cells:
            fields["lines"] = [_line(kind, text) for text in cells["lines"].split()]
        return Record(row.row, read_record(kind, fields), (row.raw,), kind)
    except RecordError as error:
        return BadRecord(row.row, (row.raw,), error.code, error.message, kind=kind, id=cells.get("id", ""))
    except ValueError as error:
        return BadRecord(row.row, (row.raw,), "bad_cell", str(error), kind=kind, id=cells.get("id", ""))


def _line(kind: str, text: str) -> dict[str, object]:
    """``A=2`` (units of a line), or for inspect ``A=2:1:restock`` (accepted, rejected, disposition)."""
    line_no, mark, rest = text.partition("=")
    if not mark or not line_no:
        raise ValueError(f"lines: {text!r} is not LINE=UNITS")
    units, *more = rest.split(":")
    quantity = parse_integer(units, minimum=0, maximum=10**9)
    if kind != "inspect":
        return {"line_no": line_no, "quantity": quantity}
    line: dict[str, object] = {"line_no": line_no, "accepted": quantity}
    if more:
        line["rejected"] = parse_integer(more[0], minimum=0, maximum=10**9)
    if len(more) > 1:
        line["disposition"] = more[1]
    return line


READER = InputReader("actions", detects, read, describes="a table of ticket commands")
