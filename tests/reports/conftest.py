"""What the tests of the reports share."""

import pytest

from reverseflow.core import legs
from reverseflow.core.legs import Transition
from reverseflow.reports import lifecycle_graph as graph


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> str:
    """A further leg and a type that has all four, as a later version may have them."""
    staff = ("operations", "system")
    steps = (("due", "reserve", "reserved"), ("reserved", "ship", "shipped"),
             ("shipped", "deliver", "delivered"), ("due", "unavailable", "unavailable"),
             ("reserved", "unavailable", "unavailable"))  # fmt: skip
    further = tuple(Transition("replacement", *step, staff) for step in steps)
    waits = (
        legs.Wait("replacement", "return", ("inspected", "waived", "lost")),
        legs.Wait("settlement", "replacement", ("delivered", "unavailable")),
        legs.Wait("review", "replacement", ("delivered",)),
    )
    monkeypatch.setitem(legs.INITIAL, "replacement", "due")
    monkeypatch.setitem(legs.FINAL, "replacement", ("delivered", "unavailable"))
    type_ = legs.TicketType("swap", ("review", "return", "replacement", "settlement"), False, "swap", "换")
    monkeypatch.setitem(legs.TYPES, "swap", type_)
    monkeypatch.setattr(graph, "TRANSITIONS", (*legs.TRANSITIONS, *further))
    monkeypatch.setattr(graph, "WAITS", (*legs.WAITS, *waits))
    return "swap"
