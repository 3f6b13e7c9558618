"""Refund bugs of other systems that a whole engine must not have, each under its name."""

import json

import pytest

from reverseflow.core.commands import Command
from reverseflow.engine import Engine
from support.cases import NOON, goods, paid, sale, units
from support.stores import Dump, apply, dump, order, outcomes, refund, sound, told


def instructed(rows: Dump, kind: str = "refund") -> list[tuple[str, str, str]]:
    """(key, payment, amount) of the instructions of a kind."""
    bodies = [json.loads(row[6]) for row in rows["outbox"] if row[4] == kind]
    return [(body["key"], body["payment_no"], body["amount"]) for body in bodies]


def test_bulk_all_a_bulk_refund_does_all_and_not_only_the_first(engine: Engine) -> None:
    """R12: fifty orders in one go, and three tickets of one order in one go."""
    commands: list[Command] = [order(f"E{number}") for number in range(50)]
    for number in range(50):
        commands += refund(f"E{number}", f"a{number}", until="released", A=1)
    for number in range(2):
        commands += refund("E0", f"b{number}", until="released", A=1)
    assert outcomes(engine.execute(commands)) == ["applied"] * len(commands)
    told_to_pay = instructed(dump(engine))
    assert len(told_to_pay) == len(set(told_to_pay)) == 52
    assert {amount for _, _, amount in told_to_pay} == {"10.00"}
    bulk = [told("settle_result", id=f"s{n}", ticket_no=f"a{n}") for n in range(50)]
    assert outcomes(engine.execute(bulk)) == ["applied"] * 50
    assert engine.counts()["status"] == {"awaiting_refund": 2, "completed": 50}
    assert engine.money_totals() == {"CNY": (175_000, 2_000, 50_000)}
    assert sound(engine)


TWO_CHARGES = sale(
    goods("A", "40.00", 2), paid("30.00", payment_no="first"), paid("50.00", payment_no="second"),
    order_no="E1", platform="web",
)  # fmt: skip


def test_double_charge_one_refund_leaves_the_other_payment_alone(engine: Engine) -> None:
    """R11: one of two charges went back outside; the order is still paid with the other."""
    outside = told("external_refund", id="x", order_no="E1", payment_no="first", amount="30.00")
    assert outcomes(engine.execute([TWO_CHARGES, outside, outside])) == [
        "applied",
        "applied",
        "replayed",
    ]
    case = engine.case("E1")
    assert case is not None
    assert [(p.payment_no, p.refunded, p.left) for p in case.payments.values()] == [
        ("first", 3_000, 0),
        ("second", 0, 5_000),
    ]
    results = engine.execute(refund("E1", "a1", A=2))
    assert outcomes(results) == ["applied"] * 4
    assert instructed(dump(engine)) == [("E1-R1:refund:second", "second", "50.00")]
    assert engine.money_totals() == {"CNY": (8_000, 0, 8_000)}
    assert sound(engine)


def test_double_charge_one_refund_is_split_over_both_payments_once(engine: Engine) -> None:
    """R11, R6: settling the part of one payment says nothing of the part of the other."""
    engine.execute([TWO_CHARGES, *refund("E1", "a1", until="released", A=2)])
    assert instructed(dump(engine)) == [
        ("E1-R1:refund:first", "first", "30.00"),
        ("E1-R1:refund:second", "second", "50.00"),
    ]
    one = told("settle_result", id="s1", ticket_no="a1", payment_no="first")
    [result] = engine.execute([one])
    assert (result.outcome, result.status) == ("applied", "awaiting_refund")
    assert engine.money_totals() == {"CNY": (8_000, 5_000, 3_000)}
    [result] = engine.execute([told("settle_result", id="s2", ticket_no="a1", payment_no="second")])
    assert (result.outcome, result.status) == ("applied", "completed")
    assert sound(engine)


CREDIT = sale(goods("A", "10.00", 3), paid("30.00", "store_credit"), order_no="E1", platform="web")


