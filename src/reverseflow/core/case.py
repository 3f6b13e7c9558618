"""A case: one order and every ticket ever opened against it. Amounts are minor units.

All values are frozen; `reverseflow.core.evolve` makes the next one from an event.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

import attrs

from reverseflow.core.legs import status_of
from reverseflow.core.values import JsonObject, replaced

GOODS, SHIPPING, CHARGE = "goods", "shipping", "charge"
#: Tenders that are the buyer's own money; the others are given back in kind, or not (a policy).
MONEY_TENDERS = ("cash", "store_credit", "gift_card", "instalment")
TENDERS = (*MONEY_TENDERS, "points", "coupon", "red_packet")
FUNDERS = ("buyer", "seller", "platform")


@attrs.frozen
class OrderLine:
    """What an amount of the order was paid for: goods, shipping or another charge.

    `paid` is what the buyer paid for the whole line with all tenders, its shares of the order's
    discounts taken off and its tax in it; `paid_by` splits it over the tenders, in the order in
    which they are given back. `discounts` are its shares of the order-level discounts by code.
    """

    line_no: str
    kind: str
    sku: str
    title: str
    quantity: int
    unit_price: int
    discount: int
    discounts: tuple[tuple[str, int], ...]
    tax: int
    paid: int
    paid_by: tuple[tuple[str, int], ...]
    returnable: bool
    shipped: int
    received: int
    extra: JsonObject = attrs.field(factory=dict)


@attrs.frozen
class Claim:
    """The claim ledger of one order line over all tickets.

    Units claimed; money held by open tickets; money settled.
    """

    units: int = 0
    reserved: int = 0
    refunded: int = 0

    @property
    def given(self) -> int:
        """What of the line's money is spoken for."""
        return self.reserved + self.refunded


@attrs.frozen
class Payment:
    """One tender of the order and what of it is on its way back or given back."""

    payment_no: str
    tender: str
    funded_by: str
    amount: int
    reserved: int = 0
    refunded: int = 0

    @property
    def left(self) -> int:
        """What can still be given back to it."""
        return self.amount - self.reserved - self.refunded


@attrs.frozen
class TicketLine:
    """What a ticket claims of an order line, and what became of the goods.

    `value` is the line's money claimed (fees and tenders not given back included), `tenders` its
    split, `refund` what of it is given back.
    """

    line_no: str
    quantity: int
    value: int
    tax: int
    tenders: tuple[tuple[str, int], ...]
    refund: int
    asked: int | None = None
    received: int = 0
    accepted: int = 0
    rejected: int = 0
    disposition: str = ""


@attrs.frozen
class Payout:
    """Money of a ticket to one payment: one instruction, one key, never changed by a retry."""

    payment_no: str
    amount: int
    key: str = ""
    state: str = "due"


@attrs.frozen
class Ticket:
    """One application and what became of it; `legs` maps each of its legs to its state."""

    ticket_no: str
    type: str
    phase: str
    reason: str
    legs: Mapping[str, str]
    lines: tuple[TicketLine, ...]
    payouts: tuple[Payout, ...]
    total: int
    quote: JsonObject
    asked: JsonObject
    applied_at: datetime
    opened_by: str
    rulebook: str
    refund_timing: str
    first_reason: str
    external_no: str = ""
    apply_id: str = ""
    reviewed_at: datetime | None = None
    reviewer: str = ""
    released_at: datetime | None = None
    completed_at: datetime | None = None
    closing: str = ""
    deadline: datetime | None = None
    deadline_command: str = ""
    owner: str = ""
    detail: JsonObject = attrs.field(factory=dict)

    @cached_property
    def status(self) -> str:
        """The public status, projected from the legs."""
        return status_of(self.legs, self.closing)

    def line(self, line_no: str) -> TicketLine | None:
        """The ticket's line on an order line, if it has one."""
        for line in self.lines:
            if line.line_no == line_no:
                return line
        return None


@attrs.frozen
class Case:
    """The state of one order and its tickets after its first `version` events.

    `buyer` (the account) is personal: it is loaded beside the chain, not part of it.
    """

    order_no: str
    platform: str = ""
    shop: str = ""
    currency: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    finished_at: datetime | None = None
    price_includes_tax: bool = True
    lines: Mapping[str, OrderLine] = attrs.field(factory=dict)
    claims: Mapping[str, Claim] = attrs.field(factory=dict)
    payments: Mapping[str, Payment] = attrs.field(factory=dict)
    tickets: Mapping[str, Ticket] = attrs.field(factory=dict)
    version: int = 0
    head: str = ""
    last_at: datetime | None = None
    buyer: str = ""

    @property
    def exists(self) -> bool:
        """Whether the order was ever recorded."""
        return self.version > 0

    @property
    def goods(self) -> list[OrderLine]:
        """The lines that are goods."""
        return [line for line in self.lines.values() if line.kind == GOODS]

    @property
    def paid(self) -> int:
        """What was paid for the order with all tenders."""
        return sum(payment.amount for payment in self.payments.values())


def read_only(case: Case) -> Case:
    """The case as a plugin is shown it: nothing is taken out of its mappings by mistake."""
    return replaced(
        case, lines=MappingProxyType(case.lines), claims=MappingProxyType(case.claims),
        payments=MappingProxyType(case.payments), tickets=MappingProxyType(case.tickets),
    )  # fmt: skip
