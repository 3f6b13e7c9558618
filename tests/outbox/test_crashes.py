"""A crash at any point, a refusal, a late failure: the money moves once, and the books say so."""

from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from outbox.gateways import Gateway, Killed, Timeout, answering, raising
from outbox.shop import BOTH, KEY, Shop, relay_that_dies
from reverseflow.contracts import Delivery
from reverseflow.core.results import Result
from reverseflow.core.values import JsonObject
from reverseflow.engine import Engine
from reverseflow.outbox import relay
from reverseflow.outbox.relay import LEASE, OutboxRun, run_outbox
from reverseflow.plugins import registry_of

on_both = pytest.mark.parametrize("shop", BOTH, indirect=True)


# --- crashes --------------------------------------------------------------------------------------


@on_both
def test_kill_after_gateway(shop: Shop, gateway: Gateway) -> None:
    """R5: the money moved, nobody wrote it down; it is asked for again under the same key."""
    ticket_no = shop.release("E1")
    gateway.fault = raising(Killed())
    with pytest.raises(Killed):
        shop.deliver(gateway)
    assert ["released"] == shop.money(ticket_no)
    gateway.fault = lambda _document: None
    assert OutboxRun() == shop.another().deliver(gateway), "the lease of the dead still stands"
    shop.later(seconds=LEASE.total_seconds())
    assert OutboxRun(delivered=1, settled=1) == shop.another().deliver(gateway)
    assert [(KEY, 1), (KEY, 1)] == [(d["key"], d["attempt"]) for d in gateway.tries]
    assert {KEY: 1} == gateway.effects
    assert (0, 10000) == shop.held(ticket_no)


def test_a_relay_process_that_dies_between_paying_and_noting_it_pays_under_the_same_key(
    shop: Shop, gateway: Gateway, tmp_path: Path
) -> None:
    shop.release_many(2)
    ledger = tmp_path / "ledger"
    process = get_context("spawn").Process(target=relay_that_dies, args=(shop.url, ledger))
    process.start()
    process.join(60)
    assert 9 == process.exitcode
    paid = ledger.read_text(encoding="utf-8").split()
    assert [] == gateway.sent()
    shop.drain(gateway)
    assert (4, sorted(paid)) == (len(paid), sorted(gateway.sent()))


