"""Bugs other systems had with refunds, each kept out by a test of its name.

What needs a store, a gateway or several processes is tested where these are.
"""

from typing import Any

import pytest

from reverseflow.core.commands import LineAsked
from reverseflow.core.errors import AmountError
from reverseflow.core.money import parse_amount
from support.cases import Desk, goods, money, paid, parcel, sale, units

HUNDRED = sale(goods("A", "50.00", 2), paid("100.00"))


def reserved_and_refunded(desk: Desk, payment_no: str = "cash") -> tuple[int, int]:
    payment = desk.case.payments[payment_no]
    return payment.reserved, payment.refunded


@pytest.mark.parametrize("amount", ["-0.01", "-100.00", "-9999999999999.99"])
def test_neg_amount(amount: str) -> None:
    """R2, hyperswitch PR #11491: a negative amount passes ``amount <= left``."""
    desk = Desk(HUNDRED)
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("apply", {"lines": money(A=amount)}),
        ("apply", {"lines": (LineAsked(line_no="A", quantity=1, amount=amount),)}),
        ("apply", {"lines": units(A=1), "amount": amount}),
        ("apply", {"lines": units(A=1), "refund_shipping": amount}),
        ("external_refund", {"payment_no": "cash", "amount": amount}),
    ]
    for kind, fields in attempts:
        assert desk.refused(kind, **fields).code == "negative_amount"
    desk.done("apply", lines=units(A=1))
    for fields in ({"amount": amount}, {"service_fee": amount}):
        assert desk.refused("approve", **fields).code == "negative_amount"
    desk.through("approve", "release")
    assert desk.refused("settle_result", amount=amount).code == "negative_amount"
    assert reserved_and_refunded(desk) == (5000, 0)


def test_cumulative_cap() -> None:
    """R3, saleor #19645, dashboard #4493: grants and pending refunds count, in every state."""
    for steps in (
        (),
        ("approve",),
        ("approve", "release"),
        ("approve", "release", "settle_result"),
        ("reject",),
    ):
        desk = Desk(HUNDRED)
        desk.done("apply", lines=money(A="60.00"))
        desk.through(*steps)
        assert desk.refused("apply", lines=money(A="40.01")).code == "amount_above_quote"
        assert desk.refused("external_refund", payment_no="cash", amount="40.01").code == "amount_above_paid"
        desk.done("apply", lines=money(A="40.00"))
        assert sum(reserved_and_refunded(desk)) == 10_000
        assert desk.refused("apply", lines=money(A="0.01")).code == "amount_above_quote"


def test_cumulative_cap_of_small_refunds() -> None:
    """Ten times ten of a hundred, and not an eleventh."""
    desk = Desk(HUNDRED)
    for _ in range(10):
        desk.done("apply", lines=money(A="10.00"))
        desk.through("approve", "release", "settle_result")
    assert desk.refused("apply", lines=money(A="10.00")).code == "amount_above_quote"
    assert reserved_and_refunded(desk) == (0, 10_000)


def test_qty_remaining() -> None:
    """R8, vendure #868, slatwall #5225: what is left to claim after partial refunds."""
    desk = Desk(sale(goods("A", "10.00", 5), paid("50.00")))
    desk.done("apply", lines=units(A=2))
    desk.through("approve", "release", "settle_result")
    refusal = desk.refused("apply", lines=units(A=4))
    assert refusal.code == "quantity_not_available"
    assert "4 asked, 3 of 5 left to claim" in refusal.message
    assert desk.done("apply", lines=units(A=3)).total == 3000
    assert desk.refused("apply", lines=units(A=1)).code == "quantity_not_available"


def test_received_cap() -> None:
    """R9, spree PR #14678 ($89.99 too much): a refund for announced, not received, units."""
    desk = Desk(sale(goods("A", "89.99", 2, shipped=2), paid("179.98")))
    desk.done("apply", type="return_refund", lines=units(A=2))
    desk.through("approve", "ship_back")
    desk.done("receive", lines=parcel(A=1))
    desk.done("inspect")
    ticket = desk.through("release", "settle_result")
    assert ticket.total == 8999
    assert [told.document()["amount"] for told in desk.instructions if told.kind == "refund"] == ["89.99"]
    assert reserved_and_refunded(desk) == (0, 8999)


