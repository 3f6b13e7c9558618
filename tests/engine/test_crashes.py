"""A process killed in the middle: what was acknowledged is there, and nothing is there by halves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.crashing import batch, carry_out
from reverseflow.core.commands import RecordOrder
from reverseflow.engine import Engine
from reverseflow.storage import tables
from reverseflow.storage.store import reading
from support.cases import RELEASE
from support.stores import dump, outcomes, shop, sound

KILLS = 200 if RELEASE else 10
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@contextmanager
def killer(url: str, seed: str) -> Iterator[subprocess.Popen[str]]:
    """The process that has workers killed (`engine.crashing`)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "engine.crashing", url, seed, str(KILLS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@cache
def named_in(number: int) -> tuple[frozenset[str], frozenset[str]]:
    """The orders a batch records and the ids of its commands."""
    commands = batch(number)
    orders = frozenset(c.order_no for c in commands if isinstance(c, RecordOrder))
    return orders, frozenset(c.id for c in commands if c.id)


def carried_out(engine: Engine) -> set[int]:
    """The batches in the store, each of which must be there whole."""
    with reading(engine.database) as connection:
        ids = set(connection.scalars(sa.select(tables.commands.c.command_id)))
        orders = set(connection.scalars(sa.select(tables.cases.c.order_no)))
    batches = {int(id_.split("-")[0]) for id_ in ids}
    whole = [named_in(number) for number in batches]
    assert orders == {order_no for order_nos, _ in whole for order_no in order_nos}
    assert ids == {id_ for _, given in whole for id_ in given}
    return batches


def test_a_killed_process_loses_nothing_it_acknowledged(engine_url: str, tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    with killer(engine_url, "kill") as process, shop(engine_url) as engine:
        assert process.stdout is not None and process.stdin is not None
        for _ in range(KILLS):
            first, done = json.loads(process.stdout.readline())
            assert done == list(range(first, first + len(done)))
            acknowledged.update(done)
            stored = carried_out(engine)
            assert acknowledged <= stored
            assert len(stored - acknowledged) <= 1
            acknowledged = stored
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.wait(timeout=60) == 0
    assert len(acknowledged) >= KILLS
    finish_and_compare(engine_url, f"sqlite:///{tmp_path / 'undisturbed.db'}", max(acknowledged) + 1)


def finish_and_compare(url: str, other_url: str, last: int) -> None:
    """Run everything again from the beginning: the store is as if nobody had been killed."""
    assert set(outcomes(carry_out(url, 0, last))) == {"applied", "replayed"}
    with shop(url) as engine, shop(other_url, create=True) as undisturbed:
        assert sound(engine)
        for number in range(last + 1):
            assert set(outcomes(undisturbed.execute(batch(number)))) == {"applied"}
        assert dump(engine) == dump(undisturbed)
