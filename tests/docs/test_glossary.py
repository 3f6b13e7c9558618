"""The glossary has every word the tables have, and no other."""

import inspect
from importlib import import_module
from pkgutil import iter_modules

import pytest

import reverseflow
from reverseflow import core
from reverseflow.core import legs
from reverseflow.core.case import FUNDERS, MONEY_TENDERS, TENDERS
from reverseflow.core.decide.goods import DISPOSITIONS
from reverseflow.core.decide.phases import PHASES
from reverseflow.core.errors import ExitStatus
from reverseflow.core.instructions import INSTRUCTION_KINDS
from reverseflow.core.rulebook import ACCEPT, REFER, REFUSE, Policy
from reverseflow.core.values import ROLES
from reverseflow.reports.lifecycle_graph import states_of
from support.pages import Page

PAGE = Page("glossary.md")
#: Words of the trade that the code writes in several classes, or in none.
NO_CLASS = {"Order", "Command", "Shop", "Leg"}


def rows(*heading: str) -> list[tuple[str, ...]]:
    """The rows of the one table that begins with these columns."""
    [table] = PAGE.tables(*heading)
    return table


def codes(*heading: str) -> tuple[str, ...]:
    return tuple(row[0] for row in rows(*heading))


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def classes() -> set[str]:
    """The names of the front door, and the classes of the core."""
    found = set(reverseflow.__all__)
    for module in iter_modules(core.__path__, f"{core.__name__}."):
        values = vars(import_module(module.name)).values()
        found |= {value.__name__ for value in values if inspect.isclass(value)}
    return found


def test_the_things_are_those_of_the_code() -> None:
    things = codes("word", "Chinese", "what it is")
    assert len(things) == len(set(things))
    assert set(things) <= classes() | NO_CLASS


@pytest.mark.parametrize(
    "word",
    "Order OrderLine Payment Case Ticket TicketLine Leg Command Event Refusal Reason Rule Verdict "
    "FeeFormula FeeLine Quote Instruction Rulebook Platform Shop Actor".split(),
)
def test_every_standard_term_has_its_row(word: str) -> None:
    assert word in codes("word", "Chinese", "what it is")


def test_every_row_has_its_chinese_word() -> None:
    for line in PAGE.text.splitlines():
        if line.startswith("| `") or line[2:3].isdigit():
            assert is_chinese(line), line


def test_the_ticket_types_are_those_of_the_table() -> None:
    told = [(type_.code, type_.en, type_.zh) for type_ in legs.TYPES.values()]
    assert told == rows("type", "English", "Chinese")


def test_a_ticket_type_that_is_coming_is_not_there_yet() -> None:
    assert set(codes("coming", "English", "Chinese")).isdisjoint(legs.TYPES)


def test_the_statuses_are_those_of_the_table() -> None:
    told = [(code, *names) for code, names in legs.STATUSES.items()]
    assert told == rows("status", "English", "Chinese")
    for closing in legs.CLOSINGS:
        assert f"`{closing}`" in PAGE.text


def test_the_states_are_those_of_the_legs() -> None:
    told = [(leg, state) for leg in legs.INITIAL for state in states_of(leg)]
    assert told == [row[:2] for row in rows("leg", "state", "Chinese")]


def test_the_codes_are_those_of_the_tables() -> None:
    assert codes("role", "Chinese") == ROLES
    assert codes("tender", "Chinese") == TENDERS
    assert codes("funded by", "Chinese") == FUNDERS
    assert codes("disposition", "Chinese") == DISPOSITIONS
    assert codes("kind", "Chinese") == INSTRUCTION_KINDS
    assert codes("outcome", "Chinese") == (ACCEPT, REFER, REFUSE)
    assert codes("phase", "Chinese") == PHASES


def test_the_tenders_given_back_as_money_are_those_of_the_table() -> None:
    money = [row[0] for row in rows("tender", "Chinese", "given back as") if row[2] == "money"]
    assert tuple(money) == MONEY_TENDERS


def test_the_choices_of_a_policy_are_those_there_are() -> None:
    choices: dict[str, list[str]] = {}
    for word, value, *_ in rows("word", "value", "Chinese"):
        choices.setdefault(word, []).append(value)
        assert hasattr(Policy("v"), word)
    assert choices["refund_timing"] == list(legs.REFUND_TIMINGS)
    assert Policy("v").tender_policy == choices["tender_policy"][0]


def test_the_exit_statuses_are_those_of_the_table() -> None:
    told = [(str(status.value), status.name) for status in ExitStatus]
    assert told == [row[:2] for row in rows("status", "name", "Chinese")]
