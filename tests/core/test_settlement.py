"""The money: released once, under keys that never change, and what becomes of each payout."""

from typing import Any

import pytest

from support.cases import Desk, goods, paid, sale, units

ONE = sale(goods("A", "100.00"), paid("100.00"))
TWO = sale(goods("A", "100.00"), paid("60.00", payment_no="p1"), paid("40.00", payment_no="p2"))


def released(order: Any = ONE) -> Desk:
    desk = Desk(order)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release")
    return desk


def states(desk: Desk) -> dict[str, str]:
    return {payout.payment_no: payout.state for payout in desk.ticket.payouts}


# --- releasing ------------------------------------------------------------------------------------


def test_finance_releases_one_instruction_per_payment() -> None:
    desk = released(TWO)
    assert [(told.key, told.payment_no, told.amount) for told in desk.instructions] == [
        ("E-R1:refund:p1", "p1", 6000),
        ("E-R1:refund:p2", "p2", 4000),
    ]
    assert desk.ticket.released_at == desk.now
    assert states(desk) == {"p1": "released", "p2": "released"}


def test_a_note_of_finance_stands_beside_the_chain() -> None:
    desk = approved()
    desk.done("release", note="checked with Zhang San")
    assert desk.events[-1].private == {"note": "checked with Zhang San"}
    assert "Zhang" not in str(desk.events[-1].payload)


def test_money_is_released_once() -> None:
    desk = released()
    assert desk.refused("release").code == "wrong_state"
    assert len(desk.instructions) == 1


def test_a_ticket_without_money_is_settled_as_soon_as_it_is_released() -> None:
    desk = Desk(sale(goods("A", "0.00")))
    desk.done("apply", lines=units(A=1))
    ticket = desk.through("approve", "release")
    assert (ticket.status, ticket.completed_at, desk.instructions) == ("completed", desk.now, [])


def test_before_the_release_there_is_nothing_a_result_could_be_about() -> None:
    desk = Desk(ONE)
    desk.done("apply", lines=units(A=1))
    for kind, fields in (("settle_result", {"result": "sent"}), ("retry", {})):
        refusal = desk.refused(kind, **fields)
        assert refusal.code == "wrong_state" and "no money" in refusal.message


# --- the platform pays by itself --------------------------------------------------------------------


def approved(order: Any = ONE) -> Desk:
    desk = Desk(order)
    desk.done("apply", lines=units(A=1))
    desk.done("approve")
    return desk


def test_what_the_platform_paid_by_itself_is_settled_and_nothing_is_instructed() -> None:
    desk = approved(TWO)
    ticket = desk.done("settle_result", actor="platform", amount="100.00", reference="TB 1", note="n")
    assert (ticket.status, ticket.legs["settlement"], desk.instructions) == ("completed", "settled", [])
    assert [event.kind for event in desk.events[-3:]] == [
        "settlement_released", "payout_settled", "payout_settled",
    ]  # fmt: skip
    assert desk.events[-1].payload["reference"] == "TB 1"
    assert (desk.case.payments["p1"].refunded, desk.case.payments["p2"].refunded) == (6000, 4000)
    assert balances(desk) == {}


def test_what_the_platform_paid_for_nothing_is_settled_too() -> None:
    desk = approved(sale(goods("A", "0.00")))
    assert desk.done("settle_result", actor="platform").status == "completed"


def test_the_platform_pays_what_is_due_and_only_after_the_review() -> None:
    desk = approved()
    assert desk.refused("settle_result", actor="platform", amount="99.99").code == "amount_differs"
    assert desk.refused("settle_result", actor="platform", amount="-100.00").code == "negative_amount"
    assert desk.refused("settle_result", actor="platform", currency="USD").code == "currency_mismatch"
    for actor in ("system", "finance:wang"):
        assert desk.refused("settle_result", actor=actor).code == "not_permitted"
    desk = Desk(ONE)
    desk.done("apply", lines=units(A=1))
    assert desk.refused("settle_result", actor="platform").code == "not_yet"


def test_a_refund_the_platform_paid_may_fail_late_and_be_retried_under_its_key() -> None:
    desk = approved(TWO)
    desk.done("settle_result", actor="platform")
    for _ in range(2):  # now it is ours to pay: instructed once, however often it is retried
        desk.done("settle_result", payment_no="p1", result="failed")
        desk.done("retry", key="E-R1:refund:p1")
        assert [(told.key, told.amount) for told in desk.instructions] == [("E-R1:refund:p1", 6000)]
    assert desk.ticket.detail["paid_by_platform"] == ["E-R1:refund:p2"]


