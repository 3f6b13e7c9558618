"""Cases in few words: orders, a rulebook, and a desk at which commands are given one by one.

    desk = Desk(sale(goods("A", "100.00"), paid("100.00")))
    ticket = desk.done("apply", lines=units(A=1))
    assert "quantity_not_available" == desk.refused("apply", lines=units(A=1)).code

Whatever is done at a desk is checked on the way: events are numbered and known, postings balance,
every invariant holds, and a refusal leaves the case as it was.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import attrs
from hypothesis import settings
from hypothesis import strategies as st

from reverseflow.core.case import TENDERS, Case, Ticket
from reverseflow.core.commands import (
    COMMANDS,
    ChargeFacts,
    Command,
    DiscountFacts,
    LineAsked,
    LineFacts,
    LineInspected,
    LineReceived,
    PaymentFacts,
    RecordOrder,
    ShippingFacts,
    TaxFacts,
    TicketCommand,
)
from reverseflow.core.decide import Decision, Outcome, decide
from reverseflow.core.errors import Refusal
from reverseflow.core.events import EVENT_KINDS, Event, canonical_json
from reverseflow.core.evolve import evolve
from reverseflow.core.instructions import Instruction
from reverseflow.core.invariants import broken_invariants
from reverseflow.core.legs import Deadline
from reverseflow.core.money import Money, format_amount
from reverseflow.core.postings import Posting
from reverseflow.core.rulebook import (
    ACCEPT,
    FeeFormula,
    FeeInput,
    Platform,
    Policy,
    Reason,
    Rule,
    Rulebook,
    RuleInput,
    Verdict,
)

RELEASE = os.environ.get("REVERSEFLOW_RELEASE") == "1"
PAID_AT = datetime(2026, 5, 1, 2, 1, tzinfo=UTC)
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

Facts = LineFacts | PaymentFacts | DiscountFacts | ShippingFacts | ChargeFacts
Kind = TypeVar("Kind")


def examples(everyday: int, release: int) -> settings:
    """How many examples a property is tried with, every day and before a release."""
    return settings(max_examples=release if RELEASE else everyday, deadline=None)


# --- orders -------------------------------------------------------------------------------------


def goods(line_no: str, unit_price: str, quantity: int = 1, **facts: Any) -> LineFacts:
    """A line of goods; its SKU is ``SKU-<line_no>``."""
    return LineFacts(line_no=line_no, sku=f"SKU-{line_no}", quantity=quantity, unit_price=unit_price, **facts)


def paid(amount: str, tender: str = "cash", payment_no: str = "", **facts: Any) -> PaymentFacts:
    """A payment; unless it is given a number, it is named after its tender."""
    return PaymentFacts(payment_no=payment_no or tender, amount=amount, tender=tender, **facts)


def sale(*facts: Facts, order_no: str = "E", currency: str = "CNY", **order: Any) -> RecordOrder:
    """An order of the facts given, in any order: goods, discounts, shipping, charges, payments."""
    return RecordOrder(
        order_no=order_no, currency=currency, **{"paid_at": PAID_AT, **order},
        lines=_of(LineFacts, facts), payments=_of(PaymentFacts, facts),
        discounts=_of(DiscountFacts, facts), shipping=_of(ShippingFacts, facts),
        charges=_of(ChargeFacts, facts),
    )  # fmt: skip


def _of(kind: type[Kind], facts: Iterable[object]) -> tuple[Kind, ...]:
    return tuple(fact for fact in facts if isinstance(fact, kind))


def coupon(amount: str, code: str = "coupon") -> DiscountFacts:
    """A discount on the whole order."""
    return DiscountFacts(code=code, amount=amount)


def freight(fee: str, **facts: str) -> ShippingFacts:
    """What was paid for delivery."""
    return ShippingFacts(fee=fee, **facts)


_PRICE = st.sampled_from((0, 1, 7, 99, 100, 3333)) | st.integers(0, 10**6)
_PART = st.sampled_from((0, 0, 0, 1, 33, 100))
_TENDER = st.sampled_from(("cash", *TENDERS))


@st.composite
def orders(draw: st.DrawFn, max_lines: int = 60) -> RecordOrder:
    """Any order whose sums agree: several currencies, discounts, shipping, charges and tenders."""
    currency = draw(st.sampled_from(("CNY", "JPY", "KWD")))
    inclusive = draw(st.booleans())
    worth = owed = 0

    def text(minor: int) -> str:
        return format_amount(minor, currency)

    facts: list[Facts] = []
    row = st.tuples(_PRICE, st.integers(1, 9), _PART, _PART)
    for number, (price, quantity, part, rate) in enumerate(
        draw(st.lists(row, min_size=1, max_size=max_lines))
    ):
        off, tax = price * quantity * part // 100, price * rate // 100
        worth += price * quantity - off
        owed += 0 if inclusive else tax
        taxed: dict[str, Any] = {"tax": text(tax)}
        if inclusive:
            taxed = {"taxes": (TaxFacts(code="vat", rate=str(rate)),)}
        facts.append(goods(f"L{number}", text(price), quantity, discount=text(off), **taxed))
    for number, part in enumerate(draw(st.lists(_PART, max_size=3))):
        off = worth * part // 100
        worth -= off
        facts.append(coupon(text(off), f"c{number}"))
    for fee, part in draw(st.lists(st.tuples(_PRICE, _PART), max_size=2)):
        off = fee * part // 100
        tax = (fee - off) // 7
        owed += fee - off + (0 if inclusive else tax)
        facts.append(freight(text(fee), discount=text(off), tax=text(tax)))
    for number, amount in enumerate(draw(st.lists(_PRICE, max_size=2))):
        owed += amount + (0 if inclusive else amount // 9)
        facts.append(ChargeFacts(code=f"g{number}", amount=text(amount), tax=text(amount // 9)))
    due = worth + owed
    for number, (part, tender) in enumerate(
        draw(st.lists(st.tuples(st.integers(0, 100), _TENDER), max_size=4))
    ):
        facts.append(paid(text(due * part // 100), tender, f"p{number}"))
        due -= due * part // 100
    facts.append(paid(text(due), draw(_TENDER), "rest"))
    return sale(*facts, currency=currency, price_includes_tax=inclusive)


# --- what is asked, received, found ---------------------------------------------------------------


def units(**by_line: int) -> tuple[LineAsked, ...]:
    """Units asked for by line: ``units(A=1, B=2)``."""
    return tuple(LineAsked(line_no=no, quantity=count) for no, count in by_line.items())


def money(**by_line: str) -> tuple[LineAsked, ...]:
    """Money asked for by line, no units: ``money(A="10.00")``."""
    return tuple(LineAsked(line_no=no, amount=amount) for no, amount in by_line.items())


def parcel(**by_line: int) -> tuple[LineReceived, ...]:
    """Units in a parcel by line."""
    return tuple(LineReceived(line_no=no, quantity=count) for no, count in by_line.items())


def found(line_no: str, accepted: int, rejected: int = 0, disposition: str = "") -> LineInspected:
    """What inspection found of a line."""
    return LineInspected(line_no=line_no, accepted=accepted, rejected=rejected, disposition=disposition)


# --- the rulebook ---------------------------------------------------------------------------------


def unshipped_accepted(given: RuleInput) -> Verdict | None:
    """Goods that were not shipped are refunded without a person."""
    automatic = given.phase == "unshipped" and given.policy.auto_approve_unshipped
    return Verdict(ACCEPT, "unshipped") if automatic else None


def service_fee(given: FeeInput) -> Money | None:
    """The fee staff asked for."""
    return given.service_fee if given.service_fee.minor else None


REASONS = (
    Reason("agreed", "agreed", "协商一致"),
    Reason("quality", "quality problem", "质量问题", disposition="refurbish"),
    Reason("not_wanted", "not wanted", "不想要了", phases=("unshipped",)),
    Reason("size_fit", "does not fit", "尺码不合适", types=("return_refund",)),
)
AUTOMATIC = Rule("unshipped_accepted", unshipped_accepted, plugin="tests")
SERVICE_FEE = FeeFormula("service_fee", service_fee, "agreed with the buyer", plugin="tests")


def rulebook(
    *,
    rules: Iterable[Rule] = (AUTOMATIC,),
    fees: Iterable[FeeFormula] = (SERVICE_FEE,),
    policies: Iterable[Policy] = (),
    deadlines: Iterable[Deadline] = (),
    versions: Mapping[str, str] | None = None,
    **policy: Any,
) -> Rulebook:
    """A small platform's rulebook; further arguments are fields of its one policy."""
    dated = tuple(policies) or (Policy("v1", **policy),)
    platform = Platform("web", "web shop", "网店", dated, tuple(deadlines))
    reasons = {reason.code: reason for reason in REASONS}
    return Rulebook(platform, reasons, tuple(rules), tuple(fees), versions or {})


