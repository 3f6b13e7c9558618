"""Goods coming back: on the road, received in parts, inspected; the money follows what arrived."""

from typing import Any

import attrs
import pytest

from reverseflow.core.case import Ticket
from reverseflow.core.commands import LineAsked, LineInspected, LineReceived
from reverseflow.core.events import Event
from support.cases import E1, SERVICE_FEE, Desk, found, goods, money, paid, parcel, rulebook, sale, units

ORDER = sale(goods("A", "10.00", 3, shipped=3), goods("B", "7.00", 2, shipped=2), paid("44.00"))
INSTANT = rulebook(auto_approve_unshipped=False, refund_timing="on_approval")


def returning(desk: Desk | None = None, **fields: Any) -> Desk:
    """A desk with a return that was approved and is on its way."""
    desk = desk or Desk(ORDER)
    desk.done("apply", type="return_refund", **{"lines": units(A=3), **fields})
    desk.through("approve", "ship_back")
    return desk


def surprises(ticket: Ticket) -> list[list[object]]:
    return list(ticket.detail.get("surprises", ()))


def stock_in(desk: Desk) -> list[tuple[str, str, int, str]]:
    """What goes into stock: key, SKU, units, disposition."""
    return [
        (told.key, told.lines[0]["sku"], told.lines[0]["quantity"], told.lines[0]["disposition"])
        for told in desk.instructions
        if told.kind == "stock_in"
    ]


# --- on the road ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("ship_back", "return_shipped"),
        ("book_pickup", "pickup_booked"),
        ("refuse_delivery", "delivery_refused"),
        ("intercept", "parcel_intercepted"),
    ],
)
def test_goods_come_back_in_four_ways(kind: str, event: str) -> None:
    """S-12, S-13."""
    desk = Desk(ORDER)
    desk.done("apply", type="return_refund", lines=units(A=3))
    desk.done("approve")
    ticket = desk.done(kind, carrier="SF", tracking_no="SF1", note="two boxes")
    assert ticket.legs["return"] == "in_transit"
    assert ticket.detail["parcels"] == [{"way": kind, "carrier": "SF", "tracking_no": "SF1"}]
    assert (desk.events[-1].kind, desk.events[-1].private) == (event, {"note": "two boxes"})


def test_what_the_buyer_sends_has_a_tracking_number() -> None:
    desk = Desk(ORDER)
    desk.done("apply", type="return_refund", lines=units(A=3))
    desk.done("approve")
    for tracking_no in ("", "  "):
        assert desk.refused("ship_back", tracking_no=tracking_no).code == "tracking_required"
    desk.done("book_pickup", tracking_no="")


def test_several_parcels_add_up() -> None:
    desk = returning()
    desk.done("ship_back", tracking_no="SF2")
    assert [box["tracking_no"] for box in desk.ticket.detail["parcels"]] == ["SF1", "SF2"]


def test_a_refund_only_ticket_has_no_goods_to_send() -> None:
    desk = Desk(ORDER)
    desk.done("apply", lines=units(A=1))
    desk.done("approve")
    refusal = desk.refused("ship_back")
    assert refusal.code == "no_such_leg" and "refund_only" in refusal.message


# --- the whole way ----------------------------------------------------------------------------------


def test_a_return_goes_through_all_its_legs() -> None:
    desk = Desk(ORDER)
    statuses = [desk.done("apply", type="return_refund", lines=units(A=3)).status]
    way = ("approve", "ship_back", "receive", "inspect", "release", "settle_result")
    statuses.extend(desk.done(kind).status for kind in way)
    assert statuses == [
        "pending_review", "awaiting_return", "awaiting_return", "awaiting_return",
        "awaiting_refund", "awaiting_refund", "completed",
    ]  # fmt: skip
    assert stock_in(desk) == [("E-R1:stock_in:A:restock", "SKU-A", 3, "restock")]
    assert [told.kind for told in desk.instructions] == ["stock_in", "refund"]
    refund = desk.instructions[-1]
    assert refund.document() == {
        "key": "E-R1:refund:cash", "kind": "refund", "ticket_no": "E-R1", "order_no": "E",
        "payment_no": "cash", "amount": "30.00", "currency": "CNY",
        "lines": [{"sku": "SKU-A", "quantity": 3, "disposition": "restock"}], "attempt": 1,
    }  # fmt: skip