# --- results ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "state", "reserved", "refunded"),
    [
        ((), "released", 10_000, 0),
        (("sent",), "sent", 10_000, 0),
        (("sent", "settled"), "settled", 0, 10_000),
        (("unknown",), "unknown", 10_000, 0),
        (("unknown", "settled"), "settled", 0, 10_000),
        (("unknown", "failed"), "failed", 10_000, 0),
        (("unknown", "sent"), "sent", 10_000, 0),
        (("failed",), "failed", 10_000, 0),
        (("failed", "settled"), "settled", 0, 10_000),
        (("settled", "failed"), "failed", 10_000, 0),
        (("settled", "failed", "settled"), "settled", 0, 10_000),
    ],
)
def test_the_amount_stays_reserved_until_it_is_settled(
    results: tuple[str, ...], state: str, reserved: int, refunded: int
) -> None:
    """A time-out is unknown, never failed; unknown and failed money is not free."""
    desk = released()
    for result in results:
        desk.done("settle_result", result=result)
    payment = desk.case.payments["cash"]
    assert (desk.ticket.legs["settlement"], payment.reserved, payment.refunded) == (
        state,
        reserved,
        refunded,
    )
    claim = desk.case.claims["A"]
    assert (claim.reserved, claim.refunded) == (reserved, refunded)


@pytest.mark.parametrize(
    ("before", "late"),
    [("settled", "sent"), ("settled", "unknown"), ("failed", "unknown")],
)
def test_a_result_that_comes_too_late_moves_nothing(before: str, late: str) -> None:
    desk = released()
    desk.done("settle_result", result=before)
    assert desk.refused("settle_result", result=late).code == "wrong_state"


@pytest.mark.parametrize("result", ["sent", "settled", "failed", "unknown"])
def test_a_result_told_twice_changes_nothing(result: str) -> None:
    """old_callback_dup (R10)."""
    desk = released()
    desk.done("settle_result", result=result)
    case = desk.case
    assert desk.accepted("settle_result", result=result).events == ()
    assert desk.case == case


def test_a_late_failure_restores_what_was_reserved_and_reopens_the_ticket() -> None:
    """late_fail_restores (R7), M11; a second such notice changes nothing."""
    desk = released()
    assert desk.done("settle_result").status == "completed"
    ticket = desk.done("settle_result", result="failed", reference="bank 7")
    assert (ticket.status, ticket.completed_at, ticket.owner) == (
        "awaiting_refund",
        None,
        "finance",
    )
    assert desk.case.payments["cash"].reserved == 10_000
    assert desk.accepted("settle_result", result="failed").events == ()
    desk.later(hours=1)
    desk.done("retry")
    assert desk.done("settle_result").completed_at == desk.now


def test_a_retry_goes_out_under_the_old_key() -> None:
    """timeout_same_key (R4), M7."""
    desk = released()
    (key,) = {payout.key for payout in desk.ticket.payouts}
    for _ in range(3):
        desk.done("settle_result", result="failed")
        assert desk.done("retry").payouts[0].key == key
    told = {event.payload["key"] for event in desk.events if event.kind.startswith("payout_")}
    assert told == {key} == {"E-R1:refund:cash"}


def test_only_what_failed_is_retried() -> None:
    desk = released()
    assert desk.refused("retry").code == "wrong_state"
    desk.done("settle_result", result="unknown")
    assert desk.refused("retry").code == "wrong_state"
    desk.done("settle_result")
    assert desk.refused("retry").code == "wrong_state"


# --- several payouts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "leg"),
    [
        ("settled", None, "released"),
        ("sent", None, "released"),
        ("sent", "settled", "sent"),
        ("settled", "unknown", "unknown"),
        ("failed", "unknown", "failed"),
        ("failed", "settled", "failed"),
        ("settled", "settled", "settled"),
    ],
)
def test_the_leg_shows_the_worst_of_its_payouts(first: str, second: str | None, leg: str) -> None:
    desk = released(TWO)
    desk.done("settle_result", payment_no="p1", result=first)
    if second:
        desk.done("settle_result", key="E-R1:refund:p2", result=second)
    assert desk.ticket.legs["settlement"] == leg
    assert (desk.ticket.status == "completed") == (leg == "settled")