#: Nothing is approved by the system: every ticket is reviewed.
REVIEWED = rulebook(auto_approve_unshipped=False)


# --- the desk -------------------------------------------------------------------------------------

#: Who usually gives a command, and what it usually says.
USUAL: dict[str, dict[str, Any]] = {
    "apply": {"actor": "buyer:b1", "type": "refund_only", "reason": "agreed"},
    "revise": {"actor": "buyer:b1"},
    "external_refund": {"actor": "finance:wang"},
    "approve": {"actor": "operations:li"},
    "reject": {"actor": "operations:li", "reason": "no fault found"},
    "send_back": {"actor": "finance:wang", "reason": "too much"},
    "cancel": {"actor": "buyer:b1"},
    "close": {"actor": "system"},
    "reopen": {"actor": "operations:li"},
    "escalate": {"actor": "system"},
    "note": {"actor": "operations:li", "text": "called the buyer"},
    "ship_back": {"actor": "buyer:b1", "carrier": "SF", "tracking_no": "SF1"},
    "book_pickup": {"actor": "buyer:b1"},
    "refuse_delivery": {"actor": "buyer:b1"},
    "intercept": {"actor": "operations:li"},
    "receive": {"actor": "warehouse:zhao"},
    "inspect": {"actor": "warehouse:zhao"},
    "waive_return": {"actor": "operations:li"},
    "lose": {"actor": "warehouse:zhao"},
    "release": {"actor": "finance:wang"},
    "settle_result": {"actor": "system", "result": "settled"},
    "retry": {"actor": "finance:wang"},
}


