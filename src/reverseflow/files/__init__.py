"""Reading input files strictly and streaming; the readers of every plugin stand on it.

What a file is (`open_source`), its rows (`read_table`, `read_json_lines`), its cells. Nothing is
guessed: what cannot be read for certain is refused with its place.
"""

from reverseflow.files.cells import BadRow, CellFault, parse_integer, parse_time
from reverseflow.files.jsonlines import (
    JsonFault,
    JsonRow,
    parse_json,
    read_json_document,
    read_json_lines,
)
from reverseflow.files.sources import Line, Source, open_source
from reverseflow.files.tables import TableRow, peek_header, read_table

__all__ = [
    "BadRow",
    "CellFault",
    "JsonFault",
    "JsonRow",
    "Line",
    "Source",
    "TableRow",
    "open_source",
    "parse_integer",
    "parse_json",
    "parse_time",
    "peek_header",
    "read_json_document",
    "read_json_lines",
    "read_table",
]
