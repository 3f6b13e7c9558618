"""The migrations make exactly the tables of the metadata, from nothing and again without harm."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from reverseflow.core.errors import SchemaMismatch
from reverseflow.engine import Engine
from reverseflow.storage import database, tables
from reverseflow.storage.tables import SCHEMA_HEAD
from support.stores import file_of, order, outcomes, refund, registry, shop

OTHER_VERSIONS = {"older": "0000", "newer": "9999", "another program's": "ae1027a6acf"}


@pytest.fixture
def upgraded(empty_url: str) -> Iterator[sa.Engine]:
    engine = database.open_database(empty_url)
    assert database.upgrade(engine) == SCHEMA_HEAD
    yield engine
    engine.dispose()


def version_of(engine: sa.Engine) -> str | None:
    with database.reader(engine).connect() as connection:
        return database.schema_version(connection)


def set_version(url: str, version: str) -> None:
    engine = database.open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    with engine.connect().execution_options(rf_begin=None) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def test_the_newest_migration_is_the_one_the_tables_are_of() -> None:
    config = Config()
    config.set_main_option("script_location", "reverseflow.storage:migrations")
    config.set_main_option("path_separator", "space")
    directory = ScriptDirectory.from_config(config)
    assert directory.get_heads() == [SCHEMA_HEAD]
    revisions = [script.revision for script in directory.walk_revisions()]
    assert sorted(revisions, reverse=True) == revisions, "an older version must sort before"


def test_an_upgrade_from_nothing_makes_the_tables_of_the_metadata(upgraded: sa.Engine) -> None:
    assert version_of(upgraded) == SCHEMA_HEAD
    with database.reader(upgraded).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, tables.metadata) == []


def described(engine: sa.Engine) -> dict[str, Any]:
    """What alembic does not compare: checks, keys, and how SQLite keeps a table."""
    with database.reader(engine).connect() as connection:
        inspector = sa.inspect(connection)
        found: dict[str, Any] = {}
        for name in tables.metadata.tables:
            found[name] = {
                "checks": {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(name)},
                "key": inspector.get_pk_constraint(name),
                "indexes": sorted(i["name"] or "" for i in inspector.get_indexes(name)),
                "nullable": {c["name"]: c["nullable"] for c in inspector.get_columns(name)},
            }
            if engine.dialect.name == "sqlite":
                listed = connection.exec_driver_sql(f"PRAGMA table_list({name})").one()
                found[name]["kept"] = (listed.wr, listed.strict)
                assert found[name]["kept"] == (1, 1)
    return found


def test_the_checks_and_keys_are_those_of_the_metadata_too(empty_url: str, upgraded: sa.Engine) -> None:
    migrated = described(upgraded)
    with upgraded.begin() as connection:
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
    assert described(upgraded) == migrated


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(empty_url: str) -> None:
    with Engine(empty_url, plugins=registry(), create=True) as engine:
        commands = [order("E1"), *refund("E1", "a1", A=1)]
        engine.execute(commands)
        for _ in range(2):
            assert database.upgrade(engine.database) == SCHEMA_HEAD
        assert set(outcomes(engine.execute(commands))) == {"replayed"}


def test_a_store_is_made_once_by_many_at_once(empty_url: str) -> None:
    barrier = threading.Barrier(4)

    def make() -> int:
        barrier.wait()
        with Engine(empty_url, plugins=registry(), create=True) as engine:
            cases: int = engine.counts()["cases"]
            return cases

    with ThreadPoolExecutor(4) as pool:
        made = [future.result(timeout=60) for future in [pool.submit(make) for _ in range(4)]]
    assert made == [0] * 4


def test_different_stores_are_made_at_once(tmp_path: Path) -> None:
    """One process, several threads, a store each: nothing is shared between them."""
    rounds, barrier = 5, threading.Barrier(4)

    def make(worker: int) -> None:
        for number in range(rounds):
            barrier.wait()
            url = f"sqlite:///{tmp_path / f'{worker}-{number}.db'}"
            with Engine(url, plugins=registry(), create=True) as engine:
                assert outcomes(engine.execute([order("E1")], platform="web"))

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(make, worker) for worker in range(4)]:
            future.result(timeout=60)


def test_an_empty_database_is_refused_with_what_to_do(postgres_url: str, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.db"
    nothing.touch()
    for url in (postgres_url, f"sqlite:///{nothing}"):
        with pytest.raises(SchemaMismatch, match="reverseflow db upgrade") as caught:
            shop(url)
        assert caught.value.code == "no_schema"


@pytest.mark.parametrize("version", OTHER_VERSIONS)
def test_a_store_of_another_version_is_refused_and_not_written_to(engine_url: str, version: str) -> None:
    with shop(engine_url) as engine:
        engine.execute([order("E1")])
    set_version(engine_url, OTHER_VERSIONS[version])
    is_file = engine_url.startswith("sqlite")
    before = file_of(engine_url).read_bytes() if is_file else b""
    with pytest.raises(SchemaMismatch) as caught:
        shop(engine_url)
    assert caught.value.code == "schema_mismatch"
    assert OTHER_VERSIONS[version] in caught.value.message
    assert SCHEMA_HEAD in caught.value.message
    advice = "db upgrade" if version == "older" else "update the program"
    assert advice in caught.value.message
    if is_file:
        assert file_of(engine_url).read_bytes() == before


@pytest.mark.parametrize("version", OTHER_VERSIONS)
def test_a_store_of_an_unknown_version_is_not_upgraded(engine_url: str, version: str) -> None:
    """A newer one is another program's work, an older one has no migration that leads on."""
    set_version(engine_url, OTHER_VERSIONS[version])
    with pytest.raises(SchemaMismatch):
        shop(engine_url, create=True)
    engine = database.open_database(engine_url)
    assert version_of(engine) == OTHER_VERSIONS[version]
    engine.dispose()


def test_an_upgrade_that_breaks_off_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one transaction: run again, it begins from nothing and comes through."""
    engine = database.open_database(empty_url)
    seen: list[str] = []

    def breaking(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        seen.append(statement)
        if "CREATE TABLE payments" in statement:
            raise KeyboardInterrupt

    sa.event.listen(engine, "before_cursor_execute", breaking)
    with pytest.raises(KeyboardInterrupt):
        database.upgrade(engine)
    sa.event.remove(engine, "before_cursor_execute", breaking)
    assert any("CREATE TABLE cases" in statement for statement in seen)
    with database.reader(engine).connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert database.upgrade(engine) == SCHEMA_HEAD
    engine.dispose()
