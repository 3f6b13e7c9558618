"""Reads a transaction ledger: sale invoices become orders, cancellations become returns.

The ledger is the kind a small wholesaler keeps: one CSV row per invoice line, a ``C`` before the
number of a cancellation invoice, postage and fees as rows among the goods. Rows may stand in any
order. Every row of the file is accounted for exactly once: in a `Record`, a `BadRecord` or a
`Passed`.

Options: ``currency`` (default GBP), ``zone`` of times without one (default UTC), ``shop``.
"""

from collections.abc import Iterator

from reverseflow import (
    BadRecord,
    BadRow,
    InputError,
    InputReader,
    ReadContext,
    ReadItem,
    Source,
    peek_header,
    read_table,
)
from reverseflow_generic_web.ledger_returns import read_cancellation
from reverseflow_generic_web.ledger_rows import (
    COLUMNS,
    Entry,
    Terms,
    broken_entry,
    entry_reader,
    terms_of,
)
from reverseflow_generic_web.ledger_sales import read_sale
from reverseflow_generic_web.scratch import scratch

#: A file whose header has these is a ledger; what else it lacks is then said by name.
MARKS = {"InvoiceNo", "StockCode"}


def detects(source: Source) -> bool:
    """Whether the first row is the header of a ledger."""
    try:
        return set(peek_header(source)) >= MARKS
    except InputError:
        return False


def read(source: Source, context: ReadContext) -> Iterator[ReadItem]:
    """The orders of the ledger by date, then its cancellations by date.

    `InputError` where the header does not fit or an option cannot be used.
    """
    terms = terms_of(context.options)
    with scratch() as ledger:
        ledger.add(_entries(source, terms))
        for entry in ledger.without_invoice():
            yield _homeless(entry)
        for entries in ledger.invoices(cancelling=False):
            yield from read_sale(entries, terms)
        for entries in ledger.invoices(cancelling=True):
            yield from read_cancellation(entries, context)


def _entries(source: Source, terms: Terms) -> Iterator[Entry]:
    rows = read_table(source, COLUMNS)
    position = peek_header(source).index("InvoiceNo")
    read_entry = entry_reader(terms)
    for row in rows:
        yield broken_entry(row, position) if isinstance(row, BadRow) else read_entry(row)


def _homeless(entry: Entry) -> BadRecord:
    code = entry.fault or "missing_value"
    message = entry.message or "InvoiceNo: the row names no invoice"
    return BadRecord(entry.row, (entry.raw,), code, message)


READER = InputReader(
    "ledger",
    detects,
    read,
    describes="transaction ledger CSV: InvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice …",
    options=("currency", "zone", "shop"),
)
