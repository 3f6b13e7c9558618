"""A sale invoice of a ledger becomes an order: paid in full, shipped and received at once.

Postage goes into the order as shipping, other services sold as charges that are not refunded, so
that the order is paid as it was invoiced. An invoice of which one row cannot be read is refused
whole: an order made of the rest would not be what was invoiced.
"""

from collections.abc import Iterator, Sequence

from reverseflow import (
    BadRecord,
    BuyerFacts,
    ChargeFacts,
    LineFacts,
    Passed,
    PaymentFacts,
    ReadItem,
    Record,
    RecordOrder,
    ShippingFacts,
    format_amount,
    shown,
)
from reverseflow_generic_web.ledger_rows import (
    BAD,
    CARRIAGE,
    GOODS,
    POSTAGE,
    STOCK_CORRECTION,
    Entry,
    Terms,
)


def read_sale(entries: Sequence[Entry], terms: Terms) -> Iterator[ReadItem]:
    """The items of one sale invoice: an order, or every row refused; what is no sale is counted."""
    rows = [entry for entry in entries if entry.what != STOCK_CORRECTION]
    yield from (Passed(e.row, STOCK_CORRECTION) for e in entries if e.what == STOCK_CORRECTION)
    if refused := list(_refusals(rows)):
        yield from refused
        return
    goods = [entry for entry in rows if entry.what == GOODS]
    services = [entry for entry in rows if entry.what != GOODS]
    if goods:
        sold = [entry for entry in services if entry.quantity > 0 and entry.price > 0]
        raw = tuple(entry.raw for entry in sorted([*goods, *sold]))
        order = _order(goods, sold, terms)
        yield Record(goods[0].row, order, raw, "order_line", len(goods))
    yield from (Passed(entry.row, entry.what) for entry in services)


def _refusals(rows: Sequence[Entry]) -> Iterator[BadRecord]:
    """Every row, where one cannot be read or the rows name several customers; else nothing."""
    bad = next((entry for entry in rows if entry.what == BAD), None)
    accounts = sorted({entry.account for entry in rows})
    if bad is not None:
        code = "invoice_has_bad_row"
        message = f"row {bad.row} of the invoice {shown(bad.invoice)} cannot be read; mend it first"
    elif len(accounts) > 1:
        code = "mixed_customer"
        names = " and ".join(map(shown, accounts[:2]))
        message = f"the rows of the invoice {shown(rows[0].invoice)} name the customers {names}"
    else:
        return
    for entry in rows:
        fault = (entry.fault, entry.message) if entry.fault else (code, message)
        outcome = "failed" if entry.fault else "refused"
        yield BadRecord(entry.row, (entry.raw,), *fault, outcome, kind="order", order_no=entry.invoice)


def _order(goods: Sequence[Entry], sold: Sequence[Entry], terms: Terms) -> RecordOrder:
    def amount(minor: int) -> str:
        text: str = format_amount(minor, terms.currency)
        return text

    moment = min(entry.moment for entry in goods)
    total = sum(entry.quantity * entry.price for entry in (*goods, *sold))
    postage = [entry for entry in sold if entry.what in (POSTAGE, CARRIAGE)]
    first = goods[0]
    return RecordOrder(
        order_no=first.invoice,
        shop=terms.shop,
        currency=terms.currency,
        placed_at=moment,
        paid_at=moment,
        shipped_at=moment,
        received_at=moment,
        buyer=BuyerFacts(account=first.account, address=first.country),
        lines=tuple(
            LineFacts(
                line_no=str(number), sku=entry.sku, title=entry.title, quantity=entry.quantity,
                unit_price=amount(entry.price),
            )
            for number, entry in enumerate(goods, 1)
        ),
        shipping=tuple(ShippingFacts(fee=amount(e.quantity * e.price)) for e in postage),
        charges=tuple(
            ChargeFacts(code=e.what, amount=amount(e.quantity * e.price), refundable=False)
            for e in sold
            if e not in postage
        ),
        payments=(PaymentFacts(payment_no=first.invoice, amount=amount(total)),) if total else (),
    )  # fmt: skip
