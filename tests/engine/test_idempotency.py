"""An id is carried out once: told again it is answered again, told otherwise it is refused."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from reverseflow.core.commands import Command, RecordOrder, ReturnAddress
from reverseflow.engine import Engine
from support.cases import NOON, goods, paid, sale, units
from support.stores import apply, dump, order, outcomes, refund, shop, told

STORY = [order("E1"), *refund("E1", "a1", A=2)]

#: What is told otherwise under an id that was carried out, and the field the refusal must name.
OTHERWISE: dict[str, Command] = {
    "lines": apply("E1", "a1", A=1),
    "order_no": apply("E2", "a1", A=2),
    "reason": apply("E1", "a1", fields={"reason": "quality"}, A=2),
    "note": apply("E1", "a1", fields={"note": "another"}, A=2),
    "reason_text": apply("E1", "a1", fields={"reason_text": "another"}, A=2),
    "external_no": apply("E1", "a1", fields={"external_no": "X"}, A=2),
    "refund_shipping": apply("E1", "a1", fields={"refund_shipping": True}, A=2),
    "actor": apply("E1", "a1", fields={"actor": "operations:li"}, A=2),
    "at": apply("E1", "a1", fields={"at": NOON}, A=2),
    "ticket_no": told("approve", id="a1-approve", ticket_no="E1-R1"),
    "service_fee": told("approve", id="a1-approve", ticket_no="a1", service_fee="1.00"),
    "return_to": told("approve", id="a1-approve", ticket_no="a1", return_to=ReturnAddress()),
    "kind": told("reject", id="a1-approve", ticket_no="a1"),
    "result": told("settle_result", id="a1-settle", ticket_no="a1", result="failed"),
}


def test_the_same_again_is_answered_again(engine: Engine) -> None:
    first = engine.execute(STORY)
    before = dump(engine)
    again = engine.execute(STORY)
    assert [result.outcome for result in again] == ["replayed"] * 5
    for one, other in zip(first[1:], again[1:], strict=True):
        assert {**one.document(), "outcome": ""} == {**other.document(), "outcome": ""}
    assert dump(engine) == before


def test_the_same_again_is_answered_again_by_an_engine_started_later(engine_url: str) -> None:
    with shop(engine_url) as engine:
        engine.execute(STORY)
    with shop(engine_url) as engine:
        before = dump(engine)
        assert outcomes(engine.execute(reversed(STORY))) == ["replayed"] * 5
        assert dump(engine) == before


def test_the_answer_is_the_one_of_then_although_the_ticket_moved_on(engine: Engine) -> None:
    results = [engine.execute([command])[0] for command in STORY]
    told_then = [result.status for result in results]
    assert told_then == ["", "pending_review", "approved", "awaiting_refund", "completed"]
    assert [result.status for result in engine.execute(STORY)] == told_then
    assert [result.refund for result in engine.execute(STORY)][1:] == ["20.00"] * 4


@pytest.mark.parametrize("field", OTHERWISE)
def test_the_same_id_with_another_content_is_refused_naming_the_field(engine: Engine, field: str) -> None:
    engine.execute([order("E2"), *STORY])
    before = dump(engine)
    [result] = engine.execute([OTHERWISE[field]])
    assert (result.outcome, result.codes) == ("refused", ("id_with_other_content",))
    assert result.message.endswith(f"another {field}")
    assert (result.order_no, result.ticket_no) == ("E1", "E1-R1")
    assert dump(engine) == before


def test_an_expected_version_is_no_part_of_what_is_asked(engine: Engine) -> None:
    """Whoever asks again looked again; the answer is the same."""
    command = told("approve", id="c", ticket_no="a1", expected_version=2)
    again = told("approve", id="c", ticket_no="a1", expected_version=9)
    assert outcomes(engine.execute([*STORY[:2], command, again])) == [*["applied"] * 3, "replayed"]


def test_duplicates_in_one_batch_are_carried_out_once(engine: Engine) -> None:
    doubled = [command for command in STORY for _ in range(2)]
    assert outcomes(engine.execute(doubled)) == ["applied", "replayed"] * 5
    case = engine.case("E1")
    assert case is not None
    assert case.version == 5


def test_another_content_in_the_same_batch_is_refused(engine: Engine) -> None:
    results = engine.execute([*STORY, OTHERWISE["reason"], OTHERWISE["kind"]])
    assert outcomes(results)[5:] == ["id_with_other_content"] * 2


def test_an_id_that_was_refused_is_still_free(engine: Engine) -> None:
    early = told("approve", id="a", ticket_no="a1")
    assert outcomes(engine.execute([early, *STORY[:2], early, early])) == [
        "unknown_ticket", "applied", "applied", "applied", "replayed",
    ]  # fmt: skip


def test_a_moment_told_in_another_zone_is_the_same_moment(engine: Engine) -> None:
    here = NOON.astimezone(timezone(timedelta(hours=8)))
    commands = [apply("E1", "a1", fields={"at": at}, A=1) for at in (NOON, here)]
    assert outcomes(engine.execute([order("E1"), *commands])) == ["applied", "applied", "replayed"]


def test_an_order_told_again_changes_nothing(engine: Engine) -> None:
    engine.execute(STORY)
    before = dump(engine)
    results = engine.execute([order("E1"), order("E1")])
    assert outcomes(results) == ["replayed"] * 2
    assert {result.order_no for result in results} == {"E1"}
    assert dump(engine) == before


@pytest.mark.parametrize("together", [True, False])
def test_an_order_told_again_may_tell_what_happened_since(engine: Engine, together: bool) -> None:
    shipped = order("E1", shipped_at=NOON)
    commands = [order("E1"), shipped, shipped, order("E1")]
    results = engine.execute(commands) if together else [engine.execute([c])[0] for c in commands]
    assert outcomes(results) == ["applied", "applied", "replayed", "replayed"]
    case = engine.case("E1")
    assert case is not None
    assert case.shipped_at == NOON
    assert case.lines["A"].shipped == 3


def changed(*facts: Any, **fields: Any) -> RecordOrder:
    told = facts or (goods("A", "10.00", 3), goods("B", "5.00"), paid("35.00"))
    return sale(*told, **{"order_no": "E1", "platform": "web", **fields})


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("lines.A.quantity", changed(goods("A", "10.00", 2), goods("B", "5.00"), paid("25.00"))),
        ("lines.A.unit_price", changed(goods("A", "9.00", 3), goods("B", "5.00"), paid("32.00"))),
        (
            "lines.A.discount",
            changed(goods("A", "10.00", 3, discount="1.00"), goods("B", "5.00"), paid("34.00")),
        ),
        ("lines.A.tax", changed(goods("A", "10.00", 3, tax="1.00"), goods("B", "5.00"), paid("35.00"))),
        ("lines", changed(goods("A", "10.00", 3), paid("30.00"))),
        ("payments", changed(goods("A", "10.00", 3), goods("B", "5.00"), paid("35.00", "points"))),
        (
            "payments",
            changed(goods("A", "10.00", 3), goods("B", "5.00"), paid("30.00"), paid("5.00", "points")),
        ),
        ("currency", changed(currency="EUR")),
        ("shop", changed(shop="another")),
    ],
)  # fmt: skip
def test_an_order_told_otherwise_is_refused_naming_the_field(
    engine: Engine, field: str, other: RecordOrder
) -> None:
    engine.execute(STORY)
    before = dump(engine)
    [result] = engine.execute([other])
    assert result.codes == ("order_differs",)
    assert f"another {field}:" in result.message
    assert dump(engine) == before


def settled(id_: str, result: str = "settled") -> Command:
    return told("settle_result", id=id_, ticket_no="a1", result=result)


def test_a_result_told_twice_moves_money_once(engine: Engine) -> None:
    """Under one id or under two: a gateway calls back as often as it likes."""
    engine.execute(STORY)
    before = dump(engine)
    assert outcomes(engine.execute([settled("a1-settle"), settled("x"), settled("y")])) == ["replayed"] * 3
    assert dump(engine) == before
    assert engine.money_totals() == {"CNY": (3500, 0, 2000)}


def test_an_old_result_that_comes_again_undoes_no_later_one(engine: Engine) -> None:
    engine.execute([*STORY[:4], settled("s1", "sent"), settled("s2", "failed")])
    engine.execute([told("retry", id="r", ticket_no="a1"), settled("s3")])
    assert outcomes(engine.execute([settled("s2", "failed"), settled("s1", "sent")])) == ["replayed"] * 2
    assert engine.money_totals() == {"CNY": (3500, 0, 2000)}


def test_ids_are_kept_after_a_ticket_is_gone(engine: Engine) -> None:
    engine.execute([*STORY[:2], told("cancel", id="c", ticket_no="a1")])
    results = engine.execute([STORY[1], apply("E1", "a1", A=1), apply("E1", "a2", A=2)])
    assert outcomes(results) == ["replayed", "id_with_other_content", "applied"]
    assert [result.ticket_no for result in results] == ["E1-R1", "E1-R1", "E1-R2"]


def test_ids_are_the_tenants_own(engine_url: str) -> None:
    with shop(engine_url, tenant="one") as one, shop(engine_url, tenant="two") as two:
        one.execute(STORY)
        assert outcomes(two.execute([order("E1"), apply("E1", "a1", A=1)])) == ["applied"] * 2


def test_one_id_is_one_id_over_all_orders_and_kinds(engine: Engine) -> None:
    engine.execute([order("E1"), order("E2"), apply("E1", "one", A=1)])
    others = [apply("E2", "one", A=1), told("note", id="one", ticket_no="E1-R1")]
    assert outcomes(engine.execute(others)) == ["id_with_other_content"] * 2


def test_lines_may_be_asked_for_in_units_or_money_and_that_is_part_of_the_content(
    engine: Engine,
) -> None:
    engine.execute([order("E1"), apply("E1", "a1", A=1)])
    in_money = told("apply", id="a1", order_no="E1", lines=units(A=1), amount="10.00")
    assert outcomes(engine.execute([in_money])) == ["id_with_other_content"]
