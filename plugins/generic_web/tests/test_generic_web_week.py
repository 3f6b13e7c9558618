"""The real week: 14,594 rows of a wholesaler's ledger, compared with an independent computation."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverseflow import BadRecord, Passed, Record

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Shop

WEEK = "online-retail/uci_online_retail_2010-12-01_to_08.csv"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SERVICES = (
    "postage", "carriage", "manual", "discount", "bank_charges", "samples", "amazon_fee",
)  # fmt: skip


def orders_and_tickets(shop: Shop) -> tuple[Counter[tuple[str, str, int, int]], list[object]]:
    """What a run left behind, without the numbers of the lines."""
    orders = Counter(
        (no, line.sku, line.quantity, line.paid)
        for no, case in shop.cases.items()
        for line in case.lines.values()
    )
    tickets: list[object] = []
    for no, ticket in shop.tickets_by_order():
        lines = shop.cases[no].lines
        units = sorted((lines[line.line_no].sku, line.quantity) for line in ticket.lines)
        tickets.append((no, ticket.external_no, units, ticket.total, ticket.status))
    return orders, sorted(tickets, key=repr)


def compare(shop: Shop, path: Path, expected: dict[str, object]) -> None:
    run = shop.run_file(path)
    rows = run.rows()
    refused = {code: rows.pop(code) for code in list(rows) if code in (
        "no_customer", "no_purchase_found", "more_than_bought",
    )}  # fmt: skip
    actual = {
        "rows": rows.total() + sum(refused.values()),
        "orders": len(shop.cases),
        "order_lines": rows["order_line"],
        "service_rows": sum(rows[what] for what in SERVICES),
        "stock_corrections": rows["stock_correction"],
        "return_lines": rows["return_line"],
        "refused": refused,
        "refunds": shop.refunds(),
    }
    assert {**dict.fromkeys(actual, 0), **expected} == actual
    assert set(run.results()) <= {"applied"}


def test_the_week_comes_to_what_an_independent_script_computes(
    shop: Shop, examples: Path, recompute: Callable[[Path], dict[str, object]]
) -> None:
    compare(shop, examples / WEEK, recompute(examples / WEEK))
    statuses = {ticket.status for _, ticket in shop.tickets_by_order()}
    assert statuses == {"awaiting_refund"}


def test_every_row_of_the_week_is_accounted_for_exactly_once(shop: Shop, examples: Path) -> None:
    run = shop.run_file(examples / WEEK)
    with (examples / WEEK).open(encoding="utf-8", newline="") as file:
        expected = [line.rstrip("\n") for line in file][1:]
    parts = sum(item.parts for item in run.items if isinstance(item, Record))
    others = [item for item in run.items if isinstance(item, BadRecord | Passed)]
    assert len(expected) == parts + len(others)
    goods = {raw for item in run.items if isinstance(item, Record) for raw in item.raw}
    refused = {raw for item in run.items if isinstance(item, BadRecord) for raw in item.raw}
    passed = {expected[item.row - 2] for item in run.items if isinstance(item, Passed)}
    assert set(expected) == goods | refused | passed


def test_the_week_run_twice_changes_nothing_and_says_so(shop: Shop, examples: Path) -> None:
    first = shop.run_file(examples / WEEK)
    before = dict(shop.cases)
    second = shop.run_file(examples / WEEK)
    assert first.rows() == second.rows()
    assert set(second.results()) == {"replayed"}
    assert before == shop.cases


@pytest.mark.parametrize("seed", [1, 2])
def test_the_week_in_any_order_of_rows_gives_the_same_orders_and_tickets(
    seed: int, new_shop: Callable[[], Shop], examples: Path
) -> None:
    header, *rows = (examples / WEEK).read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(seed).shuffle(rows)
    straight, shuffled = new_shop(), new_shop()
    first = straight.run_file(examples / WEEK)
    second = shuffled.run(header + "".join(rows))
    assert first.rows() == second.rows()
    assert orders_and_tickets(straight) == orders_and_tickets(shuffled)


def ledger(seed: int, invoices: int) -> str:
    """A made-up ledger full of collisions: few customers, few codes, many cancellations."""
    chance = random.Random(seed)
    text = io.StringIO(HEADER)
    text.seek(0, io.SEEK_END)
    write = csv.writer(text, lineterminator="\n").writerow
    minute = 0
    for number in range(1000, 1000 + invoices):
        minute += chance.randrange(0, 3)
        when = f"12/{1 + minute // 1440}/10 {minute // 60 % 24}:{minute % 60:02}"
        cancels = chance.random() < 0.45
        customer = chance.choice(["", "7", "8"])
        for _ in range(chance.randrange(1, 5)):
            sku = chance.choice(["A", "E", "F", "POST", "M"])
            units = chance.randrange(1, 7) * (-1 if cancels or chance.random() < 0.1 else 1)
            price = chance.choice(["0", "1.1", "2.55", "3"])
            write(["C" * cancels + str(number), sku, "", units, when, price, customer, ""])
    return text.getvalue()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), invoices=st.integers(1, 30))
def test_any_ledger_comes_to_what_the_independent_script_computes(
    seed: int,
    invoices: int,
    new_shop: Callable[[], Shop],
    tmp_path: Path,
    recompute: Callable[[Path], dict[str, object]],
) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text(ledger(seed, invoices), encoding="utf-8")
    compare(new_shop(), path, recompute(path))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), stop_after=st.integers(0, 60))
def test_a_run_killed_anywhere_is_resumed_by_running_it_again(
    seed: int, stop_after: int, new_shop: Callable[[], Shop]
) -> None:
    text = ledger(seed, 16)
    straight, killed = new_shop(), new_shop()
    straight.run(text)
    killed.run(text, stop_after=stop_after)
    resumed = killed.run(text)
    assert set(resumed.results()) <= {"applied", "replayed"}
    assert straight.tickets() == killed.tickets()
    assert set(killed.run(text).results()) <= {"replayed"}