def test_paid_on_approval_the_ticket_still_waits_for_the_goods() -> None:
    desk = Desk(ORDER, INSTANT)
    desk.done("apply", type="return_refund", lines=units(A=3))
    ticket = desk.through("approve", "release", "settle_result")
    assert (ticket.status, ticket.completed_at) == ("awaiting_return", None)
    desk.later(hours=5)
    ticket = desk.through("ship_back", "receive", "inspect")
    assert (ticket.status, ticket.completed_at) == ("completed", desk.now)


def test_paid_on_approval_the_money_stays_as_it_was_whatever_arrives() -> None:
    desk = Desk(ORDER, INSTANT)
    desk.done("apply", type="return_refund", lines=units(A=3))
    desk.through("approve", "release", "ship_back")
    desk.done("receive", lines=parcel(A=1))
    ticket = desk.done("inspect")
    assert (ticket.total, ticket.lines[0].accepted) == (3000, 1)


def test_a_return_may_be_waived_or_get_lost_and_the_refund_goes_on() -> None:
    waived = Desk(ORDER)
    waived.done("apply", type="return_refund", lines=units(A=1))
    waived.done("approve")
    assert waived.done("waive_return", reason="worth little").status == "awaiting_refund"
    assert waived.events[-1].payload["reason"] == "worth little"
    lost = returning()
    assert lost.done("lose", note="carrier admits").legs["return"] == "lost"
    for desk in (waived, lost):
        assert desk.through("release", "settle_result").status == "completed"
        assert stock_in(desk) == []


# --- receiving --------------------------------------------------------------------------------------


def test_without_lines_all_that_is_still_out_has_arrived() -> None:
    desk = returning(lines=units(A=3, B=1))
    desk.done("receive", lines=parcel(A=1))
    ticket = desk.done("receive")
    assert [line.received for line in ticket.lines] == [3, 1]
    assert surprises(ticket) == []


def test_a_line_counted_twice_in_one_parcel_counts_twice() -> None:
    desk = returning()
    ticket = desk.done("receive", lines=parcel(A=1) + parcel(A=2))
    assert ticket.lines[0].received == 3
    ticket = desk.done("receive", lines=parcel(A=1) + parcel(A=1))
    assert ticket.lines[0].received == 5
    assert sum(int(str(surplus)) for _, _, surplus in surprises(ticket)) == 2


@pytest.mark.parametrize(
    ("lines", "surprise", "recorded"),
    [
        (parcel(A=4), "", [["more_than_announced", "A", 1]]),
        (parcel(B=1), "", [["unlisted_item", "B", 1]]),
        (parcel(Z=1), "", [["unlisted_item", "Z", 1]]),
        (parcel(A=0), "", [["empty_parcel", "", 0]]),
        (parcel(A=3), "a brick inside", [["told", "a brick inside", 0]]),
        (parcel(A=3), "", []),
    ],
    ids=["surplus", "another line", "not of the order", "empty", "told", "none"],
)
def test_surprises_are_recorded_not_refused(
    lines: tuple[LineReceived, ...], surprise: str, recorded: list[list[object]]
) -> None:
    ticket = returning().done("receive", lines=lines, surprise=surprise)
    assert surprises(ticket) == recorded
    assert ticket.legs["return"] == "received"


def test_surprises_of_several_parcels_add_up() -> None:
    desk = returning()
    desk.through("receive", "receive")
    desk.done("receive", lines=parcel(Z=2))
    assert surprises(desk.ticket) == [["empty_parcel", "", 0], ["unlisted_item", "Z", 2]]


@pytest.mark.parametrize("quantity", [-1, 1.5, True, 10**10])
def test_units_received_are_counted_in_whole_numbers(quantity: Any) -> None:
    refusal = returning().refused("receive", lines=(LineReceived(line_no="A", quantity=quantity),))
    assert (refusal.code, refusal.field) == ("bad_quantity", "lines[0].quantity")