@pytest.mark.parametrize("together", [True, False])
def test_store_credit_once_however_often_it_is_processed(engine: Engine, together: bool) -> None:
    """R13: released and settled twice, under the old id or a new one, it is given once."""
    releases: list[Command] = [told("release", id=id_, ticket_no="a1") for id_ in ("r", "r", "r2")]
    results = [told("settle_result", id=id_, ticket_no="a1") for id_ in ("s", "s", "s2")]
    commands = [CREDIT, *refund("E1", "a1", until="approved", A=1), *releases, *results]
    answers = engine.execute(commands) if together else [engine.execute([c])[0] for c in commands]
    assert outcomes(answers)[3:] == [
        "applied", "replayed", "wrong_state", "applied", "replayed", "replayed",
    ]  # fmt: skip
    rows = dump(engine)
    assert instructed(rows) == [("E1-R1:refund:store_credit", "store_credit", "10.00")]
    assert sum(row[5] for row in rows["postings"] if row[4] == "clearing:store_credit") == 2_000
    assert engine.money_totals() == {"CNY": (3_000, 0, 1_000)}


def test_store_credit_once_also_after_it_failed_and_was_tried_again(engine: Engine) -> None:
    """R13: a failure does not block the retry, and the retry has the key of the first try."""
    engine.execute([CREDIT, *refund("E1", "a1", until="released", A=1)])
    before = instructed(dump(engine))
    failed = told("settle_result", id="f", ticket_no="a1", result="failed")
    retried = [told("retry", id="again", ticket_no="a1"), told("settle_result", id="s", ticket_no="a1")]
    assert outcomes(engine.execute([failed, *retried, failed, *retried])) == [
        "applied", "applied", "applied", "replayed", "replayed", "replayed",
    ]  # fmt: skip
    assert instructed(dump(engine)) == before
    assert engine.money_totals() == {"CNY": (3_000, 0, 1_000)}
    assert sound(engine)


def test_noop_edit_no_money_moves_when_an_order_is_edited_back(engine: Engine) -> None:
    """R15: an edit that is not known, taken back, told again: the money stays where it is."""
    dearer = sale(goods("A", "12.00", 3), goods("B", "5.00"), paid("41.00"), order_no="E1", platform="web")
    engine.execute([order("E1"), *refund("E1", "a1", A=1)])
    before = dump(engine)
    edits = [dearer, order("E1"), dearer, order("E1")]
    assert outcomes(engine.execute(edits)) == ["order_differs", "replayed"] * 2
    assert dump(engine) == before
    assert outcomes(engine.execute([order("E1", shipped_at=NOON)])) == ["applied"]
    after = dump(engine)
    assert [after[name] for name in ("postings", "outbox", "payments")] == [
        before[name] for name in ("postings", "outbox", "payments")
    ]
    assert engine.money_totals() == {"CNY": (3_500, 0, 1_000)}


def test_noop_edit_no_money_moves_when_a_ticket_is_revised_back(engine: Engine) -> None:
    """R15: what is claimed after an application went there and back is what was claimed before."""
    engine.execute([order("E1"), apply("E1", "a1", A=1)])
    before = dump(engine)
    there = told("revise", id="v1", ticket_no="a1", lines=units(A=3, B=1))
    back = told("revise", id="v2", ticket_no="a1", lines=units(A=1))
    assert outcomes(engine.execute([there])) == ["applied"]
    assert engine.money_totals() == {"CNY": (3_500, 3_500, 0)}
    assert outcomes(engine.execute([back])) == ["applied"]
    after = dump(engine)
    for name in ("order_lines", "payments", "ticket_lines", "postings", "outbox"):
        assert after[name] == before[name]
    assert sound(engine)


def test_late_fail_restores_what_was_refunded_to_the_reservation(engine: Engine) -> None:
    """R7, M11: settled, then failed after all; told twice, it changes nothing more."""
    failed = told("settle_result", id="f", ticket_no="a1", result="failed")
    again = told("settle_result", id="g", ticket_no="a1", result="failed")
    engine.execute([order("E1"), *refund("E1", "a1", A=1)])
    assert engine.money_totals() == {"CNY": (3_500, 0, 1_000)}
    assert outcomes(engine.execute([failed, failed, again])) == ["applied", "replayed", "replayed"]
    assert engine.money_totals() == {"CNY": (3_500, 1_000, 0)}
    assert outcomes(engine.execute([apply("E1", "a2", A=3)])) == ["quantity_not_available"]
    assert sound(engine)
