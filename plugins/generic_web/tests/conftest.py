"""A shop in memory: reads a file as a run would, and decides every command with the real core."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import reverseflow_generic_web
from reverseflow import (
    BadRecord,
    Case,
    Drawn,
    InputReader,
    Passed,
    Purchase,
    ReadItem,
    Record,
    RecordOrder,
    Refusal,
    Ticket,
    Warned,
    format_amount,
    open_source,
)
from reverseflow.core.commands import Apply, CaseCommand, ExternalRefund, TicketCommand
from reverseflow.core.content import content_of
from reverseflow.core.decide import decide
from reverseflow.core.invariants import broken_invariants
from reverseflow.plugins import registry_of

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@attrs.define
class Run:
    """What a reader gave, and what became of each command (``applied``, ``replayed``, a code)."""

    items: list[ReadItem] = attrs.field(factory=list)
    outcomes: list[tuple[Record, str]] = attrs.field(factory=list)

    def rows(self) -> Counter[str]:
        """How many rows became what; the rows refused under their codes."""
        counts: Counter[str] = Counter()
        for item in self.items:
            if isinstance(item, Record):
                counts[item.what] += item.parts
            elif isinstance(item, BadRecord):
                counts[item.code] += 1
            elif isinstance(item, Passed):
                counts[item.what] += 1
        return +counts

    def results(self) -> Counter[str]:
        """How many commands were applied, replayed, refused with which code."""
        return Counter(outcome for _, outcome in self.outcomes)

    def bad(self) -> dict[int, BadRecord]:
        """The refused and failed rows by row number."""
        return {item.row: item for item in self.items if isinstance(item, BadRecord)}

    def warned(self) -> list[str]:
        """The codes of the warnings."""
        return [item.code for item in self.items if isinstance(item, Warned)]


class Shop:
    """The cases of one shop; it is the `ReadContext` of what it reads."""

    def __init__(self, folder: Path) -> None:
        self.platform = "generic_web"
        self.options: Mapping[str, str] = {}
        self.registry = registry_of({"generic_web": reverseflow_generic_web})
        self.cases: dict[str, Case] = {}
        self._known: dict[str, str] = {}
        self._path = folder / "input"

    def run(self, text: str | bytes, *, stop_after: int | None = None) -> Run:
        """Read a text as a file; with `stop_after`, die after so many commands."""
        self._path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.run_file(self._path, stop_after=stop_after)

    def run_file(self, path: Path, *, stop_after: int | None = None) -> Run:
        """Read a file with the reader that detects it, and carry out every command."""
        source = open_source(str(path))
        run = Run()
        for item in self.reader_of(path).read(source, self):
            if len(run.outcomes) == stop_after:
                break
            run.items.append(item)
            if isinstance(item, Record):
                run.outcomes.append((item, self._execute(item)))
        for case in self.cases.values():
            assert broken_invariants(case) == []
        return run

    def reader_of(self, path: Path) -> InputReader:
        """The one reader that detects a file."""
        (reader,) = (r for r in self.registry.readers if r.detects(open_source(str(path))))
        return reader

    def _execute(self, record: Record) -> str:
        command = record.command
        content = content_of(command) if isinstance(command, CaseCommand) else ""
        if content and command.id in self._known:
            return "replayed" if self._known[command.id] == content else "id_taken"
        if isinstance(command, RecordOrder | Apply | ExternalRefund):
            order_no = command.order_no
        else:
            assert isinstance(command, TicketCommand)
            order_no = self._order_of(command.ticket_no)
        rulebook = self.registry.rulebook(self.platform)
        outcome = decide(self.cases.get(order_no, Case(order_no)), command, rulebook, NOW)
        if isinstance(outcome, Refusal):
            return outcome.code
        buyer = command.buyer.account if isinstance(command, RecordOrder) else outcome.case.buyer
        self.cases[order_no] = attrs.evolve(outcome.case, buyer=buyer)
        if content:
            self._known[command.id] = content
        return "applied" if outcome.events else "replayed"

    def _order_of(self, apply_id: str) -> str:
        found = (no for no, t in self.tickets_by_order() if t.apply_id == apply_id)
        return next(found, "")

    def tickets_by_order(self) -> Iterator[tuple[str, Ticket]]:
        """Every ticket with the number of its order."""
        for order_no, case in self.cases.items():
            for ticket in case.tickets.values():
                yield order_no, ticket

    def tickets(self) -> list[tuple[str, str, dict[str, int], str, str]]:
        """Every ticket: external number, order, units by line, refund, status."""
        return sorted(
            (
                ticket.external_no,
                order_no,
                {line.line_no: line.quantity for line in ticket.lines},
                format_amount(ticket.total, self.cases[order_no].currency),
                ticket.status,
            )
            for order_no, ticket in self.tickets_by_order()
        )

    def refunds(self) -> str:
        """The sum of all refunds."""
        (currency,) = {case.currency for case in self.cases.values()} or {"GBP"}
        return format_amount(sum(t.total for _, t in self.tickets_by_order()), currency)

    def purchases(self, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
        """What an account bought; in no helpful order."""
        return [
            Purchase(
                case.order_no, line.line_no, line.sku, line.quantity,
                line.quantity - (case.claims[no].units if no in case.claims else 0),
                case.placed_at,
            )
            for case in self.cases.values()
            for no, line in case.lines.items()
            if case.buyer == account and line.sku in skus and case.placed_at is not None
            and line.kind == "goods" and case.placed_at <= until
        ]  # fmt: skip

    def drawn(self, external_no: str) -> list[Drawn]:
        """What live tickets claim under an external number."""
        return [
            Drawn(ticket.ticket_no, no, line_no, self.cases[no].lines[line_no].sku, units)
            for no, ticket in self.tickets_by_order()
            if ticket.external_no == external_no and not ticket.closing
            for line_no, units in ((line.line_no, line.quantity) for line in ticket.lines)
        ]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty shop."""
    return Shop(tmp_path)


@pytest.fixture
def new_shop(tmp_path: Path) -> Callable[[], Shop]:
    """As many empty shops as are asked for."""
    return lambda: Shop(tmp_path)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of the examples."""
    return EXAMPLES


@pytest.fixture(scope="session")
def recompute() -> Callable[[Path], dict[str, object]]:
    """The independent computation that stands beside the real week."""
    script = runpy.run_path(str(EXAMPLES / "online-retail" / "recompute.py"))
    function: Callable[[Path], dict[str, object]] = script["recompute"]
    return function
