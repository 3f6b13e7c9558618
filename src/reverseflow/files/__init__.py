"""Reading input files strictly and streaming; readers of every plugin use it."""

from reverseflow.batch.cells import BadRow, CellFault, parse_integer, parse_time
from reverseflow.batch.jsonlines import JsonFault, JsonRow, parse_json, read_json_document, read_json_lines
from reverseflow.batch.sources import Source, open_source
from reverseflow.batch.tables import TableRow, peek_header, read_table
