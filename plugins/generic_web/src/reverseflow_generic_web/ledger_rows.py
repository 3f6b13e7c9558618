"""A row of a transaction ledger: what it says, and what kind of row it is.

Nothing here looks at another row. A row that is malformed becomes an entry as well, with its
fault, because the invoice it stands on cannot be used without it.
"""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from reverseflow import (
    AmountError,
    BadRow,
    CellFault,
    InputError,
    Money,
    TableRow,
    parse_amount,
    parse_integer,
    parse_time,
    shown,
)

COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity",
    "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip
TIME_FORMATS = ("%m/%d/%y %H:%M", "%m/%d/%Y %H:%M", "iso")
MAX_QUANTITY = 10**9
LONGEST_NUMBER = 64

GOODS, STOCK_CORRECTION, BAD = "goods", "stock_correction", "bad"
POSTAGE, CARRIAGE = "postage", "carriage"

#: Stock codes that are no goods, in capitals, and what their rows are.
SERVICES: Mapping[str, str] = {
    "POST": POSTAGE,
    "DOT": POSTAGE,
    "C2": CARRIAGE,
    "C3": CARRIAGE,
    "M": "manual",
    "D": "discount",
    "S": "samples",
    "B": "bad_debt",
    "BANK CHARGES": "bank_charges",
    "AMAZONFEE": "amazon_fee",
    "CRUK": "commission",
    "PADS": "pads",
    "ADJUST": "adjustment",
    "ADJUST2": "adjustment",
}
VOUCHER_PREFIX, VOUCHER = "GIFT_", "gift_voucher"


class Terms(NamedTuple):
    """What the ledger does not say itself: its currency, the zone of its times, the shop."""

    currency: str
    zone: tzinfo
    shop: str


class Entry(NamedTuple):
    """One row: `quantity` signed, `price` in minor units, `at` a UTC time as text ("" if bad).

    `fault` is the code of what is wrong with it, and empty for a good row.
    """

    row: int
    raw: str
    invoice: str
    sku: str = ""
    title: str = ""
    quantity: int = 0
    at: str = ""
    price: int = 0
    account: str = ""
    country: str = ""
    fault: str = ""
    message: str = ""

    @property
    def cancels(self) -> bool:
        """Whether it stands on a cancellation invoice."""
        return is_cancellation(self.invoice)

    @property
    def what(self) -> str:
        """`GOODS`, `STOCK_CORRECTION`, `BAD`, or what kind of service row it is."""
        if self.fault:
            return BAD
        service = service_of(self.sku)
        if service:
            return service
        return STOCK_CORRECTION if self.quantity < 0 and not self.cancels else GOODS

    @property
    def moment(self) -> datetime:
        """When it was invoiced."""
        return datetime.fromisoformat(self.at)


def is_cancellation(invoice: str) -> bool:
    """Whether an invoice number has the ``C`` of a cancellation before it."""
    return invoice[:1] in ("C", "c")


def service_of(sku: str) -> str:
    """What a stock code of a service stands for; empty for goods."""
    code = sku.upper()
    return VOUCHER if code.startswith(VOUCHER_PREFIX) else SERVICES.get(code, "")


def terms_of(options: Mapping[str, str]) -> Terms:
    """The terms from a run's options; `InputError` ``bad_option`` for one that cannot be used."""
    currency = options.get("currency", "GBP")
    try:
        Money(0, currency)
    except AmountError as error:
        raise InputError("bad_option", f"option currency: {error.message}") from None
    name = options.get("zone", "UTC")
    try:
        zone = UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f"option zone: {shown(name)} is not a zone known here, such as Europe/London"
        raise InputError("bad_option", message) from None
    return Terms(currency, zone, options.get("shop", ""))


def entry_reader(terms: Terms) -> Callable[[TableRow], Entry]:
    """A function that reads one row under `terms`; times that repeat are read once."""

    @lru_cache(maxsize=4096)
    def moment(text: str) -> str:
        found: datetime = parse_time(text, TIME_FORMATS, terms.zone)
        return found.isoformat()

    def entry(row: TableRow) -> Entry:
        cells: dict[str, str] = row.cells
        faults: list[tuple[str, str]] = []

        def read(column: str, parse: Callable[[str], Any], default: Any) -> Any:
            try:
                return parse(cells[column])
            except (CellFault, AmountError) as fault:
                faults.append((fault.code, f"{column}: {fault.message}"))
                return default

        invoice, sku = cells["InvoiceNo"].strip(), cells["StockCode"].strip()
        quantity = read("Quantity", _quantity, 0)
        at = read("InvoiceDate", moment, "")
        price = read("UnitPrice", lambda text: _price(text, sku, terms.currency), 0)
        if not sku:
            faults.append(("missing_value", "StockCode: the row names no goods"))
        return Entry(
            row.row, row.raw, invoice, sku, cells["Description"].strip(), quantity, at, price,
            cells["CustomerID"].strip(), cells["Country"].strip(), *(faults[0] if faults else ()),
        )  # fmt: skip

    return entry


def broken_entry(row: BadRow, position: int) -> Entry:
    """A row that is no proper CSV, with the invoice number found at `position` if there is one."""
    try:
        invoice = next(csv.reader(io.StringIO(row.raw)))[position].strip()
    except (csv.Error, IndexError, StopIteration):
        invoice = ""
    if not (invoice.isprintable() and len(invoice) <= LONGEST_NUMBER):
        invoice = ""
    return Entry(row.row, row.raw, invoice, fault=row.code, message=row.message)


def _quantity(text: str) -> int:
    try:
        quantity: int = parse_integer(text, minimum=-MAX_QUANTITY, maximum=MAX_QUANTITY)
    except CellFault as fault:
        raise CellFault("bad_quantity", fault.message) from None
    if quantity == 0:
        raise CellFault("bad_quantity", "0 units were neither sold nor taken back")
    return quantity


def _price(text: str, sku: str, currency: str) -> int:
    price: int = parse_amount(text, currency)
    if price < 0 and not service_of(sku):
        raise CellFault("bad_amount", f"{shown(text)} is below zero")
    return price
