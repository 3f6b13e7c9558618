"""A process that carries out batches until it is killed, and one that has such processes killed.

``python -m engine.crashing URL SEED KILLS`` forks a worker after the other, kills each with
SIGKILL within some batch, and prints a line of JSON per kill: the batch it began with, and the
batches it acknowledged. Whoever reads a line answers with an empty one when the next may begin.
"""

import json
import os
import signal
import sys
import time
from itertools import count
from random import Random

from reverseflow.core.commands import Command
from reverseflow.core.results import Result
from support.stores import order, refund, shop, told

#: Orders of a batch; each is told, applied for twice, and one refund settled by the batch after.
WIDTH = 5
#: A worker is killed within this many batches.
LIFE = 5


def batch(number: int) -> list[Command]:
    """The commands of a batch, every id beginning with its number."""
    commands: list[Command] = []
    for place in range(WIDTH):
        order_no = f"E{number}-{place}"
        commands += [order(order_no), *refund(order_no, f"{number}-{place}", until="released", A=2)]
        commands += refund(order_no, f"{number}-{place}b", until="applied", B=1)
        if number:
            before = f"{number - 1}-{place}"
            commands.append(told("settle_result", id=f"{number}-{place}s", ticket_no=before))
    return commands


def carry_out(url: str, first: int, last: int | None = None) -> list[Result]:
    """Carry batches out, one transaction each; with no last one, write a line after each."""
    results = []
    with shop(url) as engine:
        engine.counts()
        for number in count(first) if last is None else range(first, last + 1):
            if last is None:
                os.write(1, b"begin\n" if number == first else f"{number - 1}\n".encode())
            results.extend(engine.execute(batch(number)))
    return results


def main(url: str, seed: str, kills: str) -> None:
    """Kill a worker after the other; the next begins where the last was stopped."""
    random, first, pace = Random(seed), 0, 0.05
    shop(url).close()  # what is imported is imported before the forks
    for _ in range(int(kills)):
        told, acknowledged = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.dup2(acknowledged, 1)
            carry_out(url, first)
        os.close(acknowledged)
        with os.fdopen(told) as lines:
            lines.readline()
            done = []
            for _ in range(random.randrange(LIFE)):
                begun = time.monotonic()
                done.append(int(lines.readline()))
                pace = time.monotonic() - begun
            time.sleep(random.uniform(0, 1.2 * pace))
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
            done += [int(line) for line in lines if line.endswith("\n")]
        print(json.dumps([first, done]), flush=True)  # noqa: T201 - that is what it is for
        sys.stdin.readline()
        first = done[-1] + 1 if done else first


if __name__ == "__main__":
    main(*sys.argv[1:])
