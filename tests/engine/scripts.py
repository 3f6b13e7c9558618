"""A long random story of a shop, for whoever needs many commands that are worth carrying out."""

from collections.abc import Mapping
from random import Random
from typing import Any

from reverseflow.core.commands import CaseCommand, Command, RecordOrder
from support.cases import NOON, Facts, coupon, freight, goods, paid, sale, units
from support.stores import told

#: Tickets from the first word to the last; a word may be refused on the way, and often is.
JOURNEYS = tuple(
    journey.split()
    for journey in (
        "refund approve release sent settled",
        "refund approve release unknown failed retry settled failed retry settled",
        "refund reject revise approve send_back approve release settled",
        "refund cancel reopen approve release settled",
        "refund escalate note close",
        "money approve release settled note",
        "return approve ship_back receive inspect release settled",
        "return approve ship_back receive receive inspect release failed",
        "return approve waive_return release settled",
        "return approve book_pickup lose release unknown settled",
        "return approve refuse_delivery receive inspect release",
    )
)
_APPLICATIONS: Mapping[str, Mapping[str, Any]] = {
    "refund": {"lines": units(A=1, B=1)},
    "money": {"lines": units(A=1), "amount": "12.34"},
    "return": {"type": "return_refund", "lines": units(A=2)},
}
_RESULTS = ("sent", "settled", "failed", "unknown")


class Script:
    """A long random story of a shop, the same for the same seed.

    Orders are told once or several times, some with other amounts; tickets go through journeys
    that are interleaved, named by number, application or external number; commands come twice,
    come with another content under their id, or come when nobody waits for them.
    """

    def __init__(self, seed: int, orders: int = 20) -> None:
        self.random = Random(seed)
        self.commands: list[Command] = []
        self._orders = [self._order(number) for number in range(orders)]
        self._journeys: list[tuple[dict[str, str], list[str]]] = []

    def told(self, count: int) -> list[Command]:
        """The first so many commands."""
        while len(self.commands) < count:
            self.commands.append(self._next())
        return self.commands[:count]

    def _order(self, number: int) -> RecordOrder:
        facts: list[Facts] = [goods("A", "33.33", 6), goods("B", "0.05", 9), coupon("7.01"), freight("6.00")]
        told = [paid("199.42")] if number % 3 else [paid("190.00"), paid("9.42", "points")]
        shipped_at = NOON if number % 2 else None
        return sale(*facts, *told, order_no=f"E{number}", platform="web", shipped_at=shipped_at)

    def _next(self) -> Command:
        dice = self.random.random()
        if len(self.commands) < len(self._orders) // 2:
            return self._orders[len(self.commands)]
        if dice < 0.06 and self.commands:
            return self.random.choice(self.commands)
        if dice < 0.09 and (known := [c for c in self.commands if isinstance(c, CaseCommand)]):
            return told("note", id=self.random.choice(known).id, ticket_no="E1-R1", text="other")
        if dice < 0.15:
            return self._order_told()
        if dice < 0.30 or not self._journeys:
            return self._application()
        names, steps = self.random.choice(self._journeys[-12:])
        word = steps.pop(0) if steps and dice < 0.9 else self.random.choice(JOURNEYS[2])
        return self._step(word, names)

    def _order_told(self) -> RecordOrder:
        order = self.random.choice(self._orders)
        if self._likely(0.1):
            return sale(*order.lines, paid("1.00"), order_no=order.order_no, platform="web")
        if self._likely(0.1):
            return sale(*order.lines, *order.payments, *order.discounts, *order.shipping,
                        order_no=order.order_no, platform="web", shipped_at=NOON)  # fmt: skip
        return order

    def _application(self) -> Command:
        known = self._orders[: len(self._orders) // 2] if self._likely(0.9) else self._orders
        journey = self.random.choice(JOURNEYS)
        if journey[0] == "return" and self._likely(0.9):
            known = [order for order in known if order.shipped_at]
        order_no = self.random.choice(known).order_no
        number = len(self.commands)
        names = {
            "apply_id": f"c{number}",
            "external_no": f"X{number if self._likely(0.9) else number // 2}",
            "ticket_no": f"{order_no}-R{self.random.randint(1, 3)}",
        }
        self._journeys.append((names, list(journey[1:])))
        return told(
            "apply", id=names["apply_id"], external_no=names["external_no"], order_no=order_no,
            note="said at the counter", **_APPLICATIONS[journey[0]],
        )  # fmt: skip

    def _likely(self, chance: float) -> bool:
        return self.random.random() < chance

    def _step(self, word: str, names: Mapping[str, str]) -> Command:
        how = self.random.choice(("apply_id", "apply_id", "external_no", "ticket_no"))
        name = {"external_no" if how == "external_no" else "ticket_no": names[how]}
        id_ = f"c{len(self.commands)}"
        if word in _APPLICATIONS:
            return told("note", id=id_, **name)
        if word in _RESULTS:
            by_payment = {} if self._likely(0.5) else {"payment_no": "cash"}
            return told("settle_result", id=id_, result=word, **by_payment, **name)
        return told(word, id=id_, **name)
