"""Instructions leave under one key that never changes: none is lost, none is carried out twice."""

from collections.abc import Sequence
from typing import Any

import pytest

from outbox.gateways import Gateway, Timeout, answering, raising
from outbox.shop import BOTH, KEY, Shop, split_order
from reverseflow.contracts import Delivery
from reverseflow.core.values import JsonObject
from reverseflow.outbox.relay import LEASE, OutboxRun

on_both = pytest.mark.parametrize("shop", BOTH, indirect=True)


def times_out(gateway: Gateway, times: int) -> None:
    """Let the first so many calls end without an answer."""
    left = iter(range(times))

    def fault(_document: JsonObject) -> None:
        if next(left, None) is not None:
            raise Timeout

    gateway.fault = fault


# --- what is due leaves, and its result is recorded -----------------------------------------------


@on_both
def test_a_released_refund_is_paid_and_settled(shop: Shop, gateway: Gateway) -> None:
    ticket_no = shop.release("E1")
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert {KEY: 1} == gateway.effects
    assert ["settled"] == shop.money(ticket_no)
    assert (0, 10000) == shop.held(ticket_no)
    assert ("delivered", 1, "") == shop.state(KEY)
    assert OutboxRun() == shop.deliver(gateway)


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
    assert ("delivered", 1, "") == shop.state(KEY)
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
        assert ("pending", attempt, "Timeout: ") == shop.state(KEY)
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
    state, attempts, error = shop.state(KEY)
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
    _, _, error = shop.state(KEY)
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
