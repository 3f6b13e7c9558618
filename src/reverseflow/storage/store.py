"""The store: loads cases set by set and writes what became of them, inside one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy.engine import Connection, Engine

from reverseflow.core.case import Case, Claim, OrderLine, Payment, Ticket, TicketLine
from reverseflow.core.commands import BuyerFacts
from reverseflow.core.events import Event, canonical_json
from reverseflow.core.postings import Posting
from reverseflow.core.values import time_text
from reverseflow.storage import rows, tables
from reverseflow.storage.bulk import Bulk, Row
from reverseflow.storage.change import Change, StoredCommand
from reverseflow.storage.database import reader, storage_errors


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction; everything in it or nothing."""
    with storage_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A snapshot for reading."""
    with storage_errors(), reader(engine).connect() as connection:
        yield connection


class Store:
    """The cases of one tenant, through one open connection."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self.connection = connection
        self.tenant = tenant
        self.bulk = Bulk(connection)

    def _rows(self, columns: str, table: str, order_nos: Sequence[str], tail: str = "") -> list[Any]:
        return self.bulk.select(
            columns,
            table,
            "order_no",
            order_nos,
            where="tenant_id = ?",
            given=(self.tenant,),
            tail=tail,
        )

    def load(self, order_nos: Iterable[str], *, lock: bool = False) -> dict[str, Case]:
        """The cases of these orders that exist; with `lock` their rows are held to the end."""
        wanted = sorted(set(order_nos))
        locking = "ORDER BY order_no FOR UPDATE" if lock and self.bulk.dialect != "sqlite" else ""
        heads = self._rows(rows.CASE_COLUMNS, "cases", wanted, locking)
        found = [head[0] for head in heads]
        if not found:
            return {}
        lines: dict[str, dict[str, OrderLine]] = {order_no: {} for order_no in found}
        claims: dict[str, dict[str, Claim]] = {order_no: {} for order_no in found}
        for row in self._rows(rows.LINE_COLUMNS, "order_lines", found, "ORDER BY position"):
            line, claim = rows.line_from(row)
            lines[row[0]][line.line_no] = line
            if claim is not None:
                claims[row[0]][line.line_no] = claim
        payments: dict[str, dict[str, Payment]] = {order_no: {} for order_no in found}
        for row in self._rows(rows.PAYMENT_COLUMNS, "payments", found, "ORDER BY position"):
            payments[row[0]][row[1]] = rows.payment_from(row)
        tickets = self._tickets(found)
        buyers = dict(self._rows("order_no, account", "personal", found))
        return {
            head[0]: rows.case_from(
                head, lines[head[0]], claims[head[0]], payments[head[0]], tickets[head[0]],
                buyers.get(head[0], ""),
            )
            for head in heads
        }  # fmt: skip

    def _tickets(self, order_nos: Sequence[str]) -> dict[str, dict[str, Ticket]]:
        found: dict[str, dict[str, Ticket]] = {order_no: {} for order_no in order_nos}
        told = self._rows(rows.TICKET_COLUMNS, "tickets", order_nos)
        if not told:
            return found
        lines: dict[tuple[str, str], list[TicketLine]] = {}
        for row in self._rows(rows.TICKET_LINE_COLUMNS, "ticket_lines", order_nos, "ORDER BY position"):
            lines.setdefault((row[0], row[1]), []).append(rows.ticket_line_from(row))
        for row in sorted(told, key=lambda row: (len(row[1]), row[1])):
            found[row[0]][row[1]] = rows.ticket_from(row, lines.get((row[0], row[1]), ()))
        return found

    def stored_commands(self, ids: Sequence[str]) -> dict[str, StoredCommand]:
        """The commands with these ids that were carried out before."""
        found = self.bulk.select(
            "command_id, order_no, ticket_no, kind, content, status, refund, currency", "commands",
            "command_id", ids, where="tenant_id = ?", given=(self.tenant,),
        )  # fmt: skip
        return {row[0]: StoredCommand(*row[1:]) for row in found}

    def orders_of_external(self, numbers: Sequence[str]) -> dict[str, set[str]]:
        """The orders that have tickets with these external numbers."""
        found: dict[str, set[str]] = {}
        rows_ = self.bulk.select(
            "external_no, order_no", "tickets", "external_no", numbers,
            where="tenant_id = ?", given=(self.tenant,),
        )  # fmt: skip
        for number, order_no in rows_:
            found.setdefault(number, set()).add(order_no)
        return found

    def save(
        self,
        changes: Sequence[Change],
        commands: Sequence[tuple[str, StoredCommand]],
        now: datetime,
    ) -> None:
        """Write everything the changes say; `Conflict` when a case is no longer as it was read."""
        self._save_orders([c for c in changes if not c.before.exists])
        known = [c for c in changes if c.before.exists]
        self.bulk.update(
            rows.CASE_UPDATE,
            [rows.case_update(self.tenant, c.before, c.after, c.head) for c in known],
        )
        self.bulk.update(
            rows.LINE_UPDATE,
            [row for c in known for row in rows.changed_lines(self.tenant, c.before, c.after)],
        )
        self.bulk.update(
            rows.PAYMENT_UPDATE,
            [row for c in known for row in rows.changed_payments(self.tenant, c.before, c.after)],
        )
        self._save_tickets(changes)
        self._save_sayings(changes, now)
        self.bulk.insert(
            tables.commands,
            [(self.tenant, id_, *attrs.astuple(stored)) for id_, stored in commands],
        )

    def _save_orders(self, changes: Sequence[Change]) -> None:
        tenant = self.tenant
        self.bulk.insert(tables.cases, [rows.case_row(tenant, c.after, c.head) for c in changes])
        self.bulk.insert(
            tables.order_lines,
            [
                rows.line_row(tenant, c.after, position, line)
                for c in changes
                for position, line in enumerate(c.after.lines.values())
            ],
        )
        self.bulk.insert(
            tables.payments,
            [
                rows.payment_row(tenant, c.after, position, payment)
                for c in changes
                for position, payment in enumerate(c.after.payments.values())
            ],
        )
        self.bulk.insert(
            tables.personal,
            [
                (tenant, c.after.order_no, b.account, b.level, b.name, b.phone, b.address)
                for c in changes
                if (b := c.buyer) is not None and b != BuyerFacts()
            ],
        )

    def _save_tickets(self, changes: Sequence[Change]) -> None:
        tenant = self.tenant
        new: list[Row] = []
        changed: list[Row] = []
        new_lines: list[Row] = []
        changed_lines: list[Row] = []
        dropped: list[Row] = []
        for change in changes:
            if change.after.tickets is change.before.tickets:
                continue
            order_no = change.after.order_no
            for number, ticket in change.after.tickets.items():
                old = change.before.tickets.get(number)
                if old is ticket:
                    continue
                if old is None:
                    new.append(rows.ticket_row(tenant, order_no, ticket))
                else:
                    changed.append(rows.ticket_update(tenant, order_no, ticket))
                    if old.lines is ticket.lines:
                        continue
                known = {line.line_no for line in old.lines} if old else set()
                for position, line in enumerate(ticket.lines):
                    row = rows.ticket_line_update if line.line_no in known else rows.ticket_line_row
                    kept = changed_lines if line.line_no in known else new_lines
                    kept.append(row(tenant, order_no, number, position, line))
                    known.discard(line.line_no)
                dropped.extend((tenant, order_no, number, line_no) for line_no in known)
        self.bulk.insert(tables.tickets, new)
        self.bulk.update(rows.TICKET_UPDATE, changed)
        self.bulk.delete(tables.ticket_lines, ("tenant_id", "order_no", "ticket_no", "line_no"), dropped)
        self.bulk.insert(tables.ticket_lines, new_lines)
        self.bulk.update(rows.TICKET_LINE_UPDATE, changed_lines)

    def _save_sayings(self, changes: Sequence[Change], now: datetime) -> None:
        """Events with their hashes, the postings, and the outbox rows, of all changes."""
        tenant = self.tenant
        events, postings, outbox = [], [], []
        for change in changes:
            order_no = change.after.order_no
            for event, text, hash_ in change.events:
                events.append(rows.event_row(tenant, order_no, event, text, hash_))
            for (seq, (account, amount)), position in zip(
                change.postings, _positions(change.postings), strict=True
            ):
                postings.append((tenant, order_no, seq, position, account, amount, change.after.currency))
            happened = {event.seq: event.at for event, _, _ in change.events}
            for seq, told in change.instructions:
                due = time_text(min(now, happened[seq]))
                body = canonical_json(told.document())
                outbox.append(
                    (
                        tenant,
                        told.key,
                        order_no,
                        told.ticket_no,
                        told.kind,
                        seq,
                        body,
                        "pending",
                        0,
                        due,
                        "",
                        "",
                    )
                )
        self.bulk.insert(tables.events, events)
        self.bulk.insert(tables.postings, postings)
        self.bulk.insert(tables.outbox, outbox)
        for change in changes:
            for key in change.requeued:
                self.requeue(key, now)
        self._withdraw([key for change in changes for key in change.settled])

    def _withdraw(self, keys: Sequence[str]) -> None:
        """Take instructions that are settled already out of the line: they must not go out again."""
        if keys:
            mark = self.bulk.mark
            self.connection.exec_driver_sql(
                "UPDATE outbox SET state = 'delivered' WHERE state IN ('pending', 'dead') "
                f"AND tenant_id = {mark} AND instruction_key = {mark}",
                [(self.tenant, key) for key in keys],
            )

    def requeue(self, key: str, now: datetime) -> None:
        """Put an instruction back in line under its old key; its attempts are counted on."""
        mark = self.bulk.mark
        self.connection.exec_driver_sql(
            "UPDATE outbox SET attempts = attempts + CASE state WHEN 'pending' THEN 1 ELSE 0 END, "
            f"state = 'pending', next_at = {mark} WHERE tenant_id = {mark} AND instruction_key = {mark}",
            (time_text(now), self.tenant, key),
        )

    def events(self, order_no: str) -> list[tuple[Event, str, str]]:
        """The events of a case in their order, each with its stored payload text and hash."""
        found = self._rows(
            "seq, kind, ticket_no, at, actor, payload, private, hash",
            "events",
            [order_no],
            "ORDER BY seq",
        )
        return [(rows.event_from(row), row[5], row[7]) for row in found]


def _positions(postings: Sequence[tuple[int, Posting]]) -> Iterator[int]:
    """The position of each posting within its event."""
    before, position = 0, 0
    for seq, _ in postings:
        position = position + 1 if seq == before else 0
        before = seq
        yield position
