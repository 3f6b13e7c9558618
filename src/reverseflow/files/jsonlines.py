"""JSON and JSON Lines, read strictly: what two parsers could understand differently is refused."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

import attrs

from reverseflow.core.errors import InputError, shown
from reverseflow.files.cells import BadRow, forbidden_character
from reverseflow.files.sources import LINE_LIMIT, Source

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | Decimal | bool | None"

DOCUMENT_LIMIT = 64 << 20  # characters
DEPTH_LIMIT = 64
DIGIT_LIMIT = 40
EXPONENT_LIMIT = 30

_BLANK = " \t\r\n"
_EXPONENT = re.compile("[eE]([+-]?[0-9]+)$")


class JsonFault(ValueError):
    """A text that is not JSON as read here: a stable code, a sentence, and where if known.

    `line` and `column` count from 1 in characters; 0 when the place is not known.
    """

    def __init__(self, code: str, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.line = line
        self.column = column


@attrs.frozen
class JsonRow:
    """A line of JSON Lines: its 1-based number, its value, and the text without the line end."""

    row: int
    value: JsonValue
    raw: str


def parse_json(text: str) -> JsonValue:
    """The one value `text` is; integers of up to 40 digits stay whole, fractions are `Decimal`.

    Raises `JsonFault`: `malformed_json`, `duplicate_key`, `not_finite`, `number_too_long`,
    `number_out_of_range`, `nested_too_deep`, `forbidden_character`.
    """
    if found := forbidden_character(text):
        _refuse_character(found[1], *_line_and_column(text, found[0]))
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        message = fault.msg[:1].lower() + fault.msg[1:].rstrip(": ")
        place = {"line": fault.lineno, "column": fault.colno}
        raise JsonFault("malformed_json", message, **place) from None
    except RecursionError:
        raise _too_deep() from None
    if "\\u" in text or text.count("[") + text.count("{") > DEPTH_LIMIT:
        _check_depth_and_characters(value)
    return value


def read_json_lines(source: Source) -> Iterator[JsonRow | BadRow]:
    """The values of a JSON Lines source, one a line; blank lines are passed over.

    A line that is not strict JSON, or longer than 1 Mi characters (`line_too_long`), is a bad row
    with the code of its `JsonFault`, and the next line goes on. Nothing comes of a blank source.
    """
    with closing(source.lines()) as lines:
        for line in lines:
            raw = line.text.removesuffix("\n").removesuffix("\r")
            if line.cut:
                message = f"a line of {LINE_LIMIT} characters or more; split the record"
                yield BadRow(line.number, raw, "line_too_long", message)
            elif raw.strip(_BLANK):
                yield _json_row(line.number, raw)


def _json_row(number: int, raw: str) -> JsonRow | BadRow:
    try:
        return JsonRow(number, parse_json(raw), raw)
    except JsonFault as fault:
        where = f"column {fault.column}: " if fault.column else ""
        return BadRow(number, raw, fault.code, where + fault.message)


def read_json_document(source: Source, limit: int = DOCUMENT_LIMIT) -> JsonValue:
    """The one value of a source of at most `limit` characters.

    Raises `InputError` with the code of the `JsonFault` and its place (``name:line:column``), or
    `file_too_large`, or `empty_file`.
    """
    text = source.text(limit)
    if not text.strip(_BLANK):
        raise InputError("empty_file", "the file holds nothing", place=source.name)
    try:
        return parse_json(text)
    except JsonFault as fault:
        where = f":{fault.line}:{fault.column}" if fault.line else ""
        raise InputError(fault.code, fault.message, place=source.name + where) from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise JsonFault("duplicate_key", f"the key {shown(twice)} stands twice in one object")
    return record


def _integer(text: str) -> int:
    if len(text) > DIGIT_LIMIT:
        _refuse_length(text)
    return int(text)


def _fraction(text: str) -> Decimal:
    if len(text) > DIGIT_LIMIT:
        _refuse_length(text)
    exponent = _EXPONENT.search(text)
    if exponent and abs(int(exponent[1])) > EXPONENT_LIMIT:
        message = f"the exponent of {shown(text)} is beyond {EXPONENT_LIMIT}"
        raise JsonFault("number_out_of_range", message)
    return Decimal(text)


def _refuse_length(text: str) -> NoReturn:
    message = f"{shown(text)} is longer than {DIGIT_LIMIT} characters; write it as a string"
    raise JsonFault("number_too_long", message)


def _refuse_constant(name: str) -> NoReturn:
    raise JsonFault("not_finite", f"{name} is no number in JSON")


def _refuse_character(name: str, line: int = 0, column: int = 0) -> NoReturn:
    message = f"the character {name} is not allowed; remove it"
    raise JsonFault("forbidden_character", message, line=line, column=column)


def _too_deep() -> JsonFault:
    return JsonFault("nested_too_deep", f"values are nested deeper than {DEPTH_LIMIT} levels")


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _check_depth_and_characters(value: JsonValue) -> None:
    """Look at what only shows in the parsed value: its depth, and characters that were escaped."""
    level: list[Any] = [value]
    depth = 0
    while level:
        inner: list[Any] = []
        depth += any(isinstance(item, dict | list) for item in level)
        if depth > DEPTH_LIMIT:
            raise _too_deep()
        for item in level:
            if isinstance(item, str):
                if found := forbidden_character(item):
                    _refuse_character(found[1])
            elif isinstance(item, dict):
                inner.extend(item)
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_refuse_constant,
)