def test_freight_is_not_a_line_that_arrives() -> None:
    desk = returning(Desk(sale(goods("A", "10.00", shipped=1), *E1.shipping, paid("20.00"))),
                     lines=units(A=1), refund_shipping=True)  # fmt: skip
    assert [line.line_no for line in desk.ticket.lines] == ["A", "#shipping"]
    desk.through("receive")
    assert surprises(desk.ticket) == []
    assert desk.refused("inspect", lines=(found("#shipping", 1),)).code == "unknown_line"
    assert desk.done("inspect").total == 2000


# --- inspecting -------------------------------------------------------------------------------------


def received(count: int = 3, **fields: Any) -> Desk:
    desk = returning(**fields)
    desk.done("receive", lines=parcel(A=count))
    return desk


def test_what_was_not_received_is_not_refunded() -> None:
    """received_cap (R9), Q4: three announced, two arrived."""
    desk = received(2)
    ticket = desk.done("inspect")
    assert (ticket.total, ticket.lines[0].quantity) == (2000, 2)
    assert stock_in(desk) == [("E-R1:stock_in:A:restock", "SKU-A", 2, "restock")]
    assert desk.case.claims["A"].units == 2
    desk.done("apply", lines=units(A=1))  # the third is free again


def test_what_was_rejected_is_not_refunded_and_does_not_go_into_stock() -> None:
    desk = received()
    ticket = desk.done("inspect", lines=(found("A", 1, rejected=2, disposition="refurbish"),))
    assert ticket.total == 1000
    assert (ticket.lines[0].accepted, ticket.lines[0].rejected, ticket.lines[0].received) == (
        1,
        2,
        3,
    )
    assert stock_in(desk) == [("E-R1:stock_in:A:refurbish", "SKU-A", 1, "refurbish")]


def test_when_nothing_is_accepted_the_ticket_closes_and_says_why() -> None:
    desk = received()
    ticket = desk.done("inspect", lines=(found("A", 0, rejected=3),))
    assert (ticket.status, desk.events[-1].payload["reason"]) == ("closed", "nothing_accepted")
    assert (stock_in(desk), desk.case.claims["A"].units) == ([], 0)
    assert ticket.owner == ""


def test_money_without_units_stays_when_no_unit_is_accepted() -> None:
    lines = (*units(A=1), *money(B="2.00"))
    desk = received(1, lines=lines)
    ticket = desk.done("inspect", lines=(found("A", 0, rejected=1),))
    assert (ticket.status, ticket.total) == ("awaiting_refund", 200)


def test_a_line_that_did_not_come_is_dropped_and_the_others_stay() -> None:
    desk = returning(lines=units(A=1, B=2))
    desk.done("receive", lines=parcel(B=2))
    ticket = desk.done("inspect")
    assert [(line.line_no, line.refund) for line in ticket.lines] == [("B", 1400)]


def test_money_asked_for_units_follows_the_units_accepted() -> None:
    desk = received(3, lines=(LineAsked(line_no="A", quantity=3, amount="24.00"),))
    ticket = desk.done("inspect", lines=(found("A", 2, rejected=1),))
    assert ticket.total == 1600


def test_money_asked_for_the_ticket_follows_the_units_accepted() -> None:
    desk = returning(lines=units(A=3, B=2), amount="22.00")
    desk.done("receive", lines=parcel(A=3, B=1))
    ticket = desk.done("inspect")
    assert ticket.total == 1500 + 350


