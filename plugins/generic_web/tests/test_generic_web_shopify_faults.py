"""Shopify payloads that are not what they should be: each fault names its field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverseflow import InputError

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Shop


@pytest.fixture
def order(examples: Path) -> dict[str, Any]:
    """The order of the example: two lines, a delivery, a refund of one unit."""
    path = examples / "shopify" / "order_with_refund.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["order"]
    return found


@pytest.mark.parametrize(
    ("field", "value", "code", "told"),
    [
        ("total_discounts", "NaN", "bad_amount", ""),
        ("total_discounts", 9.001, "bad_amount", ""),
        ("total_discounts", "1e99", "bad_amount", ""),
        ("currency", None, "missing_value", ""),
        ("currency", "EURO", "unknown_currency", ""),
        ("id", None, "missing_value", ""),
        ("id", True, "wrong_type", ""),
        ("created_at", "yesterday", "not_a_time", ""),
        ("customer", "Ada", "wrong_type", ""),
        ("taxes_included", "yes", "wrong_type", ""),
        ("line_items", {}, "wrong_type", ""),
        ("line_items", [], "no_lines", ""),
        ("line_items[0]", 7, "wrong_type", ""),
        ("line_items[0].price", "x", "bad_amount", ""),
        ("line_items[0].quantity", -1, "bad_quantity", ""),
        ("line_items[0].quantity", 1.5, "bad_quantity", ""),
        ("line_items[1].id", None, "missing_value", ""),
        ("shipping_lines[0].price", "4,90", "bad_amount", ""),
        ("refunds[0].id", None, "missing_value", ""),
        (
            "refunds[0].transactions[0].currency",
            "USD",
            "currency_mismatch",
            "refunds[0].transactions",
        ),
        ("refunds[0].transactions[0].amount", "0.00", "bad_amount", "refunds[0].transactions"),
        ("refunds[0].refund_line_items[0].quantity", "1", "bad_quantity", ""),
    ],
)
def test_a_field_that_is_not_what_it_should_be_fails_with_its_path(
    shop: Shop, order: dict[str, Any], field: str, value: object, code: str, told: str
) -> None:
    *steps, last = field.replace("[0]", ".0").replace("[1]", ".1").split(".")
    place: Any = order
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    (bad,) = shop.run(json.dumps({"order": order})).bad().values()
    assert (bad.code, bad.outcome) == (code, "failed")
    assert bad.message.startswith(f"order.{told or field}: ")


@pytest.mark.parametrize("body", [{"product": {"line_items": []}}, {"order": 7, "id": 1}])
def test_what_is_neither_an_order_nor_a_refund_fails(
    shop: Shop, order: dict[str, Any], body: dict[str, Any]
) -> None:
    found = shop.run(json.dumps([body, order]))
    assert [bad.code for bad in found.bad().values()] == ["unknown_record"]
    assert found.rows()["order"] == 1


def test_a_bad_refund_leaves_its_order_and_can_be_mended_alone(shop: Shop, order: dict[str, Any]) -> None:
    order["refunds"][0]["created_at"] = "soon"
    found = shop.run(json.dumps({"order": order}))
    assert found.results() == {"applied": 1}
    (bad,) = found.bad().values()
    assert (bad.kind, bad.order_no) == ("refund", "5678901234567890123")
    mended = shop.run(bad.raw[0].replace("soon", "2026-05-15T11:00:00+02:00"))
    assert mended.results() == {"applied": 5}


def test_a_bad_order_among_others_can_be_mended_and_read_again(shop: Shop, order: dict[str, Any]) -> None:
    bad = order | {"id": 2, "currency": "EURO"}
    found = shop.run(json.dumps({"orders": [bad, order]}))
    ((raw,),) = (item.raw for item in found.bad().values())
    assert shop.run(raw.replace("EURO", "EUR")).results()["applied"] == 1


def test_a_broken_document_is_refused_whole(shop: Shop, order: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="malformed_json"):
        shop.run(json.dumps({"order": order}, indent=1)[:-20])
