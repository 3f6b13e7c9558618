"""Gateways with a ledger of their own: one that does what it is asked, and one that rarely does."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import attrs

from reverseflow.contracts import Delivery
from reverseflow.core.values import JsonObject


class Killed(BaseException):
    """The relay's process ends here; nothing after this point happens."""


class Timeout(Exception):
    """What a gateway's client raises when no answer came."""


def raising(error: BaseException) -> Callable[[JsonObject], None]:
    """A fault: the money has moved, and then this is raised."""

    def fault(_document: JsonObject) -> None:
        raise error

    return fault


def answering(*answers: Any) -> Callable[[Sequence[JsonObject]], Any]:
    """A mover that answers this, whatever it is asked."""
    return lambda _documents: list(answers)


@attrs.define
class Gateway:
    """Carries out each key once and says so; `tries` is every document it was given.

    Its ledger, `effects`, counts what was really done by key: what is asked again is answered
    again and not done again, as gateways with idempotency keys do. `fault` comes after the deed.
    """

    effects: Counter[str] = attrs.field(factory=Counter)
    asked: dict[str, JsonObject] = attrs.field(factory=dict)
    tries: list[JsonObject] = attrs.field(factory=list)
    fault: Callable[[JsonObject], object] = lambda _document: None

    def __call__(self, documents: Sequence[JsonObject]) -> list[Delivery]:
        """Carry out instructions, and answer each."""
        return [answer for document in documents for answer in self.answers(document)]

    def answers(self, document: JsonObject) -> list[Any]:
        """Carry out one instruction: usually one answer, and the right one."""
        self.tries.append(document)
        self.act(document)
        self.fault(document)
        return [Delivery(document["key"], "settled", f"ref-{document['key']}")]

    def act(self, document: JsonObject) -> None:
        """Move the money or the goods, unless this key did already; it asks for the same always."""
        key, told = document["key"], {**document, "attempt": 0}
        assert told == self.asked.setdefault(key, told), "one key, two instructions"
        self.effects[key] += key not in self.effects

    def sent(self) -> list[str]:
        """The keys it was given, in their order, repeats included."""
        return [document["key"] for document in self.tries]


#: What may go wrong at a `FaultyGateway`; before, or after, the money was moved.
FAULTS = (
    "killed", "timed out", "timed out before", "garbage", "another key", "two answers",
    "no such result", "accepted", "refused before",
)  # fmt: skip


class FaultyGateway(Gateway):
    """A gateway at which three calls in ten go wrong, in every way known; the seed says how."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        super().__init__()
        self.random = Random(seed)
        self.share = share
        self.seen: Counter[str] = Counter()

    def answers(self, document: JsonObject) -> list[Any]:
        """Perhaps carry out one instruction, and answer something."""
        fault = self.random.choice(FAULTS) if self.random.random() < self.share else "none"
        key = document["key"]
        if fault == "refused before" and key in self.effects:
            fault = "none"  # what was done is not refused afterwards
        self.seen[fault] += 1
        self.tries.append(document)
        if not fault.endswith("before"):
            self.act(document)
        if fault.startswith("timed out"):
            raise Timeout
        if fault == "killed":
            raise Killed
        odd: dict[str, list[Any]] = {
            "garbage": [{"key": key, "result": "settled"}],
            "another key": [Delivery(f"{key}0", "settled")],
            "two answers": [Delivery(key, "settled"), Delivery(key, "failed")],
            "no such result": [Delivery(key, "perhaps")],
            "accepted": [Delivery(key, "sent")],
            "refused before": [Delivery(key, "failed", message="card closed")],
        }
        return odd.get(fault, [Delivery(key, "settled")])
