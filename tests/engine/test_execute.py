"""`execute`: every command gets one result, at its place, and changes its own order only."""

from datetime import datetime

import pytest

import reverseflow.engine
from engine.scripts import Script
from reverseflow.core.commands import Command
from reverseflow.core.rulebook import REFER, Rule, RuleInput, Verdict
from reverseflow.engine import Engine
from support.cases import NOON, goods, money, paid, sale
from support.stores import apply, dump, order, outcomes, refund, shop, sound, told

#: Everything that names a ticket.
NAMES = {
    "number": {"ticket_no": "E1-R1"},
    "application": {"ticket_no": "a1"},
    "external number as such": {"external_no": "X1"},
    "external number as ticket": {"ticket_no": "X1"},
}


def applied_for(order_no: str, id_: str, external_no: str) -> Command:
    return apply(order_no, id_, fields={"external_no": external_no}, A=1)


def test_every_command_has_its_result_at_its_place(engine: Engine) -> None:
    commands = [
        apply("E1", "too early", A=1),
        order("E1"),
        order("E2"),
        *refund("E2", "a2", A=1),
        told("note", id="n", ticket_no="nobody's"),
        *refund("E1", "a1", until="released", A=3, B=1),
    ]
    results = engine.execute(commands, platform="web")
    assert [result.kind for result in results] == [command.kind for command in commands]
    assert [result.id for result in results] == [command.id for command in commands]
    assert outcomes(results) == [
        "unknown_order", *["applied"] * 6, "unknown_ticket", *["applied"] * 3,
    ]  # fmt: skip
    assert [result.order_no for result in results] == ["E1", "E1", *["E2"] * 5, "", *["E1"] * 3]
    assert [(r.ticket_no, r.status, r.refund, r.currency) for r in results[3:7]] == [
        ("E2-R1", "pending_review", "10.00", "CNY"),
        ("E2-R1", "approved", "10.00", "CNY"),
        ("E2-R1", "awaiting_refund", "10.00", "CNY"),
        ("E2-R1", "completed", "10.00", "CNY"),
    ]
    assert sound(engine)


def test_no_commands_have_no_results(engine: Engine) -> None:
    assert engine.execute([]) == []
    assert engine.execute(iter(())) == []


def test_what_was_said_is_known_to_the_next_engine(engine_url: str) -> None:
    with shop(engine_url) as engine:
        engine.execute([order("E1"), *refund("E1", "a1", until="released", A=2)])
        before = engine.case("E1")
    with shop(engine_url) as engine:
        assert engine.case("E1") == before
        assert outcomes(engine.execute(refund("E1", "a1", A=2)[-1:])) == ["applied"]


def test_two_tenants_in_one_store_do_not_see_each_other(engine_url: str) -> None:
    commands = [order("E1"), *refund("E1", "a1", A=3)]
    with shop(engine_url, tenant="one") as one, shop(engine_url, tenant="two") as two:
        assert outcomes(one.execute(commands)) == ["applied"] * 5
        assert two.case("E1") is None
        assert two.find_ticket("a1") is None
        assert outcomes(two.execute(commands)) == ["applied"] * 5
        assert one.money_totals() == two.money_totals() == {"CNY": (3500, 0, 3000)}
        assert sound(one) and sound(two)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_does_what_its_commands_do_one_by_one(
    sqlite_url: str, postgres_store: str, seed: int
) -> None:
    """The same results and, row by row, the same tables; on either database."""
    commands = Script(seed).told(150)
    with shop(sqlite_url) as engine, shop(postgres_store) as another:
        together = engine.execute(commands)
        alone = [another.execute([command])[0] for command in commands]
        assert together == alone
        assert dump(engine) == dump(another)
        counted = outcomes(together)
        assert counted.count("applied") > 45 and counted.count("replayed") > 5


def test_the_script_has_everything_in_it() -> None:
    """Else the tests that run it would show little."""
    kinds = {command.kind for seed in range(4) for command in Script(seed).told(300)}
    assert kinds >= {"order", "apply", "release", "settle_result", "inspect", "reopen", "retry"}


