"""The neutral format: one record a line, its single key the kind of a command.

`read_record` turns the fields of a record into its command and names every fault at once;
`command_to_record` is its inverse. The strict converter behind it is loaded with the first record.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import attrs

from reverseflow import (
    COMMANDS,
    BadRecord,
    BadRow,
    Command,
    InputReader,
    JsonFault,
    JsonObject,
    ReadContext,
    ReadItem,
    Record,
    Source,
    parse_json,
    read_json_lines,
    shown,
)
from reverseflow.builtin.record_faults import Fault, RecordError, record_key

__all__ = [
    "READER",
    "Fault",
    "RecordError",
    "command_class",
    "command_to_record",
    "read_record",
    "record_key",
]

_FIRST_KEY = re.compile(r'\s*\{\s*"([a-z_]{1,40})"\s*:')
REJECTED = "rejected"  # the key a rejects file adds to a record
_LOOKED_AT = 20  # rows, to tell the format
_DIGEST = 16  # hexadecimal digits of a file's digest that begin an id made here


def read_record(kind: str, fields: object) -> Command:
    """The command a record's kind and fields are; `RecordError` with everything wrong in them.

    Their codes are `unknown_kind`, `unknown_field`, `missing_field`, `wrong_type`, `not_a_time`,
    `time_without_offset` and `out_of_range`. What an amount or a count may be, the rules say.
    """
    from reverseflow.builtin import converter  # noqa: PLC0415 - cattrs, at the first record

    return converter.structure(command_class(kind), fields)


def command_to_record(command: Command) -> JsonObject:
    """The record of a command, fields at their default left out: ``{"approve": {"id": …}}``."""
    return {command.kind: _plain(command)}


def command_class(kind: str) -> type[Command]:
    """The class behind a kind of record; `RecordError` for an unknown one."""
    found = COMMANDS.get(kind)
    if found is None:
        message = f"{shown(kind)} is no kind of record; known are {', '.join(COMMANDS)}"
        raise RecordError((Fault("unknown_kind", "$", message),))
    return found


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return {
            record_key(field.name): _plain(inner)
            for field in attrs.fields(type(value))
            if (inner := getattr(value, field.name)) != field.default
        }
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def detects(source: Source) -> bool:
    """Whether one of the first rows is an object whose first key is a known kind of record."""
    return any(_looks_neutral(row.raw) for row in islice(read_json_lines(source), _LOOKED_AT))


def _looks_neutral(raw: str) -> bool:
    first = _FIRST_KEY.match(raw)
    if first is None or first[1] not in COMMANDS:
        return False
    # Shops wrap their own orders in the key "order" too; ours have an order_no.
    return first[1] != "order" or '"order_no"' in raw


def read(source: Source, _context: ReadContext) -> Iterator[ReadItem]:
    """A `Record` or a `BadRecord` for every line that is not blank, in the order of the file.

    A record without an id gets one from the file's digest and its row: the same file read again
    is the same commands.
    """
    made_id = source.digest[:_DIGEST] + ":"
    for row in read_json_lines(source):
        if isinstance(row, BadRow):
            yield BadRecord(row.row, (row.raw,), row.code, row.message)
        else:
            yield _item(row.row, row.raw, row.value, made_id)


def _item(row: int, raw: str, value: object, made_id: str) -> ReadItem:
    kind, fields = "", value
    try:
        kind, fields = _only_pair(value)
        if kind != "order" and isinstance(fields, dict) and fields.get("id", "") == "":
            fields = {**fields, "id": f"{made_id}{row}"}
        return Record(row, read_record(kind, fields), (raw,), kind)
    except RecordError as error:
        known = fields if isinstance(fields, dict) else {}
        return BadRecord(
            row, (raw,), error.code, error.message, kind=kind,
            id=_text(known.get("id")), order_no=_text(known.get("order_no")),
        )  # fmt: skip


def _only_pair(value: object) -> tuple[str, object]:
    """The kind and the fields of a record, which is an object with one key.

    The key ``rejected``, which a rejects file puts beside it, is passed over.
    """
    if isinstance(value, dict):
        pairs = [pair for pair in value.items() if pair[0] != REJECTED]
        if len(pairs) == 1:
            return pairs[0]
        if not pairs and value:
            return _only_pair(_mended(value[REJECTED]))
    found = f"{len(value)} keys" if isinstance(value, dict) else "no object"
    message = f'a record is an object with one key, its kind, as in {{"apply": {{…}}}}; here is {found}'
    raise RecordError((Fault("bad_record", "$", message),))


def _mended(rejected: object) -> object:
    """The record in the text that a rejects file keeps of a line that was no JSON."""
    raw = rejected.get("raw") if isinstance(rejected, dict) else None
    if not isinstance(raw, str):
        message = f"a line with nothing but {REJECTED!r} holds the text to mend under {REJECTED}.raw"
        raise RecordError((Fault("still_rejected", f"$.{REJECTED}", message),))
    try:
        return parse_json(raw)
    except JsonFault as fault:
        raise RecordError((Fault(fault.code, f"$.{REJECTED}.raw", fault.message),)) from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


READER = InputReader("neutral", detects, read, describes="neutral records, JSON Lines")
