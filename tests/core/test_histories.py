"""Any history of any case: every invariant after every command, and a second ledger that agrees.

The ledger below knows nothing of `evolve`: it reads the events as an outside program would. Every
day the same histories are tried; before a release (REVERSEFLOW_RELEASE=1) ten thousand longer ones,
and what fails is shrunk to its shortest form, which takes minutes.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reverseflow.core.case import Claim, Ticket
from reverseflow.core.commands import LineAsked, RecordOrder
from reverseflow.core.decide import Decision
from reverseflow.core.errors import Refusal
from reverseflow.core.events import Event
from reverseflow.core.legs import RETURN, TICKET_COMMANDS, TRANSITIONS, TYPES, unmet_wait
from reverseflow.core.money import format_amount
from reverseflow.core.values import ROLES
from support.cases import RELEASE, Desk, found, orders, parcel, rulebook, stored


class Ledger:
    """What was captured, claimed, reserved and refunded, added up from the events alone."""

    def __init__(self) -> None:
        self.bought: dict[str, tuple[int, int]] = {}
        self.captured: dict[str, int] = {}
        self.outside: Counter[str] = Counter()
        self.claims: dict[str, list[list[Any]]] = {}
        self.payouts: dict[str, dict[str, list[Any]]] = {}
        self.ended: dict[str, bool] = {}
        self.keys: dict[str, str] = {}

    def take(self, event: Event) -> None:
        told, ticket = event.payload, event.ticket_no
        if event.kind == "order_recorded":
            self.bought = {line["line_no"]: (line["quantity"], line["paid"]) for line in told["lines"]}
            self.captured = {payment["payment_no"]: payment["amount"] for payment in told["payments"]}
            self.outside.update({p["payment_no"]: p["refunded"] for p in told["payments"]})
        elif event.kind == "external_refund_recorded":
            self.outside[told["payment_no"]] += told["amount"]
        if "claim" in told:
            self.claims[ticket] = told["claim"]["lines"]
            self.payouts[ticket] = {no: [amount, "due"] for no, amount in told["claim"]["payouts"]}
        if "closing" in told:
            self.ended[ticket] = bool(told["closing"])
        for payment_no, key in told.get("keys", ()):
            assert key not in self.keys, "two instructions under one key"
            self.keys[key] = payment_no
            self.payouts[ticket][payment_no][1] = "released"
        if event.kind.startswith("payout_"):
            payout = self.payouts[ticket][self.keys[told["key"]]]
            assert payout[0] == told["amount"]
            payout[1] = told["state"]

    def live(self) -> list[str]:
        return [ticket for ticket in self.claims if not self.ended.get(ticket)]

    def claimed(self, line_no: str) -> tuple[int, int]:
        rows = [row for ticket in self.live() for row in self.claims[ticket] if row[0] == line_no]
        return sum(row[1] for row in rows), sum(row[2] for row in rows)

    def held(self, payment_no: str) -> tuple[int, int]:
        """Reserved and refunded of a payment."""
        payouts = [self.payouts[ticket].get(payment_no, [0, "due"]) for ticket in self.live()]
        reserved = sum(amount for amount, state in payouts if state != "settled")
        return reserved, self.outside[payment_no] + sum(a for a, state in payouts if state == "settled")

    def agrees_with(self, desk: Desk) -> None:
        in_flight = 0
        for line_no, (quantity, paid) in self.bought.items():
            units, money = self.claimed(line_no)
            assert 0 <= units <= quantity and 0 <= money <= paid
            claim = desk.case.claims.get(line_no)
            assert (units, money) == ((claim.units, claim.given) if claim else (0, 0))
        for payment_no, captured in self.captured.items():
            reserved, refunded = self.held(payment_no)
            assert reserved >= 0 and refunded >= 0 and reserved + refunded <= captured
            payment = desk.case.payments[payment_no]
            assert (payment.reserved, payment.refunded) == (reserved, refunded)
            assert desk.balance(f"clearing:{payment_no}") == captured - refunded
        for ticket in self.live():
            for amount, state in self.payouts[ticket].values():
                in_flight += amount if state not in ("due", "settled") else 0
        assert desk.balance("refunds_reserved") == -in_flight
        assert len({told.key for told in desk.instructions}) == len(desk.instructions)


#: How often what happened, over all histories: a run that never gets anywhere proves nothing.
SEEN: Counter[str] = Counter()
WORDS = (*dict.fromkeys(row.command for row in TRANSITIONS), *TICKET_COMMANDS)
T = TypeVar("T")
#: Steps that lead a ticket back, or around its goods.
ASIDE = {"reject", "revise", "send_back", "waive_return", "lose", "settle_result:unknown"}
_RARELY = st.integers(0, 7).map(lambda number: number == 7)


def _some(items: Sequence[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=3, unique_by=id)


ACTORS = st.none() | st.sampled_from([f"{role}:x" for role in ROLES])


class CaseMachine(RuleBasedStateMachine):
    """One case; every rule is a command, mostly a sensible one, sometimes not."""

    desk: Desk

    @initialize(
        order=orders(max_lines=3),
        shipped=st.sampled_from((9, 2, 0)),
        timing=st.sampled_from(("after_inspection", "on_approval")),
        tenders=st.sampled_from(("cash_only", "in_kind")),
        automatic=st.booleans(),
        data=st.data(),
    )
    def an_order_is_recorded_and_a_buyer_applies(
        self,
        order: RecordOrder,
        shipped: int,
        timing: str,
        tenders: str,
        automatic: bool,
        data: st.DataObject,
    ) -> None:
        self.ledger, self.taken, self.seen = Ledger(), 0, set[str]()
        policy: dict[str, Any] = {"refund_timing": timing, "tender_policy": tenders}
        self.desk = Desk(order, rulebook(auto_approve_unshipped=automatic, **policy))
        self.order = order
        self.ship(shipped)
        if any(len(line.paid_by) > 1 for line in self.desk.case.goods):
            self.seen.add("split tender")
        self.applies(data)

    def give(self, kind: str, **fields: Any) -> None:
        outcome = self.desk.do(self.desk.command(kind, **fields))
        if isinstance(outcome, Refusal):
            self.seen.add(f"refused: {outcome.code}")
        else:
            self.seen.update(event.kind for event in outcome.events)

    def amount(self, data: st.DataObject, most: int) -> str:
        """An amount up to `most`; now and then nothing, too much, or less than nothing."""
        minor = data.draw(st.integers(1, max(1, most)))
        if data.draw(_RARELY):
            minor = data.draw(st.sampled_from((0, -1, most + 1)))
        return format_amount(minor, self.desk.case.currency)

    def ticket(self, data: st.DataObject) -> Ticket:
        return data.draw(st.sampled_from(list(self.desk.case.tickets.values())))

    def asked(self, data: st.DataObject) -> tuple[LineAsked, ...]:
        """Some lines, mostly with units that are left."""
        asked = []
        for line in data.draw(_some(self.desk.case.goods)):
            claim = self.desk.case.claims.get(line.line_no, Claim())
            left = line.quantity + 1 if data.draw(_RARELY) else line.quantity - claim.units
            count = data.draw(st.integers(1, left)) if left > 0 and not data.draw(_RARELY) else None
            part = None
            if count is None or data.draw(_RARELY):
                part = self.amount(data, line.paid - claim.given)
            asked.append(LineAsked(line_no=line.line_no, quantity=count, amount=part))
        return tuple(asked)

    @rule(data=st.data())
    def applies(self, data: st.DataObject) -> None:
        fields: dict[str, Any] = {
            "lines": self.asked(data),
            "type": data.draw(st.sampled_from(sorted(TYPES, reverse=True))),
        }
        if data.draw(_RARELY):
            fields["amount"] = self.amount(data, self.desk.case.paid)
        if data.draw(_RARELY):
            fields["refund_shipping"] = data.draw(st.just(True) | st.just(self.amount(data, 1000)))
        self.give("apply", **fields)

    @precondition(lambda self: self.desk.case.tickets)
    @rule(data=st.data(), steps=st.integers(1, 8))
    def a_ticket_goes_on(self, data: st.DataObject, steps: int) -> None:
        """Some steps that apply to a ticket as it stands, by whom they usually are."""
        ticket_no = self.ticket(data).ticket_no
        for _ in range(steps):
            ticket = self.desk.case.tickets[ticket_no]
            words = {
                row.command
                for row in TRANSITIONS
                if ticket.legs.get(row.leg) == row.state
                and unmet_wait(row.leg, ticket.legs, ticket.refund_timing) is None
            }
            if ticket.closing or not words:
                return
            onwards = sorted(words - ASIDE) if not data.draw(_RARELY) else []
            word = data.draw(st.sampled_from(onwards or sorted(words)))
            kind, _, result = word.partition(":")
            fields = self.told(data, kind, ticket) | ({"result": result} if result else {})
            self.give(kind, ticket_no=ticket_no, **fields)

    def told(self, data: st.DataObject, kind: str, ticket: Ticket) -> dict[str, Any]:
        """What a command says beside what it usually says."""
        lines = [line for line in ticket.lines if line.quantity]
        plain = data.draw(st.booleans())
        if kind in ("settle_result", "retry") and ticket.payouts:
            return {"key": data.draw(st.sampled_from(ticket.payouts)).key}
        if kind == "receive" and not plain:
            counts = {line.line_no: data.draw(st.integers(0, line.quantity + 1)) for line in lines}
            return {"lines": parcel(**counts)}
        if kind == "inspect" and not plain:
            accepted = {line.line_no: data.draw(st.integers(0, line.received)) for line in lines}
            return {"lines": tuple(found(line_no, count) for line_no, count in accepted.items())}
        if kind == "approve" and not plain:
            switches = data.draw(st.sampled_from(((), ("coupon",), ("virtual_currency", "freight"))))
            terms: dict[str, Any] = {"give_back": switches}
            if data.draw(st.booleans()):
                terms["service_fee"] = self.amount(data, ticket.total // 3)
            if data.draw(st.booleans()):
                terms["amount"] = self.amount(data, ticket.total // 2)
            return terms
        return {"lines": self.asked(data)} if kind == "revise" and not plain else {}

    @precondition(lambda self: self.desk.case.tickets)
    @rule(data=st.data(), word=st.sampled_from(WORDS), actor=ACTORS)
    def somebody_tries_anything(self, data: st.DataObject, word: str, actor: str | None) -> None:
        kind, _, result = word.partition(":")
        fields: dict[str, Any] = {"ticket_no": self.ticket(data).ticket_no}
        fields |= {"result": result} if result else {}
        fields |= {"actor": actor} if actor else {}
        self.give(kind, **fields)

    @precondition(lambda self: any(RETURN in t.legs for t in self.desk.case.tickets.values()))
    @rule(data=st.data())
    def goods_come_back(self, data: st.DataObject) -> None:
        """A return on its usual way, from wherever it stands."""
        returns = [t.ticket_no for t in self.desk.case.tickets.values() if RETURN in t.legs]
        ticket_no = data.draw(st.sampled_from(returns))
        for kind in ("approve", "ship_back", "receive", "inspect", "release"):
            fields = self.told(data, kind, self.desk.case.tickets[ticket_no])
            self.give(kind, ticket_no=ticket_no, **fields)

    @precondition(lambda self: self.desk.case.tickets)
    @rule(data=st.data(), comes_back=st.booleans())
    def a_ticket_is_withdrawn(self, data: st.DataObject, comes_back: bool) -> None:
        ticket_no = self.ticket(data).ticket_no
        self.give("cancel", ticket_no=ticket_no)
        if comes_back:
            self.give("reopen", ticket_no=ticket_no)

    @rule(data=st.data())
    def money_is_given_back_outside(self, data: st.DataObject) -> None:
        payment = data.draw(st.sampled_from(list(self.desk.case.payments.values())))
        amount = self.amount(data, payment.left // 4)
        self.give("external_refund", payment_no=payment.payment_no, amount=amount)

    @rule(shipped=st.integers(0, 9))
    def ship(self, shipped: int) -> None:
        """The order is told again with some units shipped."""
        lines = tuple(attrs.evolve(line, shipped=min(shipped, line.quantity)) for line in self.order.lines)
        outcome = self.desk.do(attrs.evolve(self.order, lines=lines))
        assert isinstance(outcome, Decision), outcome

    @rule(hours=st.integers(-48, 200))
    def time_passes(self, hours: int) -> None:
        self.desk.later(hours=hours)

    @invariant()
    def the_second_ledger_agrees(self) -> None:
        for event in self.desk.events[self.taken :]:
            self.ledger.take(event)
        self.taken = len(self.desk.events)
        self.ledger.agrees_with(self.desk)

    @invariant()
    def no_unit_is_refunded_that_was_not_accepted(self) -> None:
        """Q4, R9: once inspected, what is released afterwards is for accepted units."""
        for ticket in self.desk.case.tickets.values():
            inspected = ticket.legs.get(RETURN) == "inspected" and not ticket.closing
            if inspected and ticket.refund_timing == "after_inspection":
                assert all(line.quantity <= line.accepted for line in ticket.lines if line.quantity)

    def teardown(self) -> None:
        if hasattr(self, "order"):
            assert self.desk.rebuilt() == self.desk.case
            assert self.desk.rebuilt(stored) == self.desk.case
            statuses = {ticket.status for ticket in self.desk.case.tickets.values()}
            SEEN.update(self.seen | statuses | {"histories"})


def test_every_history_keeps_every_invariant_and_gets_somewhere() -> None:
    SEEN.clear()
    run_state_machine_as_test(
        CaseMachine,
        settings=settings(
            max_examples=10_000 if RELEASE else 150,
            stateful_step_count=50 if RELEASE else 25,
            deadline=None,
            derandomize=not RELEASE,
            phases=set(Phase) if RELEASE else set(Phase) - {Phase.shrink, Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )
    shares = {what: count / SEEN["histories"] for what, count in SEEN.items()}
    least = {
        "ticket_opened": 0.5, "split tender": 0.2, "completed": 0.03, "payout_settled": 0.03,
        "payout_failed": 0.03, "goods_inspected": 0.05, "ticket_cancelled": 0.03,
        "refused: amount_above_quote": 0.2, "refused: quantity_not_available": 0.03,
    }  # fmt: skip
    assert {what: shares.get(what) for what in least if shares.get(what, 0) < least[what]} == {}