@pytest.mark.parametrize(
    ("terms", "fees", "refund"),
    [
        ({"service_fee": "4.00"}, {"service_fee": -400}, 600),
        ({"service_fee": "25.00"}, {"service_fee": -1000}, 0),
        ({"amount": "5.00"}, {"agreed_reduction": -833}, 167),
        ({"service_fee": "8.00", "amount": "5.00"}, {"service_fee": -800, "agreed_reduction": -154}, 46),
        ({"service_fee": "20.00", "amount": "5.00"}, {"service_fee": -1000}, 0),
    ],
    ids="fee_fits fee_above reduction_above both_above fee_takes_all".split(),
)
def test_fees_agreed_for_three_units_stay_within_what_one_is_worth(
    terms: dict[str, str], fees: dict[str, int], refund: int
) -> None:
    """An inspection is a fact: it is never refused for a fee, and no refund is negative (M9)."""
    desk = Desk(ORDER)
    desk.done("apply", type="return_refund", lines=units(A=3))
    desk.done("approve", **terms)
    desk.done("ship_back")
    desk.done("receive", lines=parcel(A=1))
    ticket = desk.done("inspect")
    assert {code: amount for code, _, amount, _, _ in ticket.quote["fees"]} == fees
    assert ticket.total == refund


@pytest.mark.parametrize(
    ("fee", "kept"), [("4.00", [-400, -400]), ("8.00", [-800, -200]), ("12.00", [-1000])]
)
def test_several_fees_agreed_for_three_units_share_what_one_is_worth(fee: str, kept: list[int]) -> None:
    """The first formula is served first; none takes more than there is."""
    handling = attrs.evolve(SERVICE_FEE, code="handling")
    desk = Desk(ORDER, rulebook(fees=(SERVICE_FEE, handling)))
    desk.done("apply", type="return_refund", lines=units(A=3))
    desk.done("approve", service_fee=fee)
    desk.done("ship_back")
    desk.done("receive", lines=parcel(A=1))
    ticket = desk.done("inspect")
    assert [amount for _, _, amount, _, _ in ticket.quote["fees"]] == kept
    assert ticket.total == 1000 + sum(kept)


def test_freight_within_the_money_asked_for_the_ticket_stays_as_it_was_agreed() -> None:
    """15.00 asked for two units and 10.00 of freight; one unit came, so 5.00 and 5.00 of freight."""
    order = sale(goods("A", "10.00", 2, shipped=2), *E1.shipping, paid("30.00"))
    desk = returning(Desk(order), lines=units(A=2), refund_shipping=True, amount="15.00")
    desk.done("receive", lines=parcel(A=1))
    assert desk.done("inspect").total == 1000


def test_a_reviewer_may_still_give_the_freight_back_after_a_short_inspection() -> None:
    """Nobody asked for the freight and nobody declined it: the switch (S-22) still decides."""
    order = sale(goods("A", "10.00", 2, shipped=2), *E1.shipping, paid("30.00"))
    desk = returning(Desk(order), lines=units(A=2), amount="15.00")
    desk.done("receive", lines=parcel(A=1))
    desk.through("inspect", "send_back")
    assert desk.done("approve", give_back=("freight",)).total == 1750


def test_an_inspection_is_never_refused_for_what_money_other_tickets_hold() -> None:
    """T3 holds 33.34 for one of three; two units asked at 66.66, one arrived: at most 33.32."""
    desk = Desk(sale(goods("A", "100.00", 3, discount="200.00", shipped=3), paid("100.00")))
    for _ in range(3):
        desk.done("apply", type="return_refund", lines=units(A=1))
    desk.done("cancel", ticket_no="E-R1")
    desk.done("cancel", ticket_no="E-R2")
    returning(desk, lines=(LineAsked(line_no="A", quantity=2, amount="66.66"),))
    desk.done("receive", lines=parcel(A=1))
    assert desk.done("inspect").total == 3332


@pytest.mark.parametrize("disposition", ["restock", "refurbish", "scrap", "return_to_buyer", "missing"])
def test_every_disposition_but_missing_goes_into_stock_under_its_own_key(disposition: str) -> None:
    """Q3."""
    desk = received()
    desk.done("inspect", lines=(found("A", 3, disposition=disposition),))
    keys = [key for key, *_ in stock_in(desk)]
    assert keys == ([] if disposition == "missing" else [f"E-R1:stock_in:A:{disposition}"])


