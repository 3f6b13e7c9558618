"""A database that is busy, full, gone or read-only: nothing is lost, nothing is there by halves.

Whatever the database says, the user is told that the store cannot be used just now, and the same
commands, given again, finish.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from threading import Event, Thread
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from reverseflow.core.commands import Command
from reverseflow.core.errors import ExitStatus, StorageUnavailable
from reverseflow.engine import Engine
from reverseflow.storage import database
from reverseflow.storage.bulk import Bulk
from reverseflow.storage.store import Store
from support.cases import RELEASE
from support.stores import apply, dump, order, outcomes, refund, shop, sound

Answer = TypeVar("Answer")
KILLS = 100 if RELEASE else 10
#: Set in the database itself: the text a fault is made of, and how it is taken back.
SETTINGS = {
    "read-only": "default_transaction_read_only = on",
    "impatient for locks": "lock_timeout = '20ms'",
    "impatient for statements": "statement_timeout = '20ms'",
}


def story(number: int) -> list[Command]:
    return [order(f"E{number}"), *refund(f"E{number}", f"a{number}", A=2)]


def test_a_locked_store_is_waited_for(sqlite_url: str) -> None:
    """As long as `BUSY_SECONDS`; then the command is carried out as if nothing had been."""
    released = Event()

    def hold(engine: Engine) -> None:
        with engine.database.begin():
            held.set()
            released.wait(10)

    held = Event()
    with shop(sqlite_url) as holder, shop(sqlite_url) as engine:
        thread = Thread(target=hold, args=(holder,))
        thread.start()
        held.wait(10)
        answers: list[str] = []
        writer = Thread(target=lambda: answers.extend(outcomes(engine.execute(story(1)))))
        writer.start()
        writer.join(0.2)
        assert answers == [] and writer.is_alive()
        released.set()
        thread.join(10)
        writer.join(10)
        assert answers == ["applied"] * 5


def test_a_store_that_stays_locked_is_unavailable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with shop(sqlite_url) as holder, shop(sqlite_url) as engine:
        with holder.database.begin():
            with pytest.raises(StorageUnavailable, match="safe to run again") as caught:
                engine.execute(story(1))
            assert engine.counts()["cases"] == 0, "a reader is never held up"
        assert caught.value.exit_status is ExitStatus.STORAGE_UNAVAILABLE
        assert outcomes(engine.execute(story(1))) == ["applied"] * 5


def test_a_reader_sees_the_store_as_it_was_while_somebody_writes(engine_url: str) -> None:
    with shop(engine_url) as writer, shop(engine_url) as engine:
        with writer.dry_run():
            writer.execute(story(1))
            assert engine.counts()["cases"] == 0
            assert writer.counts()["cases"] == 1
        assert engine.case("E1") is None


def pragma(engine: Engine, statement: str) -> Any:
    """Ask a SQLite store something outside of transactions, on its one connection."""
    with engine.database.connect().execution_options(rf_begin=None) as connection:
        return connection.exec_driver_sql(f"PRAGMA {statement}").scalar_one()


@pytest.mark.parametrize("room", [0, 1, 2, 5, 9])
def test_a_full_disk_stops_and_the_same_commands_finish_later(sqlite_url: str, room: int) -> None:
    """Wherever in the transaction it gets full, nothing of it stays."""
    commands = [command for number in range(60) for command in story(number)]
    with shop(sqlite_url) as engine:
        assert outcomes(engine.execute(story(0))) == ["applied"] * 5
        before = dump(engine)
        pragma(engine, f"max_page_count = {pragma(engine, 'page_count') + room}")
        with pytest.raises(StorageUnavailable, match="safe to run again") as caught:
            engine.execute(commands)
        assert caught.value.exit_status is ExitStatus.STORAGE_UNAVAILABLE
        assert dump(engine) == before
        assert sound(engine)
        pragma(engine, "max_page_count = 100000")
        assert outcomes(engine.execute(commands)) == ["replayed"] * 5 + ["applied"] * 295
        assert pragma(engine, "quick_check") == "ok"
        assert sound(engine)


def failing(monkeypatch: pytest.MonkeyPatch, call: int, kill: Callable[[Store], object]) -> list[int]:
    """At this call of the writer (insert, update, delete, requeue, commit …) do something first."""
    calls: list[int] = []
    for name in ("insert", "update", "delete", "select"):
        original = getattr(Bulk, name)

        def late(
            bulk: Bulk, *args: object, original: Callable[..., object] = original, **options: object
        ) -> object:
            calls.append(1)
            if len(calls) == call:
                kill(Store(bulk.connection, "default"))
            return original(bulk, *args, **options)

        monkeypatch.setattr(Bulk, name, late)
    return calls


def terminate(server: sa.Engine) -> Callable[[Store], object]:
    """Have the server end the session of a store."""

    def kill(store: Store) -> object:
        session = store.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with server.connect() as connection:
            return connection.exec_driver_sql(f"SELECT pg_terminate_backend({session})").scalar_one()

    return kill


def test_a_session_ended_in_the_middle_is_never_half_done_nor_done_twice(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of the transaction in turn; told again, each command is done once."""
    server = sa.create_engine(postgres_store, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    ended = advised = 0
    with shop(postgres_store) as engine:
        for call in range(1, 100):
            before = dump(engine)
            with monkeypatch.context() as patched:
                calls = failing(patched, call, terminate(server))
                try:
                    answers = outcomes(engine.execute(story(call)))
                except StorageUnavailable as error:
                    answers = []
                    advised += "safe to run again" in error.message
            if not answers:
                assert dump(engine) == before
                ended += 1
            assert set(outcomes(engine.execute(story(call)))) <= {"applied", "replayed"}
            if len(calls) < call:
                break
        assert ended == advised > 8
        assert sound(engine)
        assert engine.counts()["tickets"] == call


def test_sessions_ended_at_random_lose_nothing_acknowledged(postgres_store: str) -> None:
    """Somebody keeps ending every session; who is told of it gives the same commands again."""
    random, stop = Random(7), Event()
    server = sa.create_engine(postgres_store, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def axe() -> None:
        while not stop.wait(random.uniform(0, 0.03)):
            with server.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    cut = number = 0
    with shop(postgres_store) as engine:
        thread = Thread(target=axe)
        thread.start()
        try:
            while cut < KILLS:
                number += 1
                answers, failures = insist(partial(engine.execute, story(number)))
                assert set(outcomes(answers)) <= {"applied", "replayed"}
                cut += failures
        finally:
            stop.set()
            thread.join(10)
        assert insist(engine.counts)[0]["tickets"] == number
        assert sound(engine)
        assert engine.money_totals() == {"CNY": (3_500 * number, 0, 2_000 * number)}


def insist(ask: Callable[[], Answer]) -> tuple[Answer, int]:
    """Ask until there is an answer; it, and how often there was none."""
    failures = 0
    while True:
        try:
            return ask(), failures
        except StorageUnavailable:
            failures += 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_server_that_does_not_let_us_write_is_unavailable(postgres_store: str, setting: str) -> None:
    """A standby, or one that gives up waiting for a lock somebody else has."""
    name = sa.make_url(postgres_store).database
    with shop(postgres_store) as holder:
        holder.execute([order("E1")])
        server = sa.create_engine(postgres_store, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with server.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET {SETTINGS[setting]}")
        with shop(postgres_store) as engine, holder.database.begin() as connection:
            connection.exec_driver_sql("SELECT * FROM cases FOR UPDATE")
            with pytest.raises(StorageUnavailable) as caught:
                engine.execute([apply("E1", "a1", A=1)])
            assert caught.value.exit_status is ExitStatus.STORAGE_UNAVAILABLE
    with server.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql(f"ALTER DATABASE {name} RESET ALL")
    with shop(postgres_store) as engine:
        assert outcomes(engine.execute([apply("E1", "a1", A=1)])) == ["applied"]


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_who_is_told_by_the_server_to_try_again_does(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """A serialisation failure, or the loser of a deadlock: all of it again, and no more than that."""
    monkeypatch.setattr("reverseflow.engine.time.sleep", lambda seconds: None)
    raise_it = f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$"
    failed: list[int] = []

    def fail(store: Store) -> object:
        failed.append(1)
        return store.connection.exec_driver_sql(raise_it)

    with shop(postgres_store) as engine:
        for call in (1, 4, 9):
            with monkeypatch.context() as patched:
                failing(patched, call, fail)
                assert outcomes(engine.execute(story(call))) == ["applied"] * 5
        assert len(failed) == 3
        assert sound(engine)


def test_more_threads_than_connections_wait_or_are_told_that_the_store_is_busy(
    sqlite_url: str,
) -> None:
    """A full pool is no internal error."""
    with shop(sqlite_url) as engine:
        pool = engine.database.pool
        assert isinstance(pool, sa.QueuePool)
        pool._timeout = 0.05
        held = [engine.database.raw_connection() for _ in range(15)]
        with pytest.raises(StorageUnavailable):
            engine.execute(story(1))
        for connection in held:
            connection.close()
        assert outcomes(engine.execute(story(1))) == ["applied"] * 5
