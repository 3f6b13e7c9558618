"""Cancellations of a ledger: which purchases they are drawn on, and what happens when run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reverseflow import Apply, Record

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Run, Shop

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def row(invoice: str, sku: str, quantity: int, day: int, price: str = "1.00", customer: str = "7") -> str:
    return f"{invoice},{sku},THING,{quantity},12/{day}/10 9:00,{price},{customer},UK\n"


def run(shop: Shop, *rows: str) -> Run:
    return shop.run(HEADER + "".join(rows))


def test_the_newest_purchase_is_drawn_on_first_at_the_price_it_was_bought(shop: Shop) -> None:
    found = run(
        shop,
        row("1", "A", 5, 1, "1.00"),
        row("2", "A", 3, 2, "2.00"),
        row("3", "A", 2, 3, "4.00"),
        row("C4", "A", -6, 4, "9.99"),
    )
    assert shop.tickets() == [
        ("C4", "1", {"1": 1}, "1.00", "awaiting_refund"),
        ("C4", "2", {"1": 3}, "6.00", "awaiting_refund"),
        ("C4", "3", {"1": 2}, "8.00", "awaiting_refund"),
    ]
    assert found.rows() == {"order_line": 3, "return_line": 1}


def test_of_one_moment_the_later_invoice_and_its_later_row_are_newer(shop: Shop) -> None:
    run(
        shop,
        row("9", "A", 1, 1, "1.00"),
        *(row("10", "A", 1, 1, f"{number}.00") for number in range(1, 12)),
        row("C11", "A", -3, 2),
    )
    assert shop.tickets() == [("C11", "10", {"9": 1, "10": 1, "11": 1}, "30.00", "awaiting_refund")]


def test_lines_of_one_cancellation_against_one_order_make_one_ticket(shop: Shop) -> None:
    found = run(
        shop,
        row("1", "A", 5, 1),
        row("1", "K", 5, 1, "3.00"),
        row("C2", "A", -1, 2),
        row("C2", "K", -2, 2),
        row("C2", "A", -1, 2),
    )
    assert shop.tickets() == [("C2", "1", {"1": 2, "2": 2}, "8.00", "awaiting_refund")]
    assert found.rows()["return_line"] == 3
    (apply,) = (record for record, _ in found.outcomes if isinstance(record.command, Apply))
    assert (apply.parts, len(apply.raw)) == (3, 3)


def test_every_step_is_given_by_its_own_role_at_the_time_of_the_cancellation(shop: Shop) -> None:
    found = run(shop, row("1", "A", 5, 1), row("C2", "A", -1, 2))
    steps = [record.command for record, _ in found.outcomes][1:]
    assert [f"{step.kind} {getattr(step, 'actor', '')}" for step in steps] == [
        "apply operations:ledger", "approve operations:ledger", "receive warehouse:ledger",
        "inspect warehouse:ledger", "release finance:ledger",
    ]  # fmt: skip
    ((_, ticket),) = shop.tickets_by_order()
    assert (ticket.applied_at.month, ticket.applied_at.day) == (12, 2)
    assert ticket.released_at == ticket.applied_at


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (row("C9", "A", -6, 5), "more_than_bought", "6 of 'A' cancelled, 5 of 5 bought are left"),
        (row("C9", "K", -1, 5), "no_purchase_found", "had bought no 'K' by then"),
        (row("C9", "a", -1, 5), "no_purchase_found", "had bought no 'a' by then"),
        (row("C9", "A", -1, 5, customer="8"), "no_purchase_found", "had bought no 'A' by then"),
        (row("C9", "A", -1, 1), "no_purchase_found", "had bought no 'A' by then"),
        (row("C9", "A", -1, 5, customer=""), "no_customer", "names no customer"),
        (row("C9", "A", 1, 5), "bad_quantity", "a minus sign is missing"),
    ],
)
def test_a_line_that_cannot_be_matched_in_full_is_refused_in_full(
    shop: Shop, line: str, code: str, says: str
) -> None:
    found = run(shop, line, row("1", "A", 5, 2))
    refused = found.bad()[2]
    assert (code, "refused", "C9") == (refused.code, refused.outcome, refused.id)
    assert says in refused.message
    assert shop.tickets() == []


def test_what_earlier_lines_and_earlier_cancellations_took_is_no_longer_left(shop: Shop) -> None:
    found = run(
        shop,
        row("C3", "A", -1, 4),
        row("1", "A", 5, 1),
        row("C2", "A", -3, 3),
        row("C2", "A", -2, 3),
        row("C2", "A", -1, 3),
    )
    assert "1 of 'A' cancelled, 0 of 5 bought are left" in found.bad()[6].message
    assert {number: refused.code for number, refused in found.bad().items()} == {
        2: "more_than_bought",
        6: "more_than_bought",
    }
    assert shop.refunds() == "5.00"


def test_a_cancellation_long_after_the_return_window_is_a_fact_all_the_same(shop: Shop) -> None:
    late = "C2,A,THING,-1,12/9/11 8:45,1.00,7,UK\n"
    assert {"applied"} == set(run(shop, row("1", "A", 5, 1), late).results())
    ((_, ticket),) = shop.tickets_by_order()
    assert ticket.detail["override"]["rules"] == ["return_window"]


def test_the_rows_of_an_invoice_need_not_stand_together(shop: Shop) -> None:
    run(
        shop,
        row("C2", "K", -1, 2),
        row("1", "A", 5, 1),
        row("C2", "A", -1, 2),
        row("1", "K", 5, 1),
    )
    assert shop.tickets() == [("C2", "1", {"1": 1, "2": 1}, "2.00", "awaiting_refund")]


def test_a_refused_line_can_be_mended_and_run_again_with_the_whole_file(shop: Shop) -> None:
    ledger = (row("1", "A", 2, 1), row("C2", "A", -2, 4), row("C2", "A", -3, 4))
    assert run(shop, *ledger).rows()["more_than_bought"] == 1
    again = run(shop, *ledger, row("3", "A", 9, 3, "5.00"))
    assert shop.tickets() == [
        ("C2", "1", {"1": 2}, "2.00", "awaiting_refund"),
        ("C2", "3", {"1": 3}, "15.00", "awaiting_refund"),
    ]
    assert again.rows() == {"order_line": 2, "return_line": 2}
    assert {"replayed"} == set(run(shop, *ledger, row("3", "A", 9, 3, "5.00")).results())


def test_a_mended_line_against_an_order_with_a_ticket_gets_a_number_of_its_own(shop: Shop) -> None:
    run(shop, row("1", "A", 2, 1), row("1", "K", 2, 1), row("C2", "A", -1, 4))
    mended = [run(shop, row("C2", "K", -2, 4)) for _ in range(2)]
    assert [found.rows() for found in mended] == [{"return_line": 1}] * 2
    assert shop.tickets() == [
        ("C2", "1", {"1": 1}, "1.00", "awaiting_refund"),
        ("C2#2", "1", {"2": 2}, "2.00", "awaiting_refund"),
    ]
    assert [set(found.results()) for found in mended] == [{"applied"}, {"replayed"}]
    whole = run(shop, row("C2", "A", -1, 4), row("C2", "K", -2, 4))
    assert (whole.results(), whole.rows()) == ({"replayed": 10}, {"return_line": 2})


def test_a_line_raised_later_returns_only_what_is_missing(shop: Shop) -> None:
    run(shop, row("1", "A", 9, 1), row("C2", "A", -4, 4))
    run(shop, row("C2", "A", -6, 4))
    assert shop.tickets() == [
        ("C2", "1", {"1": 4}, "4.00", "awaiting_refund"),
        ("C2#2", "1", {"1": 2}, "2.00", "awaiting_refund"),
    ]
    assert {"replayed"} == set(run(shop, row("C2", "A", -6, 4)).results())


def test_a_line_that_explains_only_a_part_of_an_earlier_run_is_refused(shop: Shop) -> None:
    run(shop, row("1", "A", 9, 1), row("C2", "A", -5, 4), row("C2", "A", -5, 4))
    found = run(shop, row("C2", "A", -3, 4))
    assert found.bad()[2].code == "differs_from_earlier_run"
    assert "5 were returned under this cancellation before, 3" in found.bad()[2].message
    assert shop.refunds() == "5.00"


def test_a_newer_purchase_told_later_does_not_move_what_was_returned(shop: Shop) -> None:
    run(shop, row("1", "A", 9, 1), row("C2", "A", -5, 4))
    run(shop, row("3", "A", 9, 3, "7.00"), row("C2", "A", -5, 4))
    assert shop.tickets() == [("C2", "1", {"1": 5}, "5.00", "awaiting_refund")]


def test_a_ledger_cut_into_files_gives_what_the_whole_gives(new_shop: Callable[[], Shop]) -> None:
    sales = [row(str(number), "A", 3, number, f"{number}.00") for number in range(1, 6)]
    returns = [row(f"C{number}", "A", -4, number) for number in range(6, 9)]
    whole, cut = new_shop(), new_shop()
    run(whole, *sales, *returns)
    for part in ([*sales[:3]], [*sales[3:], returns[0]], returns[1:], [*sales, *returns]):
        run(cut, *part)
    assert whole.tickets() == cut.tickets()
    assert cut.refunds() == "42.00"


def test_the_records_of_a_ticket_carry_the_rows_they_come_from(shop: Shop) -> None:
    found = run(shop, row("1", "A", 5, 1), row("C2", "A", -1, 2))
    records = [item for item in found.items if isinstance(item, Record)]
    assert [record.parts for record in records] == [1, 1, 0, 0, 0, 0]
    assert {(row("C2", "A", -1, 2).rstrip("\n"),)} == {record.raw for record in records[1:]}
