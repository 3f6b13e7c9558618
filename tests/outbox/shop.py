"""A shop with a store of its own and a clock that is moved by hand.

shop = Shop(f"sqlite:///{folder}/shop.db")
ticket_no = shop.release("E1")  # ordered, applied for, approved, released by finance
shop.deliver(gateway := Gateway())
assert {f"{ticket_no}:refund:cash": 1} == gateway.effects
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from outbox.gateways import Killed
from reverseflow.contracts import Deliver, Delivery
from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import COMMANDS, Command, RecordOrder
from reverseflow.core.events import Event
from reverseflow.core.instructions import INSTRUCTION_KINDS
from reverseflow.core.invariants import broken_invariants
from reverseflow.core.legs import Deadline
from reverseflow.core.results import Result
from reverseflow.core.rulebook import Platform, Policy
from reverseflow.core.values import JsonObject, parse_time_text
from reverseflow.engine import Engine
from reverseflow.hookspecs import API_VERSION, hookimpl
from reverseflow.outbox.relay import LEASE, OutboxRun, list_outbox, run_outbox
from reverseflow.plugins import Registry, registry_of
from reverseflow.storage.store import Store, reading
from support.cases import USUAL, goods, paid, sale, units

BOTH = ("sqlite", "postgres")
#: The key of the one instruction of a ticket that was released in these tests.
KEY = "E1-R1:refund:cash"
START = datetime(2026, 5, 2, 12, 0, tzinfo=UTC)


def plugins(*deadlines: Deadline, **policy: Any) -> Registry:
    """The built-ins and one platform, ``web``, on which a person reviews every ticket."""
    choices = {"auto_approve_unshipped": False, **policy}
    platform = Platform("web", "web shop", "网店", (Policy("v1", **choices),), deadlines)

    @hookimpl
    def reverseflow_platforms() -> list[Platform]:
        return [platform]

    module = ModuleType("web")
    vars(module).update(API_VERSION=API_VERSION, reverseflow_platforms=reverseflow_platforms)
    return registry_of({"web": module})


def command(kind: str, **fields: Any) -> Command:
    """A command as it is usually given."""
    type_: Any = COMMANDS[kind]
    made: Command = type_(**{**USUAL.get(kind, {}), **fields})
    return made


def store_url(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty store on the database the parameter of a fixture names."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        assert isinstance(url, str)
        return url
    return f"sqlite:///{folder}/shop.db"


class Shop:
    """An engine on a store of its own; its clock stands still until it is moved."""

    def __init__(
        self, url: str, *deadlines: Deadline, create: bool = True, now: datetime = START,
        **policy: Any,
    ) -> None:  # fmt: skip
        self.now = now
        self.url = url
        self.others: list[Shop] = []
        self.engine = Engine(
            url, plugins=plugins(*deadlines, **policy), clock=lambda: self.now, create=create
        )

    def another(self) -> "Shop":
        """A second engine on the same store, as another process has one."""
        self.others.append(Shop(self.url, create=False, now=self.now))
        return self.others[-1]

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        for shop in self.others:
            shop.engine.close()
        self.engine.close()

    def later(self, **delta: float) -> None:
        """Let time pass: ``later(hours=1)``."""
        self.now += timedelta(**delta)

    def try_(self, kind: str, ticket_no: str = "", **fields: Any) -> Result:
        """Give a command as it is usually given; what became of it."""
        if ticket_no:
            fields["ticket_no"] = ticket_no
        return self.engine.execute([command(kind, **fields)])[0]

    def do(self, kind: str, ticket_no: str = "", **fields: Any) -> Result:
        """Give a command that must be carried out."""
        result = self.try_(kind, ticket_no, **fields)
        assert result.outcome == "applied", result
        return result

    def open(self, order_no: str, type_: str = "refund_only", order: Command | None = None) -> str:
        """An order of two units for 100.00 each, one of them applied for; the ticket's number."""
        told = order or _order(order_no)
        assert self.engine.execute([told], platform="web")[0].outcome == "applied"
        applied = self.do("apply", order_no=order_no, type=type_, lines=units(A=1))
        return applied.ticket_no

    def release(self, order_no: str, order: Command | None = None) -> str:
        """A ticket whose money finance has released; its number."""
        ticket_no = self.open(order_no, order=order)
        self.do("approve", ticket_no)
        self.do("release", ticket_no)
        return ticket_no

    def release_many(self, count: int) -> list[str]:
        """As many tickets with their money released, of two payments each, a batch per command."""
        numbers = [f"N{number:04}" for number in range(count)]
        self.engine.execute([split_order(number) for number in numbers], platform="web")
        applied = {"type": "refund_only", "lines": units(A=2)}
        steps = [
            [command("apply", order_no=number, id=f"{number}-a", **applied) for number in numbers],
            *([command(kind, ticket_no=f"{n}-R1") for n in numbers] for kind in ("approve", "release")),
        ]
        for step in steps:
            assert {"applied"} == {result.outcome for result in self.engine.execute(step)}
        return [f"{number}-R1" for number in numbers]

    def take_back(self, order_no: str) -> str:
        """A ticket whose goods were inspected: they go to stock, the money is due."""
        ticket_no = self.open(order_no, "return_refund")
        for kind in ("approve", "ship_back", "receive", "inspect"):
            self.do(kind, ticket_no)
        return ticket_no

    def deliver(self, mover: Deliver | Mapping[str, Deliver], **options: Any) -> OutboxRun:
        """One run of the outbox, now; a single mover carries out every kind."""
        movers = mover if isinstance(mover, Mapping) else dict.fromkeys(INSTRUCTION_KINDS, mover)
        return run_outbox(self.engine, movers, **options)

    def drain(self, mover: Deliver) -> None:
        """Let time pass from try to try until nothing is pending, whoever is killed meanwhile."""
        while times := [row["next_at"] for row in self.rows("pending").values()]:
            due = parse_time_text(min(times))
            assert due is not None
            self.now = max(self.now, due)
            try:
                done = self.deliver(mover)
            except Killed:
                done = OutboxRun()
            if done == OutboxRun():
                self.now += LEASE

    def rows(self, state: str | None = None) -> dict[str, JsonObject]:
        """The rows of the outbox by key."""
        return {row["key"]: row for row in list_outbox(self.engine, state, limit=10_000)}

    def row(self, key: str) -> JsonObject:
        """One row of the outbox."""
        return self.rows()[key]

    def state(self, key: str) -> tuple[str, int, str]:
        """A row's state, its attempts and its last error."""
        row = self.row(key)
        return row["state"], row["attempts"], row["last_error"]

    def events(self, order_no: str) -> list[Event]:
        """The events of an order."""
        with reading(self.engine.database) as connection:
            told = Store(connection, self.engine.tenant).events(order_no)
        return [event for event, _, _ in told]

    def case(self, ticket_no: str) -> Case:
        """The case of a ticket, which must be sound."""
        found = self.engine.find_ticket(ticket_no)
        assert found is not None
        assert [] == list(broken_invariants(found[0]))
        return found[0]

    def ticket(self, ticket_no: str) -> Ticket:
        """A ticket as it stands in the store."""
        return self.case(ticket_no).tickets[ticket_no]

    def money(self, ticket_no: str) -> list[str]:
        """The states of a ticket's payouts."""
        return [payout.state for payout in self.ticket(ticket_no).payouts]

    def held(self, ticket_no: str) -> tuple[int, int]:
        """What of the order's payments is reserved and refunded, in minor units."""
        payments = self.case(ticket_no).payments.values()
        return sum(p.reserved for p in payments), sum(p.refunded for p in payments)


def _order(order_no: str) -> RecordOrder:
    return sale(goods("A", "100.00", 2, shipped=2), paid("200.00"), order_no=order_no)


def split_order(order_no: str) -> RecordOrder:
    """An order paid half in cash, half from a gift card: one ticket, two instructions."""
    return sale(goods("A", "100.00", 2), paid("100.00"), paid("100.00", "gift_card"), order_no=order_no)


def relay_that_dies(url: str, ledger: Path) -> None:
    """A process of its own that pays what is due, notes it in a file, and is gone (exit status 9)."""

    def pay(documents: Sequence[JsonObject]) -> list[Delivery]:
        with ledger.open("a", encoding="utf-8") as file:
            file.writelines(f"{document['key']}\n" for document in documents)
        os._exit(9)

    Shop(url, create=False).deliver(pay)
