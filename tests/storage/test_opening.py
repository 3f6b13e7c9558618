"""What cannot be opened is refused in one sentence, and is left as it was."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.scripts import Script
from reverseflow.core.errors import (
    ExitStatus,
    ReverseFlowError,
    SchemaMismatch,
    StorageUnavailable,
    UsageError,
)
from reverseflow.engine import Engine
from reverseflow.storage import database
from support.cases import NOON
from support.stores import file_of, order, outcomes, refund, registry, shop

NOBODY = 65534


def not_opened(url: str, *, create: bool = False) -> ReverseFlowError:
    """The error with which an engine does not come to be."""
    with pytest.raises(ReverseFlowError) as caught:
        shop(url, create=create)
    assert "\n" not in caught.value.message
    return caught.value


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    error = not_opened(f"sqlite:///{path}")
    assert isinstance(error, UsageError)
    assert (error.code, str(path) in error.message) == ("no_store", True)
    assert "reverseflow init" in error.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [False, True])
def test_a_folder_is_no_store(tmp_path: Path, create: bool) -> None:
    for path in (tmp_path, tmp_path / "not there" / "shop.db"):
        error = not_opened(f"sqlite:///{path}", create=create)
        assert isinstance(error, UsageError)
        assert (error.code, str(path) in error.message) == ("bad_database_url", True)


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("content", [b"order_no,amount\n" * 300, b"\0" * 4096, b"SQLite format 4\0"])
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, content: bytes, create: bool) -> None:
    """With the exit status for damage: running it again will not help."""
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    error = not_opened(f"sqlite:///{path}", create=create)
    assert error.code == "store_damaged"
    assert error.exit_status is ExitStatus.DAMAGE_FOUND
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_as_it_was(tmp_path: Path) -> None:
    """Not even its way of keeping a journal is changed."""
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE visits (url TEXT)")
    connection.close()
    before = path.read_bytes()
    error = not_opened(f"sqlite:///{path}")
    assert isinstance(error, SchemaMismatch)
    assert path.read_bytes() == before


@pytest.fixture
def damaged(sqlite_url: str) -> str:
    """A store whose pages were overwritten behind the first one."""
    with shop(sqlite_url) as engine:
        engine.execute(Script(1).told(200))
    path = file_of(sqlite_url)
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    return sqlite_url


def test_a_damaged_store_is_said_to_be_damaged(damaged: str) -> None:
    before = file_of(damaged).read_bytes()
    with pytest.raises(ReverseFlowError) as caught, shop(damaged) as engine:
        engine.execute([order("E1"), *refund("E1", "a1", A=1)])
    assert caught.value.code == "store_damaged"
    assert caught.value.exit_status is ExitStatus.DAMAGE_FOUND
    assert "safe to run again" not in caught.value.message
    assert file_of(damaged).read_bytes() == before


def test_a_store_cut_short_is_said_to_be_damaged(sqlite_url: str) -> None:
    with shop(sqlite_url) as engine:
        engine.execute(Script(1).told(200))
    path = file_of(sqlite_url)
    path.write_bytes(path.read_bytes()[: 4096 * 2])
    with pytest.raises(ReverseFlowError) as caught, shop(sqlite_url) as engine:
        engine.execute([order("E1"), *refund("E1", "a1", A=1)])
    assert caught.value.code == "store_damaged"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder other accounts can come to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture
def as_nobody(open_folder: Path) -> Iterator[Path]:
    """Whoever is root is nobody for this test: root may write to what is read-only."""
    shop_in(open_folder).close()
    for path in (*open_folder.iterdir(), open_folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(NOBODY)
        yield open_folder
    finally:
        if root:
            os.seteuid(0)
        open_folder.chmod(0o777)


def shop_in(folder: Path) -> Engine:
    """A shop in a folder, made and filled."""
    engine = shop(f"sqlite:///{folder / 'shop.db'}", create=True)
    engine.execute([order("E1")])
    return engine


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs accounts")
def test_a_read_only_store_cannot_be_used_just_now(as_nobody: Path) -> None:
    before = (as_nobody / "shop.db").read_bytes()
    with (
        pytest.raises(StorageUnavailable) as caught,
        shop(f"sqlite:///{as_nobody / 'shop.db'}") as engine,
    ):
        engine.execute([order("E2")])
    assert caught.value.exit_status is ExitStatus.STORAGE_UNAVAILABLE
    assert (as_nobody / "shop.db").read_bytes() == before


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///x.db?bad", "nosuch://localhost/shop", "postgresql://localhost:port/shop", "://",
        "postgresql+nosuch://localhost/shop", "oracle+cx_oracle://localhost/shop",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_read_is_refused_as_that(url: str) -> None:
    with pytest.raises(UsageError):
        database.open_database(url, must_exist=True)


def test_a_secret_in_a_url_is_not_repeated() -> None:
    urls = ("postgresql://shop:hunter2@localhost:port/shop", "nosuch://shop:hunter2@localhost/shop",
            "postgresql://shop:hunter2@127.0.0.1:1/shop?connect_timeout=1")  # fmt: skip
    for url in urls:
        with pytest.raises(ReverseFlowError) as caught:
            shop(url)
        assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_unavailable(postgres_store: str) -> None:
    url = sa.make_url(postgres_store)
    missing = url.set(database="no_such_store").render_as_string(hide_password=False)
    for unreachable in ("postgresql://localhost:1/shop", missing):
        error = not_opened(unreachable)
        assert isinstance(error, StorageUnavailable)
        assert "safe to run again" in error.message


def test_a_plain_path_is_a_sqlite_file(tmp_path: Path) -> None:
    with shop(str(tmp_path / "shop.db"), create=True) as engine:
        assert outcomes(engine.execute([order("E1")])) == ["applied"]
    assert (tmp_path / "shop.db").exists()


def test_a_store_in_memory_is_one_store() -> None:
    with Engine("sqlite://", plugins=registry(), clock=lambda: NOON, create=True) as engine:
        assert outcomes(engine.execute([order("E1"), *refund("E1", "a1", A=1)])) == ["applied"] * 5
        assert engine.counts()["cases"] == 1


def test_a_sqlite_store_is_kept_safe(sqlite_url: str) -> None:
    """The journal beside it, every commit on the disk, and writers in a row from their beginning."""
    with shop(sqlite_url) as engine, engine.database.begin() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": database.BUSY_SECONDS * 1_000,
    }


@pytest.mark.parametrize("create", [False, True])
def test_an_engine_that_did_not_come_to_be_keeps_no_connection(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, create: bool
) -> None:
    opened: list[sa.Engine] = []
    original = database.open_database

    def watched(text: str, *, must_exist: bool = False) -> sa.Engine:
        opened.append(original(text, must_exist=must_exist))
        return opened[-1]

    engine = original(engine_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    monkeypatch.setattr(database, "open_database", watched)
    assert isinstance(not_opened(engine_url, create=create), SchemaMismatch)
    pool = opened[0].pool
    assert isinstance(pool, sa.QueuePool)
    kept = pool.checkedin()
    opened[0].dispose()
    assert kept == 0