def test_more_commands_than_one_transaction_takes(engine: Engine) -> None:
    orders = [order(f"E{number}") for number in range(1_500)]
    applications = [apply(f"E{number}", f"a{number}", A=1) for number in range(1_500)]
    commands: list[Command] = [command for pair in zip(orders, applications, strict=True) for command in pair]
    assert len(commands) > reverseflow.engine.CHUNK
    assert outcomes(engine.execute(commands)) == ["applied"] * 3_000
    assert engine.counts()["status"] == {"pending_review": 1_500}
    assert outcomes(engine.execute(commands)) == ["replayed"] * 3_000


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_where_a_transaction_ends_makes_no_difference(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    commands = Script(7).told(100)
    with shop(engine_url, tenant="whole") as engine:
        whole = engine.execute(commands)
    monkeypatch.setattr(reverseflow.engine, "CHUNK", chunk)
    with shop(engine_url, tenant="cut") as engine:
        assert engine.execute(commands) == whole
        assert sound(engine)


@pytest.mark.parametrize("name", NAMES)
def test_a_ticket_is_named_in_the_batch_that_opens_it(engine: Engine, name: str) -> None:
    application = applied_for("E1", "a1", "X1")
    approval = told("approve", id="c", **NAMES[name])
    assert outcomes(engine.execute([order("E1"), application, approval])) == ["applied"] * 3


@pytest.mark.parametrize("name", NAMES)
def test_a_ticket_is_named_long_after(engine: Engine, name: str) -> None:
    engine.execute([order("E1"), applied_for("E1", "a1", "X1")])
    assert outcomes(engine.execute([told("approve", id="c", **NAMES[name])])) == ["applied"]


def test_a_ticket_cannot_be_named_before_it_is_there(engine: Engine) -> None:
    commands = [order("E1"), told("approve", id="c", ticket_no="a1"), *refund("E1", "a1", A=1)]
    assert outcomes(engine.execute(commands)) == ["applied", "unknown_ticket", *["applied"] * 4]


@pytest.mark.parametrize("name", ["", "E1-R2", "E9-R1", "-R1", "E1-Rx", "a2", "E1-R1 ", "e1-r1"])
def test_an_unknown_ticket_is_said_to_be_unknown(engine: Engine, name: str) -> None:
    engine.execute([order("E1"), applied_for("E1", "a1", "X1")])
    [result] = engine.execute([told("approve", id="c", ticket_no=name)])
    assert result.codes == ("unknown_ticket",)
    assert name in result.message


@pytest.mark.parametrize("together", [True, False])
def test_an_external_number_of_two_orders_names_no_ticket(engine: Engine, together: bool) -> None:
    commands: list[Command] = [
        order("E1"), order("E2"), applied_for("E1", "a1", "X"), applied_for("E2", "a2", "X"),
        told("approve", id="c", external_no="X"),
    ]  # fmt: skip
    results = engine.execute(commands) if together else [engine.execute([c])[0] for c in commands]
    assert outcomes(results)[-1] == "ambiguous_ticket"
    assert "E1" in results[-1].message and "E2" in results[-1].message
    assert outcomes(engine.execute([told("approve", id="d", ticket_no="a2")])) == ["applied"]


@pytest.mark.parametrize("lines", [{"A": 1}, {"A": 99}])
def test_an_application_in_the_batch_hides_no_ticket_in_the_store(
    engine: Engine, lines: dict[str, int]
) -> None:
    """Whether it is carried out or refused, the number also names the ticket that was there."""
    engine.execute([order("E1"), order("E2"), applied_for("E1", "a1", "X")])
    application = apply("E2", "a2", fields={"external_no": "X"}, **lines)
    results = engine.execute([application, told("approve", id="c", external_no="X")])
    expected = ["applied", "ambiguous_ticket"] if lines["A"] == 1 else ["quantity_not_available", "applied"]
    assert outcomes(results) == expected


def test_an_application_refused_for_its_id_hides_no_ticket_in_the_store(engine: Engine) -> None:
    """Its id is that of an application for another order, and goes on naming that one's ticket."""
    engine.execute([order("E1"), order("E2"), apply("E1", "a1", A=1)])
    results = engine.execute([apply("E2", "a1", A=1), told("approve", id="c", ticket_no="a1")])
    assert outcomes(results) == ["id_with_other_content", "applied"]
    assert results[1].ticket_no == "E1-R1"


def test_an_external_number_that_comes_again_names_the_live_ticket(engine: Engine) -> None:
    """The first application was cancelled; the platform's number goes on with the second."""
    first = [order("E1"), applied_for("E1", "a1", "X"), told("cancel", id="c", external_no="X")]
    second = [applied_for("E1", "a2", "X"), told("approve", id="d", external_no="X")]
    assert outcomes(engine.execute([*first, *second])) == ["applied"] * 5


def test_an_order_of_a_platform_nobody_supplies_is_refused(engine: Engine) -> None:
    elsewhere = sale(goods("A", "1.00"), paid("1.00"), order_no="E1", platform="elsewhere")
    nowhere = sale(goods("A", "1.00"), paid("1.00"), order_no="E2")
    results = engine.execute([elsewhere, nowhere])
    assert outcomes(results) == ["unknown_platform"] * 2
    assert "elsewhere" in results[0].message and "web" in results[0].message
    assert outcomes(engine.execute([nowhere], platform="web")) == ["applied"]
    assert engine.case("E1") is None


@pytest.mark.parametrize("platform", ["", "web"])
def test_a_command_on_an_order_nobody_told_is_refused_as_that(engine: Engine, platform: str) -> None:
    """And not for want of a platform, which is the order's to know."""
    outside = told("external_refund", id="x", order_no="E9", payment_no="cash", amount="1.00")
    results = engine.execute([apply("E9", "a1", A=1), outside], platform=platform)
    assert outcomes(results) == ["unknown_order", "unknown_order"]


REFUSED: dict[str, Command] = {
    "unknown order": apply("E9", "r", A=1),
    "too many units": apply("E1", "r", A=3),
    "too much money": told("apply", id="r", order_no="E1", lines=money(A="99.00")),
    "unknown reason": apply("E1", "r", fields={"reason": "whim"}, A=1),
    "unknown ticket": told("approve", id="r", ticket_no="E1-R9"),
    "wrong state": told("release", id="r", ticket_no="E1-R1", actor="operations:li"),
    "not permitted": told("approve", id="r", ticket_no="E1-R1", actor="buyer:b1"),
    "another version": told("approve", id="r", ticket_no="E1-R1", expected_version=1),
    "id used before": told("note", id="a1", ticket_no="E1-R1"),
    "order with other amounts": sale(goods("A", "10.00", 4), paid("40.00"), order_no="E1", platform="web"),
    "sum that does not add up": sale(goods("A", "10.00"), paid("9.00"), order_no="E2", platform="web"),
    "time without offset": told("approve", id="r", ticket_no="a1", at=datetime(2026, 5, 1)),  # noqa: DTZ001 - that is the point
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_command_leaves_every_table_as_it_was(engine: Engine, case: str) -> None:
    engine.execute([order("E1"), applied_for("E1", "a1", "X1")])
    before = dump(engine)
    [result] = engine.execute([REFUSED[case]])
    assert result.outcome == "refused" and result.codes and result.message
    assert dump(engine) == before


def test_a_refused_command_does_not_stop_the_others(engine: Engine) -> None:
    commands = [order("E1"), REFUSED["too much money"], apply("E1", "a1", A=1), REFUSED["not permitted"]]
    assert outcomes(engine.execute(commands)) == [
        "applied", "amount_above_quote", "applied", "not_permitted",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("field", ["note", "external_no", "id"])
def test_a_text_no_database_can_keep_is_refused_alone(engine: Engine, field: str, text: str) -> None:
    """NUL and half a surrogate pair; the same on both databases, and the others go on."""
    bad = told("apply", **{"id": "r", "order_no": "E1", "lines": apply("E1", A=1).lines, field: text})
    results = engine.execute([order("E1"), bad, apply("E1", "a1", A=1)])
    assert [result.outcome for result in results] == ["applied", "refused", "applied"]


def faulty(given: RuleInput) -> Verdict | None:
    if given.case.order_no == "E2":
        raise ZeroDivisionError("no day today")
    return Verdict(REFER, "fine")


def test_a_failing_plugin_fails_its_own_ticket(engine_url: str) -> None:
    with shop(engine_url, rules=[Rule("moody", faulty)]) as engine:
        orders = [order(f"E{number}") for number in range(4)]
        engine.execute(orders)
        before = dump(engine)
        results = engine.execute([apply(f"E{number}", f"a{number}", A=1) for number in range(4)])
        assert [r.outcome for r in results] == ["applied", "applied", "failed", "applied"]
        failed = results[2]
        assert (failed.codes, failed.id, failed.order_no) == (("plugin_failed",), "a2", "E2")
        assert "moody" in failed.message and "more" in failed.message and "no day" in failed.message
        after = dump(engine)
        assert [row for row in after["cases"] if row[1] == "E2"] == [before["cases"][2]]
        assert [row[1] for row in after["tickets"]] == ["E0", "E1", "E3"]
        assert sound(engine)


def test_a_command_without_an_id_is_given_one(engine: Engine) -> None:
    results = engine.execute([order("E1"), apply("E1", A=1), apply("E1", A=1)])
    assert results[0].id == ""
    assert results[1].id and results[2].id and results[1].id != results[2].id
    assert outcomes(engine.execute([apply("E1", results[1].id, A=1)])) == ["replayed"]


def test_events_are_dated_by_the_clock_of_the_engine_or_the_command(engine: Engine) -> None:
    later = NOON.replace(hour=15)
    engine.execute([order("E1"), apply("E1", "a1", A=1), told("note", ticket_no="a1", at=later)])
    case = engine.case("E1")
    assert case is not None
    assert case.tickets["E1-R1"].applied_at == NOON
    assert case.last_at == later
