"""Workers that race for the money of a few hot orders, as threads or as processes.

``python -m engine.racing URL FOLDER`` forks `WORKERS` processes that start together; each leaves
what it was answered in a file of the folder.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from reverseflow.core.commands import Command
from reverseflow.core.money import parse_amount
from reverseflow.engine import Engine
from support.cases import RELEASE, money
from support.stores import apply, dump, outcomes, refund, shop, sound

WORKERS = 8
HOT = ("E0", "E1", "E2", "E3")
ROUNDS = 500 if RELEASE else 12
#: Nothing else may be said to a worker who wanted too much, came too late, or came twice.
ALLOWED = {
    "applied",
    "replayed",
    "amount_above_quote",
    "quantity_not_available",
    "unknown_ticket",
    "wrong_state",
    "not_yet",
}


def at_once(jobs: Sequence[Callable[[], list[str]]]) -> list[list[str]]:
    """Run jobs in a thread each; what they return, or the first thing one of them raised."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(job) for job in jobs]]


def race(url: str, worker: int, ready: Callable[[], object], shared: Engine | None = None) -> list[str]:
    """Refund parts of the hot orders, as often as there are rounds; what was answered."""
    random, answers = Random(worker), list[str]()
    engine = shared or shop(url)
    try:
        ready()
        for number in range(ROUNDS):
            commands: list[Command] = []
            for order_no in random.sample(HOT, 2):
                commands += _wanted(random, order_no, f"w{worker}-{number}-{order_no}")
            answers.extend(outcomes(engine.execute(commands)))
    finally:
        if shared is None:
            engine.close()
    return answers


def _wanted(random: Random, order_no: str, id_: str) -> list[Command]:
    steps = refund(order_no, id_, until=random.choice(("applied", "settled")), A=1)
    if random.random() < 0.5:
        part = money(A=random.choice(("4.00", "7.00", "0.01")))
        steps[0] = apply(order_no, id_, fields={"lines": part})
    return list(steps)


def check_race(url: str, answers: Sequence[str]) -> None:
    """No order gave more than it was paid, every ledger agrees, and the race was one."""
    counted = Counter(answers)
    assert set(counted) <= ALLOWED, counted
    assert counted["applied"] > 20, counted
    assert counted["amount_above_quote"] + counted["quantity_not_available"] > 20, counted
    with shop(url) as engine:
        assert sound(engine)
        rows = dump(engine)
        assert len(rows["commands"]) == counted["applied"], counted
        for order_no in HOT:
            case = engine.case(order_no)
            assert case is not None
            refunded = sum(payment.refunded for payment in case.payments.values())
            instructed = sum(
                parse_amount(json.loads(row[6])["amount"], "CNY")
                for row in rows["outbox"]
                if row[2] == order_no
            )
            assert refunded <= instructed <= case.paid == 3_500, (order_no, refunded, instructed)


def main(url: str, folder: str) -> None:
    """Fork the workers, let them all begin together, and wait for them."""
    ready, said_ready = os.pipe()
    gate, key = os.pipe()
    workers = []
    for number in range(WORKERS):
        worker = os.fork()
        if worker == 0:
            os.close(key)
            answers = race(url, number, partial(_wait, said_ready, gate))
            Path(folder, f"{number}.json").write_text(json.dumps(answers), encoding="utf-8")
            os._exit(0)
        workers.append(worker)
    os.close(said_ready)
    for _ in workers:
        os.read(ready, 1)
    os.close(key)
    assert [os.waitpid(worker, 0)[1] for worker in workers] == [0] * WORKERS


def _wait(said_ready: int, gate: int) -> None:
    os.write(said_ready, b".")
    os.read(gate, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
