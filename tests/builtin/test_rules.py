"""What every platform says of an application, and what a reviewer's fee does."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from reverseflow import (
    ACCEPT,
    REFER,
    REFUSE,
    Case,
    FeeInput,
    Money,
    OrderLine,
    Policy,
    Reason,
    RuleInput,
    Verdict,
)
from reverseflow.builtin import fees, reasons, rules

RECEIVED = datetime(2026, 5, 1, 10, tzinfo=UTC)
CODES = (
    "not_wanted wrong_address found_cheaper out_of_stock late_shipment not_arrived lost "
    "refused_delivery no_reason_return size_fit not_as_described quality damaged missing_item "
    "wrong_item expired counterfeit agreed price_protection other"
).split()
LINE = OrderLine(
    line_no="A", kind="goods", sku="SKU-A", title="", quantity=1, unit_price=10000, discount=0,
    discounts=(), tax=0, paid=10000, paid_by=(("cash", 10000),), returnable=True, shipped=1,
    received=1,
)  # fmt: skip


def reason(code: str) -> Reason:
    return next(reason for reason in reasons.REASONS if reason.code == code)


def told(code: str = "not_wanted", **changes: Any) -> RuleInput:
    """An application for one received unit, a day after receipt, unless changed."""
    given = RuleInput(
        case=Case("E1", received_at=RECEIVED), type="return_refund", phase="received",
        reason=reason(code), lines=((LINE, 1),), amount=Money(10000, "CNY"),
        policy=Policy("v1"), now=RECEIVED + timedelta(days=1), actor_role="buyer",
    )  # fmt: skip
    return attrs.evolve(given, **changes)


def outcome(verdict: Verdict | None) -> tuple[str, str] | None:
    return (verdict.outcome, verdict.code) if verdict else None


def test_every_platform_has_the_same_reasons_in_two_languages() -> None:
    assert CODES == [reason.code for reason in reasons.REASONS]
    for one in reasons.REASONS:
        assert one.platform == "*"
        assert re.search("[一-鿿]", one.zh)
        assert one.en.isascii()
        assert not (one.types or one.phases)


def test_whose_fault_it_is_says_who_pays_the_way_back() -> None:
    payers = {reason.fault: reason.freight_back for reason in reasons.REASONS}
    assert {"buyer": "buyer", "none": "buyer", "seller": "seller", "carrier": "seller",
            "agreed": "seller", "undecided": "buyer"} == payers  # fmt: skip
    for one in reasons.REASONS:
        assert payers[one.fault] == one.freight_back


def test_no_spelling_leads_to_two_reasons() -> None:
    spellings = [text for r in reasons.REASONS for text in {r.code, r.en, r.zh, *r.aliases}]
    assert len(spellings) == len(set(spellings))


def test_goods_not_shipped_are_refunded_without_a_person() -> None:
    given = told(phase="unshipped", type="refund_only")
    assert (ACCEPT, "unshipped") == outcome(rules.auto_unshipped(given))


def test_shipped_goods_and_a_strict_policy_are_left_to_a_person() -> None:
    strict = Policy("v1", auto_approve_unshipped=False)
    assert rules.auto_unshipped(told(phase="shipped")) is None
    assert rules.auto_unshipped(told(phase="unshipped", policy=strict)) is None


def test_only_a_refund_only_is_accepted_by_the_system() -> None:
    (accepting,) = [rule for rule in rules.RULES if rule.check is rules.auto_unshipped]
    assert ("refund_only",) == accepting.types


@pytest.mark.parametrize(("code", "days"), [("not_wanted", 30), ("no_reason_return", 7)])
def test_the_window_is_open_to_its_last_second(code: str, days: int) -> None:
    end = RECEIVED + timedelta(days=days)
    assert rules.return_window(told(code, now=end)) is None
    late = rules.return_window(told(code, now=end + timedelta(seconds=1)))
    assert (REFUSE, "window_closed") == outcome(late)


def test_a_closed_window_names_its_dates() -> None:
    late = rules.return_window(told(now=RECEIVED + timedelta(days=90)))
    assert late is not None
    assert "2026-05-01 10:00 UTC" in late.message
    assert "2026-05-31 10:00 UTC" in late.message
    assert "30 days" in late.message


def test_the_policy_says_how_long_the_window_is() -> None:
    short = Policy("v1", return_window_days=3, no_reason_window_days=1)
    late = told(policy=short, now=RECEIVED + timedelta(days=4))
    assert (REFUSE, "window_closed") == outcome(rules.return_window(late))


def test_before_receipt_no_window_has_begun() -> None:
    far = RECEIVED + timedelta(days=900)
    assert rules.return_window(told(phase="shipped", case=Case("E1"), now=far)) is None
    assert rules.return_window(told(case=Case("E1"), now=far)) is None
    assert rules.return_window(told(now=RECEIVED - timedelta(days=1))) is None


@pytest.mark.parametrize("code", ["no_reason_return", "not_wanted", "size_fit"])
def test_what_was_sold_as_not_returnable_is_not_taken_back_without_a_fault(code: str) -> None:
    kept = attrs.evolve(LINE, line_no="B", returnable=False)
    verdict = rules.returnable(told(code, lines=((LINE, 1), (kept, 1))))
    assert (REFUSE, "not_returnable") == outcome(verdict)
    assert verdict is not None
    assert verdict.message.endswith("line 'B'")


def test_a_fault_of_the_goods_takes_them_back_all_the_same() -> None:
    kept = attrs.evolve(LINE, returnable=False)
    assert rules.returnable(told("quality", lines=((kept, 1),))) is None
    assert rules.returnable(told("not_wanted")) is None


@pytest.mark.parametrize("code", CODES)
def test_proof_is_for_a_person_to_look_at_and_never_refused(code: str) -> None:
    verdict = rules.evidence_required(told(code))
    needs_proof = bool(reason(code).evidence)
    assert ((REFER, "evidence_missing") if needs_proof else None) == outcome(verdict)


def test_staff_may_override_what_refuses_and_nothing_else() -> None:
    overridable = [rule.code for rule in rules.RULES if rule.overridable]
    assert ["return_window", "returnable"] == overridable


def test_messages_are_one_lower_case_statement() -> None:
    kept = attrs.evolve(LINE, returnable=False)
    late = RECEIVED + timedelta(days=90)
    verdicts = [
        rules.auto_unshipped(told(phase="unshipped")),
        rules.return_window(told(now=late)),
        rules.returnable(told(lines=((kept, 1),))),
        rules.evidence_required(told("quality")),
    ]
    for verdict in verdicts:
        assert verdict is not None
        assert verdict.message[0].islower()
        assert not verdict.message.endswith(".")


@pytest.mark.parametrize(("asked", "fee"), [(0, None), (500, 500), (20000, 20000)])
def test_a_service_fee_is_what_the_reviewer_set_and_never_cut(asked: int, fee: int | None) -> None:
    given = FeeInput(
        case=Case("E1"), ticket=None, type="return_refund", phase="received",
        reason=reason("other"), base=Money(7177, "CNY"), service_fee=Money(asked, "CNY"),
        policy=Policy("v1"), now=RECEIVED,
    )  # fmt: skip
    computed = fees.service_fee(given)
    assert fee == (computed.minor if computed else None)
