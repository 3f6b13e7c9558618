"""The lifecycle as it is drawn is the lifecycle as the tables have it."""

import re
from itertools import product

import pytest

from reverseflow.core import legs
from reverseflow.core.errors import UsageError
from reverseflow.core.legs import Transition
from reverseflow.core.values import ROLES
from reverseflow.reports import lifecycle_graph as graph
from reverseflow.reports.lifecycle import WIDTH, display_width, draw

TYPES = tuple(legs.TYPES)
STYLES = ("text", "mermaid", "svg")

every_type = pytest.mark.parametrize("code", TYPES)
every_style = pytest.mark.parametrize("style", STYLES)


def rows(code: str) -> list[Transition]:
    """The transitions a ticket of this type can make."""
    return [row for row in legs.TRANSITIONS if row.leg in legs.TYPES[code].legs]


# --- what every style owes ------------------------------------------------------------------------


@every_style
@every_type
def test_every_style_names_every_state_and_every_command(code: str, style: str) -> None:
    text = draw(code, style).replace("settle_result ", "settle_result:")
    for row in rows(code):
        assert row.state in text and row.next in text and row.command in text


@every_style
def test_without_a_type_all_of_them_are_drawn(style: str) -> None:
    text = draw(None, style)
    for type_ in legs.TYPES.values():
        assert type_.code in text and type_.en in text and type_.zh in text


@every_style
@pytest.mark.parametrize("code", ["trade_in", "", "Return_Refund"])
def test_a_type_that_does_not_exist_is_refused_with_those_that_do(code: str, style: str) -> None:
    with pytest.raises(UsageError) as refused:
        draw(code, style)
    assert refused.value.code == "unknown_type"
    assert ", ".join(TYPES) in refused.value.message


def test_a_style_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="text, mermaid, svg"):
        draw(None, "ascii")


@every_style
def test_a_row_added_to_the_tables_is_drawn(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Transition("review", "rejected", "appeal", "escalated", ("buyer",))
    assert "appeal" not in draw("refund_only", style)
    monkeypatch.setattr(graph, "TRANSITIONS", (*legs.TRANSITIONS, row))
    assert "appeal" in draw("refund_only", style)
    assert "escalated" in draw("refund_only", style)


@every_style
def test_a_drawing_ends_without_a_newline_and_is_the_same_every_time(style: str) -> None:
    assert draw(None, style) == draw(None, style).rstrip()


# --- the projection -------------------------------------------------------------------------------


@every_type
def test_the_status_lines_give_the_status_of_every_combination_of_leg_states(code: str) -> None:
    type_ = legs.TYPES[code]
    lines = graph.status_lines(type_)
    for states in product(*(graph.states_of(leg) for leg in type_.legs)):
        ticket = dict(zip(type_.legs, states, strict=True))
        drawn = next(ln for ln in lines if not ln.leg or ticket[ln.leg] in ln.states)
        assert legs.status_of(ticket) == drawn.status


@every_type
def test_the_states_of_a_leg_are_all_there_are_with_the_final_ones_last(code: str) -> None:
    for leg in legs.TYPES[code].legs:
        told = {s for row in legs.TRANSITIONS if row.leg == leg for s in (row.state, row.next)}
        states = graph.states_of(leg)
        assert told == set(states) and len(told) == len(states)
        assert legs.INITIAL[leg] == states[0]
        assert legs.FINAL[leg] == states[-len(legs.FINAL[leg]) :]


def test_words_are_listed_as_one_says_them() -> None:
    assert graph.listed(["a"]) == "a"
    assert graph.listed(["a", "b"]) == "a or b"
    assert graph.listed(["a", "b", "c"], "and") == "a, b and c"


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [None, *TYPES])
def test_the_text_fits_a_terminal(code: str | None) -> None:
    assert max(map(display_width, draw(code, "text").splitlines())) <= WIDTH


def test_what_does_not_fit_beside_the_rest_stands_below(exchange: str) -> None:
    lines = draw(exchange, "text").splitlines()
    assert max(map(display_width, lines)) <= WIDTH
    heads = [line.split() for line in lines if set(line.split()) & {"review", "settlement"}]
    assert heads[0] == ["review", "return", "replacement"]
    assert heads[1] == ["settlement"]


