"""The commands: what outside asks of a case. Their fields are the records of the neutral format.

Amounts are decimal texts in major units, read with the currency of the order they are about;
times are aware datetimes. A command with an `id` is carried out once: the id is its idempotency
key. `TicketCommand.ticket_no` may also be the platform's refund number or the id of the `apply`.
"""

from datetime import datetime
from typing import ClassVar

import attrs


@attrs.frozen(kw_only=True)
class LineFacts:
    """One line of an order as it was sold; `discount`, `tax` and `paid` are for the whole line."""

    line_no: str
    sku: str
    quantity: int
    unit_price: str
    title: str = ""
    discount: str = "0"
    tax: str | None = None
    taxes: tuple["TaxFacts", ...] = ()
    paid: str | None = None
    returnable: bool = True
    shipped: int | None = None
    received: int | None = None
    bundle: str = ""
    category: str = ""
    gift: bool = False


@attrs.frozen(kw_only=True)
class TaxFacts:
    """One tax on a line: a rate in percent (``"20"``), and its amount where the channel gives it."""

    code: str
    rate: str = "0"
    amount: str | None = None


@attrs.frozen(kw_only=True)
class DiscountFacts:
    """An order-level discount, spread over the lines at intake."""

    code: str
    amount: str
    funded_by: str = "seller"


@attrs.frozen(kw_only=True)
class ShippingFacts:
    """What the buyer paid for delivery: `fee` less `discount`."""

    fee: str = "0"
    discount: str = "0"
    tax: str = "0"


@attrs.frozen(kw_only=True)
class ChargeFacts:
    """Another charge of the order, such as gift wrapping."""

    code: str
    amount: str
    tax: str = "0"
    refundable: bool = True


@attrs.frozen(kw_only=True)
class PaymentFacts:
    """One tender the order was paid with; `refunded` was given back before the engine saw it."""

    payment_no: str
    amount: str
    tender: str = "cash"
    funded_by: str = "buyer"
    refunded: str = "0"


@attrs.frozen(kw_only=True)
class BuyerFacts:
    """Who bought: personal data, kept outside the chained events."""

    account: str = ""
    level: str = ""
    name: str = ""
    phone: str = ""
    address: str = ""


@attrs.frozen(kw_only=True)
class RecordOrder:
    """An order as the channel tells it; for a known order only its facts in time are updated."""

    kind: ClassVar[str] = "order"
    order_no: str
    currency: str
    lines: tuple[LineFacts, ...]
    shop: str = ""
    platform: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    finished_at: datetime | None = None
    buyer: BuyerFacts = BuyerFacts()
    price_includes_tax: bool = True
    discounts: tuple[DiscountFacts, ...] = ()
    shipping: tuple[ShippingFacts, ...] = ()
    charges: tuple[ChargeFacts, ...] = ()
    payments: tuple[PaymentFacts, ...] = ()

    @property
    def id(self) -> str:
        """An order is its own key: told again, it is compared with what is known."""
        return ""


@attrs.frozen(kw_only=True)
class CaseCommand:
    """What every command on a known order has; `id` is its idempotency key."""

    kind: ClassVar[str] = ""
    id: str = ""
    actor: str = "system"
    at: datetime | None = None
    note: str = ""
    expected_version: int | None = None


@attrs.frozen(kw_only=True)
class LineAsked:
    """What is asked for on one line: units, or an amount, or both."""

    line_no: str
    quantity: int | None = None
    amount: str | None = None


@attrs.frozen(kw_only=True)
class ReplacementAsked:
    """What the buyer wants instead of a line (`for_`, in a record ``for``)."""

    for_: str
    sku: str
    quantity: int = 1
    unit_price: str | None = None


@attrs.frozen(kw_only=True)
class Apply(CaseCommand):
    """The buyer (or staff for the buyer) applies: opens a ticket."""

    kind: ClassVar[str] = "apply"
    order_no: str
    type: str
    reason: str
    lines: tuple[LineAsked, ...] = ()
    amount: str | None = None
    refund_shipping: str | bool = False
    replacement: tuple[ReplacementAsked, ...] = ()
    external_no: str = ""
    phase: str = ""
    reason_text: str = ""
    evidence: tuple[str, ...] = ()
    goods_condition: str = ""
    deadline: datetime | None = None
    override: str | None = None


@attrs.frozen(kw_only=True)
class ExternalRefund(CaseCommand):
    """Money given back outside the engine."""

    kind: ClassVar[str] = "external_refund"
    order_no: str
    payment_no: str
    amount: str
    reference: str = ""


@attrs.frozen(kw_only=True)
class TicketCommand(CaseCommand):
    """A command about one ticket, named by its number, its external number or its apply's id."""

    ticket_no: str = ""
    external_no: str = ""


@attrs.frozen(kw_only=True)
class ReturnAddress:
    """Where the goods are to be sent (S-23)."""

    contact: str = ""
    phone: str = ""
    address: str = ""


