"""Instructions leave under one key that never changes: none is lost, none is carried out twice."""

from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from outbox.shop import BOTH, KEY, Gateway, Killed, Shop, Timeout, relay_that_dies, split_order
from reverseflow.contracts import Delivery
from reverseflow.core.results import Result
from reverseflow.core.values import JsonObject
from reverseflow.engine import Engine
from reverseflow.outbox import relay
from reverseflow.outbox.relay import LEASE, OutboxRun, run_outbox
from reverseflow.plugins import registry_of

on_both = pytest.mark.parametrize("shop", BOTH, indirect=True)


def raising(error: BaseException) -> Callable[[JsonObject], None]:
    def fault(_document: JsonObject) -> None:
        raise error

    return fault


def times_out(gateway: Gateway, times: int) -> None:
    """Let the first so many calls end without an answer."""
    left = iter(range(times))

    def fault(_document: JsonObject) -> None:
        if next(left, None) is not None:
            raise Timeout

    gateway.fault = fault


def answering(*answers: Any) -> Callable[[Sequence[JsonObject]], Any]:
    return lambda _documents: list(answers)


# --- what is due leaves, and its result is recorded -----------------------------------------------


@on_both
def test_a_released_refund_is_paid_and_settled(shop: Shop, gateway: Gateway) -> None:
    ticket_no = shop.release("E1")
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert {KEY: 1} == gateway.effects
    assert ["settled"] == shop.money(ticket_no)
    assert (0, 10000) == shop.held(ticket_no)
    assert ("delivered", 1, "") == _state(shop)
    assert OutboxRun() == shop.deliver(gateway)


def _state(shop: Shop, key: str = KEY) -> tuple[str, int, str]:
    row = shop.row(key)
    return row["state"], row["attempts"], row["last_error"]


def test_a_mover_gets_the_instruction_in_the_interchange_format(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    shop.deliver(gateway)
    line = {"sku": "SKU-A", "quantity": 1, "disposition": None}
    assert [
        {"key": KEY, "kind": "refund", "ticket_no": "E1-R1", "order_no": "E1",
         "payment_no": "cash", "amount": "100.00", "currency": "CNY", "lines": [line],
         "attempt": 1},
    ] == gateway.tries  # fmt: skip


def test_the_reference_and_the_outbox_as_actor_stand_in_the_events(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    shop.deliver(gateway)
    event = shop.events("E1")[-1]
    assert ("payout_settled", "system:outbox") == (event.kind, event.actor)
    assert f"ref-{KEY}" == event.payload["reference"]


def test_money_that_was_accepted_waits_for_its_result_and_is_not_sent_again(shop: Shop) -> None:
    ticket_no = shop.release("E1")
    assert OutboxRun(delivered=1) == shop.deliver(answering(Delivery(KEY, "sent")))
    assert ["sent"] == shop.money(ticket_no)
    assert ("delivered", 1, "") == _state(shop)
    shop.do("settle_result", ticket_no, result="settled", key=KEY)
    assert ["settled"] == shop.money(ticket_no)


def test_nothing_leaves_before_it_is_due(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    shop.later(seconds=-1)
    assert OutboxRun() == shop.deliver(gateway)


def test_a_limit_is_kept_and_the_next_run_takes_the_rest(shop: Shop, gateway: Gateway) -> None:
    shop.release_many(3)
    assert 4 == shop.deliver(gateway, limit=4).delivered
    assert 2 == shop.deliver(gateway).delivered
    assert 6 == len(gateway.effects)


def test_now_stands_for_the_clock(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    later = shop.now + LEASE
    shop.deliver(gateway, now=later)
    assert later == shop.events("E1")[-1].at


def test_each_kind_goes_to_its_own_mover(shop: Shop) -> None:
    money, goods = Gateway(), Gateway()
    shop.release("E1")
    shop.take_back("E2")
    assert 2 == shop.deliver({"refund": money, "stock_in": goods}).settled
    assert ([KEY], ["E2-R1:stock_in:A:restock"]) == (money.sent(), goods.sent())


# --- no answer is unknown, never failed -----------------------------------------------------------


@on_both
def test_timeout_same_key(shop: Shop, gateway: Gateway) -> None:
    """R4: the amount stays reserved, and every try carries the key of the first."""
    ticket_no = shop.release("E1")
    times_out(gateway, 3)
    for attempt, wait in enumerate((5, 300, 1800), start=1):
        assert OutboxRun(unknown=1) == shop.deliver(gateway)
        assert ["unknown"] == shop.money(ticket_no)
        assert (10000, 0) == shop.held(ticket_no)
        assert ("pending", attempt, "Timeout: ") == _state(shop)
        shop.later(seconds=wait - 1)
        assert OutboxRun() == shop.deliver(gateway)
        shop.later(seconds=1)
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert [(KEY, 1), (KEY, 2), (KEY, 3), (KEY, 4)] == [
        (document["key"], document["attempt"]) for document in gateway.tries
    ]
    assert {KEY: 1} == gateway.effects
    assert (0, 10000) == shop.held(ticket_no)


@pytest.mark.parametrize(
    "answers",
    [
        None,
        "settled",
        {KEY: "settled"},
        [],
        [None],
        [Delivery("E1-R1:refund:cash0", "settled")],
        [Delivery(KEY, "paid")],
        [Delivery(KEY, "settled"), Delivery(KEY, "settled")],
        [Delivery(KEY, True)],  # type: ignore[arg-type]
        [Delivery(KEY, "settled", 7)],  # type: ignore[arg-type]
        [Delivery(7, "settled")],  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(shop: Shop, answers: Any) -> None:
    ticket_no = shop.release("E1")
    assert OutboxRun(unknown=1) == shop.deliver(lambda _documents: answers)
    assert ["unknown"] == shop.money(ticket_no)
    state, attempts, error = _state(shop)
    assert ("pending", 1) == (state, attempts)
    assert error


def test_nonsense_about_one_instruction_leaves_the_other_answers_standing(shop: Shop) -> None:
    shop.release("E1", split_order("E1"))
    other = "E1-R1:refund:gift_card"
    answers = answering(Delivery(other, "settled"), Delivery("what?", "settled"))
    assert OutboxRun(delivered=1, settled=1, unknown=1) == shop.deliver(answers)
    assert {KEY} == set(shop.rows("pending"))


def test_what_a_mover_says_is_kept_on_one_line_and_cut_short(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    gateway.fault = raising(Timeout("a\nb\x1b[31m\x00" + "x" * 1000))
    shop.deliver(gateway)
    _, _, error = _state(shop)
    assert error.startswith("Timeout: a b [31m xxx")
    assert len(error) <= 201


def test_a_mover_cannot_change_what_is_sent_next_time(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")

    def spoil(documents: Sequence[JsonObject]) -> list[Delivery]:
        documents[0].update(key="mine", amount="9999.00")
        raise Timeout

    shop.deliver(spoil)
    shop.later(seconds=5)
    shop.deliver(gateway)
    assert (KEY, "100.00") == (gateway.tries[0]["key"], gateway.tries[0]["amount"])


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
    assert ("delivered", 1, "card closed") == _state(shop)
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
