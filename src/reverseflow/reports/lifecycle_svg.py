"""The lifecycle as a picture: one SVG, without scripts, fonts or files of anybody else.

It follows the reader's light or dark setting; what a line or a state means in full is its tooltip.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil

import attrs

from reverseflow.core.legs import FINAL, INITIAL, TicketType
from reverseflow.reports.lifecycle_graph import (
    Arrow,
    LegWait,
    closing_lines,
    listed,
    patience,
    roles_in_order,
    rows_of,
    status_lines,
    waits_of,
)
from reverseflow.reports.lifecycle_layout import (
    LEFT,
    LINE_HEIGHT,
    NODE_HEIGHT,
    RIGHT,
    Column,
    Side,
    column_of,
    label_lines,
    loop_text,
)

_STYLE = """
.lifecycle{--paper:#fff;--panel:#f6f8fa;--rule:#d1d9e0;--ink:#1f2328;--muted:#59636e;--line:#6e7781;
--node:#fff;--final:#dafbe1;--done:#1a7f37;--wait:#0969da;
font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC","PingFang SC",
"Microsoft YaHei",sans-serif;font-size:13px}
@media (prefers-color-scheme:dark){.lifecycle{--paper:#0d1117;--panel:#151b23;--rule:#3d444d;
--ink:#f0f6fc;--muted:#9198a1;--line:#8b949e;--node:#212830;--final:#12361f;--done:#3fb950;
--wait:#58a6ff}}
.lifecycle text{fill:var(--ink)}
.lifecycle .title{font-size:19px;font-weight:600}
.lifecycle .leg{font-size:15px;font-weight:600}
.lifecycle .name{font-weight:600;text-anchor:middle}
.lifecycle .muted{fill:var(--muted)}
.lifecycle .code{font:11px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.lifecycle .small{font-size:10px;text-anchor:middle;fill:var(--muted)}
.lifecycle .label{paint-order:stroke;stroke:var(--panel);stroke-width:4px;stroke-linejoin:round}
.lifecycle .paper{fill:var(--paper)}
.lifecycle .panel{fill:var(--panel);stroke:var(--rule)}
.lifecycle .node{fill:var(--node);stroke:var(--line);stroke-width:1.4}
.lifecycle .final{fill:var(--final);stroke:var(--done)}
.lifecycle .ring{fill:none;stroke:var(--done)}
.lifecycle .line{fill:none;stroke:var(--line);stroke-width:1.3}
.lifecycle .dot,.lifecycle .head{fill:var(--line)}
.lifecycle .start{fill:var(--ink)}
.lifecycle .wait .line{stroke:var(--wait);stroke-dasharray:5 4}
.lifecycle .wait .dot,.lifecycle .wait .head,.lifecycle .wait text{fill:var(--wait)}
.lifecycle .wait .label{stroke:var(--paper)}
.lifecycle g:hover>.line{stroke-width:2.4}
"""
_MARGIN, _TITLE, _GUTTER, _LANE_HEIGHT, _ROW = 18.0, 52.0, 10.0, 30.0, 21.0
_RISER = 8.0
_LEGEND = "● initial · double border: final · dashed: waits for"


@attrs.frozen
class _Picture:
    """The drawing of one ticket type and the room it takes."""

    body: str
    width: int
    height: int


def svg(types: Sequence[TicketType]) -> str:
    """The types below each other in one picture."""
    pictures = [_picture(type_) for type_ in types]
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures)
    name = ", ".join(type_.en for type_ in types)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="lifecycle" role="img"',
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>Lifecycle: {escape(name)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
    ]
    top = 0
    for picture in pictures:
        parts.append(f'<g transform="translate(0 {top})">\n{picture.body}\n</g>')
        top += picture.height
    return "\n".join([*parts, "</svg>"])


def _picture(type_: TicketType) -> _Picture:
    waits = sorted(waits_of(type_), key=lambda wait: -type_.legs.index(wait.other))
    columns = _columns(type_, waits)
    bottom = max(column.bottom for column in columns.values()) + 22
    right = list(columns.values())[-1].right
    code = f'<tspan class="code muted" dx="10">{escape(type_.code)}</tspan>'
    name = escape(f"{type_.en} {type_.zh}")
    parts = [f'<text x="{_MARGIN:g}" y="36" class="title">{name}{code}</text>']
    for column in columns.values():
        parts += _panel(column, bottom)
    for lane in range(len(waits)):
        parts += _wait(columns, waits, lane, bottom + 18 + _LANE_HEIGHT * lane)
    for column in columns.values():
        parts += _leg(column)
    table = bottom + 40 + _LANE_HEIGHT * len(waits)
    parts += _status_table(type_, table)
    rows = max(len(status_lines(type_)), len(closing_lines()))
    width, height = ceil(right + _MARGIN), ceil(table + _ROW * rows + _MARGIN)
    parts.append(_text(width - _MARGIN, 36, _LEGEND, "muted", "end"))
    return _Picture("\n".join(parts), width, height)


def _columns(type_: TicketType, waits: Sequence[LegWait]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    left = _MARGIN
    for leg in type_.legs:
        docks = [state for wait in waits if wait.other == leg for state in wait.states]
        risers = sum(leg in wait.legs for wait in waits)
        if risers:
            docks.append(INITIAL[leg])
            left += _RISER * risers + 4
        column = column_of(leg, left, _TITLE, docks)
        columns[leg] = column
        left = column.right + _GUTTER
    return columns


def _text(x: float, y: float, text: str, style: str, anchor: str = "") -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}" class="{style}"{where}>{escape(text)}</text>'


def _line(path: str) -> str:
    return f'<path class="line" d="{path}"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="2.6"/>'


def _head(x: float, y: float, dx: int, dy: int) -> str:
    """An arrow head with its tip at (x, y), pointing along (dx, dy)."""
    back, across = 8, 4.5
    first = f"{x - dx * back - dy * across:g},{y - dy * back - dx * across:g}"
    second = f"{x - dx * back + dy * across:g},{y - dy * back + dx * across:g}"
    return f'<polygon class="head" points="{x:g},{y:g} {first} {second}"/>'


def _group(title: str, parts: Sequence[str], style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f"<g{kind}><title>{escape(title)}</title>{''.join(parts)}</g>"


def _panel(column: Column, bottom: float) -> Iterator[str]:
    width, height = column.right - column.left, bottom - _TITLE
    yield (
        f'<rect class="panel" x="{column.left:g}" y="{_TITLE:g}" width="{width:g}" '
        f'height="{height:g}" rx="8"/>'
    )
    yield _text(column.left + 14, _TITLE + 26, column.leg, "leg")


def _leg(column: Column) -> Iterator[str]:
    for arrow in column.straight:
        yield _group(_meaning(column.leg, arrow), list(_straight(column, arrow)))
    for side in column.sides:
        for arrow in side.trunks:
            yield _group(_meaning(column.leg, arrow), list(_trunk(column, side, arrow)))
    for state in column.tops:
        yield _group(_state_meaning(column, state), list(_node(column, state)))


def _meaning(leg: str, arrow: Arrow) -> str:
    """A line for each command of an arrow: where it leads, and who may give it."""
    lines = []
    for command in arrow.commands:
        states: dict[tuple[str, ...], list[str]] = {}
        for row in rows_of(leg):
            if row.command == command and row.state in arrow.states and row.next == arrow.next:
                states.setdefault(roles_in_order(row.roles), []).append(row.state)
        for roles, where in states.items():
            lines.append(f"{command}: {', '.join(where)} → {arrow.next} ({', '.join(roles)})")
    return "\n".join(lines)


def _state_meaning(column: Column, state: str) -> str:
    kinds = ["initial state"] * (state == INITIAL[column.leg])
    kinds += ["final state"] * (state in FINAL[column.leg])
    told = [f"{column.leg}: {state}", *kinds]
    if turn := patience(column.leg, state):
        told.append(f"waits for {turn} (default)")
    told += [f"{command}: stays" for command in column.loops.get(state, ())]
    return "\n".join(told)


def _node(column: Column, state: str) -> Iterator[str]:
    x, y, width = column.centre - column.node_width / 2, column.tops[state], column.node_width
    final, loops = state in FINAL[column.leg], column.loops.get(state)
    box = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{NODE_HEIGHT:g}" rx="9"'
    yield f'<rect class="node{" final" if final else ""}" {box}/>'
    if final:
        inner = f'x="{x + 3:g}" y="{y + 3:g}" width="{width - 6:g}" height="{NODE_HEIGHT - 6:g}"'
        yield f'<rect class="ring" {inner} rx="6.5"/>'
    if state == INITIAL[column.leg]:
        yield f'<circle class="start" cx="{column.centre:g}" cy="{y - 22:g}" r="5"/>'
        yield _line(f"M{column.centre:g} {y - 17:g}V{y - 6:g}") + _head(column.centre, y, 0, 1)
    yield _text(column.centre, y + (20 if loops else 27), state, "name")
    if loops:
        yield _text(column.centre, y + 35, loop_text(loops), "code small")


def _straight(column: Column, arrow: Arrow) -> Iterator[str]:
    start, end = column.tops[arrow.states[0]] + NODE_HEIGHT, column.tops[arrow.next]
    yield _line(f"M{column.centre:g} {start:g}V{end - 6:g}") + _head(column.centre, end, 0, 1)
    x = column.centre + column.straight_side * 9
    yield from _label(x, (start + end) / 2 - 3, arrow, column.straight_side)


def _label(x: float, middle: float, arrow: Arrow, direction: int) -> Iterator[str]:
    """The commands of an arrow, one below the other, outwards from x."""
    lines = label_lines(arrow.commands)
    y = middle - LINE_HEIGHT * (len(lines) - 1) / 2 + 4
    anchor = "start" if direction == RIGHT else "end"
    for index, line in enumerate(lines):
        yield _text(x, y + LINE_HEIGHT * index, line, "code label", anchor)


def _trunk(column: Column, side: Side, arrow: Arrow) -> Iterator[str]:
    x, out = column.trunk_x(side, arrow), side.direction
    docks = [column.dock(state, out, arrow) for state in arrow.states]
    edge, entry = column.dock(arrow.next, out, arrow)
    far = max(docks, key=lambda dock: abs(dock[1] - entry))
    bend = 7 if entry > far[1] else -7
    yield _line(f"M{far[0]:g} {far[1]:g}H{x - out * 7:g}q{out * 7} 0 {out * 7} {bend}V{entry:g}")
    for dock in docks:
        if dock != far:
            yield _line(f"M{dock[0]:g} {dock[1]:g}H{x:g}") + _dot(x, dock[1])
    label = column.centre + out * (side.edge + 7)
    yield _line(f"M{label:g} {entry:g}H{edge + out * 6:g}") + _dot(x, entry)
    yield _head(edge, entry, -out, 0)
    yield from _label(label + out * 4, entry, arrow, out)


def _wait(columns: dict[str, Column], waits: Sequence[LegWait], lane: int, y: float) -> Iterator[str]:
    """From the states that are waited for down to a lane below, and up to each leg that waits."""
    wait = waits[lane]
    other = columns[wait.other]
    docks = [other.dock(state, LEFT, None) for state in wait.states]
    start = other.centre - other.node_width / 2 - 10
    parts = [_line(f"M{docks[0][0]:g} {docks[0][1]:g}H{start + 7:g}q-7 0 -7 7V{y:g}")]
    parts += [_line(f"M{d[0]:g} {d[1]:g}H{start:g}") + _dot(start, d[1]) for d in docks[1:]]
    told = f"{listed(wait.legs, 'and')} {'wait' if wait.legs[1:] else 'waits'} {wait.timing}"
    parts.append(_text(start + 8, y + 14, told.rstrip(), "code label"))
    for leg in sorted(wait.legs, key=list(columns).index):
        same = [each for each in waits if leg in each.legs]
        place = same.index(wait) - (len(same) - 1) / 2
        edge, entry = columns[leg].dock(INITIAL[leg], LEFT, None)
        entry += 10 * place
        riser = columns[leg].left - _RISER * (len(same) / 2 - place)
        bend = 7 if riser > start else -7
        path = f"M{start:g} {y:g}H{riser - bend:g}q{bend} 0 {bend} -7"
        parts += [_line(f"{path}V{entry + 7:g}q0 -7 7 -7H{edge - 6:g}"), _head(edge, entry, 1, 0)]
        start = riser - bend
    yield _group(wait.sentence, parts, "wait")


def _status_table(type_: TicketType, top: float) -> Iterator[str]:
    """The projection of the legs on the left, beside it the ways a ticket ends as a whole."""
    lines, ended = status_lines(type_), closing_lines()
    right = _MARGIN + 230 + 6.4 * max(len(line.when) for line in lines)
    yield _text(_MARGIN, top, "status: the first line that fits", "leg")
    yield _text(right, top, "a ticket ended as a whole", "leg")
    rows = [(_MARGIN, row, line, line.when) for row, line in enumerate(lines, 1)]
    for x, row, line, when in [*rows, *((right, n, ln, "") for n, ln in enumerate(ended, 1))]:
        y = top + _ROW * row + 2
        yield _text(x, y, line.status, "code")
        yield _text(x + 125, y, line.zh, "")
        if when:
            yield _text(x + 205, y, when, "muted")