@attrs.frozen(kw_only=True)
class Revise(TicketCommand):
    """The buyer changes the application while it is pending or after a rejection."""

    kind: ClassVar[str] = "revise"
    reason: str | None = None
    lines: tuple[LineAsked, ...] | None = None
    amount: str | None = None
    evidence: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Approve(TicketCommand):
    """Operations agrees, with the amount it may lower and what it gives back (S-09, S-10, S-22)."""

    kind: ClassVar[str] = "approve"
    amount: str | None = None
    return_to: ReturnAddress | None = None
    give_back: tuple[str, ...] = ()
    service_fee: str = "0"
    override: str | None = None


@attrs.frozen(kw_only=True)
class Reject(TicketCommand):
    """Operations declines; the reason is required and the buyer can see it (S-36)."""

    kind: ClassVar[str] = "reject"
    reason: str = ""


@attrs.frozen(kw_only=True)
class SendBack(TicketCommand):
    """Finance sends an approved ticket back to operations (S-11)."""

    kind: ClassVar[str] = "send_back"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Cancel(TicketCommand):
    """The application is withdrawn; claims and reservations are released."""

    kind: ClassVar[str] = "cancel"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Close(TicketCommand):
    """The ticket ends because a deadline passed or the platform closed it."""

    kind: ClassVar[str] = "close"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Reopen(TicketCommand):
    """A closed or cancelled ticket comes back for review (S-53)."""

    kind: ClassVar[str] = "reopen"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Escalate(TicketCommand):
    """A deadline passed and a person must look: the ticket goes to a named queue."""

    kind: ClassVar[str] = "escalate"
    queue: str = "supervisor"
    reason: str = ""


@attrs.frozen(kw_only=True)
class ShipBack(TicketCommand):
    """The buyer sends the goods, with carrier and tracking number."""

    kind: ClassVar[str] = "ship_back"
    carrier: str = ""
    tracking_no: str = ""


@attrs.frozen(kw_only=True)
class BookPickup(TicketCommand):
    """The platform's courier is booked to fetch the goods (S-13)."""

    kind: ClassVar[str] = "book_pickup"
    carrier: str = ""
    tracking_no: str = ""


@attrs.frozen(kw_only=True)
class RefuseDelivery(TicketCommand):
    """The buyer refuses the parcel at the door; it travels back (S-12)."""

    kind: ClassVar[str] = "refuse_delivery"
    carrier: str = ""
    tracking_no: str = ""


@attrs.frozen(kw_only=True)
class Intercept(TicketCommand):
    """The carrier was asked to turn the parcel round on the road."""

    kind: ClassVar[str] = "intercept"
    carrier: str = ""
    tracking_no: str = ""


@attrs.frozen(kw_only=True)
class LineReceived:
    """Units of a line in a parcel."""

    line_no: str
    quantity: int


@attrs.frozen(kw_only=True)
class Receive(TicketCommand):
    """The warehouse receives a parcel; several receipts add up. Without lines: all announced."""

    kind: ClassVar[str] = "receive"
    lines: tuple[LineReceived, ...] = ()
    surprise: str = ""


@attrs.frozen(kw_only=True)
class LineInspected:
    """What inspection found: units accepted with their disposition, units rejected."""

    line_no: str
    accepted: int
    rejected: int = 0
    disposition: str = ""


@attrs.frozen(kw_only=True)
class Inspect(TicketCommand):
    """The warehouse inspects what was received. Without lines: everything accepted."""

    kind: ClassVar[str] = "inspect"
    lines: tuple[LineInspected, ...] = ()


@attrs.frozen(kw_only=True)
class WaiveReturn(TicketCommand):
    """The goods need not come back."""

    kind: ClassVar[str] = "waive_return"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Lose(TicketCommand):
    """The parcel with the goods is lost on its way back."""

    kind: ClassVar[str] = "lose"
    reason: str = ""


@attrs.frozen(kw_only=True)
class Release(TicketCommand):
    """Finance releases the money: instructions leave for the payments it came from."""

    kind: ClassVar[str] = "release"


@attrs.frozen(kw_only=True)
class SettleResult(TicketCommand):
    """What became of an instruction: ``sent``, ``settled``, ``failed`` or ``unknown``."""

    kind: ClassVar[str] = "settle_result"
    result: str
    key: str = ""
    payment_no: str = ""
    amount: str | None = None
    currency: str = ""
    reference: str = ""


@attrs.frozen(kw_only=True)
class Retry(TicketCommand):
    """A failed instruction is sent again, under the same key."""

    kind: ClassVar[str] = "retry"
    key: str = ""


@attrs.frozen(kw_only=True)
class Note(TicketCommand):
    """A note on the ticket (S-49)."""

    kind: ClassVar[str] = "note"
    text: str = ""


Command = RecordOrder | CaseCommand

COMMANDS: dict[str, type[RecordOrder] | type[CaseCommand]] = {
    kind.kind: kind
    for kind in (
        RecordOrder, Apply, ExternalRefund, Revise, Approve, Reject, SendBack, Cancel, Close, Reopen,
        Escalate, ShipBack, BookPickup, RefuseDelivery, Intercept, Receive, Inspect, WaiveReturn, Lose,
        Release, SettleResult, Retry, Note,
    )
}  # fmt: skip
