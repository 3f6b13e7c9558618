"""A deadline that has passed fires once: never early, never twice, and never for ever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from outbox.gateways import Gateway
from outbox.shop import BOTH, START, Shop, command, store_url
from reverseflow import timers
from reverseflow.core.legs import Deadline
from reverseflow.core.results import Result
from reverseflow.timers import run_timers
from support.cases import units

PENDING, REJECTED = timedelta(hours=48), timedelta(hours=168)
on_both = pytest.mark.parametrize("shop", BOTH, indirect=True)


@pytest.fixture(params=["sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop with the built-in deadlines."""
    with Shop(store_url(request, tmp_path)) as opened:
        yield opened


def fire(shop: Shop, **options: Any) -> list[tuple[str, str, str]]:
    """Run the timers; what each command was, about which ticket, and what became of it."""
    return [(r.kind, r.id.split(":")[1], r.outcome) for r in run_timers(shop.engine, **options)]


def rejected(shop: Shop, order_no: str) -> str:
    """A rejected ticket: it is closed unless the buyer revises it within a week."""
    ticket_no = shop.open(order_no)
    shop.do("reject", ticket_no)
    return ticket_no


# --- what fires, and when -------------------------------------------------------------------------


@on_both
def test_a_ticket_nobody_revises_is_closed_when_its_week_is_over(shop: Shop) -> None:
    ticket_no = rejected(shop, "E1")
    shop.now = START + REJECTED - timedelta(microseconds=1)
    assert [] == fire(shop)
    shop.now = START + REJECTED
    assert [("close", ticket_no, "applied")] == fire(shop)
    ticket = shop.ticket(ticket_no)
    assert ("closed", None) == (ticket.status, ticket.deadline)
    event = shop.events("E1")[-1]
    assert ("ticket_closed", "system:timer", shop.now) == (event.kind, event.actor, event.at)
    assert "deadline_passed" == event.payload["reason"]
    assert [] == fire(shop)


def test_a_review_nobody_gives_goes_to_a_named_queue(shop: Shop) -> None:
    ticket_no = shop.open("E1")
    shop.later(hours=48)
    assert [("escalate", ticket_no, "applied")] == fire(shop)
    ticket = shop.ticket(ticket_no)
    assert ("pending_review", "supervisor", None) == (ticket.status, ticket.owner, ticket.deadline)
    assert "operations" == ticket.detail["escalated"]["from"]


@pytest.mark.parametrize(
    ("type_", "status", "owner"),
    [("refund_only", "approved", "finance"), ("return_refund", "awaiting_return", "buyer")],
)
def test_a_platform_may_have_silence_mean_consent(
    tmp_path: Path, type_: str, status: str, owner: str
) -> None:
    """The system approves; the money is still finance's to release."""
    silence = Deadline("review", "pending", "operations", 24, "approve")
    with Shop(f"sqlite:///{tmp_path}/shop.db", silence) as shop:
        ticket_no = shop.open("E1", type_)
        shop.later(hours=24)
        assert [("approve", ticket_no, "applied")] == fire(shop)
        ticket = shop.ticket(ticket_no)
        assert (status, owner, "system:timer") == (ticket.status, ticket.owner, ticket.reviewer)


def test_now_stands_for_the_clock_in_any_time_zone(shop: Shop) -> None:
    rejected(shop, "E1")
    east = timezone(timedelta(hours=8))
    due = (START + REJECTED).astimezone(east)
    assert [] == fire(shop, now=due - timedelta(seconds=1))
    assert 1 == len(fire(shop, now=due))
    assert due == shop.events("E1")[-1].at


# --- after downtime -------------------------------------------------------------------------------


