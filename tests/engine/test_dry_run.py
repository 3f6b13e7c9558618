"""A dry run decides what a real one decides, and nothing of it stays or is told to anybody."""

from collections.abc import Sequence

import pytest

from engine.scripts import Script
from reverseflow.contracts import EventListener
from reverseflow.core.errors import ExitStatus, StorageUnavailable
from reverseflow.core.events import Event
from reverseflow.engine import Engine
from reverseflow.storage import database
from support.stores import apply, dump, file_of, interfere, order, outcomes, refund, shop

STORY = [order("E1"), *refund("E1", "a1", until="released", A=2)]


def test_a_dry_run_leaves_nothing(engine: Engine) -> None:
    engine.execute(STORY)
    before = dump(engine)
    with engine.dry_run():
        assert outcomes(engine.execute(Script(1).told(100))).count("applied") > 30
        assert dump_within(engine) > 30
    assert dump(engine) == before


def dump_within(engine: Engine) -> int:
    events: int = engine.counts()["events"]
    return events


def test_a_dry_run_leaves_the_files_of_the_store_alone(sqlite_url: str) -> None:
    with shop(sqlite_url) as engine:
        engine.execute(STORY)
    before = file_of(sqlite_url).read_bytes()
    with shop(sqlite_url) as engine, engine.dry_run():
        engine.execute(Script(1).told(50))
    assert file_of(sqlite_url).read_bytes() == before


@pytest.mark.parametrize("seed", range(3))
def test_a_dry_run_decides_as_a_real_one_does(engine: Engine, seed: int) -> None:
    engine.execute(STORY)
    commands = Script(seed).told(120)
    with engine.dry_run():
        dry = [result for part in (commands[:60], commands[60:]) for result in engine.execute(part)]
        totals = engine.money_totals()
    assert engine.execute(commands) == dry
    assert engine.money_totals() == totals


def test_within_a_dry_run_everything_said_before_is_known(engine: Engine) -> None:
    with engine.dry_run():
        engine.execute(STORY[:2])
        assert outcomes(engine.execute(STORY[:2])) == ["replayed"] * 2
        assert engine.quote(apply("E1", A=1))["total"] == "10.00"
        found = engine.find_ticket("a1")
        assert found is not None and found[1] == "E1-R1"
        assert engine.case("E1") is not None
    assert engine.case("E1") is None
    assert engine.find_ticket("a1") is None


def test_a_dry_run_that_breaks_off_leaves_nothing(engine: Engine) -> None:

    def break_off() -> None:
        with engine.dry_run():
            engine.execute(STORY)
            raise KeyError("broken off")

    with pytest.raises(KeyError):
        break_off()
    assert engine.counts()["cases"] == 0
    assert outcomes(engine.execute(STORY)) == ["applied"] * 4


def test_listeners_hear_nothing_of_a_dry_run(engine_url: str) -> None:
    heard: list[str] = []

    def notify(order_no: str, events: Sequence[Event]) -> None:
        heard.append(order_no)

    with shop(engine_url, listeners=[EventListener("ear", notify)]) as engine:
        with engine.dry_run():
            engine.execute(STORY)
        assert heard == []
        engine.execute(STORY)
        assert heard == ["E1"]


def test_a_dry_run_gives_way_to_a_writer_and_decides_anew(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody records the order while it is dry run: what is told is what would be told now."""
    with shop(postgres_store) as engine, shop(postgres_store) as another:
        done = interfere(monkeypatch, "save", lambda: another.execute(STORY[:2]))
        with engine.dry_run():
            answers = outcomes(engine.execute([order("E0"), *STORY]))
            assert answers == ["applied", "replayed", "replayed", "applied", "applied"]
            assert engine.counts()["cases"] == 2
        assert done == ["save"]
        assert engine.counts()["cases"] == 1


def test_a_dry_run_on_a_busy_store_says_so(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with (
        shop(sqlite_url) as writer,
        shop(sqlite_url) as engine,
        writer.database.begin(),
        pytest.raises(StorageUnavailable) as caught,
        engine.dry_run(),
    ):
        raise AssertionError("the store is locked")
    assert caught.value.exit_status is ExitStatus.STORAGE_UNAVAILABLE
