"""One transaction's worth of commands: replays are told, the rest is decided in order and written.

Everything is loaded with one query per table before the first decision and written with one
statement per table after the last; in between there is only memory.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from reverseflow.core.case import Case, Ticket
from reverseflow.core.commands import Apply, Command, ExternalRefund, RecordOrder, TicketCommand
from reverseflow.core.content import PRIVATE, content_of, differing_field
from reverseflow.core.decide import Decision, decide
from reverseflow.core.errors import PluginError, Refusal, Refused, shown
from reverseflow.core.money import format_amount
from reverseflow.core.results import Result
from reverseflow.plugins import Registry
from reverseflow.storage.change import Change, StoredCommand
from reverseflow.storage.store import Store

#: The most characters a name may have that is a key of a table.
MAX_KEY = 191
_KEYS = ("id", "order_no", "ticket_no", "external_no", "payment_no")


class Transaction:
    """Commands, the cases they touch, and what becomes of both."""

    def __init__(self, registry: Registry, commands: Sequence[Command], platform: str, now: datetime) -> None:
        self.registry = registry
        self.commands = commands
        self.platform = platform
        self.now = now
        self.changes: dict[str, Change] = {}
        self._cases: dict[str, Case] = {}
        self._stored: dict[str, StoredCommand] = {}
        self._fresh: dict[str, StoredCommand] = {}
        self._places: dict[str, list[str]] = {}

    def run(self, store: Store) -> list[Result]:
        """Load, decide, write; the caller commits. One result per command, in their order."""
        self._place(store)
        wanted = {order_no for order_nos in self._places.values() for order_no in order_nos}
        wanted.update(
            c.order_no
            for c in self.commands
            if isinstance(c, RecordOrder | Apply | ExternalRefund) and storable(c.order_no)
        )
        self._cases = store.load(wanted, lock=True)
        # After the locks: what another writer has just carried out is a replay, not a refusal.
        self._stored = store.stored_commands(sorted({c.id for c in self.commands if storable(c.id)}))
        results = [self._carry_out(command, store.tenant) for command in self.commands]
        if self.changes:
            store.save(list(self.changes.values()), list(self._fresh.items()), self.now)
        return results

    def _place(self, store: Store) -> None:
        """Find the orders of the tickets named: of applications in this batch, else in the store."""
        here: dict[str, list[str]] = {}
        for command in self.commands:
            if isinstance(command, Apply):
                here.setdefault(command.id, []).append(command.order_no)
                if command.external_no:
                    here.setdefault(command.external_no, []).append(command.order_no)
        named = {
            name
            for c in self.commands
            if isinstance(c, TicketCommand)
            for name in (c.ticket_no, c.external_no)
            if name and storable(name)
        }
        self._places = places(store, sorted(named)) if named else {}
        for name, order_nos in here.items():
            self._places.setdefault(name, []).extend(order_nos)

    def _carry_out(self, command: Command, tenant: str) -> Result:
        content = "" if isinstance(command, RecordOrder) else content_of(command)
        known = (self._stored.get(command.id) or self._fresh.get(command.id)) if content else None
        if known is not None:
            return _replayed(command, known, content)
        case = Case("")
        try:
            if (field := _unkept_field(command, content)) is not None:
                raise Refused("bad_text", f"{field}: NUL or half a character cannot be kept", field)
            _require_short_keys(command)
            order_no = self._order_no(command)
            case = self._cases.get(order_no) or Case(order_no)
            if not case.exists and not isinstance(command, RecordOrder):
                raise Refused("unknown_order", f"the order {shown(order_no)} is not known", "order_no")
            rulebook = self.registry.rulebook(case.platform or self._platform_of(command))
            outcome = decide(case, command, rulebook, self.now)
        except Refused as refused:
            outcome = refused.refusal
        except PluginError as error:
            return _not_done("failed", command, case, error.code, error.message)
        if isinstance(outcome, Refusal):
            return _not_done("refused", command, case, outcome.code, outcome.message)
        return self._accept(command, content, case, outcome, tenant)

    def _platform_of(self, command: Command) -> str:
        told = command.platform if isinstance(command, RecordOrder) else ""
        return told or self.platform

    def _order_no(self, command: Command) -> str:
        """The order a command is about; of a ticket command, the one that has the ticket."""
        if isinstance(command, RecordOrder | Apply | ExternalRefund):
            return command.order_no
        assert isinstance(command, TicketCommand)
        name = command.ticket_no or command.external_no
        found: dict[str, bool] = {}
        for order_no in self._places.get(name, ()):
            case = self._cases.get(order_no)
            for ticket in case.tickets.values() if case else ():
                if ticket.ticket_no == name:
                    return order_no
                if _is_named(ticket, name):
                    found[order_no] = found.get(order_no, False) or not ticket.closing
        if any(found.values()):  # a number used again names the live ticket
            found = {order_no: live for order_no, live in found.items() if live}
        if len(found) > 1:
            raise Refused(
                "ambiguous_ticket",
                f"{shown(name)} names tickets of the orders {', '.join(sorted(found))}",
                "ticket_no",
            )
        if not found:
            raise Refused("unknown_ticket", f"the ticket {shown(name)} is not known", "ticket_no")
        return next(iter(found))

    def _accept(self, command: Command, content: str, case: Case, decision: Decision, tenant: str) -> Result:
        """Keep a decision for writing; the case goes on from it."""
        order_no, after = case.order_no, decision.case
        ticket = after.tickets.get(decision.ticket_no)
        result = _result("applied" if decision.events else "replayed", command, after, ticket)
        if not decision.events:
            return result
        change = self.changes.get(order_no)
        if change is None:
            change = self.changes[order_no] = Change(case, after, head=case.head)
        if isinstance(command, RecordOrder) and not case.exists:
            change.buyer = command.buyer
            after = attrs.evolve(after, buyer=command.buyer.account)
        change.after = self._cases[order_no] = after
        for event in decision.events:
            change.add(tenant, event)
            if event.kind == "payout_retried":
                if not event.payload.get("instruct"):
                    change.requeued.append(event.payload["key"])
                change.settled = [key for key in change.settled if key != event.payload["key"]]
            elif event.kind == "payout_settled":
                change.settled.append(event.payload["key"])
        change.instructions.extend(decision.instructions)
        change.postings.extend(decision.postings)
        if content:
            self._fresh[command.id] = StoredCommand(
                order_no, decision.ticket_no, command.kind, content, result.status,
                ticket.total if ticket else 0, after.currency,
            )  # fmt: skip
        return result


def _require_short_keys(command: Command) -> None:
    """Refuse a name that is too long to be a key in every database."""
    for field in _KEYS:
        if len(name := getattr(command, field, "") or "") > MAX_KEY:
            raise Refused("key_too_long", f"{field}: {shown(name)} has more than {MAX_KEY} characters", field)
    if isinstance(command, RecordOrder):
        names = [line.line_no for line in command.lines]
        names += [payment.payment_no for payment in command.payments] + [command.buyer.account]
        for name in names:
            if len(name) > MAX_KEY:
                raise Refused("key_too_long", f"{shown(name)} has more than {MAX_KEY} characters")


def storable(text: str) -> bool:
    """Whether every database can keep a text: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _unkept_field(command: Command, content: str) -> str | None:
    """The field of a command with a text that cannot be kept; its content tells most at a glance."""
    if content and "\\u0000" not in content and storable(content) and storable(command.id):
        for name in PRIVATE:
            value = getattr(command, name, None)
            if value and (found := unstorable_field(value, name)) is not None:
                return found
        return None
    return unstorable_field(command)