@on_both
def test_what_came_due_during_downtime_fires_in_the_order_it_was_due(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several chunks, and with two tickets of one order."""
    monkeypatch.setattr(timers, "CHUNK", 4)
    due = []
    for number in range(5):
        due.append(rejected(shop, f"E{number}"))
        shop.later(minutes=1)
        if number == 1:
            due.append(shop.do("apply", order_no="E1", lines=units(A=1)).ticket_no)
            shop.do("reject", due[-1])
            shop.later(minutes=1)
    shop.later(days=60)
    restarted = shop.another()
    assert [("close", ticket_no, "applied") for ticket_no in due] == fire(restarted)
    assert [] == fire(restarted)


def test_a_limit_is_kept_and_the_next_run_goes_on(shop: Shop) -> None:
    due = [rejected(shop, f"E{number}") for number in range(3)]
    shop.later(days=60)
    assert due[:2] == [ticket_no for _, ticket_no, _ in fire(shop, limit=2)]
    assert due[2:] == [ticket_no for _, ticket_no, _ in fire(shop, limit=2)]


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=30), timedelta(days=3650)])
def test_a_clock_that_jumps_back_fires_nothing_twice(shop: Shop, back: timedelta) -> None:
    ticket_no = shop.open("E1")
    shop.now = START + PENDING
    assert 1 == len(fire(shop))
    fired = shop.now
    shop.now -= back
    assert [] == fire(shop)
    assert "supervisor" == shop.ticket(ticket_no).owner
    shop.do("reject", ticket_no)
    assert fired + REJECTED == shop.ticket(ticket_no).deadline
    shop.now = fired + REJECTED
    assert [("close", ticket_no, "applied")] == fire(shop)
    times = [event.at for event in shop.events("E1")]
    assert sorted(times) == times


# --- what stands in the way -----------------------------------------------------------------------


def test_a_refused_command_is_followed_by_an_escalation_with_the_reason(tmp_path: Path) -> None:
    """A platform whose deadlines ask for what cannot be: the deadline is used up all the same."""
    nonsense = Deadline("settlement", "due", "finance", 24, "approve")
    with Shop(f"sqlite:///{tmp_path}/shop.db", nonsense) as shop:
        ticket_no = shop.open("E1")
        shop.do("approve", ticket_no)
        shop.later(hours=24)
        assert [("approve", ticket_no, "refused"), ("escalate", ticket_no, "applied")] == fire(shop)
        ticket = shop.ticket(ticket_no)
        assert ("supervisor", None) == (ticket.owner, ticket.deadline)
        assert "approve: wrong_state" == ticket.detail["escalated"]["reason"]
        assert [] == fire(shop)


def test_a_ticket_whose_money_is_out_is_not_closed_when_the_goods_never_come(tmp_path: Path) -> None:
    with Shop(f"sqlite:///{tmp_path}/shop.db", refund_timing="on_approval") as shop:
        ticket_no = shop.open("E1", "return_refund")
        shop.do("approve", ticket_no)
        shop.do("release", ticket_no)
        shop.deliver(Gateway())
        shop.later(days=30)
        assert ("escalate", ticket_no, "applied") == fire(shop)[-1]
        assert ("awaiting_return", "supervisor") == (
            shop.ticket(ticket_no).status, shop.ticket(ticket_no).owner,
        )  # fmt: skip
        assert [] == fire(shop)


def test_a_word_no_timer_knows_becomes_an_escalation(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket_no = rejected(shop, "E1")
    monkeypatch.setattr(timers, "COMMANDS", {"escalate": timers.COMMANDS["escalate"]})
    shop.later(days=8)
    assert [("escalate", ticket_no, "applied")] == fire(shop)


def test_what_nothing_can_move_is_tried_once_and_holds_up_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The platform of two tickets is not installed here; they are the first in line."""
    monkeypatch.setattr(timers, "CHUNK", 2)
    stuck = [rejected(shop, f"E{number}") for number in range(2)]
    with shop.engine.database.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET platform = 'gone'")
    later = [rejected(shop, f"F{number}") for number in range(3)]
    shop.later(days=8)
    outcomes = fire(shop)
    assert [(word, t, "refused") for word in ("close", "escalate") for t in stuck] == outcomes[:4]
    assert [("close", t, "applied") for t in later] == outcomes[4:]
    assert stuck[0] in caplog.text
    assert 4 == len(fire(shop)), "the next run tries them again"


def test_a_ticket_that_moves_on_at_the_last_moment_is_left_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer saw the deadline pass; before it could close, the buyer sent the goods."""
    ticket_no = shop.open("E1", "return_refund")
    shop.do("approve", ticket_no)
    shop.later(days=8)
    execute = shop.engine.execute

    def after_the_buyer(*given: Any) -> list[Result]:
        monkeypatch.undo()
        shop.do("ship_back", ticket_no)
        return execute(*given)

    monkeypatch.setattr(shop.engine, "execute", after_the_buyer)
    assert [] == fire(shop)
    assert ("in_transit", "") == (
        shop.ticket(ticket_no).legs["return"], shop.ticket(ticket_no).closing,
    )  # fmt: skip


def test_a_case_that_never_stands_still_does_not_keep_a_run_busy_for_ever(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_no = rejected(shop, "E1")
    shop.later(days=8)
    execute = shop.engine.execute

    def after_a_note(*given: Any) -> list[Result]:
        execute([command("note", ticket_no=ticket_no)])
        return execute(*given)

    with monkeypatch.context() as patched:
        patched.setattr(shop.engine, "execute", after_a_note)
        assert [] == fire(shop)
    assert 10 == [event.kind for event in shop.events("E1")].count("note_added")
    assert [("close", ticket_no, "applied")] == fire(shop)


# --- several workers ------------------------------------------------------------------------------


@on_both
def test_four_workers_at_once_fire_every_deadline_once(shop: Shop) -> None:
    """L4: whoever is too late does nothing and says nothing."""
    tickets = [rejected(shop, f"E{number}") for number in range(20)]
    shop.later(days=8)
    start = Barrier(4)

    def work(_: int) -> list[tuple[str, str, str]]:
        worker = shop.another()
        start.wait(60)
        return fire(worker)

    with ThreadPoolExecutor(4) as pool:
        fired = [one for done in pool.map(work, range(4)) for one in done]
    assert sorted(("close", ticket_no, "applied") for ticket_no in tickets) == sorted(fired)
    for number, ticket_no in enumerate(tickets):
        kinds = [event.kind for event in shop.events(f"E{number}")]
        assert 1 == kinds.count("ticket_closed")
        assert "closed" == shop.ticket(ticket_no).status
