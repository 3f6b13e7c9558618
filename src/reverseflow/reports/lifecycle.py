"""Drawing the lifecycle of tickets as text, as a Mermaid diagram or as a picture.

``draw("return_refund", "text")``; everything comes from the tables of `reverseflow.core.legs`.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from reverseflow.core.errors import UsageError, shown
from reverseflow.core.legs import FINAL, INITIAL, TicketType
from reverseflow.core.values import ROLES
from reverseflow.reports.lifecycle_graph import (
    closing_lines,
    listed,
    rows_of,
    states_of,
    status_lines,
    types_named,
    waits_of,
    who_may,
)
from reverseflow.reports.lifecycle_svg import svg

#: The columns a terminal is expected to have.
WIDTH = 100
_GAP = "  "


def draw(type_code: str | None, style: str) -> str:
    """The lifecycle of a ticket type (None: of all), without a newline at the end.

    `style` is ``text``, ``mermaid`` or ``svg``. `UsageError` for a type or a style there is not.
    """
    drawing = _STYLES.get(style)
    if drawing is None:
        raise UsageError("unknown_style", f"{shown(style)} is not a style; known are {', '.join(_STYLES)}")
    return drawing(types_named(type_code))


def display_width(text: str) -> int:
    """The columns a text takes on a terminal: two for a wide (Chinese) character."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as aligned lines, indented by two."""
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (_padded(cell, width) for cell, width in zip(row, widths, strict=True))
        yield (_GAP + _GAP.join(cells)).rstrip()


def _text(types: Sequence[TicketType]) -> str:
    return "\n\n\n".join("\n".join(_text_of(type_)) for type_ in types)


def _text_of(type_: TicketType) -> Iterator[str]:
    units = "claims units of its lines" if type_.claims_units else "claims money, no units"
    yield f"{type_.code}  {type_.en}  {type_.zh}  ({units})"
    yield "> initial state   * final state"
    yield ""
    yield from _side_by_side([list(_leg_lines(leg)) for leg in type_.legs])
    yield "waits: a leg does not move before another is so far"
    waits = [
        (f"{wait.other} is {listed(wait.states)}", f"- - > {', '.join(wait.legs)}", wait.timing)
        for wait in waits_of(type_)
    ]
    yield from _table(waits)
    yield ""
    yield "who may"
    matrix: list[tuple[str, ...]] = [("", *ROLES)]
    for command, roles in who_may(type_).items():
        word, _, states = command.partition(" (")
        label = command if len(states) <= _STATES_SHOWN else f"{word} (else)"
        matrix.append((label, *("x" if role in roles else "." for role in ROLES)))
    yield from _table(matrix)
    yield ""
    yield "status: the first line that fits"
    yield from _table([(line.status, line.zh, line.when) for line in status_lines(type_)])
    ended = ", ".join(f"{line.status} {line.zh}" for line in closing_lines())
    yield f"status of a ticket that was ended as a whole: {ended}"


_STATES_SHOWN = 16  # characters of the states a row of roles is for; more are "else"


def _leg_lines(leg: str) -> Iterator[str]:
    yield leg
    yield "-" * len(leg)
    for state in states_of(leg):
        mark = ">" if state == INITIAL[leg] else "*" if state in FINAL[leg] else " "
        yield f"{mark} {state}"
        for row in rows_of(leg):
            if row.state == state:
                yield f"    {row.command} -> {row.next}"


def _side_by_side(blocks: Sequence[Sequence[str]]) -> Iterator[str]:
    """Blocks of lines beside each other, as many as the width allows, the rest below."""
    bands: list[list[tuple[int, Sequence[str]]]] = []
    room = 0
    for block in blocks:
        width = max(map(display_width, block)) + len(_GAP)
        if width > room:
            bands.append([])
            room = WIDTH + len(_GAP)
        bands[-1].append((width, block))
        room -= width
    for band in bands:
        for cells in zip_longest(*(block for _, block in band), fillvalue=""):
            padded = (_padded(cell, width) for cell, (width, _) in zip(cells, band, strict=True))
            yield "".join(padded).rstrip()
        yield ""


def _mermaid(types: Sequence[TicketType]) -> str:
    lines = ["stateDiagram-v2"]
    for type_ in types:
        lines += (f"    {line}" for line in _mermaid_type(type_))
    return "\n".join(lines)


def _mermaid_type(type_: TicketType) -> Iterator[str]:
    """A type as a state that holds its legs; a state diagram knows no dashed arrow for a wait."""
    yield f'state "{type_.en} {type_.zh}" as {type_.code} {{'
    yield "    direction LR"
    for leg in type_.legs:
        yield f'    state "{leg}" as {type_.code}_{leg} {{'
        yield "        direction TB"
        yield from (f"        {line}" for line in _mermaid_leg(f"{type_.code}_{leg}", leg))
        yield "    }"
    for wait in waits_of(type_):
        for leg in wait.legs:
            ends = f"{type_.code}_{wait.other} --> {type_.code}_{leg}"
            yield f"    {ends} : waits for {listed(wait.states)} {wait.timing}".rstrip()
    yield f"    note right of {type_.code}_{type_.legs[-1]}"
    yield "        status, the first line that fits"
    yield from (f"        {ln.status} {ln.zh} = {ln.when}" for ln in status_lines(type_))
    yield "    end note"
    yield "}"


def _mermaid_leg(prefix: str, leg: str) -> Iterator[str]:
    for state in states_of(leg):
        yield f'state "{state}" as {prefix}_{state}'
    yield f"[*] --> {prefix}_{INITIAL[leg]}"
    labels: dict[tuple[str, str], list[str]] = {}
    for row in rows_of(leg):
        labels.setdefault((row.state, row.next), []).append(row.command.replace(":", " "))
    for (state, following), commands in labels.items():
        yield f"{prefix}_{state} --> {prefix}_{following} : {' / '.join(commands)}"
    yield from (f"{prefix}_{state} --> [*]" for state in FINAL[leg])


_STYLES: dict[str, Callable[[Sequence[TicketType]], str]] = {
    "text": _text,
    "mermaid": _mermaid,
    "svg": svg,
}