@on_both
@pytest.mark.parametrize("result", ["settled", "sent", "failed"])
def test_a_crash_after_the_result_was_recorded_sends_nothing_again(
    shop: Shop, gateway: Gateway, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_no = shop.release("E1")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(relay, "end", killed)
        with pytest.raises(Killed):
            shop.deliver(answering(Delivery(KEY, result)))
    assert [result] == shop.money(ticket_no)
    shop.later(seconds=LEASE.total_seconds())
    shop.deliver(gateway)
    assert ([], "delivered") == (gateway.tries, shop.row(KEY)["state"])


@on_both
def test_stock_in_once(shop: Shop, gateway: Gateway) -> None:
    """R17: goods go to stock once, whether the answer was lost or the relay died before it."""
    shop.take_back("E1")
    key = "E1-R1:stock_in:A:restock"
    gateway.fault = raising(Timeout())
    assert OutboxRun(unknown=1) == shop.deliver(gateway)
    shop.later(seconds=5)
    gateway.fault = raising(Killed())
    with pytest.raises(Killed):
        shop.deliver(gateway)
    shop.later(seconds=LEASE.total_seconds())
    gateway.fault = lambda _document: None
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert [key] * 3 == gateway.sent()
    assert {key: 1} == gateway.effects
    assert [{"sku": "SKU-A", "quantity": 1, "disposition": "restock"}] == gateway.tries[0]["lines"]


def test_an_instruction_that_may_have_killed_a_relay_goes_out_alone(shop: Shop, gateway: Gateway) -> None:
    shop.release_many(2)
    gateway.fault = raising(Killed())
    with pytest.raises(Killed):
        shop.deliver(gateway)
    calls: list[int] = []

    def counted(documents: Sequence[JsonObject]) -> list[Delivery]:
        calls.append(len(documents))
        return gateway(documents)

    gateway.fault = lambda _document: None
    shop.later(seconds=LEASE.total_seconds())
    shop.deliver(counted)
    assert [1, 1, 1, 1] == calls


# --- failed, and late failed ----------------------------------------------------------------------


@on_both
def test_refused_money_waits_for_a_person_and_goes_out_again_under_its_key(
    shop: Shop, gateway: Gateway
) -> None:
    ticket_no = shop.release("E1")
    refused = answering(Delivery(KEY, "failed", message="card closed"))
    assert OutboxRun(delivered=1, failed=1) == shop.deliver(refused)
    assert ["failed"] == shop.money(ticket_no)
    assert (10000, 0) == shop.held(ticket_no)
    assert ("delivered", 1, "card closed") == shop.state(KEY)
    assert "card closed" == shop.ticket(ticket_no).detail["note"]
    shop.later(days=30)
    assert OutboxRun() == shop.deliver(gateway)
    shop.do("retry", ticket_no)
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert [KEY] == gateway.sent()
    assert ["settled"] == shop.money(ticket_no)


@on_both
def test_late_fail_restores(shop: Shop, gateway: Gateway) -> None:
    """R7: what was settled fails after all: it is reserved again, once, and can be paid anew."""
    ticket_no = shop.release("E1")
    shop.deliver(gateway)
    assert ("completed", (0, 10000)) == (shop.ticket(ticket_no).status, shop.held(ticket_no))
    shop.do("settle_result", ticket_no, result="failed", key=KEY)
    assert ("awaiting_refund", (10000, 0)) == (
        shop.ticket(ticket_no).status, shop.held(ticket_no),
    )  # fmt: skip
    again = shop.try_("settle_result", ticket_no, result="failed", key=KEY)
    assert ("replayed", (10000, 0)) == (again.outcome, shop.held(ticket_no))
    assert OutboxRun() == shop.deliver(gateway)
    shop.do("retry", ticket_no)
    shop.drain(gateway)
    assert {KEY} == set(gateway.sent())
    assert ("completed", (0, 10000)) == (shop.ticket(ticket_no).status, shop.held(ticket_no))


def test_a_retry_given_before_the_row_is_ended_is_not_lost(
    shop: Shop, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_no = shop.release("E1")
    execute = shop.engine.execute

    def then_finance_retries(*given: Any) -> list[Result]:
        results = execute(*given)
        monkeypatch.undo()
        shop.do("retry", ticket_no)
        return results

    monkeypatch.setattr(shop.engine, "execute", then_finance_retries)
    shop.deliver(answering(Delivery(KEY, "failed")), limit=1)
    assert ["released"] == shop.money(ticket_no)
    shop.drain(gateway)
    assert ["settled"] == shop.money(ticket_no)
    assert {KEY: 1} == gateway.effects


# --- results that come another way -----------------------------------------------------------------


@pytest.mark.parametrize(("result", "held"), [("settled", (0, 10000)), ("failed", (10000, 0))])
def test_money_whose_result_came_meanwhile_is_not_sent_again(
    shop: Shop, gateway: Gateway, result: str, held: tuple[int, int]
) -> None:
    ticket_no = shop.release("E1")
    gateway.fault = raising(Timeout())
    shop.deliver(gateway)
    shop.do("settle_result", ticket_no, result=result, key=KEY)
    shop.later(days=1)
    shop.deliver(gateway)
    assert ([KEY], {}) == (gateway.sent(), shop.rows("pending"))
    assert ([result], held) == (shop.money(ticket_no), shop.held(ticket_no))


@pytest.mark.parametrize("answer", ["sent", "settled", "unknown"])
def test_a_result_that_overtakes_the_answer_stands(shop: Shop, gateway: Gateway, answer: str) -> None:
    ticket_no = shop.release("E1")

    def told_at_once(_documents: Sequence[JsonObject]) -> list[Delivery]:
        shop.do("settle_result", ticket_no, result="settled", key=KEY)
        return [Delivery(KEY, answer)]

    assert 1 == shop.deliver(told_at_once).delivered
    assert ["settled"] == shop.money(ticket_no)
    assert 1 == len([e for e in shop.events("E1") if e.kind.startswith("payout_")])


def test_a_result_that_could_not_be_recorded_is_asked_for_again(shop: Shop, gateway: Gateway) -> None:
    """The ticket's platform is not installed where the relay runs: the row stays in line."""
    ticket_no = shop.release("E1")
    without = Engine(shop.url, plugins=registry_of({}), clock=lambda: shop.now)
    with without:
        assert OutboxRun(unknown=1) == run_outbox(without, {"refund": gateway})
    assert ["released"] == shop.money(ticket_no)
    assert "settled, not recorded: no plugin supplies" in shop.row(KEY)["last_error"]
    shop.later(seconds=5)
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert {KEY: 1} == gateway.effects


def test_a_foreign_command_under_the_results_id_does_not_swallow_it(shop: Shop, gateway: Gateway) -> None:
    ticket_no = shop.release("E1")
    shop.do("note", ticket_no, id=f"{KEY}#1:settled")
    assert OutboxRun(unknown=1) == shop.deliver(gateway)
    shop.later(seconds=5)
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert ["settled"] == shop.money(ticket_no)
