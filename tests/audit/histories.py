"""Random histories: an engine driven with commands out of a seed, kept as a script to be repeated.

A history looks at the cases before it chooses, so that most commands lead somewhere; what it told
is kept batch by batch, and told to another engine it is the same history.
"""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reverseflow import (
    Command,
    Engine,
    LineAsked,
    LineInspected,
    LineReceived,
    Platform,
    Policy,
    RecordOrder,
    hookimpl,
)
from reverseflow.audit import export
from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import (
    COMMANDS,
    BuyerFacts,
    ChargeFacts,
    DiscountFacts,
    PaymentFacts,
    ReturnAddress,
    ShippingFacts,
    TaxFacts,
)
from reverseflow.core.legs import current_wait
from reverseflow.core.money import format_amount
from reverseflow.plugins import Registry, registry_of
from support.cases import USUAL, goods

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CURRENCIES = ("CNY", "CNY", "JPY", "KWD")
#: What the buyer said and is called: in no export, and gone from the store once erased.
CANARIES = ("canary-account", "canary-name", "canary-phone", "canary-road", "canary-note")
_PLAUSIBLE = {
    ("review", "pending"): "approve approve approve approve reject revise cancel",
    ("review", "rejected"): "revise revise close",
    (
        "return",
        "awaiting",
    ): "ship_back ship_back book_pickup refuse_delivery intercept waive_return",
    ("return", "in_transit"): "receive receive receive ship_back lose",
    ("return", "received"): "receive inspect inspect",
    ("settlement", "due"): "release release release send_back settle_result",
    ("settlement", "released"): "settle_result",
    ("settlement", "sent"): "settle_result",
    ("settlement", "unknown"): "settle_result",
    ("settlement", "failed"): "retry",
    ("settlement", "settled"): "settle_result settle_result note escalate",
}


class Shops:
    """A plugin with two platforms: one reviews and waits for the goods, one is fast and kind."""

    API_VERSION = 1

    @staticmethod
    @hookimpl
    def reverseflow_platforms() -> list[Platform]:
        fast = Policy("fast-1", refund_timing="on_approval", tender_policy="in_kind")
        slow = Policy("slow-1", auto_approve_unshipped=False)
        return [Platform("slow", "slow", "慢", (slow,)), Platform("fast", "fast", "快", (fast,))]


def shops() -> Registry:
    """The built-ins and the two platforms of these tests."""
    return registry_of({"shops": Shops})


def opened(url: str, tenant: str = "default") -> Engine:
    """An engine on a new store, its clock standing still."""
    return Engine(url, tenant=tenant, plugins=shops(), clock=lambda: NOON, create=True)


def told(engine: Engine, script: Sequence[Sequence[Command]]) -> None:
    """Give an engine a script, batch by batch."""
    for batch in script:
        engine.execute(batch, platform="slow")


def lines_of(engine: Engine, since: datetime | None = None) -> list[str]:
    """The export as lines of text."""
    return [json.dumps(record, ensure_ascii=False) for record in export(engine, since=since)]


