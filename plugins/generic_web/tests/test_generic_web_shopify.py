"""Shopify's payloads: orders whose totals decide, refunds that have happened or are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverseflow import Apply, Inspect, Record, RecordOrder, SettleResult

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Run, Shop

ORDER_ID = 1234567890123456789


def line(number: int, price: str = "10.00", quantity: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": number, "sku": f"S{number}", "price": price, "quantity": quantity, **fields}


def order(*lines: dict[str, Any], total: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": ORDER_ID, "currency": "EUR", "taxes_included": True, "financial_status": "paid",
        "created_at": "2026-05-01T10:00:00+02:00", "gateway": "stripe", "total_price": total,
        "line_items": list(lines), **fields,
    }  # fmt: skip


def fulfilled(*units: tuple[int, int]) -> dict[str, Any]:
    return {
        "status": "success", "created_at": "2026-05-02T10:00:00+02:00",
        "line_items": [{"id": number, "quantity": quantity} for number, quantity in units],
    }  # fmt: skip


def refund(amount: str | None, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    moved = [] if amount is None else [
        {"id": 77, "kind": "refund", "status": "success", "amount": amount, "currency": "EUR"}
    ]  # fmt: skip
    return {
        "id": 9876543210987654321, "order_id": ORDER_ID, "created_at": "2026-05-10T10:00:00+02:00",
        "refund_line_items": list(items), "transactions": moved, **fields,
    }  # fmt: skip


def item(number: int, quantity: int = 1, restock: str = "return") -> dict[str, Any]:
    return {"line_item_id": number, "quantity": quantity, "restock_type": restock}


def run(shop: Shop, document: Any) -> Run:
    return shop.run(json.dumps(document, indent=1))


def record(found: Run) -> RecordOrder:
    command = next(i.command for i in found.items if isinstance(i, Record))
    assert isinstance(command, RecordOrder)
    return command


def applied(found: Run) -> Apply:
    return next(r.command for r, _ in found.outcomes if isinstance(r.command, Apply))


def test_the_example_goes_from_order_to_settled_refund_and_is_replayed(shop: Shop, examples: Path) -> None:
    path = examples / "shopify" / "order_with_refund.json"
    found = shop.run_file(path)
    assert set(found.results()) == {"applied"}
    assert found.rows() == {"order": 1, "refund": 1}
    expected = (
        "6789012345678901234", "5678901234567890123", {"1234567890123456781": 1},
        "18.00", "completed",
    )  # fmt: skip
    assert shop.tickets() == [expected]
    assert list(shop.cases["5678901234567890123"].payments) == ["3456789012345678901"]
    assert set(shop.run_file(path).results()) == {"replayed"}


def test_an_order_whose_lines_do_not_come_to_its_total_is_refused(shop: Shop, examples: Path) -> None:
    """Shopify's own test order has three lines of 199.00 and a subtotal of 398.00."""
    found = shop.run_file(examples / "shopify" / "py_order.json")
    assert found.results() == {"amounts_do_not_add_up": 1}
    assert found.warned() == ["payment_not_captured"]


def test_tax_given_for_the_order_alone_is_spread_over_the_lines(shop: Shop, examples: Path) -> None:
    """Its one fulfilment failed, so nothing was shipped; the discount code took nothing off."""
    found = shop.run_file(examples / "shopify" / "order_mended.json")
    assert found.results() == {"applied": 1}
    case = shop.cases["450789469"]
    assert [(x.paid, x.tax, x.discounts) for x in case.goods] == [(20298, 398, ())] * 3
    assert (case.shipped_at, case.paid, list(case.payments)) == (None, 60894, ["authorize_net"])


def test_shopifys_own_refund_gives_back_less_than_its_lines_cost(shop: Shop, examples: Path) -> None:
    """209.00 of 405.96, for unshipped goods."""
    shop.run_file(examples / "shopify" / "order_mended.json")
    found = shop.run_file(examples / "shopify" / "py_refund.json")
    assert found.results() == {"applied": 3}
    expected = (
        "509562969", "450789469", {"703073504": 1, "466157049": 1}, "209.00", "completed"
    )  # fmt: skip
    assert shop.tickets() == [expected]
    case = shop.cases["450789469"]
    assert [claim.refunded for claim in case.claims.values()] == [10450, 10450]


def test_a_refund_of_an_unknown_order_is_refused(shop: Shop, examples: Path) -> None:
    found = shop.run_file(examples / "shopify" / "py_refund.json")
    assert found.results() == {"unknown_order": 3}


def test_an_order_without_lines_fails_and_a_calculation_is_counted(shop: Shop, examples: Path) -> None:
    found = shop.run_file(examples / "shopify" / "py_orders.json")
    assert (found.rows(), found.bad()[1].order_no) == ({"no_lines": 1}, "450789469")
    found = shop.run_file(examples / "shopify" / "py_refund_calculate.json")
    assert found.rows() == {"refund_calculation": 1}