def unstorable_field(value: Any, name: str = "") -> str | None:
    """The path of the first text in a command that cannot be kept, None when all can."""
    if isinstance(value, str):
        return None if storable(value) else name
    parts: Iterable[tuple[str, Any]] = ()
    if isinstance(value, tuple):
        parts = ((f"{name}[{index}]", part) for index, part in enumerate(value))
    elif attrs.has(type(value)):
        prefix = f"{name}." if name else ""
        parts = ((prefix + field.name, getattr(value, field.name)) for field in attrs.fields(type(value)))
    for path, part in parts:
        if (found := unstorable_field(part, path)) is not None:
            return found
    return None


def places(store: Store, names: Sequence[str]) -> dict[str, list[str]]:
    """Per name of a ticket (number, external number or apply id) the orders it may belong to."""
    found: dict[str, list[str]] = {name: [order] if (order := _order_of(name)) else [] for name in names}
    for name, command in store.stored_commands(names).items():
        found[name].append(command.order_no)
    for name, order_nos in store.orders_of_external(names).items():
        found[name].extend(sorted(order_nos))
    return found


def _order_of(ticket_no: str) -> str:
    """The order a ticket number is of (``E1-R2`` → ``E1``), empty where it is no such number."""
    order_no, mark, number = ticket_no.rpartition("-R")
    return order_no if mark and number.isdecimal() else ""


def _is_named(ticket: Ticket, name: str) -> bool:
    return name in (ticket.ticket_no, ticket.external_no, ticket.apply_id)


def _result(outcome: str, command: Command, case: Case, ticket: Ticket | None) -> Result:
    if ticket is None:
        return Result(outcome, command.kind, command.id, case.order_no, currency=case.currency)
    return Result(
        outcome, command.kind, command.id, case.order_no, ticket.ticket_no, ticket.status,
        format_amount(ticket.total, case.currency), case.currency,
    )  # fmt: skip


def _not_done(outcome: str, command: Command, case: Case, code: str, message: str) -> Result:
    named = getattr(command, "ticket_no", "") or getattr(command, "external_no", "")
    number = named if isinstance(command, TicketCommand) else ""
    return Result(
        outcome, command.kind, command.id, case.order_no, number, codes=(code,), message=message
    )  # fmt: skip


def _replayed(command: Command, known: StoredCommand, content: str) -> Result:
    """The stored outcome of a command carried out before; refused when its content is another."""
    if known.content != content:
        field = differing_field(json.loads(known.content), json.loads(content))
        return Result(
            "refused", command.kind, command.id, known.order_no, known.ticket_no,
            codes=("id_with_other_content",),
            message=f"id {shown(command.id)} was used before with another {field}",
        )  # fmt: skip
    refund = format_amount(known.refund, known.currency) if known.ticket_no else ""
    return Result(
        "replayed",
        command.kind,
        command.id,
        known.order_no,
        known.ticket_no,
        known.status,
        refund,
        known.currency,
    )
