"""What a person sees of the outbox and does there: dead letters are listed and sent again."""

from datetime import timedelta

import pytest

from outbox.gateways import Gateway, Timeout
from outbox.shop import KEY, Shop
from reverseflow.contracts import Delivery
from reverseflow.core.errors import UsageError
from reverseflow.core.values import JsonObject
from reverseflow.outbox.relay import OutboxRun, list_outbox, retry
from reverseflow.outbox.schedule import DELAYS, TRIES, next_try
from support.cases import NOON

STOCK = "E1-R1:stock_in:A:restock"


def never(_document: JsonObject) -> None:
    raise Timeout


def dead_money(shop: Shop) -> Gateway:
    """A refund that was tried ten times without an answer; its gateway, in order again."""
    shop.release("E1")
    gateway = Gateway(fault=never)
    shop.drain(gateway)
    gateway.fault = lambda _document: None
    return gateway


# --- the schedule ---------------------------------------------------------------------------------


def test_ten_tries_take_three_days_and_some_hours() -> None:
    moment, times = NOON, [NOON]
    for attempt in range(1, TRIES):
        again = next_try(attempt, moment)
        assert again is not None
        times.append(moment := again)
    assert (10, timedelta(seconds=sum(DELAYS))) == (len(times), times[-1] - times[0])
    assert timedelta(hours=75) <= times[-1] - times[0] <= timedelta(hours=76)
    assert next_try(TRIES, moment) is None
    assert next_try(TRIES + 1, moment) == moment + timedelta(seconds=5)
    assert next_try(2 * TRIES, moment) is None


# --- dead letters ---------------------------------------------------------------------------------


def test_money_nobody_answers_for_is_dead_after_ten_tries_and_stays_reserved(shop: Shop) -> None:
    gateway = dead_money(shop)
    assert [KEY] * 10 == gateway.sent()
    assert list(range(1, 11)) == [document["attempt"] for document in gateway.tries]
    row = shop.row(KEY)
    assert ("dead", 10, "Timeout: ") == (row["state"], row["attempts"], row["last_error"])
    assert (["unknown"], (10000, 0)) == (shop.money("E1-R1"), shop.held("E1-R1"))
    shop.later(days=30)
    assert OutboxRun() == shop.deliver(gateway)


def test_a_person_has_a_dead_instruction_sent_again_under_its_key(shop: Shop) -> None:
    gateway = dead_money(shop)
    result = retry(shop.engine, KEY, actor="finance:wang")
    assert ("applied", "retry", "E1-R1") == (result.outcome, result.kind, result.ticket_no)
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(gateway)
    assert (KEY, 11) == (gateway.tries[-1]["key"], gateway.tries[-1]["attempt"])
    assert {KEY: 1} == gateway.effects
    notes = shop.ticket("E1-R1").detail["notes"]
    assert ["finance:wang", f"{KEY} is sent again"] == [*notes[0].values()]


def test_what_was_put_off_can_be_sent_at_once(shop: Shop) -> None:
    shop.take_back("E1")
    shop.later(seconds=1)
    shop.deliver(Gateway(fault=never))
    retry(shop.engine, STOCK, actor="warehouse:zhao", command_id="r1")
    assert OutboxRun(delivered=1, settled=1) == shop.deliver(Gateway())
    assert "refused" == retry(shop.engine, STOCK, actor="finance:wang").outcome


def test_refused_money_is_released_again(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    shop.deliver(lambda _: [Delivery(KEY, "failed")])
    assert "applied" == retry(shop.engine, KEY, actor="finance:wang").outcome
    assert ["released"] == shop.money("E1-R1")
    assert 1 == shop.deliver(gateway).settled


def test_goods_refused_for_good_are_dead_at_once(shop: Shop) -> None:
    shop.take_back("E1")
    refused = Delivery(STOCK, "failed", message="no such shelf")
    assert OutboxRun(dead=1) == shop.deliver(lambda _: [refused])
    assert ("dead", "no such shelf") == (shop.row(STOCK)["state"], shop.row(STOCK)["last_error"])


@pytest.mark.parametrize("actor", ["buyer:b1", "warehouse:zhao", "operations:li", "nobody", ""])
def test_only_finance_has_money_sent_again(shop: Shop, actor: str) -> None:
    gateway = dead_money(shop)
    refused = retry(shop.engine, KEY, actor=actor)
    assert ("refused", ("not_permitted",)) == (refused.outcome, refused.codes)
    assert OutboxRun() == shop.deliver(gateway)


def test_there_is_nothing_to_send_again_under_an_unknown_key(shop: Shop) -> None:
    refused = retry(shop.engine, "E1-R1:refund:card", actor="finance:wang")
    assert ("unknown_instruction",) == refused.codes


# --- the list -------------------------------------------------------------------------------------


def test_the_list_says_what_how_much_how_old_and_why_not(shop: Shop) -> None:
    shop.release("E1")
    shop.later(hours=1)
    shop.deliver(Gateway(fault=never))
    shop.later(hours=1)
    assert [
        {"key": KEY, "kind": "refund", "ticket_no": "E1-R1", "order_no": "E1",
         "payment_no": "cash", "amount": "100.00", "currency": "CNY", "state": "pending",
         "age": 7200, "attempts": 1, "next_at": "2026-05-02T13:00:05.000000Z", "worker": "",
         "last_error": "Timeout: "},
    ] == list_outbox(shop.engine)  # fmt: skip


def test_the_list_is_filtered_and_cut(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    shop.deliver(gateway)
    shop.release("E2")

    def keys(**filters: str | int) -> list[str]:
        return [row["ticket_no"] for row in list_outbox(shop.engine, **filters)]  # type: ignore[arg-type]

    assert ["E1-R1", "E2-R1"] == keys()
    assert ["E1-R1"] == keys(limit=1) == keys(state="delivered")
    assert ["E2-R1"] == keys(state="pending") == keys(ticket_no="E2-R1")
    assert [] == keys(state="dead")
    with pytest.raises(UsageError, match="pending, delivered, dead"):
        keys(state="lost")
