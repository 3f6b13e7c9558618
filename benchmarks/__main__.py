"""``python -m benchmarks``: the engine against the floor, round by round, as ratios.

``--quick`` takes fewer commands, ``--only`` one part. PostgreSQL comes from a wheel.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import reverseflow as rf
from benchmarks import floor, workloads
from reverseflow.engine import Engine
from reverseflow.storage.bulk import Row, Update, update_statement

ROUNDS = 5
CHUNK = 1_000
GOALS = {"sqlite": 25, "postgresql": 15}
Work = Callable[[int], Iterable[rf.Command]]


def execute(engine: Engine, commands: list[rf.Command]) -> float:
    """Seconds the engine takes, `CHUNK` commands a transaction; every one must be applied."""
    started = time.perf_counter()
    for start in range(0, len(commands), CHUNK):
        results = engine.execute(commands[start : start + CHUNK], platform=workloads.PLATFORM)
        bad = [result for result in results if result.outcome != "applied"]
        if bad:
            raise SystemExit(f"not applied: {bad[0]}")
    return time.perf_counter() - started


class Sqlite:
    """Stores in a folder, each a copy of one with the orders in it."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fresh(self, name: str) -> str:
        """The URL of an empty store."""
        return f"sqlite:///{self.folder / name}.db"

    def copy(self, template: str, name: str) -> str:
        """A copy of a store."""
        path = self.folder / f"{name}.db"
        shutil.copy(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    def floor(self, url: str, transactions: list[floor.Transaction]) -> float:
        """The floor on a store."""
        return floor.sqlite_floor(url.removeprefix("sqlite:///"), transactions)

    def drop(self, url: str) -> None:
        """Remove a store."""
        for suffix in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)


class Postgres:
    """Databases on a server started from a wheel."""

    name = "postgresql"

    def __init__(self, server: Any) -> None:
        self.server = server

    def fresh(self, name: str) -> str:
        """The URL of an empty database."""
        self.server.create_database(name)
        return str(self.server.url(name))

    def copy(self, template: str, name: str) -> str:
        """A copy of a database."""
        self.server.create_database(name, template=template.split("/", 4)[3].split("?", maxsplit=1)[0])
        return str(self.server.url(name))

    def floor(self, url: str, transactions: list[floor.Transaction]) -> float:
        """The floor on a database."""
        return floor.postgres_floor(url, transactions, _psycopg_update)

    def drop(self, url: str) -> None:
        """Remove a database."""
        self.server.drop_database(url.split("/", 4)[3].split("?", maxsplit=1)[0])


def _psycopg_update(cursor: Any, update: Update, rows: list[Row]) -> None:
    cursor.execute(update_statement(update), tuple(list(column) for column in zip(*rows, strict=True)))


def compare(stores: Any, label: str, work: Work, count: int, units: int) -> None:
    """Print how close the engine comes to the floor for one workload."""
    base = stores.fresh(f"base_{units}")
    with Engine(base, create=True) as engine:
        execute(engine, list(workloads.orders(count)))
    recorder = floor.Recorder()
    ratios, seconds = [], []
    for number in range(ROUNDS):
        url = stores.copy(base, f"engine_{units}_{number}")
        commands = list(work(count))
        with Engine(url) as engine, ExitStack() as stack:
            if number == 0:
                stack.enter_context(recorder.recording())
            taken = execute(engine, commands)
        stores.drop(url)
        url = stores.copy(base, f"floor_{units}_{number}")
        least = stores.floor(url, recorder.transactions)
        stores.drop(url)
        if number:
            ratios.append(least / taken)
            seconds.append(taken)
    stores.drop(base)
    goal = GOALS[stores.name]
    print(
        f"{stores.name:<11} {label:<22} {100 * statistics.median(ratios):5.1f} % of the floor "
        f"(goal {goal} %; min {100 * min(ratios):.1f}, max {100 * max(ratios):.1f}); "
        f"{count / statistics.median(seconds):8,.0f} {label} a second, "
        f"{recorder.rows / count:.1f} rows each"
    )


def memory(folder: Path, small: int, large: int) -> None:
    """Print the peak memory of ``reverseflow run`` on a small and a large file."""
    import json

    from reverseflow.builtin.neutral import command_to_record

    peaks = []
    for count in (small, large):
        file = folder / f"memory_{count}.jsonl"
        with file.open("w", encoding="utf-8") as out:
            for command in workloads.orders(count // 2):
                out.write(json.dumps(command_to_record(command)) + "\n")
            for command in workloads.applications(count - count // 2):
                out.write(json.dumps(command_to_record(command)) + "\n")
        script = (
            "import resource, sys; from reverseflow.cli import main\n"
            "try: main(sys.argv[1:])\n"
            "except SystemExit: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        arguments = [
            "run",
            str(file),
            "--platform",
            workloads.PLATFORM,
            "--db",
            f"sqlite:///{folder}/memory_{count}.db",
        ]
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=3600,
        )
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    print(
        f"memory      run of {small:,} rows: {peaks[0]:.0f} MiB, of {large:,} rows: {peaks[1]:.0f} MiB "
        f"(ratio {peaks[1] / peaks[0]:.2f})"
    )


def main() -> None:
    """Run the benchmarks and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the commands")
    parser.add_argument("--only", choices=("sqlite", "postgresql", "memory"), help="one part")
    told = parser.parse_args()
    scale = 10 if told.quick else 1
    with tempfile.TemporaryDirectory(prefix="reverseflow-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        backends: list[Any] = []
        if told.only in (None, "sqlite"):
            backends.append(Sqlite(folder))
        if told.only in (None, "postgresql"):
            sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
            from support.postgres import running_postgres

            backends.append(Postgres(stack.enter_context(running_postgres())))
        for stores in backends:
            compare(stores, "applications", workloads.applications, 10_000 // scale, 1)
            compare(stores, "eight-step returns", workloads.full_returns, 2_000 // scale, 8)
        if told.only in (None, "memory"):
            memory(folder, 10_000 // scale, 200_000 // scale)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"peak memory of this process {usage.ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
