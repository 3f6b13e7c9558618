"""Where things stand in the picture of a leg: states below each other, arrows beside them.

An arrow to the next state below is a straight line. Every other one runs along a *trunk* beside
the states, to the right when it leads down and to the left when it leads back up, like the wires
of a circuit diagram: the states it comes from join it, and its label stands where it enters.
"""

from collections.abc import Iterable, Mapping

import attrs

from reverseflow.reports.lifecycle_graph import Arrow, arrows_of, states_of

NODE_HEIGHT, GAP, LANE, LINE_HEIGHT, PAD = 44.0, 28.0, 13.0, 14.0, 12.0
#: The widths of a character: of a label, of a state's name, of the small line below it.
LABEL_CHARACTER, NAME_CHARACTER, SMALL_CHARACTER = 6.7, 7.8, 6.2
#: From the upper edge of a column to its first state: the leg's name and the initial mark.
HEAD = 76.0
RIGHT, LEFT = 1, -1

PortKey = tuple[str, int, Arrow | None]


def label_lines(commands: Iterable[str]) -> list[str]:
    """The lines of a label: a command each, a long one broken before its colon."""
    lines = []
    for command in commands:
        head, colon, tail = command.partition(":")
        lines += [head, f"{colon}{tail}"] if tail else [head]
    return lines


def _label_width(arrows: Iterable[Arrow]) -> float:
    lines = [line for arrow in arrows for line in label_lines(arrow.commands)]
    return max(map(len, lines), default=0) * LABEL_CHARACTER


@attrs.frozen
class Side:
    """One side of a column: its trunks from the innermost out; all distances from the centre."""

    direction: int
    base: float
    trunks: tuple[Arrow, ...]

    @property
    def edge(self) -> float:
        """Where the outermost trunk runs."""
        return self.base + LANE * len(self.trunks)

    @property
    def extent(self) -> float:
        """How far the side reaches, with its labels."""
        label = 10 + _label_width(self.trunks) if self.trunks else 0
        return self.edge + label + PAD


@attrs.frozen
class Column:
    """A leg laid out: `tops` of its states, its arrows, and the heights at which they dock."""

    leg: str
    centre: float
    node_width: float
    tops: Mapping[str, float]
    straight: tuple[Arrow, ...]
    straight_side: int
    loops: Mapping[str, tuple[str, ...]]
    sides: tuple[Side, Side]
    ports: Mapping[PortKey, float]

    @property
    def left(self) -> float:
        """The left edge."""
        return self.centre - self.sides[1].extent

    @property
    def right(self) -> float:
        """The right edge."""
        return self.centre + self.sides[0].extent

    @property
    def bottom(self) -> float:
        """The lower edge of the last state."""
        return max(self.tops.values()) + NODE_HEIGHT

    def trunk_x(self, side: Side, arrow: Arrow) -> float:
        """Where the trunk of an arrow runs."""
        lane = side.base + LANE * (side.trunks.index(arrow) + 1)
        return self.centre + side.direction * lane

    def dock(self, state: str, direction: int, arrow: Arrow | None) -> tuple[float, float]:
        """Where an arrow (None: a wait) touches a state."""
        x = self.centre + direction * self.node_width / 2
        return x, self.ports[state, direction, arrow]


def column_of(leg: str, left: float, top: float, waiting: Iterable[str]) -> Column:
    """The column of a leg whose left edge is at `left`; a wait docks at each `waiting` state."""
    order = states_of(leg)
    docking = [state for state in order if state in set(waiting)]
    straight, down, up, loops = _sorted_arrows(leg, order)
    width = _node_width(order, loops)
    straight_side = RIGHT if up or docking else LEFT
    beside = max(width / 2, 12 + _label_width(straight))
    sides = (
        Side(RIGHT, beside if straight_side == RIGHT else width / 2, down),
        Side(LEFT, (beside if straight_side == LEFT else width / 2) + LANE * bool(docking), up),
    )
    tops = _tops(order, straight, top + HEAD)
    return Column(
        leg, left + sides[1].extent, width, tops, straight, straight_side, loops, sides,
        _ports(order, tops, sides, docking),
    )  # fmt: skip


def _sorted_arrows(
    leg: str, order: tuple[str, ...]
) -> tuple[tuple[Arrow, ...], tuple[Arrow, ...], tuple[Arrow, ...], dict[str, tuple[str, ...]]]:
    """The arrows of a leg: straight ones, down and up (the shortest first), and loops."""
    straight, down, up = [], [], []
    loops: dict[str, tuple[str, ...]] = {}
    place = {state: index for index, state in enumerate(order)}
    for arrow in arrows_of(leg):
        above = tuple(state for state in arrow.states if place[state] < place[arrow.next])
        below = tuple(state for state in arrow.states if place[state] > place[arrow.next])
        if len(above) == 1 and place[above[0]] + 1 == place[arrow.next]:
            straight.append(attrs.evolve(arrow, states=above))
        elif above:
            down.append(attrs.evolve(arrow, states=above))
        if below:
            up.append(attrs.evolve(arrow, states=below))
        if arrow.next in arrow.states:
            loops[arrow.next] = (*loops.get(arrow.next, ()), *arrow.commands)

    def span(arrow: Arrow) -> int:
        return max(abs(place[state] - place[arrow.next]) for state in arrow.states)

    return tuple(straight), tuple(sorted(down, key=span)), tuple(sorted(up, key=span)), loops


def _node_width(order: tuple[str, ...], loops: Mapping[str, tuple[str, ...]]) -> float:
    name = max(map(len, order)) * NAME_CHARACTER + 28
    loop = max((len(loop_text(c)) for c in loops.values()), default=0) * SMALL_CHARACTER + 16
    return max(104.0, name, loop)


def loop_text(commands: tuple[str, ...]) -> str:
    """The small line in a state that commands leave as it is."""
    return f"↻ {', '.join(label_lines([command])[-1] for command in commands)}"


def _tops(order: tuple[str, ...], straight: tuple[Arrow, ...], top: float) -> dict[str, float]:
    into = {arrow.next: len(label_lines(arrow.commands)) for arrow in straight}
    tops: dict[str, float] = {}
    for state in order:
        if tops:
            top += NODE_HEIGHT + max(GAP, LINE_HEIGHT * into.get(state, 0) + 18)
        tops[state] = top
    return tops


def _ports(
    order: tuple[str, ...], tops: Mapping[str, float], sides: tuple[Side, Side], docking: list[str]
) -> dict[PortKey, float]:
    """Heights at which lines touch the states, so ordered that few cross."""
    ports: dict[PortKey, float] = {}
    for state in order:
        for side in sides:
            going: list[Arrow | None] = [arrow for arrow in side.trunks if state in arrow.states]
            coming = [arrow for arrow in side.trunks if arrow.next == state]
            waits = [None] if side.direction == LEFT and state in docking else []
            down = [*coming, *reversed(going)]
            up = [*waits, *going, *coming] if state == order[0] else [*going, *coming, *waits]
            lines = down if side.direction == RIGHT else up
            for index, arrow in enumerate(lines):
                height = NODE_HEIGHT * (index + 1) / (len(lines) + 1)
                ports[state, side.direction, arrow] = tops[state] + height
    return ports
