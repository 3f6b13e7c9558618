"""Many at once on the same orders: money is never given twice, and nobody is left waiting.

The workers are threads with an engine each, threads that share one, and processes
(`engine.racing`). What they try is the same each time, though not in which order.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Barrier

import attrs
import pytest

import reverseflow.engine
from engine.racing import HOT, WORKERS, at_once, check_race, race
from reverseflow.core.commands import Command
from reverseflow.core.errors import StorageUnavailable
from reverseflow.core.results import Result
from reverseflow.engine import Engine
from reverseflow.storage.database import Conflict
from reverseflow.storage.store import Store
from support.stores import apply, dump, interfere, order, outcomes, refund, shop, sound, told


@pytest.mark.parametrize("shared", [False, True], ids=["an engine each", "one engine"])
def test_race_over_refund(engine_url: str, shared: bool) -> None:
    """Two refunds at once both pass the cap (R1): eight threads on four hot orders."""
    with shop(engine_url) as engine:
        engine.execute([order(order_no) for order_no in HOT])
        barrier = Barrier(WORKERS)
        jobs = [
            partial(race, engine_url, number, barrier.wait, engine if shared else None)
            for number in range(WORKERS)
        ]
        answers = at_once(jobs)
    check_race(engine_url, [code for codes in answers for code in codes])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_race_over_refund_between_processes(engine_url: str, tmp_path: Path) -> None:
    """The same by eight processes (R1)."""
    with shop(engine_url) as engine:
        engine.execute([order(order_no) for order_no in HOT])
    command = [sys.executable, "-m", "engine.racing", engine_url, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(command, env=environment, check=True, timeout=300)
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")]
    assert len(answers) == WORKERS
    check_race(engine_url, [code for codes in answers for code in codes])


def test_one_order_told_twice_at_once_is_recorded_once(engine_url: str) -> None:
    """And one command given twice at once is carried out once; the other is told the same."""
    rounds = 20
    barrier = Barrier(2)

    def tell() -> list[str]:
        answers = []
        with shop(engine_url) as engine:
            for number in range(rounds):
                barrier.wait()
                commands = [order(f"E{number}"), *refund(f"E{number}", f"a{number}", A=2)]
                answers.extend(outcomes(engine.execute(commands)))
        return answers

    one, other = at_once([tell, tell])
    assert [sorted(pair) for pair in zip(one, other, strict=True)] == [["applied", "replayed"]] * (rounds * 5)
    with shop(engine_url) as engine:
        assert sound(engine)
        assert engine.money_totals() == {"CNY": (3_500 * rounds, 0, 2_000 * rounds)}


@pytest.mark.parametrize("new", [True, False], ids=["new orders", "known orders"])
def test_batches_over_the_same_orders_in_opposite_order_all_come_through(engine_url: str, new: bool) -> None:
    """Nobody waits for ever, and nobody is told to come again."""
    numbers, rounds, barrier = [f"E{n}" for n in range(20)], 4, Barrier(4)
    if not new:
        with shop(engine_url) as engine:
            engine.execute([order(f"{no}-{n}") for no in numbers for n in range(rounds)])

    def work(worker: int) -> list[str]:
        answers = []
        mine = numbers if worker % 2 else list(reversed(numbers))
        with shop(engine_url) as engine:
            for n in range(rounds):
                commands: list[Command] = []
                for no in mine:
                    commands.append(order(f"{no}-{n}"))
                    commands.append(apply(f"{no}-{n}", f"a-{no}-{n}-{worker % 2}", A=1))
                barrier.wait()
                answers.extend(outcomes(engine.execute(commands)))
        return answers

    answers = at_once([partial(work, number) for number in range(4)])
    counted = Counter(code for codes in answers for code in codes)
    assert set(counted) == {"applied", "replayed"}
    assert counted["applied"] == 20 * rounds * (3 if new else 2)
    with shop(engine_url) as engine:
        assert sound(engine)


def twice(url: str, commands: Sequence[Command]) -> Callable[[], list[Result]]:
    """Carry the commands out by another engine."""

    def other() -> list[Result]:
        with shop(url) as another:
            return another.execute(commands)

    return other


def test_who_comes_second_with_the_same_command_is_told_what_the_first_was_told(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the first came after it was looked for, and the second would be refused now."""
    commands = [apply("E1", "a1", A=3), told("approve", id="a2", ticket_no="E1-R1")]
    with shop(postgres_store) as engine:
        engine.execute([order("E1")])
        done = interfere(monkeypatch, "load", twice(postgres_store, commands))
        assert outcomes(engine.execute(commands)) == ["replayed", "replayed"]
        assert done == ["load"]
        assert sound(engine)


def test_an_order_somebody_else_recorded_in_between_is_compared(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [order("E1"), *refund("E1", "a1", A=1)]
    with shop(postgres_store) as engine:
        done = interfere(monkeypatch, "save", twice(postgres_store, commands[:2]))
        assert outcomes(engine.execute(commands)) == ["replayed"] * 2 + ["applied"] * 3
        assert done == ["save"]
        assert sound(engine)


def test_a_guarded_update_that_misses_begins_anew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case is no longer as it was read: nothing is written, and all of it is decided again."""
    engine.execute([order("E1"), *refund("E1", "a1", until="approved", A=1)])
    original, before, tries = Store.load, engine.case("E1"), list[int]()

    def stale(store: Store, order_nos: Sequence[str], *, lock: bool = False) -> object:
        tries.append(1)
        if len(tries) < 4 and before is not None:
            return {"E1": attrs.evolve(before, version=before.version - 1)}
        return original(store, order_nos, lock=lock)

    monkeypatch.setattr("reverseflow.engine.time.sleep", lambda seconds: None)
    monkeypatch.setattr(Store, "load", stale)
    assert outcomes(engine.execute(refund("E1", "a1", A=1)[2:])) == ["applied"] * 2
    assert len(tries) == 4
    monkeypatch.undo()
    assert sound(engine)


def test_who_always_comes_too_late_is_told_to_run_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.execute([order("E1")])
    before, slept = dump(engine), list[float]()

    def taken(*given: object) -> None:
        raise Conflict("somebody was there")

    monkeypatch.setattr("reverseflow.engine.time.sleep", slept.append)
    monkeypatch.setattr(Store, "save", taken)
    with pytest.raises(StorageUnavailable, match="safe to run again") as caught:
        engine.execute([apply("E1", "a1", A=1)])
    assert caught.value.code == "store_busy"
    assert len(slept) == reverseflow.engine.ATTEMPTS
    assert max(slept) < 10
    monkeypatch.undo()
    assert dump(engine) == before
    assert outcomes(engine.execute([apply("E1", "a1", A=1)])) == ["applied"]


@pytest.mark.parametrize("column", ["claimed", "reserved", "refunded"])
def test_a_claim_changed_behind_the_engines_back_is_never_written_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """The guard of the line itself, should the guard of the case ever be passed."""
    engine.execute([order("E1")])
    monkeypatch.setattr("reverseflow.engine.time.sleep", lambda seconds: None)
    original = Store.save

    def late(store: Store, *given: object) -> None:
        store.connection.exec_driver_sql(f"UPDATE order_lines SET {column} = 1 WHERE line_no = 'A'")
        original(store, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "save", late)
    with pytest.raises(StorageUnavailable):
        engine.execute([apply("E1", "a1", A=1)])
    monkeypatch.undo()
    assert engine.counts()["tickets"] == 0
