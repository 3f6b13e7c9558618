"""Who acts, when, and how a refusal is told: the small values everything else is made of."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from reverseflow.core import errors
from reverseflow.core.commands import COMMANDS, RecordOrder
from reverseflow.core.errors import (
    AmountError,
    ExitStatus,
    Refusal,
    Refused,
    ReverseFlowError,
    said,
    shown,
)
from reverseflow.core.values import (
    ROLES,
    SYSTEM,
    Actor,
    normalised,
    parse_time_text,
    time_text,
    utc,
)
from support.cases import E1, NOON

# --- actors -------------------------------------------------------------------------------------


def test_an_actor_is_a_role_and_an_id_within_it() -> None:
    li = Actor.parse("operations:li")
    assert (li.role, li.id) == ("operations", "li")
    assert str(li) == "operations:li"
    assert "system" == str(SYSTEM) == str(Actor.parse("system"))
    assert Actor.parse("buyer:b:1").id == "b:1"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_act(role: str) -> None:
    assert role == Actor.parse(f"{role}:x").role


@pytest.mark.parametrize("text", ["", ":li", "admin:li", "Operations:li", " operations:li", "li"])
def test_an_actor_without_a_known_role_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Actor.parse(text)
    assert refused.value.refusal.code == "unknown_role"
    assert refused.value.refusal.field == "actor"


@pytest.mark.parametrize(
    "spelling",
    [
        "li.wei",
        "LI.WEI",
        " li.wei ",
        "li. wei",
        "ｌｉ.ｗｅｉ",
        "li.\u200bwei",
        "li.wei\u00ad",
        "Li\t.Wei",
    ],
)
def test_one_person_has_one_name(spelling: str) -> None:
    """E6: four eyes compare normalised identities (NFKC, case folded, nothing invisible)."""
    assert normalised(spelling) == "li.wei"


def test_a_plain_name_stays_as_it_is() -> None:
    assert normalised("li2") == "li2"
    assert normalised("李伟") == "李伟"
    assert normalised("Straße") == "strasse"


# --- times --------------------------------------------------------------------------------------


def test_a_moment_is_taken_in_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert datetime(2026, 5, 1, 2, 0, tzinfo=UTC) == utc(datetime(2026, 5, 1, 10, 0, tzinfo=shanghai))
    assert UTC is utc(datetime(2026, 5, 1, 10, 0, tzinfo=shanghai)).tzinfo


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        utc(datetime(2026, 5, 1))  # noqa: DTZ001 - that it is refused is the point
    assert refused.value.refusal.code == "time_without_offset"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(2200, 1, 2, tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ],
    ids="before after beyond_the_end before_the_beginning".split(),
)
def test_a_time_no_order_can_have_is_refused(moment: datetime) -> None:
    with pytest.raises(Refused) as refused:
        utc(moment)
    assert refused.value.refusal.code == "time_out_of_range"


def test_a_stored_time_is_read_back_and_sorts_as_text() -> None:
    assert time_text(NOON) == "2026-05-01T12:00:00.000000Z"
    assert parse_time_text(time_text(NOON)) == NOON
    assert time_text(None) is None
    assert parse_time_text(None) is None
    moments = [NOON - timedelta(days=4000), NOON, NOON + timedelta(microseconds=1)]
    texts = [time_text(moment) or "" for moment in moments]
    assert texts == sorted(texts)


# --- what can go wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("E1", "'E1'"),
        ("two\nlines\x1b[31m", r"'two\nlines\x1b[31m'"),
        ("\ud800", r"'\ud800'"),
        ("right\u202eleft", r"'right\u202eleft'"),
        ("x" * 60, "'" + "x" * 60 + "'"),
        ("x" * 61, "'" + "x" * 60 + "…'"),
        ("\n" * 40, "'" + r"\n" * 30 + "…'"),
        ("退款", "'退款'"),
        (None, "'None'"),
        (1.5, "'1.5'"),
    ],
)
def test_an_offending_value_stands_on_one_line(value: object, text: str) -> None:
    assert text == shown(value)


def test_a_huge_value_is_cut_before_it_is_escaped() -> None:
    assert len(shown("\x00" * 10_000_000)) < 100


class Unspeakable(Exception):
    """Says nothing, and fails saying it."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_what_cannot_be_shown_is_named_by_its_class() -> None:
    assert shown(Unspeakable()) == "'<Unspeakable that cannot be shown>'"
    assert said(Unspeakable()) == "Unspeakable: what it says cannot be shown"
    assert said(KeyError("a")) == "KeyError: 'a'"


def test_an_error_tells_its_place_its_code_and_what_happened() -> None:
    placed = ReverseFlowError("bad_row", "the row is short", place="orders.csv:3:1")
    assert str(placed) == "orders.csv:3:1: bad_row: the row is short"
    assert str(ReverseFlowError("bad_row", "the row is short")) == "bad_row: the row is short"
    assert (placed.code, placed.message) == ("bad_row", "the row is short")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ReverseFlowError, 1),
        (errors.UsageError, 2),
        (errors.InputError, 3),
        (errors.RefusedError, 5),
        (errors.PluginError, 7),
        (errors.StorageUnavailable, 8),
        (errors.SchemaMismatch, 9),
        (errors.DamageFound, 10),
    ],
)
def test_every_exception_leads_to_its_exit_status(error: type[ReverseFlowError], status: int) -> None:
    assert status == error.exit_status


def test_the_exit_statuses_are_those_the_shell_was_promised() -> None:
    assert [*range(12), 130] == sorted(ExitStatus)


def test_a_refusal_is_a_value_with_code_message_and_field() -> None:
    assert Refusal("c", "m", "f") == Refused("c", "m", "f").refusal
    assert str(Refusal("c", "m")) == "c: m"
    assert str(AmountError("c", "m")) == "c: m"


# --- commands ------------------------------------------------------------------------------------


def test_a_command_is_found_by_the_kind_of_its_record() -> None:
    assert all(kind == type_.kind for kind, type_ in COMMANDS.items())
    assert RecordOrder is COMMANDS["order"]


def test_an_order_needs_no_id_it_is_its_own_key() -> None:
    assert E1.id == ""
