"""The lifecycle is its tables: every reachable state with every command, by every role."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest

from reverseflow.core import rulebook as rulebooks
from reverseflow.core.case import Case, Ticket
from reverseflow.core.decide import Decision, decide
from reverseflow.core.errors import Refusal
from reverseflow.core.invariants import broken_invariants
from reverseflow.core.legs import (
    CLOSINGS,
    DEADLINES,
    FINAL,
    INITIAL,
    OPEN_STATUSES,
    REFUND_TIMINGS,
    RETURN,
    REVIEW,
    SETTLEMENT,
    STATUSES,
    TICKET_COMMANDS,
    TRANSITIONS,
    TYPES,
    WAITS,
    Deadline,
    Transition,
    current_wait,
    status_of,
    transition,
    unmet_wait,
)
from reverseflow.core.values import ROLES
from support.cases import REVIEWED, USUAL, Desk, goods, paid, rulebook, sale, units

WORDS = (*dict.fromkeys(row.command for row in TRANSITIONS), *TICKET_COMMANDS)
#: Why a command that somebody may give is refused in a state.
STATE_CODES = {
    "wrong_state",
    "no_such_leg",
    "ticket_closed",
    "not_yet",
    "money_in_flight",
    "goods_taken_in",
}
JOURNEYS = tuple(product(TYPES, REFUND_TIMINGS))
SHIPPED = sale(goods("A", "100.00", shipped=1), paid("100.00"))

State = tuple[str, tuple[tuple[str, str], ...]]


def state_of(ticket: Ticket) -> State:
    return ticket.closing, tuple(ticket.legs.items())


def opened(type_: str, refund_timing: str) -> Desk:
    """A desk with a ticket of shipped goods, waiting for its review."""
    desk = Desk(SHIPPED, rulebook(refund_timing=refund_timing))
    desk.done("apply", type=type_, lines=units(A=1))
    return desk


def give(desk: Desk, case: Case, word: str, **fields: Any) -> Decision | Refusal:
    """The outcome of a command, named as in the tables (``settle_result:sent``), by who may give it."""
    kind, _, result = word.partition(":")
    if result:
        fields["result"] = result
    row = transition(word, list(case.tickets.values())[-1].legs)
    if row is not None and USUAL[kind]["actor"].partition(":")[0] not in row.roles:
        fields.setdefault("actor", row.roles[0])
    desk.case = case
    return decide(case, desk.command(kind, **fields), desk.rulebook, desk.now)


@cache
def reachable(type_: str, refund_timing: str) -> Mapping[State, Case]:
    """Every state a ticket of this type can come into, with a case that shows it."""
    desk = opened(type_, refund_timing)
    found = {state_of(desk.ticket): desk.case}
    waiting = [desk.case]
    while waiting:
        case = waiting.pop()
        for word in WORDS:
            outcome = give(desk, case, word)
            if isinstance(outcome, Decision):
                state = state_of(list(outcome.case.tickets.values())[-1])
                if state not in found:
                    found[state] = outcome.case
                    waiting.append(outcome.case)
    return found


def expected(state: State, word: str, refund_timing: str) -> State | None:
    """Where the tables say a command leads; None where they say it does not apply."""
    closing, told = state
    legs = dict(told)
    if word in TICKET_COMMANDS:
        if word == "reopen":
            return ("", tuple({**legs, REVIEW: "pending"}.items())) if closing else None
        if word == "note":
            return state
        if closing or (word != "escalate" and not may_end(legs)):
            return None
        if word == "escalate" and status_of(legs) == "completed":
            return None
        return state if word == "escalate" else ({"cancel": "cancelled", "close": "closed"}[word], told)
    if closing:
        return None
    for row in TRANSITIONS:
        if row.command == word and legs.get(row.leg) == row.state:
            if row.leg != SETTLEMENT or row.state == "due":
                for wait in WAITS:
                    unmet = wait.other in legs and legs[wait.other] not in wait.states
                    if wait.leg == row.leg and wait.refund_timing in ("", refund_timing) and unmet:
                        return None
            if word == "send_back" and legs[SETTLEMENT] != "due":
                return None
            return "", tuple({**legs, row.leg: row.next}.items())
    told_again = word.startswith("settle_result:") and legs[SETTLEMENT] == word.partition(":")[2]
    return state if told_again else None


def may_end(legs: Mapping[str, str]) -> bool:
    """A ticket ends without its money only before the money moves and the goods are taken in."""
    return legs[SETTLEMENT] == "due" and legs.get(RETURN) != "inspected"


# --- every pair ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("type_", "refund_timing"), JOURNEYS)
def test_every_command_in_every_reachable_state_moves_as_the_tables_say_or_changes_nothing(
    type_: str, refund_timing: str
) -> None:
    """L1: 100 % of the pairs; a refusal has a stable code and leaves the case as it was."""
    desk = opened(type_, refund_timing)
    for (state, case), word in product(reachable(type_, refund_timing).items(), WORDS):
        picture = repr(case)
        outcome = give(desk, case, word)
        assert repr(case) == picture
        following = expected(state, word, refund_timing)
        if isinstance(outcome, Refusal):
            assert following is None, (state, word, outcome)
            assert outcome.code in STATE_CODES, (state, word, outcome)
            assert outcome.message
        else:
            assert state_of(outcome.case.tickets[outcome.ticket_no]) == following, (state, word)
            assert broken_invariants(outcome.case) == [], (state, word)


def test_no_row_of_the_tables_is_dead() -> None:
    used: set[Transition | None] = set()
    for type_, refund_timing in JOURNEYS:
        for closing, legs in reachable(type_, refund_timing):
            if not closing:
                used |= {transition(word, dict(legs)) for word in WORDS}
    assert set(TRANSITIONS) <= used


def test_every_state_of_every_leg_is_reached() -> None:
    reached = {pair for journey in JOURNEYS for _, legs in reachable(*journey) for pair in legs}
    named = {(row.leg, row.state) for row in TRANSITIONS} | {(row.leg, row.next) for row in TRANSITIONS}
    assert reached == named


def test_from_every_reachable_state_a_ticket_can_still_come_to_its_end() -> None:
    """No trap: completion stays within reach of the people who work on the ticket."""
    for journey in JOURNEYS:
        desk = opened(*journey)
        leads_to: dict[State, set[State]] = {}
        for (state, case), word in product(reachable(*journey).items(), WORDS):
            outcome = give(desk, case, word)
            if isinstance(outcome, Decision):
                leads_to.setdefault(state, set()).add(state_of(outcome.case.tickets[outcome.ticket_no]))
        ends = {state for state in leads_to if status_of(dict(state[1]), state[0]) == "completed"}
        before = None
        while before != ends:
            before = set(ends)
            ends |= {state for state, following in leads_to.items() if following & ends}
        assert ends == set(leads_to)


# --- who may ------------------------------------------------------------------------------------

MAY = {
    "buyer": "apply revise cancel ship_back book_pickup refuse_delivery note",
    "operations": "apply external_refund revise approve reject cancel close reopen escalate note "
    "ship_back book_pickup refuse_delivery intercept receive inspect waive_return lose",
    "finance": "external_refund send_back release settle_result retry escalate note",
    "warehouse": "refuse_delivery intercept receive inspect lose escalate note",
    "platform": "apply external_refund revise approve reject cancel close reopen note "
    "ship_back book_pickup refuse_delivery intercept receive inspect waive_return lose settle_result",
    "system": "apply external_refund approve reject cancel close escalate note "
    "ship_back book_pickup refuse_delivery receive inspect release settle_result retry",
}


#: What only the platform may: overrule a rejection, and pay by itself before we release.
PLATFORM_ONLY = {("approve", REVIEW, "rejected"), ("settle_result:settled", SETTLEMENT, "due")}


def may(role: str, word: str, state: State) -> bool:
    if any(word == known and (leg, told) in state[1] for known, leg, told in PLATFORM_ONLY):
        return role == "platform"
    return word.partition(":")[0] in MAY[role].split()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gives_the_commands_on_its_list_and_no_other(role: str) -> None:
    """E7: deny by default, in every state in which somebody may give the command."""
    tried = set()
    for journey in JOURNEYS:
        desk = opened(*journey)
        for (state, case), word in product(reachable(*journey).items(), WORDS):
            if expected(state, word, journey[1]) is None:
                continue
            tried.add(word)
            outcome = give(desk, case, word, actor=f"{role}:b1")
            if may(role, word, state):
                assert isinstance(outcome, Decision), (role, word, state, outcome)
            else:
                assert isinstance(outcome, Refusal), (role, word, state)
                assert (outcome.code, outcome.field) == ("not_permitted", "actor"), (role, word, state)
    assert tried == set(WORDS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_applies_and_records_outside_refunds_only_if_it_may(role: str) -> None:
    commands: dict[str, dict[str, Any]] = {
        "apply": {"lines": units(A=1)},
        "external_refund": {"payment_no": "cash", "amount": "1.00"},
    }
    for kind, fields in commands.items():
        desk = Desk(SHIPPED)
        outcome = desk.do(desk.command(kind, actor=f"{role}:b1", **fields))
        if kind in MAY[role].split():
            assert isinstance(outcome, Decision)
        else:
            assert isinstance(outcome, Refusal) and outcome.code == "not_permitted"


def test_a_command_told_again_needs_the_right_role_too() -> None:
    desk = Desk(SHIPPED)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release", "settle_result")
    assert desk.refused("settle_result", actor="operations:li").code == "not_permitted"


def test_a_buyer_acts_on_the_own_order_only() -> None:
    desk = Desk(SHIPPED, buyer="B1")
    assert desk.refused("apply", lines=units(A=1), actor="buyer:b2").code == "not_permitted"
    assert desk.refused("apply", lines=units(A=1), actor="buyer").code == "not_permitted"
    desk.done("apply", lines=units(A=1), actor="buyer: ｂ1")
    assert desk.refused("cancel", actor="buyer:b2").code == "not_permitted"
    assert desk.refused("note", actor="buyer:b2").code == "not_permitted"
    desk.done("cancel", actor="buyer:b1")


def test_an_actor_without_a_role_is_refused_before_anything_else() -> None:
    desk = Desk(SHIPPED)
    assert desk.refused("apply", lines=units(A=1), actor="root").code == "unknown_role"


# --- waits --------------------------------------------------------------------------------------


def test_goods_and_money_wait_for_the_review() -> None:
    desk = opened("return_refund", "on_approval")
    for kind in ("ship_back", "release"):
        refusal = desk.refused(kind)
        assert refusal.code == "not_yet"
        assert "review, which is pending" in refusal.message


def test_the_refund_waits_for_the_goods_unless_it_is_paid_on_approval() -> None:
    late, early = (
        opened("return_refund", "after_inspection"),
        opened("return_refund", "on_approval"),
    )
    late.through("approve")
    assert late.refused("release").code == "not_yet"
    early.through("approve", "release")
    late.through("ship_back", "receive")
    assert late.refused("release").code == "not_yet"
    late.through("inspect", "release")


@pytest.mark.parametrize("state", FINAL[RETURN])
def test_the_refund_goes_on_however_the_return_ended(state: str) -> None:
    legs = {REVIEW: "approved", RETURN: state, SETTLEMENT: "due"}
    assert unmet_wait(SETTLEMENT, legs, "after_inspection") is None
    assert current_wait(legs, "after_inspection") == (SETTLEMENT, "due")


# --- the public status --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("legs", "status"),
    [
        ("pending . due", "pending_review"),
        ("rejected . due", "rejected"),
        ("approved . due", "approved"),
        ("approved . released", "awaiting_refund"),
        ("approved . sent", "awaiting_refund"),
        ("approved . unknown", "awaiting_refund"),
        ("approved . failed", "awaiting_refund"),
        ("approved . settled", "completed"),
        ("pending awaiting due", "pending_review"),
        ("rejected awaiting due", "rejected"),
        ("approved awaiting due", "awaiting_return"),
        ("approved in_transit due", "awaiting_return"),
        ("approved received due", "awaiting_return"),
        ("approved awaiting settled", "awaiting_return"),  # paid on approval
        ("approved inspected due", "awaiting_refund"),
        ("approved waived due", "awaiting_refund"),
        ("approved lost released", "awaiting_refund"),
        ("approved inspected settled", "completed"),
    ],
)
def test_the_status_is_read_off_the_legs(legs: str, status: str) -> None:
    """S-29: 待审核 审核通过 审核拒绝 待退货 待退款 已完成."""
    review, return_, settlement = legs.split()
    states = {REVIEW: review, RETURN: return_, SETTLEMENT: settlement}
    assert status_of({leg: state for leg, state in states.items() if state != "."}) == status


@pytest.mark.parametrize("closing", CLOSINGS)
def test_an_ended_ticket_shows_how_it_ended_whatever_its_legs(closing: str) -> None:
    assert status_of({REVIEW: "approved", SETTLEMENT: "due"}, closing) == closing


def test_every_reachable_state_has_one_of_the_published_statuses() -> None:
    shown = {status_of(dict(legs), closing) for journey in JOURNEYS for closing, legs in reachable(*journey)}
    assert shown == set(STATUSES) - {"awaiting_exchange", "converted"}
    assert set(OPEN_STATUSES) == set(STATUSES) - {*CLOSINGS, "completed"}


def test_completed_is_shown_only_when_every_leg_is_at_its_end() -> None:
    for journey in JOURNEYS:
        for closing, legs in reachable(*journey):
            at_the_end = all(state in FINAL[leg] for leg, state in legs)
            assert at_the_end == (status_of(dict(legs)) == "completed"), (closing, legs)


# --- the closed loop ----------------------------------------------------------------------------


def open_loops(deadlines: tuple[Deadline, ...]) -> list[tuple[str, str]]:
    """States that are not final and have no row saying who is waited for, and how long."""
    states = {(row.leg, row.state) for row in TRANSITIONS} | {(leg, state) for leg, state in INITIAL.items()}
    covered = {(row.leg, row.state) for row in deadlines if not row.phase}
    return sorted(pair for pair in states if pair[1] not in FINAL[pair[0]] and pair not in covered)


def test_every_state_that_is_not_final_has_a_deadline_and_an_owner() -> None:
    """L3."""
    assert open_loops(DEADLINES) == []
    assert all(row.owner in ROLES and row.hours > 0 for row in DEADLINES)
    assert {row.command for row in DEADLINES} <= set(TICKET_COMMANDS)


def test_a_missing_deadline_is_found() -> None:
    """The check above can fail."""
    assert open_loops(DEADLINES[1:]) == [(REVIEW, "pending")]


def test_a_lifecycle_that_is_not_closed_is_a_bug_not_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rulebooks, "DEADLINES", DEADLINES[1:])
    with pytest.raises(LookupError, match="no deadline for review pending"):
        opened("refund_only", "after_inspection")


@pytest.mark.parametrize(("type_", "refund_timing"), JOURNEYS)
def test_every_reachable_ticket_that_is_open_is_waited_for_by_somebody(
    type_: str, refund_timing: str
) -> None:
    """L3: it has an owner, and a due time or a named queue it was escalated to."""
    for state, case in reachable(type_, refund_timing).items():
        (ticket,) = case.tickets.values()
        if ticket.closing or ticket.status == "completed":
            continue
        wait = current_wait(ticket.legs, refund_timing)
        assert wait is not None, state
        assert ticket.owner, state
        if ticket.deadline is None:
            assert ticket.detail["escalated"]["queue"] == ticket.owner, state
        else:
            row = REVIEWED.deadline(*wait, ticket.phase, type_)
            assert ticket.owner == row.owner, state


@pytest.mark.parametrize(("type_", "refund_timing"), JOURNEYS)
def test_what_a_timer_does_is_never_refused(type_: str, refund_timing: str) -> None:
    """L2: when a deadline passes, the ticket ends or stands in a named queue: no trap."""
    desk = opened(type_, refund_timing)
    for state, case in reachable(type_, refund_timing).items():
        (ticket,) = case.tickets.values()
        if ticket.deadline is None:
            continue
        outcome = give(desk, case, ticket.deadline_command, actor="system")
        assert isinstance(outcome, Decision), (state, ticket.deadline_command, outcome)
        (ticket,) = outcome.case.tickets.values()
        assert ticket.deadline is None, state
        assert ticket.closing or ticket.owner, state


def test_an_ended_ticket_waits_for_nobody() -> None:
    for journey in JOURNEYS:
        for (closing, _), case in reachable(*journey).items():
            (ticket,) = case.tickets.values()
            if closing:
                assert (ticket.deadline, ticket.owner) == (None, "")


def test_a_deadline_begins_anew_with_every_step_and_not_with_a_note() -> None:
    desk = opened("return_refund", "after_inspection")
    assert (desk.ticket.owner, desk.ticket.deadline_command) == ("operations", "escalate")
    first = desk.ticket.deadline
    desk.later(hours=1)
    desk.done("note")
    assert desk.ticket.deadline == first
    assert "deadline" not in desk.events[-1].payload
    desk.done("approve")
    assert (desk.ticket.owner, desk.ticket.deadline_command) == ("buyer", "close")
    assert desk.ticket.deadline == desk.now + timedelta(hours=168)
    desk.through("ship_back")
    assert desk.ticket.owner == "warehouse"


def test_an_escalated_ticket_stands_in_its_queue_until_the_next_step() -> None:
    desk = opened("refund_only", "after_inspection")
    ticket = desk.done("escalate", queue="supervisor", reason="48 hours passed")
    assert (ticket.owner, ticket.deadline, ticket.deadline_command) == ("supervisor", None, "")
    assert ticket.detail["escalated"] == {
        "queue": "supervisor", "from": "operations", "reason": "48 hours passed",
    }  # fmt: skip
    ticket = desk.done("approve")
    assert (ticket.owner, ticket.deadline) == ("finance", desk.now + timedelta(hours=48))


def test_a_completed_ticket_is_not_escalated() -> None:
    desk = opened("refund_only", "after_inspection")
    desk.through("approve", "release", "settle_result")
    assert desk.refused("escalate").code == "wrong_state"


def test_a_queue_must_have_a_name() -> None:
    """A ticket escalated to nobody would wait for ever."""
    desk = opened("refund_only", "after_inspection")
    assert desk.refused("escalate", queue=" ").code == "missing_value"


def test_a_platform_names_its_own_deadlines_by_phase_and_type() -> None:
    rows = (
        Deadline(REVIEW, "pending", "operations", 24, "escalate", phase="unshipped"),
        Deadline(REVIEW, "pending", "operations", 72, "escalate", phase="shipped", type="return_refund"),
        Deadline(REVIEW, "rejected", "buyer", 1, "close"),
    )
    book = rulebook(deadlines=rows)

    def hours(state: str, phase: str, type_: str) -> int:
        return book.deadline(REVIEW, state, phase, type_).hours

    assert hours("pending", "unshipped", "refund_only") == 24
    assert hours("pending", "shipped", "return_refund") == 72
    assert hours("pending", "shipped", "refund_only") == 48  # the default row
    assert hours("pending", "received", "return_refund") == 48
    assert hours("rejected", "received", "refund_only") == 1


def test_the_platforms_own_moment_goes_before_the_table() -> None:
    desk = Desk(SHIPPED)
    until = desk.now + timedelta(hours=5)
    ticket = desk.done("apply", lines=units(A=1), deadline=until)
    assert (ticket.deadline, ticket.owner) == (until, "operations")


def test_a_deadline_without_an_offset_is_refused() -> None:
    until = datetime(2026, 5, 2)  # noqa: DTZ001 - that it is refused is the point
    assert Desk(SHIPPED).refused("apply", lines=units(A=1), deadline=until).code == "time_without_offset"