@every_type
def test_the_text_has_every_transition_below_its_state(code: str) -> None:
    text = draw(code, "text")
    for row in rows(code):
        assert f"{row.command} -> {row.next}" in text
    for leg in legs.TYPES[code].legs:
        assert f"> {legs.INITIAL[leg]}" in text
        for state in legs.FINAL[leg]:
            assert f"* {state}" in text


@every_type
def test_the_text_says_which_role_may_give_which_command(code: str) -> None:
    drawn: dict[str, set[str]] = {}
    for line in draw(code, "text").splitlines():
        cells = line.split()
        marks = cells[-len(ROLES) :]
        if len(cells) > len(ROLES) and set(marks) <= {"x", "."}:
            allowed = {role for role, mark in zip(ROLES, marks, strict=True) if mark == "x"}
            drawn[cells[0]] = drawn.get(cells[0], set()) | allowed
    told: dict[str, set[str]] = {}
    for row in rows(code):
        told[row.command] = told.get(row.command, set()) | set(row.roles)
    told |= {command: set(roles) for command, roles in legs.TICKET_COMMANDS.items()}
    assert told == drawn


def test_a_command_whose_roles_depend_on_the_state_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Transition("review", "rejected", "reject", "rejected", ("platform",))
    monkeypatch.setattr(graph, "TRANSITIONS", (*legs.TRANSITIONS, row))
    allowed = graph.who_may(legs.TYPES["refund_only"])
    assert allowed["reject (rejected)"] == ("platform",)
    assert "reject" not in allowed


def test_the_text_says_what_waits_for_what() -> None:
    text = draw("return_refund", "text")
    assert re.search(r"review is approved +- - > return, settlement\n", text)
    assert re.search(r"return is inspected, waived or lost +- - > settlement +\(after_insp", text)
    assert "return is inspected" not in draw("refund_only", "text")


def test_chinese_takes_two_columns_and_what_follows_stays_aligned() -> None:
    assert display_width("ab 待审核 ") == 10
    lines = draw("refund_only", "text").splitlines()
    starts = {
        display_width(line[: line.index(when)])
        for line in lines
        for when in ("review is pending", "settlement is due", "otherwise")
        if when in line
    }
    assert len(starts) == 1


# --- Mermaid --------------------------------------------------------------------------------------

_WORD = r"[a-z_]+"
_GRAMMAR = re.compile(
    rf'state "[^"]+" as {_WORD}( {{)?|direction (LR|TB)|}}|end note|note right of {_WORD}'
    rf"|(\[\*\]|{_WORD}) --> (\[\*\]|{_WORD})( : [^:;]+)?"
)


@pytest.mark.parametrize("code", [None, *TYPES])
def test_the_diagram_is_a_mermaid_state_diagram(code: str | None) -> None:
    first, *lines = draw(code, "mermaid").splitlines()
    assert first == "stateDiagram-v2"
    depth, in_note, known = 0, False, {"[*]"}
    for line in map(str.strip, lines):
        in_note = in_note and line != "end note"
        if in_note:
            continue
        assert _GRAMMAR.fullmatch(line), line
        depth += line.endswith("{") - (line == "}")
        in_note = line.startswith("note")
        if line.startswith("state"):
            known.add(line.removesuffix(" {").rpartition(" as ")[2])
        if " --> " in line:
            ends = line.partition(" : ")[0].split(" --> ")
            assert known >= set(ends), line
    assert (depth, in_note) == (0, False)


@every_type
def test_the_diagram_has_every_transition(code: str) -> None:
    text = draw(code, "mermaid")
    for row in rows(code):
        prefix = f"{code}_{row.leg}"
        line = next(
            line
            for line in text.splitlines()
            if line.strip().startswith(f"{prefix}_{row.state} --> {prefix}_{row.next} : ")
        )
        assert row.command.replace(":", " ") in line.partition(" : ")[2].split(" / ")
