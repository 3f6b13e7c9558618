"""Stores of both databases: engines on them, commands for them, and what lies in them afterwards.

    with shop(engine_url) as engine:
        engine.execute([order("E1"), *refund("E1", "a1", A=1)])
        assert sound(engine)

A ``conftest.py`` imports the fixtures it wants: `engine_url` is a migrated store on each database,
`engine` a shop on it, `empty_url` a database without tables.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import attrs
import pytest
import sqlalchemy as sa

from reverseflow import hookimpl
from reverseflow.core.case import Case, Claim
from reverseflow.core.commands import COMMANDS, Apply, Command
from reverseflow.core.events import event_hash
from reverseflow.core.evolve import evolve
from reverseflow.core.invariants import broken_invariants
from reverseflow.core.results import Result
from reverseflow.core.rulebook import Platform, Policy
from reverseflow.engine import Engine
from reverseflow.hookspecs import API_VERSION
from reverseflow.plugins import Registry, registry_of
from reverseflow.storage import database, queries, tables
from reverseflow.storage.store import Store, reading
from support.cases import NOON, USUAL, goods, paid, sale, units
from support.postgres import PostgresServer

DATABASES = ("sqlite", "postgresql")
Row = tuple[Any, ...]
Dump = dict[str, list[Row]]

#: Every ticket is reviewed by a person; what was paid in points goes back in points.
WEB = Platform(
    "web", "web shop", "网店", (Policy("v1", auto_approve_unshipped=False, tender_policy="in_kind"),)
)


# --- plugins --------------------------------------------------------------------------------------


def plugin(**values: Sequence[object] | Callable[[], object]) -> ModuleType:
    """A plugin module; each argument is a hook, with the values it returns or as a function.

    ``plugin(platforms=[WEB], rules=[…])``
    """
    module = ModuleType("a_plugin")
    vars(module)["API_VERSION"] = API_VERSION
    for name, given in values.items():
        vars(module)[f"reverseflow_{name}"] = hookimpl(_hook(given))
    return module


def _hook(given: Sequence[object] | Callable[[], object]) -> Callable[[], object]:
    return given if callable(given) else lambda: given


def registry(**values: Sequence[object] | Callable[[], object]) -> Registry:
    """The built-ins, the platform ``web``, and a plugin ``more`` with the values given."""
    return registry_of({"web": plugin(platforms=[WEB]), "more": plugin(**values)})


# --- engines --------------------------------------------------------------------------------------


def shop(url: str, *, tenant: str = "default", create: bool = False, **values: Any) -> Engine:
    """An engine on a store whose clock stands still; further arguments as `registry`."""
    return Engine(url, plugins=registry(**values), clock=lambda: NOON, tenant=tenant, create=create)


@cache
def _postgres_template(server: PostgresServer) -> str:
    server.create_database(name := f"template_{uuid4().hex}")
    _migrate(server.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without orders, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    engine = database.open_database(url)
    database.upgrade(engine)
    engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite store of the test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'store.db')}"


@pytest.fixture
def postgres_store(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a migrated PostgreSQL store of the test's own."""
    postgres_server.create_database(name := f"store_{uuid4().hex}", _postgres_template(postgres_server))
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=DATABASES)
def engine_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated store of the test's own, on each database."""
    wanted = {"sqlite": "sqlite_url", "postgresql": "postgres_store"}[request.param]
    url: str = request.getfixturevalue(wanted)
    return url


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables (SQLite: of a file that is not there), on each."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def engine(engine_url: str) -> Iterator[Engine]:
    """A shop on a store of the test's own, on each database."""
    with shop(engine_url) as engine:
        yield engine


# --- commands -------------------------------------------------------------------------------------


def order(order_no: str, **facts: Any) -> Command:
    """An order of 3 units of A (10.00 each) and 1 of B (5.00), paid 35.00, with a buyer ``b1``."""
    return sale(
        goods("A", "10.00", 3), goods("B", "5.00"), paid("35.00"),
        order_no=order_no, platform="web", **facts,
    )  # fmt: skip


