"""The quote: what is given back for which line, to which payment, and what is not, and why."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverseflow.core.asking import Asked
from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import Apply, ChargeFacts, LineAsked, RecordOrder
from reverseflow.core.decide import preview
from reverseflow.core.errors import Refusal
from reverseflow.core.money import Money, format_amount
from reverseflow.core.rulebook import FeeFormula
from support.cases import (
    E1,
    E2,
    SERVICE_FEE,
    Desk,
    coupon,
    examples,
    freight,
    goods,
    money,
    orders,
    paid,
    rulebook,
    sale,
    units,
)

IN_KIND = rulebook(auto_approve_unshipped=False, tender_policy="in_kind")
HUNDRED = sale(goods("A", "100.00"), paid("100.00"))
FIVE_AND_FIVE = sale(goods("A", "5.00"), goods("B", "5.00"), paid("10.00"))
FOUR = sale(goods("A", "25.00", 4), paid("100.00"))


def not_returned(ticket: Ticket) -> list[tuple[str, int, str]]:
    return [(what, amount, why) for what, amount, why in ticket.quote.get("not_returned", ())]


def fees(ticket: Ticket) -> dict[str, int]:
    return {code: amount for code, _, amount, _, _ in ticket.quote.get("fees", ())}


# --- the worked examples ------------------------------------------------------------------------


def test_e1_the_whole_unshipped_order_comes_back_with_its_freight() -> None:
    ticket = Desk(E1).done("apply", lines=units(A=1, B=2))
    assert ticket.total == 19_000
    assert ticket.quote["freight"] == 1000
    assert not_returned(ticket) == [
        ("coupon", 1000, "discount_not_paid"),
        ("coupon", 1000, "discount_not_paid"),
    ]


def test_e1_one_of_two_b_is_45_yuan_without_freight() -> None:
    ticket = Desk(E1).done("apply", lines=units(B=1))
    assert ticket.total == 4500
    assert "freight" not in ticket.quote
    assert not_returned(ticket) == [("coupon", 500, "discount_not_paid")]


def test_each_unit_keeps_its_own_share_of_the_discounts() -> None:
    desk = Desk(sale(goods("A", "10.00", 3), coupon("0.10"), paid("29.90")))
    kept = [not_returned(desk.done("apply", lines=units(A=1))) for _ in range(3)]
    assert [row[0][1] for row in kept] == [3, 3, 4]


def test_e1_in_steps_the_last_one_brings_the_freight_and_all_of_it_adds_up() -> None:
    for steps in permutations(({"A": 1}, {"B": 1}, {"B": 1})):
        desk = Desk(E1)
        totals = [desk.done("apply", lines=units(**step)).total for step in steps]
        assert sum(totals) == 19_000
        assert desk.ticket.quote["freight"] == 1000
        assert not any("freight" in ticket.quote for ticket in list(desk.case.tickets.values())[:2])


def test_e2_a_red_packet_is_not_paid_out_in_cash() -> None:
    desk = Desk(E2)
    ticket = desk.done("apply", lines=units(B=1))
    assert desk.refunds() == {"cash": 4278}
    (line,) = ticket.lines
    assert (line.value, line.refund, line.tenders) == (4573, 4278, (("cash", 4278), ("red_packet", 295)))
    assert not_returned(ticket) == [
        ("store", 885, "discount_not_paid"),
        ("platform", 442, "discount_not_paid"),
        ("red_packet", 295, "tender_policy"),
    ]


def test_e2_in_kind_the_red_packet_comes_back_as_a_red_packet() -> None:
    desk = Desk(E2, IN_KIND)
    assert desk.done("apply", lines=units(B=1)).total == 4573
    assert desk.refunds() == {"cash": 4278, "red_packet": 295}


def test_e2_all_three_lines_end_at_what_was_paid_with_each_tender() -> None:
    for line_nos in permutations("ABC"):
        desk = Desk(E2, IN_KIND)
        for line_no in line_nos:
            desk.done("apply", lines=units(**{line_no: 1}))
        assert {no: payment.left for no, payment in desk.case.payments.items()} == {
            "cash": 0, "red_packet": 0,
        }  # fmt: skip


def test_e3_three_units_one_at_a_time() -> None:
    """alloc_exact (R14): never a cent more or less than was paid."""
    desk = Desk(sale(goods("A", "100.00", 3, discount="200.00"), paid("100.00")))
    assert [desk.done("apply", lines=units(A=1)).total for _ in range(3)] == [3333, 3333, 3334]


@pytest.mark.parametrize(("fee", "refund"), [("10.00", 6177), ("8.00", 6377)])
def test_e4_and_e8_what_a_formula_keeps_back_comes_off_the_cash(fee: str, refund: int) -> None:
    """E4: outbound freight kept; E8: a gift declared at 8.00 that did not come back."""
    desk = Desk(E2)
    desk.done("apply", lines=units(A=1))
    assert desk.done("approve", service_fee=fee).total == refund
    assert desk.refunds() == {"cash": refund}


def test_e5_the_platforms_split_is_proportional_and_the_quote_says_so() -> None:
    order = sale(goods("A", "200.00", paid="175.00"), goods("B", "120.00", paid="105.00"), paid("280.00"))
    ticket = Desk(order).done("apply", lines=units(B=1))
    assert (ticket.total, ticket.quote["strategy"]) == (10_500, "proportional")


def test_e6_ten_back_of_a_hundred_leaves_ninety_with_the_seller() -> None:
    desk = Desk(HUNDRED)
    assert desk.done("apply", lines=money(A="10.00")).total == 1000
    assert desk.case.payments["cash"].left == 9000


def test_e7_a_service_fee_is_a_line_of_its_own() -> None:
    desk = Desk(E2)
    desk.done("apply", lines=units(A=1))
    ticket = desk.done("approve", service_fee="5.00")
    assert ticket.total == 6677
    assert ticket.quote["fees"] == [["service_fee", "tests", -500, "buyer", "agreed with the buyer"]]


def test_e9_price_protection_now_and_the_rest_when_the_goods_come_back() -> None:
    desk = Desk(sale(goods("A", "299.00", shipped=1), paid("299.00")))
    assert desk.done("apply", lines=money(A="40.00")).total == 4000
    assert desk.case.claims["A"].units == 0
    assert desk.done("apply", type="return_refund", lines=units(A=1)).total == 25_900


# --- amounts asked ------------------------------------------------------------------------------


def test_less_may_be_asked_for_a_line_than_its_units_are_worth() -> None:
    desk = Desk(E2, IN_KIND)
    ticket = desk.done("apply", lines=(LineAsked(line_no="A", quantity=1, amount="30.00"),))
    assert ticket.total == 3000
    assert sum(desk.refunds().values()) == 3000 and desk.refunds()["cash"] > 2700


def test_less_may_be_asked_for_the_whole_ticket_and_is_spread_over_its_lines() -> None:
    desk = Desk(FIVE_AND_FIVE)
    ticket = desk.done("apply", lines=units(A=1, B=1), amount="3.33")
    assert [(line.line_no, line.value, line.asked) for line in ticket.lines] == [
        ("A", 167, 167),
        ("B", 166, 166),
    ]


def test_asking_for_exactly_what_is_allowed_changes_nothing() -> None:
    asked = Desk(FIVE_AND_FIVE).done("apply", lines=units(A=1, B=1), amount="10.00")
    whole = Desk(FIVE_AND_FIVE).done("apply", lines=units(A=1, B=1))
    assert (asked.lines, asked.payouts, asked.total) == (whole.lines, whole.payouts, whole.total)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"lines": (LineAsked(line_no="A", quantity=1, amount="5.01"),)}, "5.01 CNY asked, 5.00 CNY allowed"),
        ({"lines": money(A="5.01")}, "5.00 CNY allowed"),
        ({"lines": units(A=1), "amount": "5.01"}, "5.01 CNY asked, 5.00 CNY allowed"),
    ],
    ids=["units and money", "money", "ticket"],
)  # fmt: skip
def test_more_than_the_quote_allows_is_refused_with_the_allowed_amount(
    fields: dict[str, Any], says: str
) -> None:
    refusal = Desk(FIVE_AND_FIVE).refused("apply", **fields)
    assert refusal.code == "amount_above_quote"
    assert says in refusal.message


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0.00", "bad_amount"),
        ("-1.00", "negative_amount"),
        ("1e1", "bad_amount"),
        ("0.001", "bad_amount"),
    ],
)
def test_an_amount_asked_is_a_positive_amount(amount: str, code: str) -> None:
    """neg_amount (R2), amount_format (R20): refused wherever an amount may be named."""
    for fields in ({"lines": money(A=amount)}, {"lines": units(A=1), "amount": amount}):
        assert Desk(FIVE_AND_FIVE).refused("apply", **fields).code == code


def test_after_money_without_units_the_units_are_worth_what_is_left() -> None:
    desk = Desk(FOUR)
    desk.done("apply", lines=money(A="50.00"))
    assert [desk.done("apply", lines=units(A=1)).total for _ in range(4)] == [0, 0, 2500, 2500]


@pytest.mark.parametrize(
    ("quantity", "asked", "rest"),
    [(2, "10.00", [5000]), (3, "10.00", [3333, 3334]), (4, "0.01", [2500, 2500, 2500])],
)
def test_what_one_unit_was_given_less_stays_with_that_unit(
    quantity: int, asked: str, rest: list[int]
) -> None:
    """Who agreed to 10.00 for one of two units gets 50.00 for the other, not 90.00 nor 50.01."""
    desk = Desk(sale(goods("A", "100.00", quantity, paid="100.00"), paid("100.00")))
    desk.done("apply", lines=(LineAsked(line_no="A", quantity=1, amount=asked),))
    assert [desk.done("apply", lines=units(A=1)).total for _ in rest] == rest


def test_the_money_asked_for_a_whole_unshipped_order_has_its_freight_in_it() -> None:
    """What is asked for the ticket is what is refunded, freight or not (formats: `amount`)."""
    assert Desk(E1).done("apply", lines=units(A=1, B=2), amount="190.00").total == 19_000
    assert Desk(E1).done("apply", lines=units(A=1, B=2), amount="100.00").total == 10_000
    refusal = Desk(E1).refused("apply", lines=units(A=1, B=2), amount="190.01")
    assert refusal.code == "amount_above_quote" and "190.00 CNY allowed" in refusal.message


# --- quantities ---------------------------------------------------------------------------------


def test_units_are_claimed_once_over_all_tickets() -> None:
    """qty_remaining (R8), Q1."""
    desk = Desk(FOUR)
    desk.done("apply", lines=units(A=3))
    refusal = desk.refused("apply", lines=units(A=2))
    assert refusal.code == "quantity_not_available"
    assert "2 asked, 1 of 4 left" in refusal.message
    desk.done("cancel")
    desk.done("apply", lines=units(A=4))


def test_a_rejected_ticket_keeps_its_claim_while_it_may_be_revised() -> None:
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    desk.done("reject")
    assert desk.refused("apply", lines=units(A=1)).code == "quantity_not_available"
    desk.done("close")
    desk.done("apply", lines=units(A=1))


# --- freight and charges ------------------------------------------------------------------------

TWO_FREIGHTS = sale(goods("A", "10.00", shipped=1), freight("5.00"), freight("3.00"), paid("18.00"))


@pytest.mark.parametrize(
    ("wanted", "refund"),
    [(False, 1000), (True, 1800), ("5.00", 1500), ("6.00", 1600), ("0.00", 1000)],
)
def test_freight_is_given_back_as_far_as_it_is_asked_for(wanted: str | bool, refund: int) -> None:
    assert Desk(TWO_FREIGHTS).done("apply", lines=units(A=1), refund_shipping=wanted).total == refund


def test_more_freight_than_was_paid_is_refused() -> None:
    refusal = Desk(TWO_FREIGHTS).refused("apply", lines=units(A=1), refund_shipping="8.01")
    assert (refusal.code, refusal.field) == ("amount_above_quote", "refund_shipping")
    assert "0.01 CNY more" in refusal.message


@pytest.mark.parametrize("wanted", ["0.01", "0.02", "5.00"])
def test_freight_that_was_not_paid_cannot_come_back(wanted: str) -> None:
    refusal = Desk(HUNDRED).refused("apply", lines=units(A=1), refund_shipping=wanted)
    assert (refusal.code, refusal.field) == ("amount_above_quote", "refund_shipping")


def test_asking_for_all_freight_where_there_is_none_is_no_offence() -> None:
    for wanted in (True, "0.00"):
        assert Desk(HUNDRED).done("apply", lines=units(A=1), refund_shipping=wanted).total == 10_000


def test_freight_is_given_back_once() -> None:
    desk = Desk(sale(goods("A", "10.00", 2, shipped=2), freight("5.00"), paid("25.00")))
    assert desk.done("apply", lines=units(A=1), refund_shipping="3.00").total == 1300
    assert desk.done("apply", lines=units(A=1), refund_shipping=True).total == 1200
    assert desk.case.payments["cash"].left == 0


def test_of_a_whole_unshipped_order_the_freight_asked_for_is_given_back_and_no_more() -> None:
    lines = units(A=1, B=2)
    assert Desk(E1).done("apply", lines=lines, refund_shipping="4.00").total == 18_400
    assert Desk(E1).done("apply", lines=lines, refund_shipping=True).total == 19_000
    assert Desk(E1).refused("apply", lines=lines, refund_shipping="10.01").code == "amount_above_quote"


def test_freight_stays_where_a_part_of_the_order_was_shipped() -> None:
    order = sale(goods("A", "10.00"), goods("B", "10.00", shipped=1), freight("5.00"), paid("25.00"))
    assert Desk(order).done("apply", lines=units(A=1)).total == 1000
    assert Desk(order).done("apply", lines=units(A=1, B=1)).total == 2000


def test_freight_is_not_given_back_for_money_without_units() -> None:
    assert Desk(E1).done("apply", lines=money(A="90.00", B="90.00")).total == 18_000


def test_charges_come_back_with_the_whole_unshipped_order_if_they_are_refundable() -> None:
    order = sale(
        goods("A", "10.00", 2), ChargeFacts(code="wrap", amount="3.00"),
        ChargeFacts(code="insurance", amount="2.00", refundable=False), paid("25.00"),
    )  # fmt: skip
    desk = Desk(order)
    assert desk.done("apply", lines=units(A=1)).total == 1000
    ticket = desk.done("apply", lines=units(A=1), refund_shipping=True)
    assert ticket.total == 1300
    assert "freight" not in ticket.quote  # a charge is not freight
    assert desk.case.payments["cash"].left == 200


def test_money_asked_for_a_line_is_that_money_and_no_freight_beside_it() -> None:
    """Whoever names the money of each line gets that money; freight is then asked for by itself."""
    lines = (LineAsked(line_no="A", quantity=1, amount="90.00"), *units(B=2))
    assert Desk(E1).done("apply", lines=lines).total == 18_000
    assert Desk(E1).done("apply", lines=lines, refund_shipping=True).total == 19_000


# --- what a reviewer switches on (S-22) -----------------------------------------------------------

MIXED = sale(
    goods("A", "100.00", shipped=1), freight("10.00"),
    paid("60.00"), paid("20.00", "points"), paid("10.00", "coupon"), paid("15.00", "red_packet"),
    paid("5.00", "gift_card"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("switches", "tenders"),
    [
        ((), "cash gift_card"),
        (("coupon",), "cash coupon gift_card red_packet"),
        (("virtual_currency",), "cash gift_card points"),
        (("coupon", "virtual_currency"), "cash coupon gift_card points red_packet"),
    ],
    ids=["none", "coupon", "points", "both"],
)
def test_a_switch_gives_its_tenders_back(switches: tuple[str, ...], tenders: str) -> None:
    desk = Desk(MIXED)
    desk.done("apply", lines=units(A=1))
    ticket = desk.done("approve", give_back=switches)
    assert sorted(desk.refunds()) == tenders.split()
    kept = sum(amount for _, amount, why in not_returned(ticket) if why == "tender_policy")
    assert ticket.total + kept == 10_000


def test_the_freight_switch_gives_all_of_the_freight_back_whatever_was_asked_for() -> None:
    desk = Desk(TWO_FREIGHTS)
    desk.done("apply", lines=units(A=1), refund_shipping="0.00")
    assert desk.done("approve", give_back=("freight",)).total == 1800


def test_the_freight_switch_gives_the_freight_back() -> None:
    desk = Desk(MIXED)
    assert "freight" not in desk.done("apply", lines=units(A=1)).quote
    ticket = desk.done("approve", give_back=("freight", "coupon", "virtual_currency"))
    assert ticket.total == 11_000
    assert ticket.quote["freight"] == 1000


def test_an_unknown_switch_is_refused_with_the_known_ones() -> None:
    desk = Desk(MIXED)
    desk.done("apply", lines=units(A=1))
    refusal = desk.refused("approve", give_back=("everything",))
    assert refusal.code == "unknown_switch"
    assert "coupon, virtual_currency, freight" in refusal.message


def test_in_kind_every_tender_comes_back_without_a_switch() -> None:
    desk = Desk(MIXED, IN_KIND)
    desk.done("apply", lines=units(A=1), refund_shipping=True)
    assert desk.refunds() == {
        "cash": 6000,
        "gift_card": 500,
        "points": 2000,
        "coupon": 1000,
        "red_packet": 1500,
    }


def test_money_goes_back_to_the_payments_of_a_tender_in_the_order_they_were_made() -> None:
    desk = Desk(sale(goods("A", "50.00", 2), paid("30.00", payment_no="p1"), paid("70.00", payment_no="p2")))
    desk.done("apply", lines=units(A=1))
    assert desk.refunds() == {"p1": 3000, "p2": 2000}
    desk.done("apply", lines=units(A=1))
    assert desk.refunds() == {"p2": 5000}


# --- fees ---------------------------------------------------------------------------------------


def test_a_platform_without_fee_formulas_keeps_nothing_back() -> None:
    assert Desk(HUNDRED, rulebook(fees=())).done("apply", lines=units(A=1)).total == 10_000


def test_a_fee_comes_off_the_cash_first() -> None:
    order = sale(goods("A", "100.00", shipped=1), paid("20.00"), paid("80.00", "gift_card"))
    desk = Desk(order)
    desk.done("apply", lines=units(A=1))
    assert desk.done("approve", service_fee="30.00").total == 7000
    assert desk.refunds() == {"gift_card": 7000}


def test_a_fee_stays_claimed_and_is_not_refunded_later() -> None:
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    desk.done("approve", service_fee="5.00")
    assert desk.case.claims["A"].reserved == 10_000
    assert desk.refused("apply", lines=money(A="5.00")).code == "amount_above_quote"


def test_a_fee_may_take_the_whole_refund() -> None:
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    ticket = desk.done("approve", service_fee="100.00")
    assert (ticket.total, ticket.payouts) == (0, ())
    assert desk.done("release").status == "completed"


def test_a_service_fee_above_the_refund_is_refused_not_blamed_on_a_plugin() -> None:
    """The plugin hands on what the reviewer typed."""
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    refusal = desk.refused("approve", service_fee="100.01")
    assert refusal.code == "fees_exceed_refund"
    assert "100.01" in refusal.message and "100.00" in refusal.message


def test_fees_that_together_exceed_the_refund_are_refused() -> None:
    book = rulebook(auto_approve_unshipped=False, fees=(SERVICE_FEE, SERVICE_FEE))
    desk = Desk(HUNDRED, book)
    desk.done("apply", lines=units(A=1))
    refusal = desk.refused("approve", service_fee="60.00")
    assert refusal.code == "fees_exceed_refund"
    assert "120.00 CNY exceed the 100.00 CNY" in refusal.message


def test_a_lower_amount_approved_is_an_agreed_reduction() -> None:
    desk = Desk(E2)
    desk.done("apply", lines=units(A=1))
    ticket = desk.done("approve", amount="66.77", service_fee="5.00")
    assert (ticket.total, fees(ticket)) == (6677, {"service_fee": -500})
    desk.done("send_back")
    ticket = desk.done("approve", amount="60.00", service_fee="5.00")
    assert fees(ticket) == {"service_fee": -500, "agreed_reduction": -677}
    assert ticket.total == 6000


def test_more_than_the_quote_is_not_approved() -> None:
    desk = Desk(E2)
    desk.done("apply", lines=units(A=1))
    refusal = desk.refused("approve", amount="71.78")
    assert refusal.code == "amount_above_quote"
    assert "71.78 CNY approved, 71.77 CNY allowed" in refusal.message


def test_approving_exactly_the_quote_reduces_nothing() -> None:
    desk = Desk(E2)
    desk.done("apply", lines=units(A=1))
    assert fees(desk.done("approve", amount="71.77")) == {}


def test_nothing_may_be_approved_as_amount() -> None:
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    assert desk.done("approve", amount="0.00").total == 0


@pytest.mark.parametrize("amount", ["-0.01", "1e1", "x", "１"])
def test_an_approved_amount_or_fee_is_an_amount(amount: str) -> None:
    """neg_amount (R2), amount_format (R20)."""
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    for field in ("amount", "service_fee"):
        refusal = desk.refused("approve", **{field: amount})
        assert refusal.code in ("negative_amount", "bad_amount")
        assert refusal.field == field


# --- money given back outside ---------------------------------------------------------------------


def test_what_was_given_back_outside_is_not_paid_again() -> None:
    desk = Desk(HUNDRED)
    desk.accepted("external_refund", payment_no="cash", amount="30.00", reference="bank 1")
    ticket = desk.done("apply", lines=units(A=1))
    assert ticket.total == 7000
    assert not_returned(ticket) == [("cash", 3000, "refunded_outside")]


def test_what_was_refunded_before_we_saw_the_order_is_not_paid_again() -> None:
    desk = Desk(sale(goods("A", "100.00"), paid("100.00", refunded="30.00")))
    assert desk.done("apply", lines=units(A=1)).total == 7000


def test_money_given_back_outside_comes_off_the_payment_it_was_given_to() -> None:
    order = sale(goods("A", "100.00"), paid("40.00", payment_no="p1"), paid("60.00", payment_no="p2"))
    desk = Desk(order)
    desk.accepted("external_refund", payment_no="p1", amount="40.00")
    desk.done("apply", lines=units(A=1))
    assert desk.refunds() == {"p2": 6000}


def test_no_more_is_given_back_outside_than_is_left_of_the_payment() -> None:
    """cumulative_cap (R3): what tickets hold counts as well."""
    desk = Desk(HUNDRED)
    desk.done("apply", lines=money(A="80.00"))
    refusal = desk.refused("external_refund", payment_no="cash", amount="20.01")
    assert refusal.code == "amount_above_paid"
    assert "20.00 is left" in refusal.message
    for amount, code in (
        ("0.00", "amount_above_paid"),
        ("-1.00", "negative_amount"),
        ("x", "bad_amount"),
    ):
        assert desk.refused("external_refund", payment_no="cash", amount=amount).code == code
    assert desk.refused("external_refund", payment_no="p9", amount="1.00").code == "unknown_payment"


def test_what_is_approved_is_what_is_paid_after_money_was_given_back_outside() -> None:
    """Half was given back by bank transfer; operations approves 40.00 of the rest."""
    desk = Desk(HUNDRED)
    desk.accepted("external_refund", payment_no="cash", amount="50.00")
    desk.done("apply", lines=units(A=1))
    assert desk.done("approve", amount="40.00").total == 4000


def test_a_fee_is_kept_back_after_money_was_given_back_outside() -> None:
    """50.00 are left to pay; 5.00 of them are the fee. Before: the fee was booked but not kept."""
    desk = Desk(HUNDRED)
    desk.accepted("external_refund", payment_no="cash", amount="50.00")
    desk.done("apply", lines=units(A=1))
    assert desk.done("approve", service_fee="5.00").total == 4500


def test_a_fee_above_what_is_left_to_pay_is_refused() -> None:
    desk = Desk(HUNDRED)
    desk.accepted("external_refund", payment_no="cash", amount="50.00")
    desk.done("apply", lines=units(A=1))
    refusal = desk.refused("approve", service_fee="60.00")
    assert refusal.code == "fees_exceed_refund" and "exceed the 50.00 CNY" in refusal.message


# --- partial refunds always end at what was paid ----------------------------------------------------


def assert_given_back_exactly(case: Case) -> None:
    """Per line of goods, tender, tax and payment: what all tickets give is what was paid.

    Freight and charges come back whole or not at all, as the tickets were about.
    """
    kept = 0
    for line_no, line in case.lines.items():
        own = [claimed for ticket in case.tickets.values() if not ticket.closing
               for claimed in ticket.lines if claimed.line_no == line_no]  # fmt: skip
        if line.kind != "goods" and not own:
            kept += line.paid
            continue
        assert sum(claimed.value for claimed in own) == line.paid, line_no
        tenders: dict[str, int] = {}
        for claimed in own:
            for tender, amount in claimed.tenders:
                tenders[tender] = tenders.get(tender, 0) + amount
        assert tenders == dict(line.paid_by), line_no
        assert sum(claimed.tax for claimed in own) == line.tax, line_no
    assert sum(payment.left for payment in case.payments.values()) == kept


@pytest.mark.parametrize("cancelled", [None, 0, 1, 2])
def test_partials_of_a_line_in_any_order_end_at_what_was_paid(cancelled: int | None) -> None:
    """M3, E3, with one of them cancelled and applied for again."""
    order = sale(goods("A", "33.33", 7, discount="133.31"), coupon("0.01"),
                 paid("66.66"), paid("33.33", "points"))  # fmt: skip
    for steps in permutations((1, 2, 4)):
        desk = Desk(order, IN_KIND)
        opened = [desk.done("apply", lines=units(A=step)) for step in steps]
        if cancelled is not None:
            desk.done("cancel", ticket_no=opened[cancelled].ticket_no)
            desk.done("apply", lines=units(A=steps[cancelled]))
        assert_given_back_exactly(desk.case)


def test_the_tax_of_a_line_is_given_back_once_after_a_cancellation() -> None:
    """alloc_exact (R14) for the tax: one cent of tax in three units of a cent each."""
    desk = Desk(sale(goods("A", "0.01", 3, tax="0.01"), paid("0.03")))
    first, *_ = [desk.done("apply", lines=units(A=1)) for _ in range(3)]
    desk.done("cancel", ticket_no=first.ticket_no)
    desk.done("apply", lines=units(A=1))
    assert_given_back_exactly(desk.case)


@examples(60, 10_000)
@given(order=orders(max_lines=4), data=st.data())
def test_any_partial_refunds_with_cancellations_end_exactly_at_what_was_paid(
    order: RecordOrder, data: st.DataObject
) -> None:
    desk = Desk(order, IN_KIND)
    goods_lines = desk.case.goods
    for _ in range(data.draw(st.integers(0, 8))):
        live = [ticket for ticket in desk.case.tickets.values() if not ticket.closing]
        if live and data.draw(st.integers(0, 2)) == 0:
            desk.done("cancel", ticket_no=data.draw(st.sampled_from(live)).ticket_no)
            continue
        line = data.draw(st.sampled_from(goods_lines))
        count = data.draw(st.integers(0, line.quantity))
        part = data.draw(st.none() | st.integers(1, 100))
        amount = None if part is None else format_amount(max(1, line.paid * part // 300), order.currency)
        asked = LineAsked(line_no=line.line_no, quantity=count or None, amount=amount)
        desk.do(desk.command("apply", lines=(asked,)))
    rest = {line.line_no: line.quantity - units_claimed(desk, line.line_no) for line in goods_lines}
    if any(rest.values()):
        desk.done("apply", lines=units(**{no: count for no, count in rest.items() if count}))
    for line in goods_lines:
        left = line.paid - claimed_money(desk, line.line_no)
        if left:
            desk.done("apply", lines=money(**{line.line_no: format_amount(left, order.currency)}))
    assert_given_back_exactly(desk.case)


def units_claimed(desk: Desk, line_no: str) -> int:
    claim = desk.case.claims.get(line_no)
    return claim.units if claim else 0


def claimed_money(desk: Desk, line_no: str) -> int:
    claim = desk.case.claims.get(line_no)
    return claim.given if claim else 0


# --- the preview ----------------------------------------------------------------------------------


def previewed(desk: Desk, **fields: Any) -> Any:
    command = desk.command("apply", **fields)
    assert isinstance(command, Apply)
    return preview(desk.case, command, desk.rulebook, desk.now)


def test_the_preview_is_the_decision_in_the_interchange_format() -> None:
    desk = Desk(E1)
    document = previewed(desk, lines=units(A=1, B=2))
    assert document == {
        "order_no": "E", "currency": "CNY", "type": "refund_only", "verdicts": [],
        "lines": [
            {"line_no": "A", "quantity": 1, "list": "100.00", "discount": "10.00", "tax": "0.00",
             "refund": "90.00"},
            {"line_no": "B", "quantity": 2, "list": "100.00", "discount": "10.00", "tax": "0.00",
             "refund": "90.00"},
        ],
        "freight": "10.00", "fees": [],
        "tenders": [{"payment_no": "cash", "tender": "cash", "refund": "190.00"}],
        "not_returned": [
            {"what": "coupon", "amount": "10.00", "why": "discount_not_paid"},
            {"what": "coupon", "amount": "10.00", "why": "discount_not_paid"},
        ],
        "strategy": "proportional", "rulebook": "v1", "total": "190.00",
    }  # fmt: skip
    assert desk.case.tickets == {}


def test_the_preview_lists_charges_and_leaves_the_freight_to_its_own_figure() -> None:
    wrap = ChargeFacts(code="wrap", amount="3.00")
    document = previewed(
        Desk(sale(goods("A", "1.00"), wrap, freight("2.00"), paid("6.00"))), lines=units(A=1)
    )
    assert [(line["line_no"], line["list"], line["refund"]) for line in document["lines"]] == [
        ("A", "1.00", "1.00"),
        ("#charge:wrap", "3.00", "3.00"),
    ]
    assert (document["freight"], document["total"]) == ("2.00", "6.00")


def test_the_preview_names_what_every_rule_says() -> None:
    document = previewed(Desk(E1, rulebook()), lines=units(B=1))
    assert document["verdicts"] == [{"rule": "unshipped_accepted", "outcome": "accept", "code": "unshipped"}]


def test_the_preview_shows_tax_on_top_and_money_asked() -> None:
    order = sale(
        goods("A", "50.00", 2, tax="20.00"),
        coupon("10.00"),
        paid("110.00"),
        price_includes_tax=False,
    )
    (line,) = previewed(Desk(order), lines=units(A=1))["lines"]
    assert line == {
        "line_no": "A", "quantity": 1, "list": "50.00", "discount": "5.00", "tax": "10.00", "refund": "55.00",
    }  # fmt: skip
    (line,) = previewed(Desk(order), lines=(LineAsked(line_no="A", quantity=1, amount="11.00"),))["lines"]
    assert (line["list"], line["discount"], line["refund"]) == ("50.00", "5.00", "11.00")
    (line,) = previewed(Desk(order), lines=money(A="11.00"))["lines"]
    assert (line["quantity"], line["list"], line["discount"]) == (0, "0.00", "0.00")


def test_the_preview_shows_fees_as_the_buyer_sees_them() -> None:
    restocking = FeeFormula("restocking", lambda given: Money(100, "CNY"), "handling", plugin="shop")
    document = previewed(Desk(HUNDRED, rulebook(fees=(restocking,))), lines=units(A=1))
    assert document["fees"] == [
        {
            "code": "restocking",
            "plugin": "shop",
            "amount": "-1.00",
            "payer": "buyer",
            "why": "handling",
        }
    ]
    assert document["total"] == "99.00"


def test_the_preview_of_what_cannot_be_is_the_refusal() -> None:
    refusal = previewed(Desk(HUNDRED), lines=units(A=2))
    assert isinstance(refusal, Refusal) and refusal.code == "quantity_not_available"
    refusal = previewed(Desk(), lines=units(A=1))
    assert isinstance(refusal, Refusal) and refusal.code == "unknown_order"


# --- how what is asked is stored --------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        Asked((("A", 1, None),)),
        Asked((("A", 1, None), ("B", 0, 100)), 50, True, ("coupon", "freight"), 5, 7),
        Asked((("A", 1, 1),), shipping=500),
        Asked((("A", 1, 1),), shipping=1),
    ],
    ids=["units", "everything", "freight", "a cent of freight"],
)
def test_what_is_asked_is_stored_without_its_defaults_and_read_back(asked: Asked) -> None:
    again = Asked.from_json(asked.to_json())
    assert again == asked and type(again.shipping) is type(asked.shipping)
    assert Asked((("A", 1, None),)).to_json() == {"lines": [["A", 1, None]]}