def test_each_payment_is_refunded_as_its_own_payout_settles() -> None:
    """split_tender_lines (R6): a line paid with two tenders is recorded once, not once each."""
    desk = released(TWO)
    desk.done("settle_result", payment_no="p1")
    assert (desk.case.payments["p1"].refunded, desk.case.payments["p2"].refunded) == (6000, 0)
    assert desk.case.claims["A"].reserved == 10_000  # the line is settled when all of it is
    desk.done("settle_result", payment_no="p2")
    assert (desk.case.claims["A"].reserved, desk.case.claims["A"].refunded) == (0, 10_000)
    assert desk.case.claims["A"].units == 1


def test_with_several_payouts_a_result_says_which_one_it_is_about() -> None:
    desk = released(TWO)
    refusal = desk.refused("settle_result")
    assert refusal.code == "unknown_instruction"
    assert "E-R1:refund:p1, E-R1:refund:p2" in refusal.message
    assert desk.refused("settle_result", key="E-R1:refund:p9").code == "unknown_instruction"
    assert desk.refused("settle_result", key="E-R1:refund:p1", payment_no="p2").code == "unknown_instruction"
    desk.done("settle_result", key="E-R1:refund:p1", payment_no="p1")


def test_a_retry_of_several_says_which_one() -> None:
    desk = released(TWO)
    desk.done("settle_result", payment_no="p1", result="failed")
    desk.done("settle_result", payment_no="p2", result="failed")
    assert desk.refused("retry").code == "unknown_instruction"
    desk.done("retry", key="E-R1:refund:p2")
    assert states(desk) == {"p1": "failed", "p2": "released"}
    desk.done("retry")  # the only one that failed
    assert states(desk) == {"p1": "released", "p2": "released"}


# --- what a result must agree with -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"result": "paid"}, "unknown_result"),
        ({"result": ""}, "unknown_result"),
        ({"amount": "99.99"}, "amount_differs"),
        ({"amount": "100.0.0"}, "bad_amount"),
        ({"amount": "-100.00"}, "negative_amount"),
        ({"currency": "USD"}, "currency_mismatch"),
    ],
)
def test_a_result_about_other_money_is_refused(fields: dict[str, Any], code: str) -> None:
    """M5, neg_amount (R2), amount_format (R20)."""
    desk = released()
    assert desk.refused("settle_result", **fields).code == code
    assert states(desk) == {"cash": "released"}


def test_a_result_may_repeat_amount_and_currency() -> None:
    ticket = released().done("settle_result", amount="100.00", currency="CNY", reference="gw 1")
    assert ticket.status == "completed"


# --- postings ----------------------------------------------------------------------------------------


def balances(desk: Desk) -> dict[str, int]:
    accounts = {account for account, _ in desk.postings}
    return {name: desk.balance(name) for name in sorted(accounts) if desk.balance(name)}


def test_an_order_is_captured_less_what_was_refunded_before() -> None:
    desk = Desk(sale(goods("A", "100.00"), paid("100.00", refunded="30.00")))
    assert balances(desk) == {"clearing:cash": 7000, "sales": -7000}


def test_a_refund_is_reserved_with_its_release_and_leaves_when_it_settles() -> None:
    desk = released()
    assert balances(desk) == {"clearing:cash": 10_000, "refunds_reserved": -10_000}
    desk.done("settle_result", result="sent")
    assert balances(desk) == {"clearing:cash": 10_000, "refunds_reserved": -10_000}
    desk.done("settle_result")
    assert balances(desk) == {}


def test_a_late_failure_is_a_reversal() -> None:
    """M6."""
    desk = released()
    desk.done("settle_result")
    desk.done("settle_result", result="failed")
    assert desk.postings[-2:] == [("refunds_reserved", -10_000), ("clearing:cash", 10_000)]
    desk.done("settle_result", result="settled")
    assert balances(desk) == {}


def test_a_failure_before_the_money_left_posts_nothing() -> None:
    desk = released()
    before = list(desk.postings)
    desk.done("settle_result", result="failed")
    assert desk.postings == before


def test_a_fee_is_income_and_the_rest_leaves() -> None:
    desk = Desk(ONE)
    desk.done("apply", lines=units(A=1))
    desk.done("approve", service_fee="5.00")
    desk.through("release", "settle_result")
    assert balances(desk) == {"clearing:cash": 500, "fee_income": -500}


def test_money_given_back_outside_is_posted() -> None:
    desk = Desk(ONE)
    desk.accepted("external_refund", payment_no="cash", amount="30.00", reference="bank 1")
    assert balances(desk) == {"clearing:cash": 7000, "sales": -7000}
    assert desk.events[-1].payload == {"payment_no": "cash", "amount": 3000, "reference": "bank 1"}