def told(kind: str, **fields: Any) -> Command:
    """A command as it is usually given: ``told("approve", id="c2", ticket_no="E1-R1")``."""
    return COMMANDS[kind](**{**USUAL.get(kind, {}), **fields})


def apply(order_no: str, id_: str = "", /, *, fields: Mapping[str, Any] | None = None, **lines: int) -> Apply:
    """An application for units of lines: ``apply("E1", "a1", A=1)``."""
    command = told("apply", **{"id": id_, "order_no": order_no, "lines": units(**lines)} | {**(fields or {})})
    assert isinstance(command, Apply)
    return command


def refund(order_no: str, id_: str, *, until: str = "settled", **lines: int) -> list[Command]:
    """An application and the steps up to one of: applied, approved, released, settled."""
    steps: list[Command] = [
        apply(order_no, id_, fields=None, **lines),
        told("approve", id=f"{id_}-approve", ticket_no=id_),
        told("release", id=f"{id_}-release", ticket_no=id_),
        told("settle_result", id=f"{id_}-settle", ticket_no=id_),
    ]
    return steps[: ("applied", "approved", "released", "settled").index(until) + 1]


def outcomes(results: Sequence[Result]) -> list[str]:
    """Per result its outcome, or the code of why it was not carried out."""
    return [result.codes[0] if result.codes else result.outcome for result in results]


# --- what lies in a store -------------------------------------------------------------------------


def dump(engine: Engine) -> Dump:
    """Every row of every table, sorted by key."""
    found: Dump = {}
    with reading(engine.database) as connection:
        for table in tables.metadata.sorted_tables:
            keys = [table.columns.keys().index(column.name) for column in table.primary_key]
            rows = [tuple(row) for row in connection.execute(sa.select(table))]
            found[table.name] = sorted(rows, key=lambda row: [row[key] for key in keys])
    return found


def sound(engine: Engine) -> bool:
    """Check every case against its own events: numbers, hashes, state, caps, postings.

    Asserts, so that what is wrong is shown; true for `assert sound(engine)`.
    """
    postings = dump(engine)["postings"]
    for order_nos in engine.view(_all_orders):
        for order_no in order_nos:
            _check_case(engine, order_no)
            rows = [row for row in postings if row[:2] == (engine.tenant, order_no)]
            for seq in {row[2] for row in rows}:
                assert sum(row[5] for row in rows if row[2] == seq) == 0, (order_no, seq)
    return True


def _all_orders(store: Store) -> list[list[str]]:
    return list(queries.order_numbers(store))


def _check_case(engine: Engine, order_no: str) -> None:
    case = engine.case(order_no)
    assert case is not None
    assert not broken_invariants(case), (order_no, broken_invariants(case))
    folded, head = Case(order_no, buyer=case.buyer), ""
    for event, text, hash_ in engine.view(Store.events, order_no):
        assert event.seq == folded.version + 1, (order_no, event)
        head = event_hash(engine.tenant, order_no, event, text, head)
        assert hash_ == head, (order_no, event)
        folded = evolve(folded, event)
    assert case.head == head, order_no
    assert _comparable(folded) == _comparable(case), (folded, case)


def _comparable(case: Case) -> Case:
    """A case without what only a store knows (the head) and what only memory has (empty claims)."""
    claims = {line_no: claim for line_no, claim in case.claims.items() if claim != Claim()}
    return attrs.evolve(case, head="", claims=claims)


def interfere(
    monkeypatch: pytest.MonkeyPatch, method: str, other: Callable[[], object], *, times: int = 1
) -> list[str]:
    """Before a store's method is carried out, let somebody else be quicker; a note of each time."""
    original, done = getattr(Store, method), list[str]()

    def late(store: Store, *args: object, **options: object) -> object:
        if len(done) < times:
            done.append(method)
            with monkeypatch.context() as undone:
                undone.setattr(Store, method, original)
                other()
        return original(store, *args, **options)

    monkeypatch.setattr(Store, method, late)
    return done


def file_of(url: str) -> Path:
    """The file of a SQLite store."""
    path = sa.make_url(url).database
    assert path is not None
    return Path(path)
