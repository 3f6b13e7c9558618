"""What the explanations say of the tables is in the tables."""

import re

import pytest

from reverseflow import Engine, hookspecs
from reverseflow.core import legs
from reverseflow.core.events import Event
from reverseflow.reports import lifecycle_graph as graph
from reverseflow.storage.store import Store, reading
from support.pages import DOCS, Page

LEGS = Page("explanation/legs.md")


def test_the_examples_of_the_page_about_cases_run(engine: Engine) -> None:
    def events(order_no: str) -> list[Event]:
        with reading(engine.database) as connection:
            return [event for event, _, _ in Store(connection, engine.tenant).events(order_no)]

    assert Page("explanation/cases.md").run(engine=engine, events=events) > 10


# --- legs -----------------------------------------------------------------------------------------


def listed(cell: str) -> tuple[str, ...]:
    """``"a, b or c"`` as words."""
    return tuple(filter(None, re.split(r", | or | and ", cell)))


def test_the_page_has_the_legs_and_states_there_are() -> None:
    [rows] = LEGS.tables("leg", "question", "states")
    assert {leg: graph.states_of(leg) for leg in legs.INITIAL} == {row[0]: listed(row[2]) for row in rows}


def test_the_page_has_the_ticket_types_there_are() -> None:
    [rows] = LEGS.tables("type", "legs", "claims units")
    assert [
        (type_.code, ", ".join(type_.legs), "yes" if type_.claims_units else "no")
        for type_ in legs.TYPES.values()
    ] == rows


def test_the_page_has_the_waits_there_are() -> None:
    [rows] = LEGS.tables("leg", "waits for", "until it is", "under")
    assert [(w.leg, w.other, w.states, w.refund_timing) for w in legs.WAITS] == [
        (leg, other, listed(states), timing) for leg, other, states, timing in rows
    ]


def test_the_page_has_the_projection_there_is() -> None:
    [rows] = LEGS.tables("status", "", "when")
    *told, rest = rows
    assert len(legs.STATUS) == len(told)
    for row, (status, zh, when) in zip(legs.STATUS, told, strict=True):
        assert (row.status, legs.STATUSES[row.status][1]) == (status, zh)
        without = f", and the ticket has no {row.without}" if row.without else ""
        assert f"{row.leg} is {graph.listed(row.states)}{without}" == when
    assert ("completed", legs.STATUSES["completed"][1], "otherwise") == rest


def test_what_the_page_says_is_not_there_yet_is_not_there() -> None:
    """Whoever adds one of these types moves it up on the page."""
    [rows] = LEGS.tables("type", "legs", "what the legs wait for, beside the review")
    assert {row[0].partition(",")[0] for row in rows}.isdisjoint(legs.TYPES)
    assert legs.REPLACEMENT not in legs.INITIAL


def test_the_rows_the_page_proposes_fit_the_tables() -> None:
    """They can be made today, agree with the tables beside them, and every state has an owner."""
    [proposed] = [block for block in LEGS.blocks("python") if "NEW_TYPES" in block]
    new = dict(vars(legs))
    exec(proposed, new)  # noqa: S102 - the page is ours
    [rows] = LEGS.tables("type", "legs", "what the legs wait for, beside the review")
    assert [(type_.code, type_.legs) for type_ in new["NEW_TYPES"]] == [
        (row[0].partition(",")[0], listed(row[1])) for row in rows
    ]
    assert [type_.claims_units for type_ in new["NEW_TYPES"]] == [row[3].startswith("units") for row in rows]
    transitions: tuple[legs.Transition, ...] = new["REPLACEMENT_ROWS"]
    [steps] = LEGS.tables("in state", "command", "next", "roles")
    assert [(t.state, t.command, t.next, t.roles) for t in transitions] == [
        (state, command, following, listed(roles))
        for states, command, following, roles in steps
        for state in listed(states)
    ]
    states = {state for t in transitions for state in (t.state, t.next)}
    waited_for = {row.state for row in new["NEW_DEADLINES"]}
    assert states == waited_for | set(new["REPLACEMENT_FINAL"])
    assert new["NEW_STATUS"].status in legs.STATUSES
    assert waited_for == set(new["NEW_STATUS"].states)


# --- plugins --------------------------------------------------------------------------------------


def test_the_page_about_plugins_has_every_hook_in_its_order() -> None:
    [rows] = Page("explanation/plugins.md").tables("hook", "registers")
    assert [name for name in vars(hookspecs) if name.startswith("reverseflow_")] == [row[0] for row in rows]


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((DOCS / "explanation").glob("*.md")), ids=lambda p: p.stem)
def test_no_example_is_left_out(path: object) -> None:
    """A page with examples is run by a test above, or by a test of its own."""
    page = Page(f"explanation/{path.name}")  # type: ignore[attr-defined]
    if ">>>" in page.text:
        assert page.path in ("explanation/cases.md", "explanation/money.md")
