"""Engines with a bug planted in them: the independent checker finds every one, and soon."""

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from sqlalchemy.exc import IntegrityError

from audit.histories import History, lines_of, opened, told
from audit.tampering import script
from reverseflow.core import evolve, instructions, legs, postings
from reverseflow.core.asking import Asked
from reverseflow.core.case import Case, Claim, Ticket
from reverseflow.core.decide import draft, goods
from reverseflow.core.events import Event, event_hash
from reverseflow.storage import change
from support import checker


def counts_only_what_is_settled(patch: pytest.MonkeyPatch) -> None:
    """The cap forgets what is reserved."""
    held = evolve._hold

    def hold(ticket: Ticket | None) -> tuple[dict[str, Claim], dict[str, tuple[int, int]]]:
        lines, payments = held(ticket)
        return lines, {no: (0, refunded) for no, (_, refunded) in payments.items()}

    patch.setattr(evolve, "_hold", hold)


def chains_without_the_actor(patch: pytest.MonkeyPatch) -> None:
    def hashed(tenant: str, order_no: str, event: Event, text: str, previous: str) -> str:
        return event_hash(tenant, order_no, attrs.evolve(event, actor=""), text, previous)

    patch.setattr(change, "event_hash", hashed)


def loses_instructions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(draft, "instructions_of", lambda event, case: iter(()))


def takes_in_what_was_announced(patch: pytest.MonkeyPatch) -> None:
    """Stock comes in by the quantity announced."""

    def stock_in(case: Case, event: Event) -> Iterator[instructions.Instruction]:
        ticket = case.tickets[event.ticket_no]
        found = [[no, 0, line.quantity, 0, disposition]
                 for no, *_, disposition in event.payload["inspected"]
                 if (line := ticket.line(no))]  # fmt: skip
        return real(case, attrs.evolve(event, payload={**event.payload, "inspected": found}))

    real = instructions._stock_in
    patch.setattr(instructions, "_stock_in", stock_in)


def refunds_what_was_announced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(goods, "_only_accepted", lambda ticket, _: Asked.from_json(ticket.asked))


def forgets_late_failures(patch: pytest.MonkeyPatch) -> None:
    """Settled, then failed: the ledger is not restored."""
    makers = {k: v for k, v in postings._MAKERS.items() if k != "payout_failed"}
    patch.setattr(postings, "_MAKERS", makers)


def keeps_fees_off_the_books(patch: pytest.MonkeyPatch) -> None:
    def released(event: Event, _before: Case, after: Case) -> Iterator[postings.Posting]:
        total = after.tickets[event.ticket_no].total
        yield from (("sales", total), ("refunds_reserved", -total))

    patch.setattr(postings, "_MAKERS", {**postings._MAKERS, "settlement_released": released})


def gets_the_status_wrong(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(legs, "STATUS", legs.STATUS[1:])


@pytest.mark.parametrize(
    "plant",
    [
        counts_only_what_is_settled,
        chains_without_the_actor,
        loses_instructions,
        takes_in_what_was_announced,
        refunds_what_was_announced,
        forgets_late_failures,
        keeps_fees_off_the_books,
        gets_the_status_wrong,
    ],
)
def test_a_planted_bug_is_found_in_a_few_histories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)
    for seed in range(20):
        engine = opened(str(tmp_path / f"{seed}.db"))
        try:
            told(engine, script())
            History(engine, seed, ["E2", "E3"]).run(30)
            found = checker.check(lines_of(engine))
        except IntegrityError as error:
            found = [str(error)]  # a CHECK constraint was quicker
        engine.close()
        if found:
            return
    pytest.fail("not found")
