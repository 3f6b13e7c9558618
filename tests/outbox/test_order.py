"""Who may send what when: one relay per row at a time, one event per ticket, nobody in the way."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest

from outbox.gateways import Gateway, Timeout
from outbox.shop import BOTH, KEY, Shop
from reverseflow.contracts import Delivery
from reverseflow.core.values import JsonObject
from reverseflow.outbox.relay import BATCH, LEASE, OutboxRun
from reverseflow.outbox.schedule import TRIES
from reverseflow.storage import outbox_rows
from reverseflow.storage.outbox_rows import Ending, OutboxRow
from reverseflow.storage.store import Store, reading, writing

on_both = pytest.mark.parametrize("shop", BOTH, indirect=True)
STOCK, MONEY = "E1-R1:stock_in:A:restock", "E1-R1:refund:cash"


def stumbling_over(key: str) -> Gateway:
    """A gateway whose client raises whenever it meets this key."""

    def fault(document: JsonObject) -> None:
        if document["key"] == key:
            raise Timeout

    return Gateway(fault=fault)


# --- order ----------------------------------------------------------------------------------------


@on_both
def test_goods_and_money_of_a_ticket_both_leave(shop: Shop) -> None:
    shop.do("release", shop.take_back("E1"))
    gateway = Gateway()
    shop.deliver(gateway)
    assert sorted([STOCK, MONEY]) == sorted(gateway.sent())


@on_both
def test_goods_without_an_answer_do_not_hold_up_the_money_of_their_ticket(shop: Shop) -> None:
    """A stock system that is down is no reason to pay late."""
    ticket_no = shop.take_back("E1")
    gateway = stumbling_over(STOCK)
    shop.deliver(gateway)
    shop.do("release", ticket_no)
    shop.deliver(gateway)
    assert [STOCK, MONEY] == gateway.sent()


@on_both
def test_a_poisoned_ticket_blocks_only_itself(shop: Shop) -> None:
    """O3: it takes those it was sent together with along once, then it stumbles alone."""
    tickets = shop.release_many(60)
    poison = f"{tickets[7]}:refund:cash"
    gateway = stumbling_over(poison)
    first = shop.deliver(gateway)
    assert (120, 70) == (first.unknown + first.delivered, first.settled)
    shop.later(seconds=5)
    assert OutboxRun(delivered=49, settled=49, unknown=1) == shop.deliver(gateway)
    assert {poison} == set(shop.rows("pending"))
    assert ["settled"] * 2 == shop.money(tickets[8])


# --- several relays -------------------------------------------------------------------------------


@on_both
def test_what_one_relay_is_sending_no_other_one_sends(shop: Shop) -> None:
    shop.release("E1")
    shop.release("E2")
    sending, go_on = Event(), Event()
    slow, quick = Gateway(), Gateway()

    def held(_document: JsonObject) -> None:
        sending.set()
        assert go_on.wait(60)

    slow.fault = held
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(shop.another().deliver, slow, limit=1)
        assert sending.wait(60)
        assert OutboxRun(delivered=1, settled=1) == shop.deliver(quick)
        go_on.set()
        assert OutboxRun(delivered=1, settled=1) == running.result(60)
    assert [["E1-R1:refund:cash"], ["E2-R1:refund:cash"]] == [slow.sent(), quick.sent()]


@on_both
def test_four_relays_at_once_send_every_row_once(shop: Shop) -> None:
    """O4: no row twice, none left over."""
    tickets = shop.release_many(BATCH * 2)
    start, lock = Barrier(4), Lock()
    under_way: Counter[str] = Counter()
    gateways = [Gateway() for _ in range(4)]

    def relay(gateway: Gateway) -> int:
        own = shop.another()

        def watched(documents: Sequence[JsonObject]) -> list[Delivery]:
            keys = [document["key"] for document in documents]
            with lock:
                under_way.update(keys)
                assert 1 == max(under_way.values())
            answers = gateway(documents)
            with lock:
                under_way.subtract(keys)
            return answers

        start.wait(60)
        return own.deliver(watched).settled

    with ThreadPoolExecutor(4) as pool:
        settled = sum(pool.map(relay, gateways))
    sent = [key for gateway in gateways for key in gateway.sent()]
    assert BATCH * 4 == settled == len(sent) == len(set(sent))
    assert {"settled"} == {state for ticket_no in tickets for state in shop.money(ticket_no)}


@on_both
def test_a_relay_that_outlives_its_lease_changes_nothing_of_the_row_any_more(shop: Shop) -> None:
    ticket_no = shop.release("E1")
    slow, other = Gateway(), Gateway()

    def overtaken(_document: JsonObject) -> None:
        shop.later(seconds=LEASE.total_seconds())
        assert OutboxRun(delivered=1, settled=1) == shop.another().deliver(other)
        raise Timeout

    slow.fault = overtaken
    shop.deliver(slow)
    assert ["delivered", 1, ""] == [shop.row(KEY)[k] for k in ("state", "attempts", "last_error")]
    assert ["settled"] == shop.money(ticket_no)
    assert [KEY] == slow.sent() == other.sent()


def test_what_there_is_no_time_left_for_goes_back_in_line(shop: Shop) -> None:
    """A slow mover: the second call would begin in the second half of the lease."""
    shop.release("E1")
    shop.take_back("E2")
    money, goods, leases = Gateway(), Gateway(), list[str]()
    money.fault = lambda _document: shop.later(seconds=LEASE.total_seconds() / 2)

    def look(document: JsonObject) -> None:
        with reading(shop.engine.database) as connection:
            row = outbox_rows.find(Store(connection, "default"), document["key"])
        assert row is not None
        leases.append(row.lease)

    goods.fault = look
    assert 2 == shop.deliver({"refund": money, "stock_in": goods}, worker="w").settled
    assert ["w|2026-05-02T12:15:00.000000Z"] == leases


# --- the rows themselves --------------------------------------------------------------------------


def claimed(shop: Shop, worker: str) -> list[OutboxRow]:
    """What a worker gets when it asks now."""
    with writing(shop.engine.database) as connection:
        return outbox_rows.claim(
            Store(connection, "default"), ("refund",), worker=worker,
            now=shop.now, until=shop.now + LEASE, limit=9,
        )  # fmt: skip


def ended(shop: Shop, rows: Sequence[OutboxRow]) -> None:
    """Have a worker say that it delivered the rows it had claimed."""
    with writing(shop.engine.database) as connection:
        endings = [Ending(row, "delivered", row.attempts + 1) for row in rows]
        outbox_rows.end(Store(connection, "default"), endings)


@on_both
def test_a_claim_names_the_worker_and_lasts_until_its_lease_runs_out(shop: Shop) -> None:
    shop.release("E1")
    assert ["one|2026-05-02T12:10:00.000000Z"] == [row.lease for row in claimed(shop, "one")]
    assert [] == claimed(shop, "one") == claimed(shop, "two")
    shop.later(seconds=LEASE.total_seconds() - 1)
    assert [] == claimed(shop, "two")
    shop.later(seconds=1)
    assert ["two|2026-05-02T12:20:00.000000Z"] == [row.lease for row in claimed(shop, "two")]


@on_both
def test_only_the_worker_that_holds_a_row_ends_it(shop: Shop) -> None:
    shop.release("E1")
    late = claimed(shop, "late")
    shop.later(seconds=LEASE.total_seconds())
    held = claimed(shop, "held")
    ended(shop, late)
    assert ("pending", "held") == (shop.row(KEY)["state"], shop.row(KEY)["worker"])
    ended(shop, held)
    assert ("delivered", 1, "") == tuple(shop.row(KEY)[name] for name in ("state", "attempts", "worker"))


def test_a_row_that_was_put_back_in_line_meanwhile_stays_there(shop: Shop) -> None:
    shop.release("E1")
    held = claimed(shop, "one")
    with shop.engine.database.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET attempts = attempts + 1")
    ended(shop, held)
    assert ("pending", 1, "") == tuple(shop.row(KEY)[name] for name in ("state", "attempts", "worker"))


@on_both
def test_a_long_line_of_blocked_rows_does_not_hide_the_one_behind_it(shop: Shop) -> None:
    tickets = shop.release_many(110)
    with shop.engine.database.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET seq = seq + 1 WHERE kind = 'refund'")
        connection.exec_driver_sql(
            "INSERT INTO outbox SELECT tenant_id, ticket_no || ':first', order_no, ticket_no, kind, 1, body, "
            "state, attempts, '2099', lease, last_error FROM outbox "
            "WHERE instruction_key = ticket_no || ':refund:cash'"
        )
    last = shop.release("Z1")
    assert ([f"{last}:refund:cash"], 110) == ([row.key for row in claimed(shop, "one")], len(tickets))


def test_a_workers_name_cannot_be_mistaken_for_a_lease(shop: Shop, gateway: Gateway) -> None:
    shop.release("E1")
    names: list[str] = []
    gateway.fault = lambda _document: names.append(shop.row(KEY)["worker"])
    shop.deliver(gateway, worker="a|2099-01-01 店")
    assert ["a-2099-01-01--"] == names


def test_the_rows_are_counted_by_state_and_kind(shop: Shop, gateway: Gateway) -> None:
    shop.do("release", shop.take_back("E1"))
    shop.deliver({"stock_in": gateway})
    with writing(shop.engine.database) as connection:
        found = outbox_rows.counts(Store(connection, "default"))
    assert {"pending": {"refund": 1}, "delivered": {"stock_in": 1}, "dead": {}} == found


def test_another_tenants_rows_are_left_alone(shop: Shop) -> None:
    shop.release("E1")
    with writing(shop.engine.database) as connection:
        store = Store(connection, "another")
        assert [] == outbox_rows.listed(store)
        assert outbox_rows.find(store, KEY) is None
        assert [] == outbox_rows.claim(store, ("refund",), worker="w", now=shop.now, until=shop.now, limit=9)


def test_ten_tries_are_enough() -> None:
    assert 10 == TRIES
