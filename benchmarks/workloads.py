"""What the benchmarks carry out: orders, applications, and full eight-step returns."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import reverseflow as rf

NOW = datetime(2026, 5, 2, 8, 0, tzinfo=UTC)
PLATFORM = "generic_web"


def orders(count: int) -> Iterator[rf.Command]:
    """Orders of two lines, one discount, shipping and one payment, shipped and received."""
    for number in range(count):
        yield rf.RecordOrder(
            order_no=f"B{number:07}",
            currency="CNY",
            placed_at=NOW - timedelta(days=3),
            paid_at=NOW - timedelta(days=3),
            shipped_at=NOW - timedelta(days=2),
            received_at=NOW - timedelta(days=1),
            buyer=rf.BuyerFacts(account=f"buyer{number}"),
            lines=(
                rf.LineFacts(line_no="A", sku="SKU-A", title="A", quantity=1, unit_price="100.00"),
                rf.LineFacts(line_no="B", sku="SKU-B", title="B", quantity=2, unit_price="50.00"),
            ),
            discounts=(rf.DiscountFacts(code="coupon-20", amount="20.00"),),
            shipping=(rf.ShippingFacts(fee="10.00"),),
            payments=(rf.PaymentFacts(payment_no="p1", amount="190.00"),),
        )


def applications(count: int) -> Iterator[rf.Command]:
    """One application for one unit per order."""
    for number in range(count):
        yield rf.Apply(
            id=f"a{number}",
            order_no=f"B{number:07}",
            type="return_refund",
            reason="other",
            lines=(rf.LineAsked(line_no="B", quantity=1),),
            actor=f"buyer:buyer{number}",
            at=NOW,
        )


def full_returns(count: int) -> Iterator[rf.Command]:
    """Eight steps per order, from the application to the settled refund."""
    for number, apply in enumerate(applications(count)):
        ticket = f"a{number}"
        yield apply
        yield rf.Approve(id=f"{ticket}:2", ticket_no=ticket, actor="operations:li", at=NOW)
        yield rf.ShipBack(
            id=f"{ticket}:3",
            ticket_no=ticket,
            actor=f"buyer:buyer{number}",
            at=NOW,
            carrier="SF",
            tracking_no="SF1",
        )
        yield rf.Receive(id=f"{ticket}:4", ticket_no=ticket, actor="warehouse:wang", at=NOW)
        yield rf.Inspect(id=f"{ticket}:5", ticket_no=ticket, actor="warehouse:wang", at=NOW)
        yield rf.Release(id=f"{ticket}:6", ticket_no=ticket, actor="finance:zhao", at=NOW)
        yield rf.SettleResult(
            id=f"{ticket}:7", ticket_no=ticket, actor="system:outbox", at=NOW, result="sent"
        )
        yield rf.SettleResult(
            id=f"{ticket}:8", ticket_no=ticket, actor="system:outbox", at=NOW, result="settled"
        )