class Desk:
    """One case, its rulebook and a clock; `do` gives a command and takes the case along."""

    def __init__(
        self,
        order: RecordOrder | None = None,
        rulebook: Rulebook = REVIEWED,
        *,
        buyer: str = "",
        now: datetime = NOON,
    ) -> None:
        self.case = Case(order.order_no if order else "E", buyer=buyer)
        self.rulebook = rulebook
        self.now = now
        self.buyer = buyer
        self.events: list[Event] = []
        self.postings: list[Posting] = []
        self.instructions: list[Instruction] = []
        if order is not None:
            outcome = self.do(order)
            assert isinstance(outcome, Decision), outcome

    def do(self, command: Command) -> Outcome:
        """Give a command; what must hold of every outcome is checked here."""
        before, picture = self.case, repr(self.case)
        outcome = decide(before, command, self.rulebook, self.now)
        assert picture == repr(before), "a decision changed the case it was given"
        if isinstance(outcome, Refusal):
            assert outcome.code and outcome.message
            return outcome
        case, at = before, before.last_at
        for event in outcome.events:
            assert event.kind in EVENT_KINDS
            assert event.seq == case.version + 1
            assert at is None or at <= event.at
            case, at = evolve(case, event), event.at
        for seq in {seq for seq, _ in outcome.postings}:
            assert sum(amount for number, (_, amount) in outcome.postings if number == seq) == 0
        assert case == outcome.case
        assert broken_invariants(case) == []
        self.case = case
        self.events.extend(outcome.events)
        self.postings.extend(posting for _, posting in outcome.postings)
        self.instructions.extend(instruction for _, instruction in outcome.instructions)
        return outcome

    def command(self, kind: str, **fields: Any) -> Command:
        """A command as it is usually given; a ticket command is about the newest ticket."""
        type_ = COMMANDS[kind]
        fields = {**USUAL.get(kind, {}), **fields}
        if kind in ("apply", "external_refund"):
            fields.setdefault("order_no", self.case.order_no)
        elif issubclass(type_, TicketCommand) and not {"ticket_no", "external_no"} & {*fields}:
            fields["ticket_no"] = self.ticket.ticket_no if self.case.tickets else "none"
        return type_(**fields)

    def done(self, kind: str, **fields: Any) -> Ticket:
        """Give a command that must be carried out; the ticket it is about."""
        ticket_no = self.accepted(kind, **fields).ticket_no
        return self.case.tickets[ticket_no]

    def accepted(self, kind: str, **fields: Any) -> Decision:
        """Give a command that must be carried out; the decision."""
        outcome = self.do(self.command(kind, **fields))
        assert isinstance(outcome, Decision), outcome
        return outcome

    def refused(self, kind: str, **fields: Any) -> Refusal:
        """Give a command that must be refused; the refusal."""
        outcome = self.do(self.command(kind, **fields))
        assert isinstance(outcome, Refusal), [event.kind for event in outcome.events]
        return outcome

    def through(self, *kinds: str) -> Ticket:
        """Give several commands as they are usually given; the ticket after them."""
        for kind in kinds:
            self.done(kind)
        return self.ticket

    @property
    def ticket(self) -> Ticket:
        """The newest ticket, as it stands."""
        return list(self.case.tickets.values())[-1]

    def later(self, **delta: float) -> None:
        """Let time pass: ``later(hours=1)``."""
        self.now += timedelta(**delta)

    def refunds(self, ticket: Ticket | None = None) -> dict[str, int]:
        """What goes to which payment."""
        return {payout.payment_no: payout.amount for payout in (ticket or self.ticket).payouts}

    def balance(self, account: str) -> int:
        """The balance of an account over all postings; a debit is positive."""
        return sum(amount for name, amount in self.postings if name == account)

    def rebuilt(self, through: Callable[[Event], Event] = lambda event: event) -> Case:
        """The case folded from its events, each taken `through` something first."""
        case = Case(self.case.order_no, buyer=self.buyer)
        for event in self.events:
            case = evolve(case, through(event))
        return case


def stored(event: Event) -> Event:
    """An event as it comes back from a store: its payload went through text."""
    private = None if event.private is None else json.loads(canonical_json(event.private))
    return attrs.evolve(event, payload=json.loads(canonical_json(event.payload)), private=private)


#: E1: two lines, a coupon, freight; paid 190.00.
E1 = sale(goods("A", "100.00"), goods("B", "50.00", 2), coupon("20.00"), freight("10.00"),
          paid("190.00"))  # fmt: skip
#: E2: a store coupon, a platform coupon and a red packet; 145.00 of it in cash.
E2 = sale(goods("A", "99.00"), goods("B", "59.00"), goods("C", "42.00"),
          coupon("30.00", "store"), coupon("15.00", "platform"),
          paid("145.00"), paid("10.00", "red_packet", funded_by="platform"))  # fmt: skip
