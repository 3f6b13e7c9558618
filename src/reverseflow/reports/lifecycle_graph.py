"""The lifecycle of a ticket type as a graph, read from the tables of `reverseflow.core.legs`.

Every drawing starts here; what the tables do not say is not drawn.
"""

from collections.abc import Iterable, Sequence

import attrs

from reverseflow.core.errors import UsageError, shown
from reverseflow.core.legs import (
    CLOSINGS,
    DEADLINES,
    FINAL,
    INITIAL,
    STATUS,
    STATUSES,
    TICKET_COMMANDS,
    TRANSITIONS,
    TYPES,
    WAITS,
    TicketType,
    Transition,
)
from reverseflow.core.values import ROLES


@attrs.frozen
class Arrow:
    """`commands` lead from each of `states` of a leg to `next`."""

    commands: tuple[str, ...]
    states: tuple[str, ...]
    next: str


@attrs.frozen
class LegWait:
    """`legs` may not move before the leg `other` is in one of `states` (under a refund timing)."""

    legs: tuple[str, ...]
    other: str
    states: tuple[str, ...]
    refund_timing: str

    @property
    def timing(self) -> str:
        """The refund timing the wait is for, in brackets; empty where it is for all."""
        return f"({self.refund_timing})" if self.refund_timing else ""

    @property
    def sentence(self) -> str:
        """What is waited for, for a person."""
        verb = "wait" if len(self.legs) > 1 else "waits"
        until = f"until {self.other} is {listed(self.states)}"
        return f"{listed(self.legs, 'and')} {verb} {until} {self.timing}".rstrip()


@attrs.frozen
class StatusLine:
    """A status and the leg states that lead to it; without a leg it is what remains."""

    status: str
    zh: str
    leg: str = ""
    states: tuple[str, ...] = ()

    @property
    def when(self) -> str:
        """The condition, for a person."""
        return f"{self.leg} is {listed(self.states)}" if self.leg else "otherwise"


def listed(words: Sequence[str], joint: str = "or") -> str:
    """``listed(["a", "b", "c"]) == "a, b or c"``."""
    return f" {joint} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def types_named(type_code: str | None) -> tuple[TicketType, ...]:
    """The ticket type of this code, or all of them for None; `UsageError` for an unknown code."""
    if type_code is None:
        return tuple(TYPES.values())
    if type_code not in TYPES:
        raise UsageError(
            "unknown_type", f"{shown(type_code)} is not a ticket type; known are {', '.join(TYPES)}"
        )
    return (TYPES[type_code],)


def rows_of(leg: str) -> tuple[Transition, ...]:
    """The transitions of a leg."""
    return tuple(row for row in TRANSITIONS if row.leg == leg)


def states_of(leg: str) -> tuple[str, ...]:
    """The states of a leg: as they are reached from the initial one, the final ones last."""
    rows = rows_of(leg)
    reached = {INITIAL[leg]: None}
    for _ in rows:
        for state in tuple(reached):
            reached |= {row.next: None for row in rows if row.state == state}
    told = dict.fromkeys(state for row in rows for state in (row.state, row.next))
    return tuple(dict.fromkeys(s for s in reached | told if s not in FINAL[leg])) + FINAL[leg]


def arrows_of(leg: str) -> tuple[Arrow, ...]:
    """The transitions of a leg, those of the same commands to the same state in one arrow."""
    commands: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows_of(leg):
        pair = (row.state, row.next)
        commands[pair] = (*commands.get(pair, ()), row.command)
    states: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}
    for (state, following), names in commands.items():
        states[names, following] = (*states.get((names, following), ()), state)
    return tuple(Arrow(names, froms, to) for (names, to), froms in states.items())


def waits_of(type_: TicketType) -> tuple[LegWait, ...]:
    """What the legs of a type wait for; legs that wait for the same stand together."""
    legs: dict[tuple[str, tuple[str, ...], str], tuple[str, ...]] = {}
    for wait in WAITS:
        if {wait.leg, wait.other} <= set(type_.legs):
            key = (wait.other, wait.states, wait.refund_timing)
            legs[key] = (*legs.get(key, ()), wait.leg)
    return tuple(
        LegWait(tuple(leg for leg in type_.legs if leg in waiting), *key) for key, waiting in legs.items()
    )


def status_lines(type_: TicketType) -> tuple[StatusLine, ...]:
    """The projection of the legs of a type to its public status: the first line that fits."""
    lines = [
        StatusLine(row.status, STATUSES[row.status][1], row.leg, row.states)
        for row in STATUS
        if row.leg in type_.legs and row.without not in type_.legs
    ]
    return (*lines, StatusLine("completed", STATUSES["completed"][1]))


def closing_lines() -> tuple[StatusLine, ...]:
    """The statuses of a ticket that was ended as a whole."""
    return tuple(StatusLine(closing, STATUSES[closing][1]) for closing in CLOSINGS)


def who_may(type_: TicketType) -> dict[str, tuple[str, ...]]:
    """Every command on a type with its roles; where these differ by state, the state is named."""
    roles: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for leg in type_.legs:
        for row in rows_of(leg):
            roles.setdefault((row.command, row.roles), []).append(row.state)
    named = [command for command, _ in roles]
    table = {
        command if named.count(command) == 1 else f"{command} ({listed(states)})": allowed
        for (command, allowed), states in roles.items()
    }
    return table | {command: tuple(allowed) for command, allowed in TICKET_COMMANDS.items()}


def roles_in_order(roles: Iterable[str]) -> tuple[str, ...]:
    """Roles in the order in which they are always listed."""
    held = set(roles)
    return tuple(role for role in ROLES if role in held)


def patience(leg: str, state: str) -> str:
    """Whose turn it is in a state and what a timer does then; empty where nobody is waited for."""
    for row in DEADLINES:
        if (row.leg, row.state) == (leg, state):
            return f"{row.owner}, {row.hours} h, then {row.command}"
    return ""
