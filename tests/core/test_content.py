"""What a command asks as one stable text, and what became of it as one line."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from reverseflow.core.commands import (
    Apply,
    Approve,
    CaseCommand,
    Inspect,
    LineAsked,
    LineInspected,
    Note,
    ReturnAddress,
)
from reverseflow.core.content import content_of, differing_field
from reverseflow.core.results import Result
from support.cases import NOON, units

APPLY = Apply(id="a1", order_no="E", type="refund_only", reason="agreed", lines=units(B=1))


def content(command: CaseCommand) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(content_of(command))
    return told


def test_a_content_holds_what_differs_from_the_defaults() -> None:
    assert content_of(APPLY) == (
        '{"kind":"apply","lines":[{"line_no":"B","quantity":1}],"order_no":"E",'
        '"reason":"agreed","type":"refund_only"}'
    )


def test_the_key_and_the_version_looked_at_are_not_what_is_asked() -> None:
    again = Apply(
        id="a2", order_no="E", type="refund_only", reason="agreed", lines=units(B=1), expected_version=3
    )
    assert content_of(again) == content_of(APPLY)


def test_lists_times_and_switches_are_told_plainly() -> None:
    told = content(
        Apply(
            order_no="E", type="refund_only", reason="agreed", at=NOON, refund_shipping=True,
            lines=(LineAsked(line_no="A", amount="1.00"),), evidence=("1.jpg", "2.jpg"),
        )
    )  # fmt: skip
    assert told["at"] == "2026-05-01T12:00:00+00:00"
    assert told["refund_shipping"] is True
    assert told["lines"] == [{"line_no": "A", "amount": "1.00"}]
    assert told["evidence"] == ["1.jpg", "2.jpg"]
    inspected = content(Inspect(ticket_no="T", lines=(LineInspected(line_no="A", accepted=1),)))
    assert inspected["lines"] == [{"line_no": "A", "accepted": 1}]


def test_the_same_moment_told_in_another_zone_is_the_same_content() -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    assert content_of(Note(text="x", at=shanghai)) == content_of(Note(text="x", at=NOON))


def test_a_time_without_an_offset_still_has_a_content() -> None:
    """It is refused later, by its own code."""
    naive = datetime(2026, 5, 1)  # noqa: DTZ001 - that it is refused is the point
    assert content(Note(text="x", at=naive))["at"] == "2026-05-01T00:00:00"


def test_personal_text_is_only_a_digest() -> None:
    address = ReturnAddress(contact="Zhang San", phone="13800000000", address="Hangzhou")
    for command in (
        Approve(ticket_no="T", return_to=address, note="call Zhang San"),
        Note(ticket_no="T", text="Zhang San called 13800000000"),
    ):
        text = content_of(command)
        assert "Zhang" not in text and "138" not in text and "Hangzhou" not in text
    other = content(Approve(ticket_no="T", return_to=ReturnAddress(contact="Li Si")))
    assert other["return_to"] != content(Approve(ticket_no="T", return_to=address))["return_to"]


@pytest.mark.parametrize(
    ("stored", "told", "field"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b"),
        ({"a": 1}, {"a": 1, "c": 0}, "c"),
        ({"b": 1, "a": 1}, {}, "a"),
    ],
)
def test_the_first_field_that_differs_is_named(
    stored: dict[str, Any], told: dict[str, Any], field: str
) -> None:
    assert differing_field(stored, told) == field


def test_a_result_is_one_line_in_the_interchange_format() -> None:
    result = Result("applied", "apply", "a1", "E", "E-R1", "awaiting_refund", "45.00", "CNY")
    assert list(result.document(2).items()) == [
        ("row", 2), ("kind", "apply"), ("id", "a1"), ("outcome", "applied"), ("order_no", "E"),
        ("ticket_no", "E-R1"), ("status", "awaiting_refund"), ("refund", "45.00"),
        ("currency", "CNY"), ("codes", []), ("message", ""),
    ]  # fmt: skip
    assert "row" not in result.document()
    refused = Result("refused", "apply", codes=("unknown_order",), message="not known")
    assert refused.document()["codes"] == ["unknown_order"]
