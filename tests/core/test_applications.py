"""Applying, reviewing, revising, ending and reopening; what is told of a ticket on the way."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from reverseflow.core.commands import LineAsked, ReplacementAsked, ReturnAddress
from support.cases import E1, E2, PAID_AT, Desk, goods, money, paid, rulebook, sale, units

SHIPPED = sale(goods("A", "100.00", 2, shipped=2), goods("B", "30.00", shipped=1), paid("230.00"))
UNSHIPPED = sale(goods("A", "100.00", 2), goods("B", "30.00"), paid("230.00"))


def pending(**fields: Any) -> Desk:
    desk = Desk(SHIPPED)
    desk.done("apply", **{"lines": units(A=1), **fields})
    return desk


# --- applying -----------------------------------------------------------------------------------


def test_unshipped_goods_are_refunded_at_once_and_by_the_system() -> None:
    """S-03, S-05: no person looks at it; the instruction leaves with the decision."""
    desk = Desk(UNSHIPPED, rulebook())
    ticket = desk.done("apply", lines=units(A=1))
    assert [event.kind for event in desk.events] == [
        "order_recorded", "ticket_opened", "review_approved", "settlement_released",
    ]  # fmt: skip
    assert [event.actor for event in desk.events[1:]] == ["buyer", "system", "system"]
    assert ticket.status == "awaiting_refund"
    assert [(told.key, told.amount) for told in desk.instructions] == [("E-R1:refund:cash", 10_000)]
    assert desk.done("settle_result").status == "completed"


def test_shipped_goods_are_reviewed() -> None:
    """ "Refund only" of goods on the road is kept-goods-money-back, and a person decides."""
    ticket = Desk(SHIPPED, rulebook()).done("apply", lines=units(A=1))
    assert (ticket.status, ticket.phase, ticket.owner) == (
        "pending_review",
        "shipped",
        "operations",
    )


def test_a_return_that_a_rule_accepts_waits_for_the_goods() -> None:
    book = rulebook(refund_timing="after_inspection")
    accepting = attrs.evolve(book.rules[0], check=lambda given: book.rules[0].check(
        attrs.evolve(given, phase="unshipped")
    ))  # fmt: skip
    desk = Desk(SHIPPED, attrs.evolve(book, rules=(accepting,)))
    ticket = desk.done("apply", type="return_refund", lines=units(A=1))
    assert (ticket.status, ticket.owner, desk.instructions) == ("awaiting_return", "buyer", [])


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"type": "exchange_of_views"}, "unknown_type", "type"),
        ({"lines": ()}, "no_lines", "lines"),
        ({"lines": units(Z=1)}, "unknown_line", "lines[0].line_no"),
        ({"lines": units(A=1) + units(A=1)}, "duplicate_line", "lines[1]"),
        ({"lines": (LineAsked(line_no="A"),)}, "missing_value", "lines[0]"),
        ({"lines": units(A=0)}, "bad_quantity", "lines[0].quantity"),
        ({"lines": units(A=-1)}, "bad_quantity", "lines[0].quantity"),
        ({"lines": units(A=10**10)}, "bad_quantity", "lines[0].quantity"),
        ({"lines": money(B="x")}, "bad_amount", "lines[0].amount"),
        ({"replacement": (ReplacementAsked(for_="A", sku="S"),)}, "no_replacement", "replacement"),
        ({"refund_shipping": "x"}, "bad_amount", "refund_shipping"),
        ({"refund_shipping": "-1.00"}, "negative_amount", "refund_shipping"),
    ],
)  # fmt: skip
def test_an_application_that_cannot_be_is_refused_with_its_place(
    fields: dict[str, Any], code: str, field: str
) -> None:
    refusal = Desk(SHIPPED).refused("apply", **{"lines": units(A=1), **fields})
    assert (refusal.code, refusal.field) == (code, field)


def test_freight_is_not_applied_for_as_a_line() -> None:
    lines = (LineAsked(line_no="#shipping", quantity=1),)
    assert Desk(E1).refused("apply", lines=lines).code == "unknown_line"


def test_nothing_is_applied_for_on_an_order_nobody_knows() -> None:
    for kind, fields in (
        ("apply", {"lines": units(A=1)}),
        ("cancel", {}),
        ("external_refund", EXTERNAL),
    ):
        assert Desk().refused(kind, **fields).code == "unknown_order"


EXTERNAL = {"payment_no": "cash", "amount": "1.00"}


def test_what_the_buyer_tells_is_kept_and_free_text_stands_beside_the_chain() -> None:
    desk = pending(
        external_no="TB-1", id="a1", phase="onsale", goods_condition="unused",
        evidence=("photo.jpg",), note="please hurry", reason_text="不想要了",
    )  # fmt: skip
    ticket = desk.ticket
    assert (ticket.external_no, ticket.apply_id) == ("TB-1", "a1")
    assert ticket.detail["sale_phase"] == "onsale"
    assert ticket.detail["evidence"] == ["photo.jpg"]
    assert ticket.detail["goods_condition"] == "unused"
    opened = desk.events[-1]
    assert opened.private == {"note": "please hurry", "reason_text": "不想要了"}
    assert "hurry" not in str(opened.payload) and "不想要了" not in str(opened.payload)
    assert opened.actor == "buyer"  # who the buyer is stands elsewhere


def test_tickets_are_numbered_within_their_order() -> None:
    desk = Desk(SHIPPED)
    assert [desk.done("apply", lines=units(A=1)).ticket_no for _ in range(2)] == ["E-R1", "E-R2"]


# --- where the goods are --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "asked", "phase"),
    [
        ({}, 3, "unshipped"),
        ({"shipped": 1}, 2, "unshipped"),
        ({"shipped": 1}, 3, "shipped"),
        ({"shipped": 3}, 1, "shipped"),
        ({"shipped": 3, "received": 1}, 1, "received"),
        ({"shipped": 1, "received": 1}, 2, "unshipped"),
    ],
)
def test_a_refund_is_of_goods_not_shipped_as_far_as_these_reach(
    facts: dict[str, int], asked: int, phase: str
) -> None:
    desk = Desk(sale(goods("A", "10.00", 3, **facts), paid("30.00")))
    assert desk.done("apply", lines=units(A=asked)).phase == phase


def test_units_already_withdrawn_are_no_longer_there_to_withdraw() -> None:
    desk = Desk(sale(goods("A", "10.00", 3, shipped=1), paid("30.00")))
    assert desk.done("apply", lines=units(A=2)).phase == "unshipped"
    assert desk.done("apply", lines=units(A=1)).phase == "shipped"
    desk.done("cancel", ticket_no="E-R1")
    assert desk.done("apply", lines=units(A=2)).phase == "unshipped"


def test_an_order_received_as_a_whole_counts_for_its_lines() -> None:
    received = PAID_AT + timedelta(days=3)
    desk = Desk(sale(goods("A", "10.00", shipped=1, received=0), paid("10.00"), received_at=received))
    assert desk.done("apply", lines=units(A=1)).phase == "received"


def test_the_most_delivered_line_gives_the_phase_of_the_ticket() -> None:
    desk = Desk(sale(goods("A", "10.00"), goods("B", "10.00", shipped=1), paid("20.00")))
    assert desk.done("apply", lines=units(A=1, B=1)).phase == "shipped"


def test_goods_that_were_not_shipped_cannot_come_back() -> None:
    assert Desk(UNSHIPPED).refused("apply", type="return_refund", lines=units(A=1)).code == "not_shipped"
    partly = sale(goods("A", "10.00", 3, shipped=1), paid("30.00"))
    desk = Desk(partly)
    assert desk.refused("apply", type="return_refund", lines=units(A=2)).code == "not_shipped"
    desk.done("apply", type="return_refund", lines=units(A=1))
    assert desk.refused("apply", type="return_refund", lines=units(A=1)).code == "not_shipped"


# --- external numbers -----------------------------------------------------------------------------


def test_a_ticket_is_named_by_its_number_its_external_number_or_its_application() -> None:
    desk = pending(external_no="TB-1", id="a1")
    desk.done("note", ticket_no="E-R1")
    desk.done("note", external_no="TB-1")
    desk.done("note", ticket_no="TB-1")
    desk.done("note", ticket_no="a1")
    assert len(desk.ticket.detail["notes"]) == 4


@pytest.mark.parametrize("name", [{"ticket_no": "E-R9"}, {"ticket_no": ""}, {"external_no": "TB-9"}])
def test_a_ticket_nobody_knows_is_refused(name: dict[str, str]) -> None:
    desk = pending()
    assert desk.refused("approve", **name).code == "unknown_ticket"


def test_two_names_of_one_command_must_agree() -> None:
    desk = pending(external_no="TB-1", id="a1")
    desk.done("apply", lines=units(B=1), external_no="TB-2")
    desk.done("note", ticket_no="E-R1", external_no="TB-1")
    desk.done("note", ticket_no="a1", external_no="TB-1")
    for name in ("E-R1", "a1"):
        refusal = desk.refused("note", ticket_no=name, external_no="TB-2")
        assert (refusal.code, refusal.field) == ("names_differ", "external_no")


def test_one_external_number_is_one_live_ticket() -> None:
    desk = pending(external_no="TB-1")
    refusal = desk.refused("apply", lines=units(B=1), external_no="TB-1")
    assert refusal.code == "external_no_taken" and "E-R1" in refusal.message
    desk.done("cancel")
    desk.done("apply", lines=units(B=1), external_no="TB-1")


def test_an_external_number_used_again_names_the_live_ticket() -> None:
    desk = pending(external_no="TB-1")
    desk.done("cancel")
    desk.done("apply", lines=units(B=1), external_no="TB-1")
    assert desk.done("approve", external_no="TB-1").ticket_no == "E-R2"


def test_a_ticket_is_not_reopened_beside_another_with_its_external_number() -> None:
    desk = pending(external_no="TB-1")
    desk.done("cancel")
    desk.done("apply", lines=units(B=1), external_no="TB-1")
    assert desk.refused("reopen", ticket_no="E-R1").code == "external_no_taken"


# --- the review -----------------------------------------------------------------------------------


def test_an_approval_names_the_reviewer_and_hands_over_to_finance() -> None:
    desk = pending()
    desk.later(hours=2)
    ticket = desk.done("approve")
    assert (ticket.status, ticket.reviewer, ticket.reviewed_at) == (
        "approved",
        "operations:li",
        desk.now,
    )
    assert ticket.owner == "finance"


def test_where_to_send_the_goods_is_kept_beside_the_chain() -> None:
    """S-23."""
    desk = pending(type="return_refund")
    address = ReturnAddress(contact="仓库", phone="123", address="杭州")
    ticket = desk.done("approve", return_to=address, note="send by SF")
    assert ticket.detail["return_to"] == {"contact": "仓库", "phone": "123", "address": "杭州"}
    assert "仓库" not in str(desk.events[-1].payload)


def test_an_override_on_review_is_recorded_with_its_author() -> None:
    ticket = pending().done("approve", override="regular customer")
    assert ticket.detail["override"] == {"by": "operations:li", "reason": "regular customer"}


def test_approving_under_the_old_terms_keeps_the_claim_as_it_was() -> None:
    desk = pending()
    before = desk.ticket.lines
    assert desk.done("approve").lines is before
    assert "claim" not in desk.events[-1].payload


@pytest.mark.parametrize("kind", ["reject", "send_back"])
@pytest.mark.parametrize("reason", ["", " \t"])
def test_declining_needs_a_reason(kind: str, reason: str) -> None:
    desk = pending()
    if kind == "send_back":
        desk.done("approve")
    refusal = desk.refused(kind, reason=reason)
    assert (refusal.code, refusal.field) == ("reason_required", "reason")


def test_the_buyer_can_see_why_and_try_again() -> None:
    """S-36."""
    desk = pending()
    ticket = desk.done("reject", reason="worn", note="see photo")
    assert (ticket.status, ticket.owner) == ("rejected", "buyer")
    assert ticket.detail["rejection"] == "worn"
    assert desk.done("revise", lines=units(A=1), evidence=("label.jpg",)).status == "pending_review"


def test_finance_sends_back_before_the_money_leaves_and_not_after() -> None:
    """S-11, S-24."""
    desk = pending()
    desk.done("approve")
    ticket = desk.done("send_back", reason="fee missing")
    assert (ticket.status, ticket.detail["sent_back"]) == ("pending_review", "fee missing")
    desk.through("approve", "release")
    assert desk.refused("send_back").code == "money_in_flight"


def test_terms_of_an_earlier_approval_do_not_linger() -> None:
    desk = pending()
    assert desk.done("approve", amount="80.00", service_fee="5.00").total == 8000
    desk.done("send_back")
    assert desk.done("approve").total == 10_000


# --- revising -------------------------------------------------------------------------------------


def test_a_revision_replaces_the_claim() -> None:
    desk = pending()
    ticket = desk.done("revise", lines=units(A=2, B=1), reason="quality")
    assert ticket.total == 23_000
    assert (ticket.reason, ticket.first_reason) == ("quality", "agreed")
    assert desk.case.claims["A"].units == 2
    assert desk.done("revise", lines=units(B=1)).total == 3000
    assert desk.case.claims["A"].units == 0


def test_a_revision_of_the_amount_keeps_the_lines() -> None:
    desk = pending(lines=(LineAsked(line_no="A", quantity=2, amount="150.00"), *money(B="10.00")))
    ticket = desk.done("revise", amount="40.00")
    assert (ticket.total, [line.quantity for line in ticket.lines]) == (4000, [2, 0])


def test_a_revision_of_the_reason_alone_keeps_the_money() -> None:
    desk = pending(amount="50.00")
    ticket = desk.done("revise", reason="quality", note="really")
    assert (ticket.total, ticket.reason) == (5000, "quality")


def test_a_revision_starts_without_the_terms_of_an_earlier_review() -> None:
    """Approved at 40.00 and sent back: the buyer may still ask for 50.00."""
    desk = pending()
    desk.done("approve", amount="40.00")
    desk.done("send_back")
    ticket = desk.done("revise", amount="50.00")
    assert (ticket.total, ticket.quote.get("fees")) == (5000, None)


def test_a_reopened_ticket_starts_without_the_terms_of_an_earlier_review() -> None:
    """Approved at 40.00, withdrawn, 180.00 given back outside: 50.00 are left to review."""
    desk = pending()
    desk.done("approve", amount="40.00")
    desk.done("cancel")
    desk.accepted("external_refund", payment_no="cash", amount="180.00")
    assert desk.done("reopen").total == 5000


def test_proof_adds_up_over_revisions() -> None:
    desk = pending(evidence=("1.jpg",))
    desk.done("revise", evidence=("2.jpg",))
    assert desk.done("revise", evidence=("3.jpg",)).detail["evidence"] == [
        "1.jpg",
        "2.jpg",
        "3.jpg",
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"lines": units(A=3)}, "quantity_not_available"),
        ({"lines": ()}, "no_lines"),
        ({"amount": "100.01"}, "amount_above_quote"),
        ({"reason": "nonsense"}, "unknown_reason"),
        ({"reason": "not_wanted"}, "reason_not_for_this"),
    ],
)
def test_a_revision_is_checked_like_an_application(fields: dict[str, Any], code: str) -> None:
    assert pending().refused("revise", **fields).code == code


def test_a_return_cannot_be_revised_to_goods_that_were_not_shipped() -> None:
    order = sale(goods("A", "10.00", shipped=1), goods("B", "10.00"), paid("20.00"))
    desk = Desk(order)
    desk.done("apply", type="return_refund", lines=units(A=1))
    assert desk.refused("revise", lines=units(B=1)).code == "not_shipped"


def test_a_revision_leaves_the_freight_asked_for_as_it_is() -> None:
    """Only what is revised changes."""
    order = sale(goods("A", "10.00", 2, shipped=2), *E1.shipping, paid("30.00"))
    desk = Desk(order)
    desk.done("apply", lines=units(A=1), refund_shipping="4.00")
    assert desk.done("revise", lines=units(A=2)).total == 2400


# --- ending and coming back -------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), [("cancel", "cancelled"), ("close", "closed")])
def test_an_ended_ticket_frees_what_it_claimed(kind: str, status: str) -> None:
    desk = pending()
    ticket = desk.done(kind, reason="found it")
    assert ticket.status == status
    assert (desk.case.claims["A"].units, desk.case.claims["A"].given) == (0, 0)
    assert desk.case.payments["cash"].left == 23_000
    assert desk.events[-1].payload["reason"] == "found it"
    assert desk.refused(kind).code == "ticket_closed"


def test_a_ticket_does_not_end_while_its_money_moves_or_its_goods_are_in() -> None:
    desk = pending()
    desk.through("approve", "release")
    assert desk.refused("cancel").code == "money_in_flight"
    desk = pending(type="return_refund")
    desk.through("approve", "ship_back", "receive", "inspect")
    assert desk.refused("cancel").code == "goods_taken_in"


def test_a_reopened_ticket_is_reviewed_again_with_its_claim() -> None:
    """S-53."""
    desk = pending()
    desk.through("approve", "cancel")
    ticket = desk.done("reopen", reason="misunderstanding")
    assert (ticket.status, ticket.total, ticket.owner) == ("pending_review", 10_000, "operations")
    assert desk.case.claims["A"].units == 1
    assert desk.refused("reopen").code == "wrong_state"


def test_a_ticket_is_not_reopened_when_its_units_are_gone() -> None:
    desk = pending(lines=units(A=2))
    desk.done("cancel")
    desk.done("apply", lines=units(A=1))
    assert desk.refused("reopen", ticket_no="E-R1").code == "quantity_not_available"


# --- notes and queues -------------------------------------------------------------------------------


def test_notes_add_up_with_their_authors_and_stay_possible_after_the_end() -> None:
    """S-49."""
    desk = pending()
    desk.done("note", text="called")
    desk.done("cancel")
    ticket = desk.done("note", text="called again", actor="finance:wang")
    assert ticket.detail["notes"] == [
        {"by": "operations:li", "text": "called"},
        {"by": "finance:wang", "text": "called again"},
    ]
    assert [event.payload["number"] for event in desk.events if event.kind == "note_added"] == [1, 2]
    assert "called" not in str(desk.events[-1].payload)
    assert desk.refused("note", text=" ").code == "missing_value"


# --- four places a command may be refused -----------------------------------------------------------


def test_a_command_is_refused_by_version_by_state_by_role_and_by_content() -> None:
    desk = pending()
    version = desk.case.version
    assert desk.refused("approve", expected_version=version - 1).code == "changed_meanwhile"
    assert desk.refused("release").code == "not_yet"
    assert desk.refused("approve", actor="buyer:b1").code == "not_permitted"
    assert desk.refused("approve", amount="1000.00").code == "amount_above_quote"
    assert desk.done("approve", expected_version=version).status == "approved"


def test_what_changed_meanwhile_is_named() -> None:
    desk = pending()
    refusal = desk.refused("approve", expected_version=1)
    assert "version 1 expected, 2 found" in refusal.message
    assert refusal.field == "expected_version"


# --- time -------------------------------------------------------------------------------------------


def test_a_commands_own_time_goes_before_the_clock_and_never_before_the_last_event() -> None:
    """L5: order is by number; a clock that jumps back does not undo it."""
    desk = Desk(SHIPPED)
    told = desk.now - timedelta(hours=3)
    desk.done("apply", lines=units(A=1), at=told)
    assert desk.events[-1].at == told
    desk.done("note", at=told - timedelta(days=1))
    assert desk.events[-1].at == told
    desk.now -= timedelta(days=3000)
    desk.done("note")
    assert desk.events[-1].at == told


def test_a_time_without_an_offset_is_refused_wherever_it_is_told() -> None:
    naive = PAID_AT.replace(tzinfo=None)
    assert Desk(SHIPPED).refused("apply", lines=units(A=1), at=naive).code == "time_without_offset"


def test_e2_in_the_words_of_the_buyer() -> None:
    """The whole way of E2's second line: applied, reviewed, released, paid."""
    desk = Desk(E2)
    desk.done("apply", lines=units(B=1))
    ticket = desk.through("approve", "release", "settle_result")
    assert (ticket.status, ticket.total) == ("completed", 4278)
    assert ticket.completed_at == desk.now
    assert desk.case.claims["B"].refunded == 4573  # with the red packet that is not paid out
