"""The engine: load the cases, decide in memory, write what was decided, in one transaction.

Everything is a batch; one command is a batch of one. The engine owns the transaction and the
clock, and calls nothing outside while it holds a lock.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeVar

import attrs
from sqlalchemy.engine import Connection

from reverseflow.contracts import Drawn, Purchase
from reverseflow.core.case import Case
from reverseflow.core.commands import Apply, Command, RecordOrder
from reverseflow.core.decide import preview
from reverseflow.core.errors import Refusal, Refused, RefusedError, StorageUnavailable, shown
from reverseflow.core.results import Result
from reverseflow.core.values import JsonObject
from reverseflow.plugins import Registry, load_plugins
from reverseflow.storage import database, queries
from reverseflow.storage.change import Change
from reverseflow.storage.store import Store, reading, writing
from reverseflow.transaction import Transaction, places

__all__ = ["Engine", "Result"]

_V = TypeVar("_V")
ATTEMPTS = 10
CHUNK = 2_000
_log = logging.getLogger("reverseflow.engine")


class Engine:
    """The engine on one database, for one tenant. Safe to use from several threads."""

    def __init__(
        self,
        database_url: str,
        *,
        tenant: str = "default",
        plugins: Registry | None = None,
        clock: Callable[[], datetime] | None = None,
        create: bool = False,
    ) -> None:
        """Open a store; with `create` it is made, or brought to this version, first.

        `UsageError` for a URL that cannot be used, `SchemaMismatch` for a store of another
        version, `StorageUnavailable` when it cannot be reached.
        """
        self.tenant = tenant
        self.registry = plugins or load_plugins()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.database = database.open_database(database_url, must_exist=not create)
        self._dry: Connection | None = None
        try:
            if create:
                database.upgrade(self.database)
            else:
                with reading(self.database) as connection:
                    database.require_schema(connection)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()

    def execute(self, commands: Iterable[Command], *, platform: str = "") -> list[Result]:
        """Carry out commands in their order; one result each, at the same place.

        Each run of up to `CHUNK` commands is one transaction. A refused or failed command changes
        nothing and does not stop the others. `platform` is whose orders new ones are.
        """
        told = list(commands)
        results: list[Result] = []
        for start in range(0, len(told), CHUNK):
            results.extend(self._execute(told[start : start + CHUNK], platform))
        return results

    def _execute(self, commands: Sequence[Command], platform: str) -> list[Result]:
        named = [self._with_id(command) for command in commands]
        for attempt in range(ATTEMPTS):
            work = Transaction(self.registry, named, platform, self.clock())
            try:
                with self._writing() as connection:
                    results = work.run(Store(connection, self.tenant))
                if self._dry is None:
                    self._tell(work.changes.values())
                return results
            except database.Conflict:
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, not secrecy
        raise StorageUnavailable(
            "store_busy", f"gave way to other writers {ATTEMPTS} times; safe to run again"
        )

    @staticmethod
    def _with_id(command: Command) -> Command:
        if command.id or isinstance(command, RecordOrder):
            return command
        return attrs.evolve(command, id=uuid.uuid4().hex)

    def _tell(self, changes: Iterable[Change]) -> None:
        """Tell the listeners what was committed; a fault of theirs is logged, nothing more."""
        if not self.registry.listeners:
            return
        for change in changes:
            events = [event for event, _, _ in change.events]
            for listener in self.registry.listeners:
                try:
                    listener.notify(change.after.order_no, events)
                except (Exception, SystemExit):  # noqa: BLE001 - a listener may fail in any way, never the batch
                    _log.exception("listener %s of plugin %s failed", listener.name, listener.plugin)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._dry is None:
            with writing(self.database) as connection:
                yield connection
        else:
            with database.storage_errors(), self._dry.begin_nested():
                yield self._dry

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading(self.database) if self._dry is None else nullcontext(self._dry)

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Within it everything is decided and written as usual, and undone at its end.

        It holds one transaction: decisions are the real ones, nothing of them stays. Only the
        thread that opened it may use the engine meanwhile.
        """
        with (
            database.storage_errors(),
            self.database.connect() as connection,
            connection.begin() as transaction,
        ):
            self._dry = connection
            try:
                yield
            finally:
                self._dry = None
                transaction.rollback()

    def quote(self, command: Apply) -> JsonObject:
        """The quote an application would get, in the interchange format; nothing is written.

        `RefusedError` with the refusal's code where it asks what cannot be.
        """
        with self._reading() as connection:
            case = Store(connection, self.tenant).load([command.order_no]).get(command.order_no)
        if case is None:
            raise RefusedError("unknown_order", f"the order {shown(command.order_no)} is not known")
        try:
            answer = preview(case, command, self.registry.rulebook(case.platform), self.clock())
        except Refused as refused:
            answer = refused.refusal
        if isinstance(answer, Refusal):
            raise RefusedError(answer.code, answer.message, place=answer.field)
        return answer

    def case(self, order_no: str) -> Case | None:
        """The case of an order, None when it is not known."""
        with self._reading() as connection:
            return Store(connection, self.tenant).load([order_no]).get(order_no)

    def find_ticket(self, name: str) -> tuple[Case, str] | None:
        """The case and number of the ticket with this number, external number or apply id."""
        with self._reading() as connection:
            store = Store(connection, self.tenant)
            cases = store.load(places(store, [name])[name])
        for case in cases.values():
            for ticket in case.tickets.values():
                if name in (ticket.ticket_no, ticket.external_no, ticket.apply_id):
                    return case, ticket.ticket_no
        return None

    def purchases(self, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
        """What an account bought of these SKUs up to a moment, newest first."""
        with self._reading() as connection:
            return queries.purchases(Store(connection, self.tenant), account, skus, until)

    def drawn(self, external_no: str) -> list[Drawn]:
        """What live tickets claim under an external number."""
        with self._reading() as connection:
            return queries.drawn(Store(connection, self.tenant), external_no)

    def counts(self) -> JsonObject:
        """How many orders, tickets by status, events and instructions there are."""
        with self._reading() as connection:
            return queries.counts(Store(connection, self.tenant))

    def money_totals(self) -> dict[str, tuple[int, int, int]]:
        """Per currency (paid, reserved, refunded) over all orders, in minor units."""
        with self._reading() as connection:
            return queries.money_totals(Store(connection, self.tenant))

    def view(self, function: Callable[..., _V], *args: object, **options: object) -> _V:
        """Ask the store a question: ``function(store, …)`` in one reading snapshot."""
        with self._reading() as connection:
            return function(Store(connection, self.tenant), *args, **options)
