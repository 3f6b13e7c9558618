"""What Shopify has paid by itself is settled here too, and never paid a second time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverseflow import Engine, Record, Ticket
from reverseflow.outbox.relay import list_outbox

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Shop

ORDER_NO = "5678901234567890123"


@pytest.fixture
def order(examples: Path) -> dict[str, Any]:
    """The order of the example: everything delivered, a refund of one unit."""
    path = examples / "shopify" / "order_with_refund.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["order"]
    return found


@pytest.fixture
def engine(shop: Shop, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    now = datetime(2026, 7, 1, tzinfo=UTC)
    with Engine(url, plugins=shop.registry, clock=lambda: now, create=True) as engine:
        yield engine


def hand_in(engine: Engine, shop: Shop, order: dict[str, Any]) -> list[str]:
    """Read an order and carry out its commands; what became of each."""
    items = shop.run(json.dumps({"order": order})).items
    commands = [item.command for item in items if isinstance(item, Record)]
    return [result.outcome for result in engine.execute(commands, platform="generic_web")]


def ticket(engine: Engine) -> Ticket:
    case = engine.case(ORDER_NO)
    assert case is not None
    (found,) = case.tickets.values()
    return found


@pytest.mark.parametrize(
    ("restock", "instructed"), [("return", ["stock_in"]), ("no_restock", []), ("cancel", [])]
)
def test_a_refund_shopify_paid_leaves_no_money_to_be_moved(
    engine: Engine, shop: Shop, order: dict[str, Any], restock: str, instructed: list[str]
) -> None:
    order["refunds"][0]["refund_line_items"][0]["restock_type"] = restock
    if restock == "cancel":
        order |= {"fulfillment_status": None, "fulfillments": []}
        for line in order["line_items"]:
            line["fulfillment_status"] = None
    assert set(hand_in(engine, shop, order)) == {"applied"}
    assert ticket(engine).status == "completed"
    assert [payout.state for payout in ticket(engine).payouts] == ["settled"]
    assert [entry["kind"] for entry in list_outbox(engine)] == instructed
    assert engine.money_totals() == {"EUR": (8590, 0, 1800)}
    assert set(hand_in(engine, shop, order)) == {"replayed"}
    assert len(list_outbox(engine)) == len(instructed)


def test_what_is_under_way_there_no_rule_pays_here(engine: Engine, shop: Shop, order: dict[str, Any]) -> None:
    """Goods that were not shipped would be refunded at once, had the shop applied itself."""
    order |= {"fulfillment_status": None, "fulfillments": []}
    for line in order["line_items"]:
        line["fulfillment_status"] = None
    order["refunds"][0]["refund_line_items"][0]["restock_type"] = "cancel"
    order["refunds"][0]["transactions"][0]["status"] = "pending"
    hand_in(engine, shop, order)
    assert (ticket(engine).status, list_outbox(engine)) == ("pending_review", [])


def test_a_refund_after_the_window_is_taken_as_shopify_took_it(
    engine: Engine, shop: Shop, order: dict[str, Any]
) -> None:
    order["refunds"][0]["created_at"] = "2026-06-30T11:00:00+02:00"
    assert set(hand_in(engine, shop, order)) == {"applied"}
    assert ticket(engine).opened_by == "platform:shopify"