def test_the_reason_names_the_usual_disposition() -> None:
    desk = received(reason="quality")
    assert desk.done("inspect").lines[0].disposition == "refurbish"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((found("Z", 1),), "unknown_line"),
        ((found("B", 1),), "unknown_line"),
        ((found("A", 4),), "more_than_received"),
        ((found("A", 3, rejected=1),), "more_than_received"),
        ((found("A", -1),), "bad_quantity"),
        ((found("A", 1, rejected=-1),), "bad_quantity"),
        ((found("A", 3, disposition="sell"),), "unknown_disposition"),
        ((found("A", 2), found("A", 1)), "duplicate_line"),
    ],
    ids="no_line another_line more more_in_sum negative negative_rejected unknown twice".split(),
)  # fmt: skip
def test_an_inspection_that_cannot_be_is_refused(lines: tuple[LineInspected, ...], code: str) -> None:
    assert received().refused("inspect", lines=lines).code == code


def test_no_more_is_accepted_than_was_announced() -> None:
    desk = received(5)
    assert desk.refused("inspect", lines=(found("A", 4),)).code == "more_than_received"
    ticket = desk.done("inspect")  # the surplus is on record, not in the refund
    assert (ticket.total, ticket.lines[0].accepted, ticket.lines[0].received) == (3000, 3, 5)


def test_what_came_in_must_be_said_of_every_line_once_lines_are_named() -> None:
    desk = returning(lines=units(A=1, B=1))
    desk.done("receive")
    refusal = desk.refused("inspect", lines=(found("A", 1),))
    assert refusal.code == "line_missing" and "'B'" in refusal.message
    desk = returning(lines=units(A=1, B=1))
    desk.done("receive", lines=parcel(A=1))
    assert desk.done("inspect", lines=(found("A", 1),)).total == 1000


def test_an_empty_parcel_brings_no_refund() -> None:
    desk = received(0)
    assert desk.done("inspect").status == "closed"


# --- after the inspection ---------------------------------------------------------------------------


def test_a_revision_after_the_inspection_does_not_bring_back_what_did_not_arrive() -> None:
    """received_cap (R9): sent back by finance, the claim stays within what was accepted."""
    desk = received(1)
    desk.through("inspect", "send_back")
    assert desk.refused("revise", lines=units(A=3)).code == "quantity_not_available"
    assert desk.refused("revise", lines=units(A=1, B=1)).code == "quantity_not_available"
    assert desk.done("revise", lines=units(A=1)).total == 1000


def test_a_revision_after_the_inspection_does_not_ask_for_money_instead_of_units() -> None:
    """received_cap (R9): one of three arrived; 30.00 without units would pay for all three."""
    desk = received(1)
    desk.through("inspect", "send_back")
    assert desk.refused("revise", lines=money(A="30.00")).code == "quantity_not_available"
    assert desk.done("revise", lines=(LineAsked(line_no="A", quantity=1, amount="8.00"),)).total == 800


def test_money_agreed_without_units_may_be_revised_after_the_inspection() -> None:
    desk = received(1, lines=(*units(A=1), *money(B="2.00")))
    desk.through("inspect", "send_back")
    assert desk.done("revise", lines=(*units(A=1), *money(B="1.00"))).total == 1100


def test_a_reopened_ticket_of_which_nothing_was_accepted_is_worth_nothing() -> None:
    """received_cap (R9): the goods were rejected; reopening does not undo that."""
    desk = received()
    desk.done("inspect", lines=(found("A", 0, rejected=3),))
    assert desk.refused("reopen").code == "quantity_not_available"


def test_what_became_of_the_goods_stays_with_the_line_when_the_claim_changes() -> None:
    desk = received(2)
    desk.through("inspect", "send_back")
    ticket = desk.done("approve", amount="15.00")
    assert (ticket.total, ticket.lines[0].received, ticket.lines[0].accepted) == (1500, 2, 2)


def test_the_time_of_the_stock_in_is_told() -> None:
    """S-25."""
    desk = received()
    desk.later(hours=1)
    desk.done("inspect", note="boxes damp")
    event: Event = desk.events[-1]
    assert event.payload["stock_in_at"] == "2026-05-01T13:00:00.000000Z"
    assert (event.actor, event.private) == ("warehouse:zhao", {"note": "boxes damp"})
