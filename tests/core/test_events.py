"""Events: their canonical text, their hash chain as fixed bytes, and the case folded from them."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverseflow.core import events
from reverseflow.core.events import EVENT_KINDS, Event, canonical_json, event_hash
from reverseflow.core.evolve import evolve
from reverseflow.core.instructions import INSTRUCTION_KINDS, MONEY_KINDS
from reverseflow.core.values import replaced
from support.cases import (
    E1,
    E2,
    NOON,
    Desk,
    examples,
    found,
    goods,
    paid,
    parcel,
    rulebook,
    sale,
    stored,
    units,
)

# --- the canonical text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ({"退款": "不想要了"}, '{"退款":"不想要了"}'),
        ({"é": 1, "e": 2, "Z": 3}, '{"Z":3,"e":2,"é":1}'),
        ('a"b\\c\n\t\x00', '"a\\"b\\\\c\\n\\t\\u0000"'),
        (-(10**15), "-1000000000000000"),
        ([[], {}, ""], '[[],{},""]'),
        ((1, (2,)), "[1,[2]]"),
        ({"z": {"b": 1, "a": 2}}, '{"z":{"a":2,"b":1}}'),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@examples(200, 5_000)
@given(value=_JSON)
def test_the_text_is_read_back_and_is_what_the_standard_encoder_writes(value: object) -> None:
    """Golden texts stay good: the quick encoder and `json.dumps` agree on every value."""
    text = canonical_json(value)
    assert json.loads(text) == value
    assert text == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_a_python_without_the_quick_encoder_writes_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"b": [1, None, True, "é\n"], "a": {"退款": -1, "Z": {}}}
    quick = canonical_json(value)
    monkeypatch.setattr(events, "_PIECES", None)
    assert canonical_json(value) == quick
    with pytest.raises(ValueError, match=r"Out of range|not JSON compliant"):
        canonical_json([float("nan")])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_has_no_text(value: float) -> None:
    """M4."""
    with pytest.raises(ValueError, match=r"Out of range|not JSON compliant"):
        canonical_json({"amount": value})


@pytest.mark.parametrize("value", [NOON, b"x", {1, 2}, object()])
def test_what_is_no_json_value_has_no_text(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json([value])


# --- the hash chain: these bytes never change -----------------------------------------------------

FIRST = Event(1, "order_recorded", "", datetime(2026, 5, 1, 2, 1, tzinfo=UTC), "system", {})
HASHES = (
    "7e6487c45d21a6378a13a4d73c0bdaa3570089e51971e25e662d4fed09b6c492",
    "a9330d236144a8aa7af2a4453796299d8400c06098445489362958621c72a270",
    "e80e6356d0075aeb66338a0a9dc8078a5073aa36348cf213a191bb9b4b1332a0",
    "ef191bf2b80d7e0f89335dba1c129d35542899efa2eaefad5f94ac1b5d7895c4",
)
GOLDEN = [
    FIRST,
    attrs.evolve(FIRST, seq=2, kind="ticket_opened", ticket_no="E-R1", actor="buyer",
                 payload={"b": [1, None, True], "a": "x"}),
    attrs.evolve(FIRST, seq=3, kind="review_rejected", ticket_no="E-R1", actor="operations:李",
                 payload={"detail": {"rejection": "七天\"无理由\"\n"}}),
    attrs.evolve(FIRST, seq=4, kind="note_added", ticket_no="E-R1", actor="operations:李",
                 at=datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
                 payload={"number": 1}, private={"notes": ["not in the chain"]}),
]  # fmt: skip


def chain(events: list[Event], tenant: str = "", order_no: str = "E") -> list[str]:
    heads = [""]
    for event in events:
        text = canonical_json(event.payload)
        heads.append(event_hash(tenant, order_no, event, text, heads[-1]))
    return heads[1:]


def test_the_chain_of_four_events_has_these_hashes() -> None:
    """E3: golden vectors. A change here breaks every stored chain: it needs a new domain tag."""
    assert chain(GOLDEN) == list(HASHES)


def test_the_bytes_that_are_hashed_are_these() -> None:
    event = GOLDEN[1]
    hashed = (
        b"reverseflow.event.v1\n"
        b"previous\n"
        b'["shop","E",2,"ticket_opened","E-R1","2026-05-01T02:01:00.000000Z","buyer"]\n'
        b'{"a":"x","b":[1,null,true]}'
    )
    known = event_hash("shop", "E", event, canonical_json(event.payload), "previous")
    assert known == hashlib.sha256(hashed).hexdigest()


def test_every_part_of_an_event_but_the_private_one_is_in_its_hash() -> None:
    """E4: whatever is tampered with shows; what is erased does not break the chain."""
    event = GOLDEN[1]
    text = canonical_json(event.payload)
    known = event_hash("shop", "E", event, text, "previous")
    others = [
        event_hash("shop2", "E", event, text, "previous"),
        event_hash("shop", "E2", event, text, "previous"),
        event_hash("shop", "E", event, text, "another"),
        event_hash("shop", "E", event, text + " ", "previous"),
    ]
    changed: list[dict[str, Any]] = [
        {"seq": 3}, {"kind": "ticket_revised"}, {"ticket_no": "E-R2"}, {"actor": "system"},
        {"at": event.at + timedelta(microseconds=1)},
    ]  # fmt: skip
    others += [event_hash("shop", "E", attrs.evolve(event, **change), text, "previous") for change in changed]
    assert len({known, *others}) == 10
    erased = attrs.evolve(event, private={"note": "x"})
    assert event_hash("shop", "E", erased, text, "previous") == known


def test_the_same_moment_in_another_zone_is_hashed_as_it_is_stored() -> None:
    """Events carry UTC; a decision takes a command's time there."""
    desk = Desk(E1)
    shanghai = timezone(timedelta(hours=8))
    desk.done("apply", lines=units(A=1), at=NOON.astimezone(shanghai))
    assert desk.events[-1].at == NOON
    assert desk.events[-1].at.utcoffset() == timedelta(0)


