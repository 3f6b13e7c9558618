"""Opening a database: the connection recipe of each dialect, the schema check, safe errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reverseflow.core.errors import DamageFound, SchemaMismatch, StorageUnavailable, UsageError
from reverseflow.storage.tables import SCHEMA_HEAD

BUSY_SECONDS = 30
#: alembic keeps the migration at hand in a module of its own: one at a time in a process.
_MIGRATING = threading.Lock()
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


class Conflict(Exception):
    """Another writer was there first; nothing was written."""


def parse_url(text: str) -> URL:
    """A database URL; a plain path means SQLite, and a bare dialect gets its standard driver."""
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(
            "bad_database_url", "the database URL cannot be read; write sqlite:///file.db"
        ) from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def open_database(text: str, *, must_exist: bool = False) -> Engine:
    """A SQLAlchemy engine for a URL; `UsageError` for what is no database that can be used."""
    url = parse_url(text)
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    if is_file and url.database is not None:
        path = Path(url.database)
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError("bad_database_url", f"{path} cannot be a database file")
        if must_exist and not path.exists():
            raise UsageError("no_store", f"there is no store at {path}; make one with: reverseflow init")
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_SECONDS, "check_same_thread": False}
        if not is_file:
            options["poolclass"] = sa.StaticPool
    try:
        engine = sa.create_engine(url, **options)
    except NoSuchModuleError:
        raise UsageError("bad_database_url", f"the dialect {url.drivername} is not known") from None
    except ImportError as error:
        raise UsageError(
            "driver_missing", f"{error}; for PostgreSQL: pip install 'reverseflow[postgres]'"
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    """WAL with full durability; every transaction takes the write lock at its beginning."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            cursor.execute(f"PRAGMA {pragma}")
        # Only a store of ours gets a write-ahead log: another program's file is left as it is.
        if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        begin = connection.get_execution_options().get("rf_begin", "BEGIN IMMEDIATE")
        if begin:
            connection.exec_driver_sql(begin)


def reader(engine: Engine) -> Engine:
    """The same database for reading: a snapshot that is never blocked and blocks nobody."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.execution_options(rf_begin="BEGIN")


def schema_version(connection: Connection) -> str | None:
    """The migration the store is at, None for an empty database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def is_empty(engine: Engine) -> bool:
    """Whether a database has no table at all, anybody's."""
    with storage_errors(), reader(engine).connect() as connection:
        return not sa.inspect(connection).get_table_names()


def require_schema(connection: Connection) -> None:
    """Refuse a store whose schema is not this version's."""
    found = schema_version(connection)
    if found == SCHEMA_HEAD:
        return
    if found is None:
        raise SchemaMismatch(
            "no_schema", "the database has no ReverseFlow tables; run: reverseflow db upgrade"
        )
    advice = (
        "run: reverseflow db upgrade"
        if found < SCHEMA_HEAD
        else "a newer ReverseFlow made it; update the program"
    )
    raise SchemaMismatch(
        "schema_mismatch",
        f"the store is at schema {found}, this version works with {SCHEMA_HEAD}; {advice}",
    )


def upgrade(engine: Engine) -> str:
    """Bring a store to this version's schema in one transaction; the version it is at then."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "reverseflow.storage:migrations")
    config.set_main_option("path_separator", "space")
    if engine.dialect.name == "sqlite":
        with storage_errors(), engine.connect().execution_options(rf_begin=None) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with storage_errors(), _MIGRATING, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727001)")
        found = schema_version(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            require_schema(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return SCHEMA_HEAD


@contextmanager
def storage_errors() -> Iterator[None]:
    """Database errors as the product's own: a conflict to try again, or an unavailable store."""
    try:
        yield
    except PoolTimeout:
        message = "too many at once for the store's connections; safe to run again"
        raise StorageUnavailable("store_busy", message) from None
    except (OperationalError, DBAPIError) as error:
        raise translated(error.orig, error) from error


def translated(original: object, error: Exception) -> Exception:
    """What a driver's error means: `Conflict`, `StorageUnavailable`, or itself when it is a bug."""
    state = getattr(original, "sqlstate", None) or ""
    name = getattr(original, "sqlite_errorname", None) or ""
    if state in ("23505", "40001", "40P01") or name in (
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_UNIQUE",
    ):
        return Conflict(str(original))
    said = " ".join(str(original).split())
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or state.startswith("XX"):
        return DamageFound("store_damaged", f"the store is not a usable database: {said}")
    transient = (
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_FULL",
        "SQLITE_IOERR",
        "SQLITE_READONLY",
        "SQLITE_CANTOPEN",
        "SQLITE_PROTOCOL",
        "SQLITE_PERM",
    )
    if (
        name.startswith(transient)
        or state in ("25006", "55P03")
        or state[:2] in ("08", "53", "57", "58")
        or _lost(original)
    ):
        return StorageUnavailable(
            "store_unavailable",
            f"the store cannot be used just now: {' '.join(str(original).split())}; safe to run again",
        )
    return error


def _lost(original: object) -> bool:
    kind = type(original).__name__
    return kind in ("OperationalError", "InterfaceError") and not getattr(original, "sqlite_errorname", None)