class History:
    """A history in the making; `outcomes` counts what became of its commands."""

    def __init__(self, engine: Engine, seed: int, order_nos: Sequence[str] = ("E1", "E2")) -> None:
        self.engine = engine
        self.order_nos = order_nos
        self.random = random.Random(seed)
        self.script: list[list[Command]] = []
        self.outcomes: dict[str, int] = {}
        self.now = NOON
        self.number = 0

    def run(self, steps: int) -> "History":
        """Record the orders, then go on for some batches of one to four commands."""
        self._tell([self._order(order_no) for order_no in self.order_nos])
        for _ in range(steps):
            self.now += timedelta(minutes=self.random.randint(1, 4000))
            count = self.random.choice((1, 1, 1, 2, 4))
            self._tell([self._command() for _ in range(count)])
        return self

    def _tell(self, batch: list[Command]) -> None:
        self.script.append(batch)
        for result in self.engine.execute(batch, platform="slow"):
            self.outcomes[result.outcome] = self.outcomes.get(result.outcome, 0) + 1

    def _order(self, order_no: str) -> RecordOrder:
        pick, currency = self.random, self.random.choice(CURRENCIES)

        def text(minor: int) -> str:
            return format_amount(minor, currency)

        lines, due = [], 0
        for name in "ABC"[: pick.randint(1, 3)]:
            price, quantity = pick.choice((0, 1, 999, 10000, 3333)), pick.randint(1, 4)
            off = price * quantity // pick.choice((3, 7, 10**9))
            due += price * quantity - off
            taxes = (TaxFacts(code="vat", rate="13"),) if pick.random() < 0.5 else ()
            lines.append(goods(name, text(price), quantity, discount=text(off), taxes=taxes))
        off = due // pick.choice((5, 11, 10**9))
        fee, gift = pick.choice((0, 0, 1000)), pick.choice((0, 0, 0, 500))
        due += fee + gift - off
        payments = []
        for number, tender in enumerate(pick.sample(("gift_card", "points", "red_packet"), 2)):
            part = due // pick.choice((3, 9, 10**9))
            due -= part
            payments.append(PaymentFacts(payment_no=f"p{number}", tender=tender, amount=text(part)))
        before = text(due // 10 if pick.random() < 0.1 else 0)
        payments.append(PaymentFacts(payment_no="rest", amount=text(due), refunded=before))
        shipped = pick.choice((None, NOON, NOON, NOON))
        return RecordOrder(
            order_no=order_no, currency=currency, lines=tuple(lines), shop="第一店",
            platform=pick.choice(("slow", "fast")), paid_at=NOON, shipped_at=shipped,
            received_at=shipped and pick.choice((None, NOON)), payments=tuple(payments),
            discounts=(DiscountFacts(code="coupon", amount=text(off)),),
            shipping=(ShippingFacts(fee=text(fee)),),
            charges=(ChargeFacts(code="wrap", amount=text(gift), refundable=False),),
            buyer=BuyerFacts(
                account="canary-account", name="canary-name", phone="canary-phone",
                address="canary-road",
            ),
        )  # fmt: skip

    def _command(self) -> Command:
        pick = self.random
        if self.number and pick.random() < 0.04:
            return pick.choice(pick.choice(self.script))  # told once more
        case = self.engine.case(pick.choice(self.order_nos))
        assert case is not None
        self.number += 1
        if not case.tickets or pick.random() < 0.25:
            kind = "external_refund" if pick.random() < 0.15 else "apply"
            return self._given(kind, order_no=case.order_no, **self._about(kind, case, None))
        ticket = pick.choice(list(case.tickets.values()))
        wait = current_wait(ticket.legs, ticket.refund_timing) or ("settlement", "settled")
        choices = "reopen cancel note" if ticket.closing else _PLAUSIBLE[wait]
        if pick.random() < 0.15:
            choices = " ".join({*COMMANDS} - {"order", "apply", "external_refund"})
        kind = pick.choice(sorted(choices.split()))
        name = pick.choice((ticket.ticket_no, ticket.apply_id))
        return self._given(kind, ticket_no=name, **self._about(kind, case, ticket))

    def _given(self, kind: str, **fields: Any) -> Command:
        usual = {**USUAL.get(kind, {}), "actor": self._actor(kind), "id": f"id-{self.number}"}
        if kind != "note" and self.random.random() < 0.3:
            usual["note"] = f"canary-note {self.number}"
        return COMMANDS[kind](**{**usual, "at": self.now, **fields})

    def _actor(self, kind: str) -> str:
        if kind == "settle_result":
            return self.random.choice(("system", "system", "platform"))
        if kind in ("close", "escalate"):
            return "system"
        usual: str = USUAL[kind]["actor"]
        return "operations:li" if usual.startswith("buyer") else usual

    def _about(self, kind: str, case: Case, ticket: Ticket | None) -> dict[str, Any]:
        makers: dict[str, Any] = {
            "apply": self._apply, "revise": self._revise, "external_refund": self._external,
            "approve": self._approve, "receive": self._receive, "inspect": self._inspect,
            "settle_result": self._result, "retry": self._key,
            "note": lambda _case, _ticket: {"text": f"canary-note {self.number}"},
        }  # fmt: skip
        made: dict[str, Any] = makers.get(kind, lambda _case, _ticket: {})(case, ticket)
        return made

    def _lines(self, case: Case) -> tuple[LineAsked, ...]:
        pick, asked = self.random, []
        for line in pick.sample(case.goods, pick.randint(1, len(case.goods))):
            some = format_amount(pick.randint(1, max(1, line.paid // 2)), case.currency)
            quantity = None if pick.random() < 0.2 else pick.randint(1, line.quantity)
            amount = some if quantity is None or pick.random() < 0.1 else None
            asked.append(LineAsked(line_no=line.line_no, quantity=quantity, amount=amount))
        return tuple(asked)

    def _apply(self, case: Case, _ticket: Ticket | None) -> dict[str, Any]:
        pick = self.random
        return {
            "type": pick.choice(("refund_only", "return_refund", "return_refund"))
            if case.shipped_at
            else "refund_only",
            "reason": pick.choice(("agreed", "quality", "other")),
            "lines": self._lines(case),
            "refund_shipping": pick.random() < 0.2,
            "external_no": f"X{self.number}" if pick.random() < 0.3 else "",
            "reason_text": "canary-note: it broke" if pick.random() < 0.3 else "",
            "evidence": ("photo.jpg",) if pick.random() < 0.2 else (),
        }

    def _revise(self, case: Case, _ticket: Ticket) -> dict[str, Any]:
        return {"lines": self._lines(case)} if self.random.random() < 0.7 else {}

    def _external(self, case: Case, _ticket: Ticket | None) -> dict[str, Any]:
        payment = self.random.choice(list(case.payments.values()))
        amount = format_amount(max(1, payment.amount // 10), case.currency)
        return {"payment_no": payment.payment_no, "amount": amount, "reference": "by hand"}

    def _approve(self, case: Case, ticket: Ticket) -> dict[str, Any]:
        pick, terms = self.random, dict[str, Any]()
        if pick.random() < 0.2:
            terms["amount"] = format_amount(ticket.total * pick.randint(1, 3) // 3, case.currency)
        if pick.random() < 0.2:
            terms["service_fee"] = format_amount(ticket.total // 7, case.currency)
        if pick.random() < 0.2:
            switches = ("coupon", "virtual_currency", "freight")
            terms["give_back"] = tuple(pick.sample(switches, pick.randint(1, 3)))
        if pick.random() < 0.3:
            terms["return_to"] = ReturnAddress(contact="canary-name", address="canary-road")
        return terms

    def _receive(self, _case: Case, ticket: Ticket) -> dict[str, Any]:
        if self.random.random() < 0.4:
            return {}
        lines = [
            LineReceived(line_no=line.line_no, quantity=self.random.randint(0, line.quantity + 1))
            for line in ticket.lines
        ]
        return {"lines": tuple(lines), "surprise": self.random.choice(("", "a brick"))}

    def _inspect(self, _case: Case, ticket: Ticket) -> dict[str, Any]:
        pick, found = self.random, []
        if pick.random() < 0.4:
            return {}
        for line in ticket.lines:
            if line.quantity:
                accepted = pick.randint(0, min(line.received, line.quantity))
                word = pick.choice(("", "restock", "scrap", "missing"))
                found.append(
                    LineInspected(
                        line_no=line.line_no, accepted=accepted, disposition=word,
                        rejected=pick.randint(0, line.received - accepted),
                    )
                )  # fmt: skip
        return {"lines": tuple(found)}

    def _key(self, _case: Case, ticket: Ticket) -> dict[str, Any]:
        keys = [payout.key for payout in ticket.payouts if payout.key]
        return {"key": self.random.choice(keys)} if keys else {}

    def _result(self, case: Case, ticket: Ticket) -> dict[str, Any]:
        result = self.random.choice(("sent", "settled", "settled", "settled", "failed", "failed", "unknown"))
        return {"result": result, **self._key(case, ticket)}