def test_discounts_are_the_lines_own_and_what_the_total_has_beyond_them(shop: Shop) -> None:
    lines = (line(1, "30.00", total_discount="5.00"), line(2, "20.00"))
    document = order(*lines, total="41.00", total_discounts="9.00", discount_codes=[{"code": "MAY"}])
    told = record(run(shop, {"order": document}))
    assert [facts.discount for facts in told.lines] == ["5.00", "0.00"]
    assert [(d.code, d.amount) for d in told.discounts] == [("MAY", "4.00")]
    assert shop.cases[str(ORDER_ID)].paid == 4100


def test_shipping_tax_tips_and_tax_on_top_add_up(shop: Shop) -> None:
    tax = [{"price": "1.90"}]
    document = order(
        line(1, tax_lines=tax), total="18.85", taxes_included=False, total_tax="2.85",
        total_tip_received="1.00",
        shipping_lines=[{"price": "6.00", "discount_allocations": [{"amount": "1.00"}],
                         "tax_lines": [{"price": "0.95"}]}],
    )  # fmt: skip
    assert run(shop, {"orders": [document]}).results() == {"applied": 1}


def test_several_tenders_are_several_payments(shop: Shop) -> None:
    sale = {"kind": "sale", "status": "success"}
    document = order(
        line(1), total="10.00",
        transactions=[
            {**sale, "id": 1, "gateway": "gift_card", "amount": "4.00"},
            {**sale, "id": 2, "gateway": "stripe", "amount": "6.00"},
            {**sale, "id": 3, "gateway": "stripe", "amount": "6.00", "status": "failure"},
        ],
    )  # fmt: skip
    assert run(shop, document).results() == {"applied": 1}
    payments = shop.cases[str(ORDER_ID)].payments.values()
    assert [(p.payment_no, p.tender) for p in payments] == [("1", "gift_card"), ("2", "cash")]


def test_an_order_told_before_and_after_its_capture_is_the_same_order(shop: Shop) -> None:
    hold = {"id": 1, "kind": "authorization", "status": "success", "amount": "10.00"}
    taken = {"id": 2, "parent_id": 1, "kind": "capture", "status": "success", "amount": "10.00"}
    first = run(shop, order(line(1), total="10.00", transactions=[hold], financial_status="pending"))
    second = run(shop, order(line(1), total="10.00", transactions=[hold, taken]))
    assert (first.warned(), second.warned()) == (["payment_not_captured"], [])
    assert second.results() == {"replayed": 1}


def test_a_refund_of_shipped_goods_that_come_back_is_a_return(shop: Shop) -> None:
    sold = order(line(1, quantity=3), total="30.00", fulfillments=[fulfilled((1, 3))])
    found = run(shop, {"order": {**sold, "refunds": [refund("20.00", item(1, 2))]}})
    assert set(found.results()) == {"applied"}
    kinds = [r.command.kind for r, _ in found.outcomes]
    steps = ["apply", "approve", "receive", "inspect", "settle_result"]
    assert kinds == ["order", *steps]
    assert applied(found).type == "return_refund"


def test_units_not_restocked_are_refunded_and_reach_no_stock(shop: Shop) -> None:
    sold = order(line(1), line(2), total="20.00", fulfillments=[fulfilled((1, 1), (2, 1))])
    back = refund("20.00", item(1), item(2, restock="no_restock"))
    found = run(shop, {"order": {**sold, "refunds": [back]}})
    inspect = next(r.command for r, _ in found.outcomes if isinstance(r.command, Inspect))
    assert [x.disposition for x in inspect.lines] == ["restock", "missing"]
    assert shop.refunds() == "20.00"


def test_goods_that_stay_with_the_buyer_are_a_refund_only(shop: Shop) -> None:
    sold = order(line(1), total="10.00", fulfillment_status="fulfilled")
    found = run(shop, {"order": {**sold, "refunds": [refund("10.00", item(1, 1, "no_restock"))]}})
    kinds = [r.command.kind for r, _ in found.outcomes]
    assert kinds == ["order", "apply", "approve", "settle_result"]
    assert shop.tickets()[0][4] == "completed"


def test_a_cancelled_part_of_a_partly_shipped_order_was_never_shipped(shop: Shop) -> None:
    sold = order(line(1, quantity=3), total="30.00", fulfillments=[fulfilled((1, 2))])
    found = run(shop, {"order": {**sold, "refunds": [refund("10.00", item(1, 1, "cancel"))]}})
    kinds = [r.command.kind for r, _ in found.outcomes]
    assert kinds == ["order", "apply", "approve", "settle_result"]
    assert set(found.results()) == {"applied"}
    assert [ticket.phase for _, ticket in shop.tickets_by_order()] == ["unshipped"]


