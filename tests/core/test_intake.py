"""An order as told becomes what was paid for each line: every split is exact, or it is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given

from reverseflow.core.case import OrderLine
from reverseflow.core.commands import (
    ChargeFacts,
    RecordOrder,
    ShippingFacts,
    TaxFacts,
)
from reverseflow.core.decide import Decision, decide
from reverseflow.core.errors import Refusal, Refused
from reverseflow.core.intake import order_payload
from reverseflow.core.money import format_amount
from reverseflow.core.reading import MAX_QUANTITY, quantity_in
from support.cases import (
    E1,
    E2,
    NOON,
    REVIEWED,
    Desk,
    coupon,
    examples,
    freight,
    goods,
    orders,
    paid,
    sale,
)


def lines_of(order: RecordOrder) -> dict[str, OrderLine]:
    return dict(Desk(order).case.lines)


def paid_for(order: RecordOrder) -> dict[str, int]:
    return {line_no: line.paid for line_no, line in lines_of(order).items()}


def refusal_of(order: RecordOrder) -> Refusal:
    """Why an order is refused; nothing may be recorded of it."""
    outcome = Desk().do(order)
    assert isinstance(outcome, Refusal), outcome
    return outcome


# --- the worked examples ------------------------------------------------------------------------


def test_e1_the_coupon_is_spread_by_amount_and_freight_is_a_line_of_its_own() -> None:
    lines = lines_of(E1)
    assert {no: line.paid for no, line in lines.items()} == {
        "A": 9000,
        "B": 9000,
        "#shipping": 1000,
    }
    assert lines["A"].discounts == (("coupon", 1000),)
    assert lines["B"].discounts == (("coupon", 1000),)
    assert lines["#shipping"].kind == "shipping"
    assert Desk(E1).case.paid == 19_000


def test_e2_three_discounts_are_split_to_the_cent() -> None:
    lines = lines_of(E2)
    splits = {no: dict(line.discounts) for no, line in lines.items()}
    assert splits == {
        "A": {"store": 1485, "platform": 743},
        "B": {"store": 885, "platform": 442},
        "C": {"store": 630, "platform": 315},
    }
    by_tender = {no: dict(line.paid_by) for no, line in lines.items()}
    assert by_tender == {
        "A": {"cash": 7177, "red_packet": 495},
        "B": {"cash": 4278, "red_packet": 295},
        "C": {"cash": 3045, "red_packet": 210},
    }


def test_the_tenders_of_a_line_stand_in_the_order_in_which_they_are_given_back() -> None:
    tenders = ("points", "cash", "coupon", "gift_card", "red_packet", "instalment", "store_credit")
    payments = [paid("1.00", tender) for tender in tenders]
    line = lines_of(sale(goods("A", "7.00"), *payments))["A"]
    assert [tender for tender, _ in line.paid_by] == [
        "cash", "store_credit", "gift_card", "instalment", "points", "coupon", "red_packet",
    ]  # fmt: skip


def test_two_payments_of_one_tender_are_one_share_of_a_line() -> None:
    order = sale(
        goods("A", "60.00"), goods("B", "40.00"),
        paid("30.00", payment_no="p1"), paid("70.00", payment_no="p2"),
    )  # fmt: skip
    assert [line.paid_by for line in lines_of(order).values()] == [
        (("cash", 6000),),
        (("cash", 4000),),
    ]


# --- discounts ----------------------------------------------------------------------------------


def test_a_line_discount_comes_off_before_the_order_discounts_are_spread() -> None:
    order = sale(goods("A", "100.00", discount="40.00"), goods("B", "60.00"), coupon("20.00"), paid("100.00"))
    assert paid_for(order) == {"A": 5000, "B": 5000}
    assert lines_of(order)["A"].discount == 4000


def test_a_discount_never_overdraws_a_line_it_falls_on_what_is_left() -> None:
    """By amount, the odd cent of each coupon would fall on line A, which is worth one."""
    lines = [goods(line_no, "0.01") for line_no in "ABC"]
    coupons = [coupon("0.01", code) for code in ("first", "second", "third")]
    split = {no: line.discounts for no, line in lines_of(sale(*lines, *coupons)).items()}
    assert split == {"A": (("first", 1),), "B": (("second", 1),), "C": (("third", 1),)}


def test_an_empty_discount_leaves_no_trace() -> None:
    assert lines_of(sale(goods("A", "1.00"), coupon("0.00"), paid("1.00")))["A"].discounts == ()


def test_an_order_may_cost_nothing() -> None:
    line = lines_of(sale(goods("A", "1.00"), coupon("1.00")))["A"]
    assert (line.paid, line.paid_by) == (0, ())


# --- the platform's own split -------------------------------------------------------------------


def test_a_platform_split_of_every_line_wins() -> None:
    order = sale(
        goods("A", "200.00", paid="175.00"), goods("B", "120.00", paid="105.00"),
        coupon("40.00"), paid("280.00"),
    )  # fmt: skip
    assert paid_for(order) == {"A": 17_500, "B": 10_500}
    assert lines_of(order)["B"].discounts == (("coupon", 1500),)


def test_a_platform_split_of_one_line_leaves_the_rest_of_the_discount_to_the_others() -> None:
    order = sale(
        goods("A", "100.00", paid="85.00"), goods("B", "60.00"), goods("C", "40.00"),
        coupon("20.00"), paid("180.00"),
    )  # fmt: skip
    assert paid_for(order) == {"A": 8500, "B": 5700, "C": 3800}
    assert lines_of(order)["A"].discounts == (("coupon", 1500),)


def test_what_no_told_discount_explains_is_the_platforms_split() -> None:
    order = sale(goods("A", "100.00", paid="70.00"), coupon("20.00"), paid("70.00"))
    assert lines_of(order)["A"].discounts == (("coupon", 2000), ("platform_split", 1000))


def test_a_platform_split_may_leave_a_discount_unused() -> None:
    order = sale(goods("A", "100.00", paid="100.00"), coupon("20.00"), paid("100.00"))
    assert lines_of(order)["A"].discounts == ()


def test_a_platform_split_above_the_price_is_refused() -> None:
    refusal = refusal_of(sale(goods("A", "100.00", paid="100.01"), paid("100.01")))
    assert refusal.code == "paid_above_price"
    assert "lines[0].paid" in refusal.message and "100.00" in refusal.message


def test_with_tax_on_top_a_platform_split_has_its_stated_tax_in_it() -> None:
    order = sale(
        goods("A", "100.00", paid="108.00", tax="18.00"), coupon("10.00"), paid("108.00"),
        price_includes_tax=False,
    )  # fmt: skip
    line = lines_of(order)["A"]
    assert (line.paid, line.tax, line.discounts) == (10_800, 1800, (("coupon", 1000),))


def test_with_tax_on_top_a_platform_split_has_its_tax_by_rate_in_it() -> None:
    """90.00 and 20 % of it are the 108.00 the platform names: the split wins."""
    order = sale(
        goods("A", "100.00", paid="108.00", taxes=(TaxFacts(code="vat", rate="20"),)),
        coupon("10.00"), paid("108.00"), price_includes_tax=False,
    )  # fmt: skip
    line = lines_of(order)["A"]
    assert (line.paid, line.tax) == (10_800, 1800)


@examples(40, 2000)
@given(order=orders(max_lines=12))
def test_an_order_told_with_our_own_split_is_split_the_same(order: RecordOrder) -> None:
    lines = lines_of(order)
    split = tuple(
        attrs.evolve(
            facts,
            paid=format_amount(lines[facts.line_no].paid, order.currency),
            tax=format_amount(lines[facts.line_no].tax, order.currency),
            taxes=(),
        )
        for facts in order.lines
    )
    again = lines_of(attrs.evolve(order, lines=split, discounts=()))
    for line_no, line in lines.items():
        assert (again[line_no].paid, again[line_no].tax) == (line.paid, line.tax)
        assert again[line_no].paid_by == line.paid_by


# --- tax ----------------------------------------------------------------------------------------


def taxed(unit_price: str, *rates: str, inclusive: bool, paid_in_cash: str) -> OrderLine:
    taxes = tuple(TaxFacts(code=f"t{rate}", rate=rate) for rate in rates)
    order = sale(goods("A", unit_price, taxes=taxes), paid(paid_in_cash), price_includes_tax=inclusive)
    return lines_of(order)["A"]


def test_tax_on_top_is_part_of_what_was_paid() -> None:
    line = taxed("100.00", "20", "5.5", inclusive=False, paid_in_cash="125.50")
    assert (line.tax, line.paid) == (2550, 12_550)


def test_tax_within_the_price_does_not_change_what_was_paid() -> None:
    line = taxed("120.00", "20", inclusive=True, paid_in_cash="120.00")
    assert (line.tax, line.paid) == (2000, 12_000)


def test_several_taxes_within_one_price_share_its_net() -> None:
    """100.00 net with 20 % and 10 % sell for 130.00: the tax within is 30.00."""
    assert taxed("130.00", "20", "10", inclusive=True, paid_in_cash="130.00").tax == 3000


def test_tax_is_computed_after_the_discounts() -> None:
    order = sale(
        goods("A", "100.00", taxes=(TaxFacts(code="vat", rate="20"),)), coupon("10.00"),
        paid("108.00"), price_includes_tax=False,
    )  # fmt: skip
    assert lines_of(order)["A"].tax == 1800


def test_a_stated_tax_amount_wins_over_a_rate_and_a_stated_total_over_both() -> None:
    taxes = (TaxFacts(code="vat", rate="20", amount="8.33"), TaxFacts(code="eco", amount="0.10"))
    assert lines_of(sale(goods("A", "50.00", taxes=taxes), paid("50.00")))["A"].tax == 843
    order = sale(goods("A", "50.00", tax="8.00", taxes=taxes), paid("50.00"))
    assert lines_of(order)["A"].tax == 800


def test_tax_may_be_more_than_a_tiny_price_only_when_it_is_on_top() -> None:
    line = goods("A", "1.00", tax="1.01")
    assert refusal_of(sale(line, paid("1.00"))).code == "tax_above_price"
    assert paid_for(sale(line, paid("2.01"), price_includes_tax=False)) == {"A": 201}


@pytest.mark.parametrize("rate", ["", "20%", "-1", "1e2", "20,5", "12345", "20.12345", "２０"])
def test_a_rate_is_a_plain_percentage(rate: str) -> None:
    refusal = refusal_of(sale(goods("A", "1.00", taxes=(TaxFacts(code="vat", rate=rate),)), paid("1.00")))
    assert refusal.code == "bad_rate"
    assert "lines[0].taxes[0].rate" in refusal.message


# --- shipping and charges -----------------------------------------------------------------------


def test_several_shippings_and_charges_are_lines_of_their_own() -> None:
    order = sale(
        goods("A", "10.00"),
        freight("8.00", discount="3.00"), freight("6.00"),
        ChargeFacts(code="gift_wrap", amount="3.00", refundable=False),
        ChargeFacts(code="gift_wrap", amount="2.00"),
        paid("26.00"),
    )  # fmt: skip
    lines = lines_of(order)
    assert {no: line.paid for no, line in lines.items()} == {
        "A": 1000, "#shipping": 500, "#shipping:2": 600,
        "#charge:gift_wrap": 300, "#charge:gift_wrap:2": 200,
    }  # fmt: skip
    assert (lines["#shipping"].unit_price, lines["#shipping"].discount) == (800, 300)
    assert not lines["#charge:gift_wrap"].returnable and lines["#charge:gift_wrap:2"].returnable


def test_the_tax_of_shipping_and_charges_is_on_top_or_within() -> None:
    facts = (goods("A", "10.00"), freight("5.00", tax="1.00"),
             ChargeFacts(code="wrap", amount="2.00", tax="0.40"))  # fmt: skip
    within = lines_of(sale(*facts, paid("17.00")))
    assert (within["#shipping"].paid, within["#charge:wrap"].paid) == (500, 200)
    on_top = lines_of(sale(*facts, paid("18.40"), price_includes_tax=False))
    assert (on_top["#shipping"].paid, on_top["#charge:wrap"].paid) == (600, 240)
    assert (on_top["#shipping"].tax, on_top["#charge:wrap"].tax) == (100, 40)


def test_free_shipping_is_no_line() -> None:
    order = sale(goods("A", "1.00"), freight("0.00"), freight("9.00", discount="9.00"), paid("1.00"))
    assert list(lines_of(order)) == ["A"]


def test_tax_on_top_of_free_shipping_is_a_line() -> None:
    order = sale(
        goods("A", "1.00"), freight("5.00", discount="5.00", tax="1.00"), paid("2.00"),
        price_includes_tax=False,
    )  # fmt: skip
    assert paid_for(order) == {"A": 100, "#shipping": 100}


def test_every_charge_keeps_a_line_of_its_own_whatever_its_code() -> None:
    charges = [ChargeFacts(code=code, amount="1.00") for code in ("a:3", "a", "a")]
    assert sum(paid_for(sale(goods("A", "1.00"), *charges, paid("4.00"))).values()) == 400


# --- what is recorded beside the money ----------------------------------------------------------


def test_goods_count_as_shipped_and_received_by_line_or_with_the_order() -> None:
    lines = lines_of(
        sale(
            goods("A", "1.00", 3), goods("B", "1.00", 3, shipped=1), goods("C", "1.00", 3, received=0),
            paid("9.00"), shipped_at=NOON, received_at=NOON,
        )
    )  # fmt: skip
    assert [(line.shipped, line.received) for line in lines.values()] == [(3, 3), (1, 3), (3, 0)]
    unshipped = lines_of(sale(goods("A", "1.00", 3), paid("3.00")))["A"]
    assert (unshipped.shipped, unshipped.received) == (0, 0)


def test_further_facts_of_a_line_are_kept() -> None:
    order = sale(
        goods("A", "1.00", bundle="b1", category="food", gift=True),
        goods("B", "0.00"),
        paid("1.00"),
    )
    lines = lines_of(order)
    assert lines["A"].extra == {"bundle": "b1", "category": "food", "gift": True}
    assert lines["B"].extra == {}


def test_times_are_kept_in_utc_and_the_platform_is_the_rulebooks_unless_told() -> None:
    shanghai = timezone(timedelta(hours=8))
    placed = datetime(2026, 5, 1, 10, 0, tzinfo=shanghai)
    case = Desk(sale(goods("A", "1.00"), paid("1.00"), placed_at=placed)).case
    assert case.placed_at == datetime(2026, 5, 1, 2, 0, tzinfo=UTC)
    assert case.shipped_at is None
    assert case.platform == "web"
    assert Desk(sale(goods("A", "1.00"), paid("1.00"), platform="taobao")).case.platform == "taobao"


def test_what_was_refunded_before_is_no_longer_left_of_its_payment() -> None:
    case = Desk(sale(goods("A", "10.00"), paid("10.00", refunded="4.00"))).case
    assert (case.payments["cash"].refunded, case.payments["cash"].left) == (400, 600)


# --- refusals -----------------------------------------------------------------------------------

ONE = goods("A", "10.00")
CASH = paid("10.00")


def line(**facts: Any) -> RecordOrder:
    return sale(attrs.evolve(ONE, **facts), CASH)


def payment(**facts: Any) -> RecordOrder:
    return sale(ONE, attrs.evolve(CASH, **facts))


def with_shipping(**facts: str) -> RecordOrder:
    return sale(ONE, CASH, ShippingFacts(**facts))


def with_charge(**facts: Any) -> RecordOrder:
    return sale(ONE, CASH, ChargeFacts(**{"code": "wrap", "amount": "0", **facts}))


def with_discount(amount: str, funded_by: str = "seller") -> RecordOrder:
    return sale(ONE, CASH, attrs.evolve(coupon(amount), funded_by=funded_by))


REFUSED: list[tuple[RecordOrder, str, str]] = [
    (sale(ONE, CASH, currency="RMB"), "unknown_currency", "RMB"),
    (sale(ONE, CASH, order_no=" "), "missing_value", "order_no"),
    (sale(CASH), "no_lines", "lines"),
    (line(line_no=""), "bad_line_no", "lines[0].line_no"),
    (line(line_no="#shipping"), "bad_line_no", "'#shipping'"),
    (sale(ONE, ONE, CASH), "bad_line_no", "lines[1].line_no"),
    (line(quantity=0), "bad_quantity", "lines[0].quantity"),
    (line(quantity=-1), "bad_quantity", "'-1'"),
    (line(quantity=True), "bad_quantity", "'True'"),
    (line(quantity=1.5), "bad_quantity", "'1.5'"),
    (line(quantity="2"), "bad_quantity", "lines[0].quantity"),
    (line(quantity=MAX_QUANTITY + 1), "bad_quantity", "lines[0].quantity"),
    (line(shipped=2), "bad_quantity", "more than the 1 bought"),
    (line(shipped=-1), "bad_quantity", "lines[0].shipped"),
    (line(received=2), "bad_quantity", "lines[0].received"),
    (line(unit_price="ten"), "bad_amount", "lines[0].unit_price"),
    (line(unit_price="-1.00"), "negative_amount", "lines[0].unit_price"),
    (line(unit_price="99999999999999.00"), "amount_out_of_range", "lines[0].unit_price"),
    (line(unit_price="9999999999999.99", quantity=2), "amount_out_of_range", "lines[0]"),
    (line(discount="10.01"), "discount_above_price", "lines[0].discount"),
    (line(discount="-1.00"), "negative_amount", "lines[0].discount"),
    (line(paid="x"), "bad_amount", "lines[0].paid"),
    (sale(goods("A", "10.00", paid="1.00", tax="2.00"), paid("1.00"), price_includes_tax=False),
     "tax_above_price", "lines[0].tax"),
    (line(tax="-0.01"), "negative_amount", "lines[0].tax"),
    (line(taxes=(TaxFacts(code="v", amount="x"),)), "bad_amount", "lines[0].taxes[0].amount"),
    (with_discount("10.01"), "discount_above_price", "takes 0.01 more"),
    (with_discount("-1.00"), "negative_amount", "discounts[0].amount"),
    (with_discount("1.00", "nobody"), "unknown_funder", "discounts[0].funded_by"),
    (with_shipping(fee="1.00", discount="1.01"), "discount_above_price", "shipping[0].discount"),
    (with_shipping(fee="x"), "bad_amount", "shipping[0].fee"),
    (with_shipping(tax="-1"), "negative_amount", "shipping[0].tax"),
    (with_shipping(tax="0.01"), "tax_above_price", "shipping[0].tax"),
    (with_charge(tax="0.01"), "tax_above_price", "charges[0].tax"),
    (with_charge(amount="x"), "bad_amount", "charges[0].amount"),
    (with_charge(tax="x"), "bad_amount", "charges[0].tax"),
    (payment(amount="1e1"), "bad_amount", "payments[0].amount"),
    (payment(amount="-10.00"), "negative_amount", "payments[0].amount"),
    (payment(refunded="x"), "bad_amount", "payments[0].refunded"),
    (payment(refunded="10.01"), "refunded_above_paid", "payments[0].refunded"),
    (payment(tender="bitcoin"), "unknown_tender", "cash"),
    (payment(funded_by="nobody"), "unknown_funder", "payments[0].funded_by"),
    (payment(payment_no=""), "bad_payment_no", "payments[0].payment_no"),
    (sale(goods("A", "20.00"), CASH, CASH), "bad_payment_no", "payments[1].payment_no"),
    (sale(ONE, CASH, placed_at=datetime(2026, 5, 1)), "time_without_offset", "2026-05-01"),  # noqa: DTZ001
]  # fmt: skip


@pytest.mark.parametrize(
    ("order", "code", "says"),
    REFUSED,
    ids=[f"{number}-{row[1]}" for number, row in enumerate(REFUSED)],
)
def test_an_order_that_cannot_be_is_refused_whole_with_its_place(
    order: RecordOrder, code: str, says: str
) -> None:
    refusal = refusal_of(order)
    assert refusal.code == code
    assert says in refusal.message


@pytest.mark.parametrize(
    ("in_cash", "difference"), [("189.99", "-0.01"), ("190.01", "0.01"), ("170.00", "-20.00")]
)
def test_sums_that_do_not_agree_are_refused_with_the_difference(in_cash: str, difference: str) -> None:
    refusal = refusal_of(attrs.evolve(E1, payments=(paid(in_cash),)))
    assert refusal.code == "amounts_do_not_add_up"
    assert f"(difference {difference})" in refusal.message
    assert "190.00 CNY" in refusal.message and in_cash in refusal.message


def test_an_order_beyond_the_range_of_amounts_is_refused() -> None:
    most = "9999999999999.99"
    order = sale(goods("A", most), goods("B", most), paid(most, payment_no="p"), paid(most, payment_no="q"))
    assert refusal_of(order).code == "amount_out_of_range"


def test_a_count_may_be_zero_only_where_it_makes_sense() -> None:
    assert quantity_in(0, "shipped", 0) == 0
    with pytest.raises(Refused, match="from 1 up"):
        quantity_in(0, "quantity")


# --- whatever the order -------------------------------------------------------------------------


@examples(120, 10_000)
@given(order=orders())
def test_every_split_of_every_order_adds_up(order: RecordOrder) -> None:
    """M3: lines add up to the payments; per line the tenders, per tender the lines, too."""
    payload = order_payload(order, "web")
    lines, payments = payload["lines"], payload["payments"]
    assert sum(line["paid"] for line in lines) == sum(payment["amount"] for payment in payments)
    tendered: dict[str, int] = {}
    for line in lines:
        assert line["paid"] == sum(part for _, part in line["paid_by"])
        assert all(part > 0 for _, part in line["paid_by"])
        assert 0 <= line["tax"] <= line["paid"]
        for tender, part in line["paid_by"]:
            tendered[tender] = tendered.get(tender, 0) + part
    for tender in {payment["tender"] for payment in payments}:
        told = sum(payment["amount"] for payment in payments if payment["tender"] == tender)
        assert tendered.get(tender, 0) == told
    for discount in order.discounts:
        borne = [dict(line["discounts"]).get(discount.code, 0) for line in lines]
        assert format_amount(sum(borne), order.currency) == discount.amount


@examples(30, 1000)
@given(order=orders(max_lines=8))
def test_the_same_order_is_split_the_same_way_every_time(order: RecordOrder) -> None:
    assert order_payload(order, "web") == order_payload(order, "web")
    outcome = decide(Desk(order).case, order, REVIEWED, NOON)
    assert isinstance(outcome, Decision) and outcome.events == ()