def test_instructions_about_money_are_instructions() -> None:
    assert set(MONEY_KINDS) < set(INSTRUCTION_KINDS)


# --- rebuilding -----------------------------------------------------------------------------------


def desk_with_every_kind_of_event() -> Desk:
    order = sale(goods("A", "33.33", 9, discount="0.03", shipped=8), goods("B", "5.00"),
                 *E1.shipping, paid("215.00"), paid("99.94", "points"))  # fmt: skip
    desk = Desk(order, rulebook(auto_approve_unshipped=False))
    desk.do(attrs.evolve(order, received_at=NOON, shipped_at=NOON))
    desk.accepted("external_refund", payment_no="cash", amount="1.00")
    desk.done("apply", type="return_refund", lines=units(A=3), external_no="TB-1", id="a1", note="n")
    desk.through("reject", "revise", "approve", "send_back", "approve", "note", "escalate")
    desk.through("ship_back", "receive")
    desk.done("inspect", lines=(found("A", 2, rejected=1),))
    desk.through("release")
    for result in ("sent", "unknown", "failed"):
        desk.done("settle_result", result=result)
    desk.through("retry", "settle_result")
    for kind in ("refuse_delivery", "intercept", "book_pickup"):
        desk.done("apply", type="return_refund", lines=units(A=1))
        desk.through("approve", kind)
    desk.through("lose")
    desk.done("apply", type="return_refund", lines=units(A=1))
    desk.through("approve", "waive_return")
    desk.done("apply", lines=units(B=1))
    desk.through("cancel", "reopen", "close")
    return desk


def test_every_kind_of_event_can_be_brought_about() -> None:
    assert {event.kind for event in desk_with_every_kind_of_event().events} == set(EVENT_KINDS)


def test_a_case_is_what_its_events_make_of_it() -> None:
    """E2: folding from scratch, also from what a store gives back, ends at the equal case."""
    desk = desk_with_every_kind_of_event()
    assert desk.rebuilt() == desk.case
    assert desk.rebuilt(stored) == desk.case
    assert canonical_json([event.payload for event in desk.events])


def test_what_was_erased_leaves_the_money_as_it_was() -> None:
    """E8: without any private part the case is the same but for what it told of people."""
    desk = desk_with_every_kind_of_event()
    erased = desk.rebuilt(lambda event: attrs.evolve(event, private=None))
    assert (erased.claims, erased.payments) == (desk.case.claims, desk.case.payments)
    assert [ticket.status for ticket in erased.tickets.values()] == [
        ticket.status for ticket in desk.case.tickets.values()
    ]
    assert "note" not in erased.tickets["E-R1"].detail and "notes" not in erased.tickets["E-R1"].detail


def test_a_case_is_only_ever_replaced() -> None:
    desk = Desk(E2)
    before, picture = desk.case, repr(desk.case)
    desk.done("apply", lines=units(A=1))
    desk.through("approve", "release", "settle_result")
    assert repr(before) == picture
    assert evolve(before, desk.events[1]) == evolve(before, desk.events[1])


def test_a_frozen_value_is_replaced_field_by_field() -> None:
    (line, *_) = Desk(E1).case.goods
    assert replaced(line, shipped=1, paid=5) == attrs.evolve(line, shipped=1, paid=5)
    assert replaced(line) == line
    with pytest.raises(KeyError):
        replaced(line, unknown=1)


def test_a_parcel_of_a_line_the_ticket_does_not_have_leaves_its_lines_alone() -> None:
    desk = Desk(sale(goods("A", "1.00", shipped=1), goods("B", "1.00", shipped=1), paid("2.00")))
    desk.done("apply", type="return_refund", lines=units(A=1, B=1))
    desk.through("approve", "ship_back")
    ticket = desk.done("receive", lines=parcel(B=1, Z=3))
    assert [line.received for line in ticket.lines] == [0, 1]