def test_more_than_the_lines_allow_is_refused_with_what_is_allowed(shop: Shop) -> None:
    sold = order(line(1), total="10.00", fulfillments=[fulfilled((1, 1))])
    run(shop, {"order": sold})
    found = run(shop, {"refund": refund("10.01", item(1))})
    assert found.outcomes[0][1] == "amount_above_quote"


def test_shipping_given_back_is_asked_for_as_shipping(shop: Shop) -> None:
    sold = order(
        line(1), total="15.00", shipping_lines=[{"price": "5.00"}],
        fulfillments=[fulfilled((1, 1))],
    )  # fmt: skip
    adjustment = {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "0.00"}
    back = refund("15.00", item(1), order_adjustments=[adjustment])
    found = run(shop, {"order": {**sold, "refunds": [back]}})
    assert (applied(found).amount, applied(found).refund_shipping) == ("15.00", "5.00")
    assert (shop.refunds(), shop.tickets()[0][4]) == ("15.00", "completed")


def test_shipping_kept_by_the_shop_stays_with_it(shop: Shop) -> None:
    """A whole order that was not shipped, its shipping not given back."""
    sold = order(line(1), total="15.00", shipping_lines=[{"price": "5.00"}])
    run(shop, {"order": {**sold, "refunds": [refund("10.00", item(1, restock="cancel"))]}})
    ((_, ticket),) = shop.tickets_by_order()
    assert (ticket.status, [line.refund for line in ticket.lines]) == ("completed", [1000])


def test_a_refund_without_lines_is_money_given_back_outside(shop: Shop) -> None:
    sold = order(line(1), total="10.00")
    back = refund("3.00")
    back["transactions"][0]["gateway"] = "stripe"
    found = run(shop, {"order": {**sold, "refunds": [back]}})
    assert [r.command.kind for r, _ in found.outcomes] == ["order", "external_refund"]
    assert shop.cases[str(ORDER_ID)].payments["stripe"].refunded == 300


def test_a_refund_no_money_was_moved_for_waits_for_a_person(shop: Shop) -> None:
    sold = order(line(1), total="10.00", fulfillments=[fulfilled((1, 1))])
    found = run(shop, {"order": {**sold, "refunds": [refund(None, item(1))]}})
    assert found.warned() == ["no_money_moved"]
    assert shop.tickets()[0][3:] == ("10.00", "pending_review")


def test_a_refund_still_under_way_is_applied_for_and_not_settled(shop: Shop) -> None:
    back = refund("10.00", item(1))
    back["transactions"][0]["status"] = "pending"
    sold = order(line(1), total="10.00", fulfillments=[fulfilled((1, 1))])
    found = run(shop, {"order": {**sold, "refunds": [back]}})
    assert not any(isinstance(r.command, SettleResult) for r, _ in found.outcomes)
    assert shop.tickets()[0][3:] == ("10.00", "pending_review")
    back["transactions"][0]["status"] = "success"
    again = run(shop, {"order": {**sold, "refunds": [back]}})
    assert again.results() == {"replayed": 2, "applied": 4}
    assert shop.tickets()[0][4] == "completed"


def test_the_same_refund_inside_its_order_and_alone_is_one_refund(shop: Shop) -> None:
    sold = order(line(1), total="10.00", fulfillments=[fulfilled((1, 1))])
    back = refund("10.00", item(1))
    run(shop, {"order": {**sold, "refunds": [back]}})
    again = run(shop, {"refunds": [back]})
    assert again.results() == {"replayed": 5}


def test_json_lines_and_bare_webhook_bodies_are_read_too(shop: Shop) -> None:
    sold = order(line(1), total="10.00", fulfillments=[fulfilled((1, 1))])
    lines = [
        json.dumps(sold),
        '{"order": {"id": 1, "line_items"',
        json.dumps(refund("4.00", item(1))),
    ]
    found = shop.run("\n".join(lines) + "\n")
    assert [bad.row for bad in found.bad().values()] == [2]
    assert shop.tickets()[0][3:] == ("4.00", "completed")


def test_a_document_on_one_line_or_many_is_the_same(new_shop: Callable[[], Shop]) -> None:
    document = {"orders": [order(line(1), total="10.00"), {**order(total="1"), "id": 2}]}
    texts = [
        json.dumps(document),
        json.dumps(document, indent=1),
        f"[\n{json.dumps(document)}\n]",
        "\n".join(map(json.dumps, document["orders"])),
    ]
    shops = [new_shop() for _ in texts]
    found = [shop.run(text) for shop, text in zip(shops, texts, strict=True)]
    assert [one.results() for one in found] == [{"applied": 1}] * 4
    assert [one.rows() for one in found] == [{"order": 1, "no_lines": 1}] * 4
    assert all(shop.cases == shops[0].cases for shop in shops)
