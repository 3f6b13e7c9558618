"""Orders told once and again: facts in time are taken over, money never changes."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from reverseflow.core.commands import RecordOrder
from reverseflow.core.decide import Decision
from reverseflow.core.errors import Refusal
from support.cases import E1, NOON, PAID_AT, Desk, goods, paid, sale, units

ORDER = sale(goods("A", "10.00", 3), goods("B", "5.00"), *E1.shipping, paid("45.00"))
SHIPPED_AT, RECEIVED_AT = PAID_AT + timedelta(days=1), PAID_AT + timedelta(days=3)
LATER = NOON + timedelta(days=10)


def told_again(desk: Desk, order: RecordOrder) -> Decision:
    outcome = desk.do(order)
    assert isinstance(outcome, Decision), outcome
    return outcome


# --- the first time -------------------------------------------------------------------------------


def test_an_order_is_recorded_as_of_the_day_it_was_paid() -> None:
    desk = Desk(ORDER)
    (event,) = desk.events
    assert (event.kind, event.at, event.actor) == ("order_recorded", PAID_AT, "system")
    assert desk.case.exists and not Desk().case.exists
    placed_at = PAID_AT - timedelta(days=1)
    assert Desk(attrs.evolve(ORDER, placed_at=placed_at, paid_at=None)).events[0].at == placed_at
    assert Desk(attrs.evolve(ORDER, paid_at=None)).events[0].at == NOON


def test_an_order_paid_in_the_future_does_not_move_the_clock_of_its_case() -> None:
    """L5: a mistyped year must not date everything that follows."""
    desk = Desk(attrs.evolve(ORDER, paid_at=PAID_AT.replace(year=2099)))
    assert desk.events[0].at == NOON
    desk.done("apply", lines=units(A=1))
    assert desk.events[-1].at == NOON


# --- told again -------------------------------------------------------------------------------------


def test_an_order_told_again_unchanged_is_nothing_new() -> None:
    desk = Desk(ORDER)
    assert told_again(desk, ORDER).events == ()


def test_facts_in_time_are_taken_over() -> None:
    desk = Desk(ORDER, now=LATER)
    told_again(desk, attrs.evolve(ORDER, shipped_at=SHIPPED_AT))
    told_again(desk, attrs.evolve(ORDER, shipped_at=SHIPPED_AT, received_at=RECEIVED_AT))
    case = desk.case
    assert (case.shipped_at, case.received_at, case.finished_at) == (SHIPPED_AT, RECEIVED_AT, None)
    assert [(line.shipped, line.received) for line in case.goods] == [(3, 3), (1, 1)]
    assert [event.at for event in desk.events] == [PAID_AT, SHIPPED_AT, RECEIVED_AT]
    assert desk.events[-1].payload == {
        "received_at": "2026-05-04T02:01:00.000000Z", "lines": [["A", 3, 3], ["B", 1, 1]],
    }  # fmt: skip


def test_an_order_that_is_finished_is_told_by_its_time_alone() -> None:
    desk = Desk(ORDER, now=LATER)
    told_again(desk, attrs.evolve(ORDER, finished_at=RECEIVED_AT))
    assert desk.events[-1].payload == {"finished_at": "2026-05-04T02:01:00.000000Z"}
    assert desk.case.finished_at == RECEIVED_AT


def test_units_shipped_and_received_only_grow() -> None:
    first, second = (attrs.evolve(ORDER, lines=(attrs.evolve(ORDER.lines[0], shipped=shipped, received=0),
                                                ORDER.lines[1])) for shipped in (2, 1))  # fmt: skip
    desk = Desk(ORDER)
    told_again(desk, first)
    assert desk.case.lines["A"].shipped == 2
    assert told_again(desk, second).events == ()
    assert desk.case.lines["A"].shipped == 2


def test_what_is_not_told_is_left_as_it_is() -> None:
    desk = Desk(attrs.evolve(ORDER, shipped_at=SHIPPED_AT), now=LATER)
    assert told_again(desk, ORDER).events == ()
    assert desk.case.shipped_at == SHIPPED_AT


def test_an_update_is_dated_by_what_it_tells_within_what_is_known() -> None:
    """Not before the last event, not after the clock."""
    desk = Desk(ORDER, now=LATER)
    desk.done("apply", lines=units(A=1))
    told_again(desk, attrs.evolve(ORDER, shipped_at=SHIPPED_AT))
    assert desk.events[-1].at == LATER
    desk = Desk(ORDER)
    told_again(desk, attrs.evolve(ORDER, shipped_at=LATER))
    assert desk.events[-1].at == NOON


def test_an_update_of_counts_alone_is_dated_by_the_clock() -> None:
    desk = Desk(ORDER)
    lines = (attrs.evolve(ORDER.lines[0], shipped=1), ORDER.lines[1])
    told_again(desk, attrs.evolve(ORDER, lines=lines))
    assert desk.events[-1].at == NOON


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform": "other"}, "platform"),
        ({"shop": "other"}, "shop"),
        ({"currency": "USD"}, "currency"),
        ({"price_includes_tax": False}, "price_includes_tax"),
        ({"lines": (goods("A", "15.00", 3),), "shipping": ()}, "lines"),
        ({"lines": (goods("A", "10.00", 3), goods("C", "5.00"))}, "lines"),
        ({"lines": (goods("A", "5.00", 6), goods("B", "5.00"))}, "lines.A.quantity"),
        ({"lines": (goods("A", "15.00", 2), goods("B", "5.00"))}, "lines.A.quantity"),
        ({"lines": (goods("A", "10.00", 3), goods("B", "5.00", tax="1.00"))}, "lines.B.tax"),
        ({"payments": (paid("45.00", "gift_card", "cash"),)}, "payments"),
        ({"payments": (paid("45.00", payment_no="p2"),)}, "payments"),
        ({"payments": (paid("40.00"), paid("5.00", payment_no="p2"))}, "payments"),
    ],
)  # fmt: skip
def test_an_order_that_contradicts_the_recorded_one_is_refused_with_the_field(
    changes: dict[str, Any], field: str
) -> None:
    """noop_edit_no_money (R15): amounts are never edited."""
    desk = Desk(ORDER)
    refusal = desk.do(attrs.evolve(ORDER, **changes))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == ("order_differs", field)


def test_money_refunded_elsewhere_is_told_as_such_and_not_with_the_order() -> None:
    desk = Desk(ORDER)
    told = attrs.evolve(ORDER, payments=(paid("45.00", refunded="5.00"),))
    refusal = desk.do(told)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == ("order_differs", "payments.cash.refunded")
    assert "external_refund" in refusal.message
    desk.accepted("external_refund", payment_no="cash", amount="5.00")
    assert told_again(desk, told).events == ()
    assert told_again(desk, ORDER).events == ()


def test_an_order_may_be_told_again_with_its_tickets_open() -> None:
    desk = Desk(ORDER)
    desk.done("apply", lines=units(A=1))
    told_again(desk, attrs.evolve(ORDER, shipped_at=SHIPPED_AT))
    assert desk.case.claims["A"].units == 1
    assert desk.ticket.phase == "unshipped"


# --- money given back outside -------------------------------------------------------------------------


def test_only_who_may_records_an_outside_refund_and_only_of_a_known_payment() -> None:
    desk = Desk(ORDER)
    outcome = desk.accepted("external_refund", payment_no="cash", amount="5.00")
    assert outcome.ticket_no == ""
    assert (desk.case.payments["cash"].refunded, desk.case.payments["cash"].left) == (500, 4000)
    assert desk.events[-1].payload == {"payment_no": "cash", "amount": 500}


def test_outside_refunds_add_up_to_no_more_than_was_paid() -> None:
    """cumulative_cap (R3)."""
    desk = Desk(ORDER)
    for _ in range(9):
        desk.accepted("external_refund", payment_no="cash", amount="5.00")
    assert desk.refused("external_refund", payment_no="cash", amount="0.01").code == "amount_above_paid"
