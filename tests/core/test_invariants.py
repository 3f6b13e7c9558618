"""What must hold of every case: each invariant is broken on purpose and must be reported."""

from typing import Any

import attrs
import pytest

from reverseflow.core import legs as tables
from reverseflow.core.case import Case, Claim, Ticket
from reverseflow.core.invariants import broken_invariants
from reverseflow.core.legs import REVIEW, SETTLEMENT, Wait
from support.cases import E1, E2, Desk, units

# A sound case with two open tickets, one of them released.


def sound() -> Case:
    desk = Desk(E1)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release")
    desk.done("apply", lines=units(B=1))
    return desk.case


def with_line(case: Case, **changes: Any) -> Case:
    return attrs.evolve(case, lines={**case.lines, "A": attrs.evolve(case.lines["A"], **changes)})


def with_claim(case: Case, claim: Claim) -> Case:
    return attrs.evolve(case, claims={**case.claims, "A": claim})


def with_payment(case: Case, **changes: Any) -> Case:
    payment = attrs.evolve(case.payments["cash"], **changes)
    return attrs.evolve(case, payments={"cash": payment})


def with_ticket(case: Case, **changes: Any) -> Case:
    ticket: Ticket = attrs.evolve(case.tickets["E-R1"], **changes)
    return attrs.evolve(case, tickets={**case.tickets, "E-R1": ticket})


def with_ticket_line(case: Case, **changes: Any) -> Case:
    (line,) = case.tickets["E-R1"].lines
    return with_ticket(case, lines=(attrs.evolve(line, **changes),))


CASE = sound()
(PAYOUT,) = CASE.tickets["E-R1"].payouts

BROKEN: list[tuple[Case, str]] = [
    (with_claim(CASE, Claim(2, 9000, 0)), "line A: 2 units claimed of 1"),
    (with_claim(CASE, Claim(-1, 9000, 0)), "line A: -1 units claimed of 1"),
    (with_claim(CASE, Claim(1, -1, 0)), "line A: -1 reserved and 0 refunded of 9000"),
    (with_claim(CASE, Claim(1, 9001, -1)), "line A: 9001 reserved and -1 refunded of 9000"),
    (with_claim(CASE, Claim(1, 9000, 1)), "line A: 9000 reserved and 1 refunded of 9000"),
    (with_claim(CASE, Claim(0, 9000, 0)), "line A: tickets claim 1 units and 9000, the ledger has 0"),
    (with_claim(CASE, Claim(1, 8999, 0)), "the ledger has 1 and 8999"),
    (with_line(CASE, paid_by=(("cash", 8999),)), "line A: its tenders do not add up to 9000"),
    (with_line(CASE, paid=9001), "lines add up to 19001, payments to 19000"),
    (with_payment(CASE, reserved=-1), "payment cash: -1 reserved and 0 refunded of 19000"),
    (with_payment(CASE, refunded=-1), "payment cash: 13500 reserved and -1 refunded of 19000"),
    (with_payment(CASE, refunded=5501), "payment cash: 13500 reserved and 5501 refunded of 19000"),
    (with_payment(CASE, reserved=13_499), "tickets reserve 13500, the ledger has 13499"),
    (with_ticket(CASE, total=9001), "ticket E-R1: total 9001 is not what its payouts add up to"),
    (with_ticket(CASE, total=-1), "ticket E-R1: total -1"),
    (with_ticket_line(CASE, received=1, accepted=1, rejected=1), "more inspected than received"),
    (with_ticket(CASE, payouts=(attrs.evolve(PAYOUT, state="settled"),)), "its settlement is not"),
    (with_ticket(CASE, legs={REVIEW: "approved", SETTLEMENT: "settled"}), "its settlement is not"),
    (with_ticket(CASE, owner=""), "ticket E-R1: nobody is waited for while settlement is released"),
]  # fmt: skip


def test_a_sound_case_has_nothing_to_report() -> None:
    assert broken_invariants(CASE) == []
    assert broken_invariants(Desk(E2).case) == []
    assert broken_invariants(Case("E")) == []


@pytest.mark.parametrize(("case", "says"), BROKEN, ids=[str(number) for number in range(len(BROKEN))])
def test_whatever_is_broken_is_reported(case: Case, says: str) -> None:
    assert says in "\n".join(broken_invariants(case))


def test_a_ticket_that_waits_for_ever_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two legs that wait for each other: nobody is asked for anything, nothing ever happens."""
    circle = (Wait(REVIEW, SETTLEMENT, ("settled",)), Wait(SETTLEMENT, REVIEW, ("approved",)))
    monkeypatch.setattr(tables, "WAITS", circle)
    waiting = with_ticket(CASE, legs={REVIEW: "pending", SETTLEMENT: "due"})
    assert "ticket E-R1: waits for ever" in broken_invariants(waiting)


def test_an_ended_ticket_holds_nothing_and_waits_for_nobody() -> None:
    desk = Desk(E1)
    desk.done("apply", lines=units(A=1))
    desk.done("cancel")
    assert broken_invariants(desk.case) == []
    unreleased = attrs.evolve(desk.case.payments["cash"], reserved=9000)
    broken = attrs.evolve(desk.case, payments={"cash": unreleased})
    assert broken_invariants(broken) == ["payment cash: tickets reserve 0, the ledger has 9000"]
