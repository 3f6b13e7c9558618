"""A ledger's rows: what they become, and what becomes of those that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reverseflow import InputError, Record, RecordOrder

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.generic_web.tests.conftest import Shop

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def row(
    invoice: str, sku: str = "A1", quantity: object = 1, when: str = "12/1/10 8:26",
    price: str = "2.50", customer: str = "17850",
) -> str:  # fmt: skip
    return f"{invoice},{sku},THING,{quantity},{when},{price},{customer},United Kingdom\n"


def order_in(shop: Shop, text: str, /, **options: str) -> RecordOrder:
    shop.options = options
    (order,) = (
        item.command
        for item in shop.run(HEADER + text).items
        if isinstance(item, Record) and isinstance(item.command, RecordOrder)
    )
    return order


def test_a_sale_invoice_becomes_an_order_paid_shipped_and_received(shop: Shop) -> None:
    order = order_in(shop, row("1", "A1", 6, price="2.55") + row("1", "B2", 2, price="0"))
    moment = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert [moment] * 4 == [
        order.placed_at, order.paid_at, order.shipped_at, order.received_at,
    ]  # fmt: skip
    assert [(line.line_no, line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        ("1", "A1", 6, "2.55"),
        ("2", "B2", 2, "0.00"),
    ]
    assert [(p.payment_no, p.amount, p.tender) for p in order.payments] == [("1", "15.30", "cash")]
    assert (order.currency, order.buyer.account) == ("GBP", "17850")


def test_postage_is_shipping_and_other_services_are_charges_that_stay(shop: Shop) -> None:
    text = row("1") + row("1", "POST", 2, price="18") + row("1", "C2", price="5")
    order = order_in(shop, text + row("1", "M", 3, price="1.10") + row("1", "DOT", price="0"))
    assert [shipping.fee for shipping in order.shipping] == ["36.00", "5.00"]
    assert [(charge.code, charge.amount, charge.refundable) for charge in order.charges] == [
        ("manual", "3.30", False)
    ]
    assert [payment.amount for payment in order.payments] == ["46.80"]
    assert shop.cases["1"].paid == 4680


def test_service_rows_are_told_apart_and_counted(shop: Shop) -> None:
    text = "".join(
        row(invoice, sku, quantity, price=price)
        for invoice, sku, quantity, price in (
            ("1", "A1", 1, "1"), ("1", "POST", 1, "5"), ("1", "d", -1, "5"), ("1", "M", 1, "-5"),
            ("2", "AMAZONFEE", 1, "13.21"), ("2", "gift_0001_20", 1, "16.67"),
            ("C3", "BANK CHARGES", -1, "15"), ("C3", "S", -1, "8"), ("A4", "B", 1, "-11062.06"),
            ("5", "A1", -9, "0"),
        )
    )  # fmt: skip
    run = shop.run(HEADER + text)
    expected = {
        "order_line": 1, "postage": 1, "discount": 1, "manual": 1, "amazon_fee": 1,
        "gift_voucher": 1, "bank_charges": 1, "samples": 1, "bad_debt": 1, "stock_correction": 1,
    }  # fmt: skip
    assert expected == run.rows()
    assert list(shop.cases) == ["1"]
    assert shop.cases["1"].paid == 600


def test_an_order_of_free_samples_has_no_payment_and_can_be_returned(shop: Shop) -> None:
    shop.run(HEADER + row("1", price="0") + row("C2", quantity=-1))
    assert shop.cases["1"].payments == {}
    assert shop.tickets() == [("C2", "1", {"1": 1}, "0.00", "completed")]


@pytest.mark.parametrize(
    ("column", "cells", "code"),
    [
        ("Quantity", {"quantity": "1.5"}, "bad_quantity"),
        ("Quantity", {"quantity": "0"}, "bad_quantity"),
        ("Quantity", {"quantity": "1e3"}, "bad_quantity"),
        ("Quantity", {"quantity": "NaN"}, "bad_quantity"),
        ("Quantity", {"quantity": "９"}, "bad_quantity"),
        ("Quantity", {"quantity": ""}, "bad_quantity"),
        ("Quantity", {"quantity": "99999999999"}, "bad_quantity"),
        ("UnitPrice", {"price": "NaN"}, "bad_amount"),
        ("UnitPrice", {"price": "1e400"}, "bad_amount"),
        ("UnitPrice", {"price": "0.001"}, "bad_amount"),
        ("UnitPrice", {"price": "-1"}, "bad_amount"),
        ("UnitPrice", {"price": ""}, "bad_amount"),
        ("UnitPrice", {"price": "9" * 17}, "amount_out_of_range"),
        ("InvoiceDate", {"when": "13/1/10 8:26"}, "not_a_time"),
        ("InvoiceDate", {"when": "1.12.2010"}, "not_a_time"),
        ("InvoiceDate", {"when": ""}, "not_a_time"),
        ("StockCode", {"sku": " "}, "missing_value"),
    ],
)
def test_a_cell_that_is_not_what_it_should_be_fails_with_its_column(
    shop: Shop, column: str, cells: dict[str, Any], code: str
) -> None:
    bad = row("1", **cells)
    run = shop.run(HEADER + bad + row("2"))
    assert {code: 1, "order_line": 1} == run.rows()
    fault = run.bad()[2]
    assert ("failed", (bad.rstrip("\n"),)) == (fault.outcome, fault.raw)
    assert fault.message.startswith(f"{column}: ")


def test_an_invoice_with_a_bad_row_is_refused_whole(shop: Shop) -> None:
    text = row("1") + row("2") + row("1", quantity="x") + row("1", "POST") + row("1", quantity=-1)
    run = shop.run(HEADER + text)
    expected = {
        "invoice_has_bad_row": 2, "bad_quantity": 1, "order_line": 1, "stock_correction": 1,
    }  # fmt: skip
    assert expected == run.rows()
    assert {number: bad.outcome for number, bad in run.bad().items()} == {
        2: "refused",
        4: "failed",
        5: "refused",
    }
    assert list(shop.cases) == ["2"]


@pytest.mark.parametrize("broken", ["1,B2,SHORT,1", "1,B2,a,comma,1,12/1/10 8:26,1,1,UK"])
def test_a_row_that_is_no_proper_csv_spoils_its_invoice_too(shop: Shop, broken: str) -> None:
    run = shop.run(HEADER + row("1") + broken + "\n" + row("2"))
    code = "row_too_short" if "SHORT" in broken else "row_too_long"
    assert {"invoice_has_bad_row": 1, code: 1, "order_line": 1} == run.rows()


def test_a_cancellation_with_a_bad_row_keeps_its_other_rows(shop: Shop) -> None:
    run = shop.run(HEADER + row("1") + row("C2", quantity="-x") + row("C2", quantity=-1))
    assert run.rows() == {"order_line": 1, "bad_quantity": 1, "return_line": 1}


def test_a_row_without_an_invoice_number_fails_alone(shop: Shop) -> None:
    run = shop.run(HEADER + row("1") + row("") + row(" ", quantity=-2) + "\n,,,\n")
    assert run.rows() == {"order_line": 1, "missing_value": 2, "row_too_short": 1}


def test_an_invoice_of_two_customers_is_refused(shop: Shop) -> None:
    text = row("1") + row("1", "B2", customer="13047") + row("C3", quantity=-1)
    run = shop.run(HEADER + text + row("C3", "B2", -1, customer="13047"))
    assert run.rows() == {"mixed_customer": 4}
    assert "'13047' and '17850'" in run.bad()[2].message


def test_more_units_than_a_line_may_have_is_refused_by_the_engine_not_lost(shop: Shop) -> None:
    run = shop.run(HEADER + row("1", quantity=10**9, price="9999999.99"))
    assert run.results() == {"amount_out_of_range": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12/1/10 8:26", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("12/1/2010 8:26", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("2010-12-01 08:26:00", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("2010-12-01T08:26:00+08:00", datetime(2010, 12, 1, 0, 26, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_the_ways_ledgers_write_them(shop: Shop, text: str, expected: datetime) -> None:
    assert expected == order_in(shop, row("1", when=text)).placed_at


def test_currency_zone_and_shop_are_options(shop: Shop) -> None:
    text = row("1", price="250", when="6/1/10 8:26")
    order = order_in(shop, text, currency="JPY", zone="Europe/London", shop="gifts")
    expected = ("JPY", "gifts", "250", datetime(2010, 6, 1, 7, 26, tzinfo=UTC))
    assert expected == (order.currency, order.shop, order.payments[0].amount, order.placed_at)


@pytest.mark.parametrize("options", [{"currency": "XXX1"}, {"zone": "Mars/Base"}, {"zone": ".."}])
def test_an_option_that_cannot_be_used_refuses_the_file(shop: Shop, options: dict[str, str]) -> None:
    shop.options = options
    with pytest.raises(InputError, match="bad_option"):
        shop.run(HEADER + row("1"))


def test_columns_may_stand_in_any_order_after_a_byte_order_mark(shop: Shop) -> None:
    text = "\ufeffCountry,Quantity,UnitPrice,StockCode,InvoiceNo,InvoiceDate,CustomerID,Description"
    run = shop.run(text + '\r\nUK,2,1.00,A1,1,12/1/10 8:26,7,"a ""b"", c"\r\nUK,2\r\n')
    assert run.rows() == {"order_line": 1, "row_too_short": 1}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (HEADER.replace(",UnitPrice", ""), "missing_column"),
        (HEADER.replace("Country", "Land"), "missing_column"),
        (HEADER.replace("Country", "Country,Land"), "unknown_column"),
        (HEADER.replace("Country", "Country,Country"), "duplicate_column"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file(shop: Shop, header: str, code: str) -> None:
    with pytest.raises(InputError, match=code):
        shop.run(header + row("1"))


@pytest.mark.parametrize("text", ["", "a,b\n", '{"order": {}}', "InvoiceNo,Quantity\n"])
def test_other_files_are_not_taken_for_a_ledger(shop: Shop, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="not enough values"):
        shop.reader_of(path)