def test_late_fail_restores() -> None:
    """R7, vendure #3152, gumroad #5779: a refund that succeeded and then failed."""
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release", "settle_result")
    assert reserved_and_refunded(desk) == (0, 5000)
    for _ in range(2):  # a second such notice changes nothing
        desk.done("settle_result", result="failed")
        assert reserved_and_refunded(desk) == (5000, 0)
        assert desk.ticket.status == "awaiting_refund"
    claim = desk.case.claims["A"]
    assert (claim.units, claim.reserved, claim.refunded) == (1, 5000, 0)
    assert desk.balance("refunds_reserved") == -5000


def test_split_tender_lines() -> None:
    """R6, vendure #4135: lines recorded once per payment when split over two payments."""
    order = sale(goods("A", "50.00", 2), paid("60.00"), paid("40.00", "gift_card"))
    desk = Desk(order)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release")
    assert desk.refunds() == {"cash": 3000, "gift_card": 2000}
    assert [(line.line_no, line.quantity) for line in desk.ticket.lines] == [("A", 1)]
    assert desk.case.claims["A"].units == 1
    desk.done("apply", lines=units(A=1))
    assert desk.refunds() == {"cash": 3000, "gift_card": 2000}
    assert desk.refused("apply", lines=units(A=1)).code == "quantity_not_available"


@pytest.mark.parametrize(("total", "quantity"), [("100.00", 3), ("0.05", 7), ("9.99", 4), ("0.00", 2)])
def test_alloc_exact(total: str, quantity: int) -> None:
    """R14, solidus `reimbursement.rb`: rounding of consecutive partials pays more than billed."""
    order = sale(goods("A", "100.00", quantity, paid=total), paid(total))
    desk = Desk(order)
    parts = [desk.done("apply", lines=units(A=1)).total for _ in range(quantity)]
    assert sum(parts) == parse_amount(total, "CNY")
    assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize(
    "text", ["1,000.00", "1.000,00", "12,50", "１２.５０", "1 000", "1_000", "1e3", "NaN"]
)
def test_amount_format(text: str) -> None:
    """R20, solidus #4344: an amount in a foreign number format."""
    with pytest.raises(AmountError):
        parse_amount(text, "CNY")
    assert Desk(HUNDRED).refused("apply", lines=money(A=text)).code == "bad_amount"


def test_timeout_same_key() -> None:
    """R4, medusa #16681: a retry after a time-out mints a new idempotency key and pays twice."""
    desk = Desk(HUNDRED)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release")
    (instruction,) = desk.instructions
    desk.done("settle_result", result="unknown")
    assert desk.refused("retry").code == "wrong_state"  # a time-out is not a failure
    assert reserved_and_refunded(desk) == (5000, 0)
    desk.done("settle_result", result="failed")
    desk.done("retry")
    assert {payout.key for payout in desk.ticket.payouts} == {instruction.key}
    assert {told.key for told in desk.instructions} == {instruction.key}


def test_noop_edit_no_money() -> None:
    """R15, vendure #4013: telling an order again never moves money."""
    desk = Desk(HUNDRED)
    before = (desk.case.payments, desk.case.claims, list(desk.postings))
    desk.do(HUNDRED)
    assert (desk.case.payments, desk.case.claims, desk.postings) == before


def test_old_callback_dup() -> None:
    """R10, woocommerce-gateway-stripe #5697: a callback delivered again creates a duplicate."""
    desk = Desk(HUNDRED)
    for _ in range(2):
        desk.done("apply", lines=units(A=1))
        desk.through("approve", "release", "settle_result")
    again = desk.accepted("settle_result", ticket_no="E-R1", key="E-R1:refund:cash")
    assert again.events == ()
    assert reserved_and_refunded(desk) == (0, 10_000)
