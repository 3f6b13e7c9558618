"""What a platform plugin supplies: policies, reasons, rules, fees; a broken one is named."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from reverseflow.core.commands import Apply
from reverseflow.core.decide import Decision, decide, preview
from reverseflow.core.errors import PluginError, Refused
from reverseflow.core.money import Money
from reverseflow.core.rulebook import (
    ACCEPT,
    REFER,
    REFUSE,
    FeeFormula,
    FeeInput,
    Policy,
    Rule,
    RuleInput,
    Verdict,
)
from support.cases import AUTOMATIC, E2, NOON, PAID_AT, Desk, goods, paid, rulebook, sale, units

HUNDRED = sale(goods("A", "100.00"), paid("100.00"))
SHIPPED = sale(goods("A", "100.00", 2, shipped=2), paid("200.00"))


def fault(desk: Desk, kind: str = "apply", **fields: Any) -> PluginError:
    """The plugin's fault a command runs into; nothing of it is kept."""
    picture = repr(desk.case)
    with pytest.raises(PluginError) as error:
        desk.do(desk.command(kind, **fields))
    assert repr(desk.case) == picture
    return error.value


# --- fee formulas -------------------------------------------------------------------------------


def raises(_given: FeeInput) -> Money | None:
    raise ZeroDivisionError("by zero")


def leaves(_given: object) -> None:
    raise SystemExit(3)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def mumbles(_given: object) -> None:
    raise Unspeakable


class MoreMoney(Money):
    """A class of the plugin's own."""


HOSTILE_FEES: list[tuple[Callable[[FeeInput], Any], str, str]] = [
    (raises, "plugin_failed", "ZeroDivisionError: by zero"),
    (leaves, "plugin_failed", "SystemExit: 3"),
    (mumbles, "plugin_failed", "Unspeakable"),
    (lambda _: 1, "plugin_contract", "'1'"),
    (lambda _: 1.5, "plugin_contract", "'1.5'"),
    (lambda _: float("nan"), "plugin_contract", "nan"),
    (lambda _: True, "plugin_contract", "'True'"),
    (lambda _: "1.00", "plugin_contract", "'1.00'"),
    (lambda _: Money(1.5, "CNY"), "plugin_failed", "AmountError"),  # type: ignore[arg-type]
    (lambda _: Money(True, "CNY"), "plugin_failed", "AmountError"),
    (lambda _: Money(10**18, "CNY"), "plugin_failed", "AmountError"),
    (lambda _: MoreMoney(1, "CNY"), "plugin_contract", "MoreMoney"),
    (lambda _: Money(-1, "CNY"), "plugin_contract", "CNY -0.01, allowed is 0 to CNY 100.00"),
    (lambda _: Money(10_001, "CNY"), "plugin_contract", "CNY 100.01, allowed is 0 to CNY 100.00"),
    (lambda _: Money(1, "USD"), "plugin_contract", "USD 0.01, the order is in CNY"),
]


@pytest.mark.parametrize(
    ("compute", "code", "says"),
    HOSTILE_FEES,
    ids=[str(number) for number in range(len(HOSTILE_FEES))],
)
def test_a_formula_that_returns_nonsense_fails_the_ticket_with_the_plugins_name(
    compute: Callable[[FeeInput], Any], code: str, says: str
) -> None:
    hostile = FeeFormula("restocking", compute, plugin="hostile-shop")
    error = fault(Desk(HUNDRED, rulebook(fees=(hostile,))), lines=units(A=1))
    assert error.code == code
    assert "fee restocking of plugin hostile-shop" in error.message
    assert says in error.message


def test_a_formula_that_fails_on_review_leaves_the_ticket_as_it_was() -> None:
    hostile = FeeFormula("restocking", raises, plugin="hostile-shop")
    desk = Desk(SHIPPED)
    desk.done("apply", lines=units(A=1))
    desk.rulebook = rulebook(fees=(hostile,))
    assert fault(desk, "approve", amount="1.00").code == "plugin_failed"
    assert desk.ticket.status == "pending_review"


@pytest.mark.parametrize("amount", [None, Money(0, "CNY")])
def test_a_formula_may_find_no_fee(amount: Money | None) -> None:
    free = FeeFormula("restocking", lambda _: amount, plugin="shop")
    ticket = Desk(HUNDRED, rulebook(fees=(free,))).done("apply", lines=units(A=1))
    assert ticket.total == 10_000 and "fees" not in ticket.quote


def test_a_formula_sees_the_money_before_fees_and_is_asked_for_its_types_only() -> None:
    seen: list[FeeInput] = []

    def tenth(given: FeeInput) -> Money:
        seen.append(given)
        return Money(given.base.minor // 10, given.base.currency)

    def never(_given: FeeInput) -> Money:
        raise AssertionError("not a formula for refund_only")

    fees = (
        FeeFormula("tenth", tenth, "a tenth", types=("refund_only",), plugin="shop"),
        FeeFormula("other", never, types=("return_refund",), plugin="shop"),
    )
    ticket = Desk(E2, rulebook(fees=fees, auto_approve_unshipped=False)).done("apply", lines=units(A=1))
    assert ticket.total == 7177 - 717
    (given,) = seen
    assert (given.base, given.service_fee) == (Money(7177, "CNY"), Money(0, "CNY"))
    assert (given.type, given.phase, given.reason.code) == ("refund_only", "unshipped", "agreed")
    assert (given.policy.version, given.now, given.ticket) == ("v1", NOON, None)


# --- rules --------------------------------------------------------------------------------------


def says(outcome: str, code: str = "c", message: str = "", **rule: Any) -> Rule:
    return Rule(f"rule_{outcome}", lambda _: Verdict(outcome, code, message), plugin="shop", **rule)


def exits(_given: RuleInput) -> Verdict | None:
    raise Refused("refused", "a plugin does not refuse by raising")


HOSTILE_RULES: list[tuple[Callable[[RuleInput], Any], str, str]] = [
    (lambda _: 1 // 0, "plugin_failed", "ZeroDivisionError"),
    (exits, "plugin_failed", "Refused"),
    (leaves, "plugin_failed", "SystemExit: 3"),
    (mumbles, "plugin_failed", "Unspeakable"),
    (lambda _: Verdict(REFUSE, "code", None), "plugin_contract", "Verdict"),  # type: ignore[arg-type]
    (lambda _: True, "plugin_contract", "'True'"),
    (lambda _: False, "plugin_contract", "'False'"),
    (lambda _: "accept", "plugin_contract", "'accept'"),
    (lambda _: (ACCEPT, "code"), "plugin_contract", "accept"),
    (lambda _: Verdict("maybe", "code"), "plugin_contract", "maybe"),
    (lambda _: Verdict(True, "code"), "plugin_contract", "True"),  # type: ignore[arg-type]
    (lambda _: Verdict(REFUSE, ""), "plugin_contract", "Verdict"),
    (lambda _: Verdict(REFUSE, None), "plugin_contract", "Verdict"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    ("check", "code", "shows"),
    HOSTILE_RULES,
    ids=[str(number) for number in range(len(HOSTILE_RULES))],
)
def test_a_rule_that_returns_nonsense_fails_the_ticket_with_the_plugins_name(
    check: Callable[[RuleInput], Any], code: str, shows: str
) -> None:
    hostile = Rule("window", check, plugin="hostile-shop")
    error = fault(Desk(HUNDRED, rulebook(rules=(hostile,))), lines=units(A=1))
    assert error.code == code
    assert "rule window of plugin hostile-shop" in error.message
    assert shows in error.message


def test_a_plugin_that_fails_in_the_preview_is_named_too() -> None:
    desk = Desk(HUNDRED, rulebook(rules=(Rule("window", lambda _: 1 // 0, plugin="hostile-shop"),)))  # type: ignore[arg-type, return-value]
    command = desk.command("apply", lines=units(A=1))
    assert isinstance(command, Apply)
    with pytest.raises(PluginError, match="hostile-shop"):
        preview(desk.case, command, desk.rulebook, desk.now)


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), "pending_review"),
        ((None,), "pending_review"),
        ((ACCEPT,), "awaiting_refund"),
        ((ACCEPT, ACCEPT), "awaiting_refund"),
        ((ACCEPT, None), "awaiting_refund"),
        ((ACCEPT, REFER), "pending_review"),
        ((REFER,), "pending_review"),
    ],
    ids=[
        "no rule",
        "no opinion",
        "accept",
        "two accept",
        "accept, no opinion",
        "one refers",
        "refer",
    ],
)
def test_the_system_approves_when_a_rule_accepts_and_none_refers(
    outcomes: tuple[str | None, ...], status: str
) -> None:
    rules = [says(outcome) if outcome else Rule("silent", lambda _: None) for outcome in outcomes]
    desk = Desk(HUNDRED, rulebook(rules=rules))
    assert desk.done("apply", lines=units(A=1)).status == status


def test_the_rule_that_accepts_is_named_by_the_approval() -> None:
    desk = Desk(HUNDRED, rulebook(rules=(says(ACCEPT),)))
    desk.done("apply", lines=units(A=1))
    approval = next(event for event in desk.events if event.kind == "review_approved")
    assert (approval.actor, approval.payload["rule"]) == ("system", "rule_accept")


def test_a_rule_that_refuses_refuses_with_its_own_code() -> None:
    refusal = Desk(HUNDRED, rulebook(rules=(says(REFUSE, "window_closed", "31 days ago"),))).refused(
        "apply", lines=units(A=1)
    )
    assert (refusal.code, refusal.message) == ("window_closed", "31 days ago")
    silent = Desk(HUNDRED, rulebook(rules=(says(REFUSE, "window_closed"),)))
    assert silent.refused("apply", lines=units(A=1)).message == "rule rule_refuse refuses"


def test_operations_may_override_an_overridable_rule_and_say_why() -> None:
    rules = (says(REFUSE, "window_closed", overridable=True), says(ACCEPT))
    desk = Desk(HUNDRED, rulebook(rules=rules, versions={"shop": "1.2"}))
    ticket = desk.done("apply", lines=units(A=1), actor="operations:li", override="promised by phone")
    assert ticket.status == "pending_review"  # overriding is not approving
    assert ticket.detail["override"] == {
        "rules": ["rule_refuse"], "by": "operations:li", "reason": "promised by phone",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("overridable", "fields"),
    [
        (False, {"actor": "operations:li", "override": "promised"}),
        (True, {"actor": "operations:li"}),
        (True, {"actor": "buyer:b1", "override": "promised"}),
        (True, {"actor": "platform:tb", "override": "promised"}),
        (True, {"actor": "system", "override": "promised"}),
    ],
    ids=["not overridable", "no reason given", "the buyer", "the platform", "the system"],
)
def test_nobody_else_overrides_and_nothing_else_is_overridden(
    overridable: bool, fields: dict[str, Any]
) -> None:
    book = rulebook(rules=(says(REFUSE, "window_closed", overridable=overridable),))
    assert Desk(HUNDRED, book).refused("apply", lines=units(A=1), **fields).code == "window_closed"


def test_a_rule_is_asked_for_its_types_and_sees_what_is_applied_for() -> None:
    seen: list[RuleInput] = []

    def look(given: RuleInput) -> None:
        seen.append(given)

    rules = (
        Rule("look", look, types=("return_refund",), plugin="shop"),
        says(REFUSE, types=("refund_only",)),
    )
    desk = Desk(SHIPPED, rulebook(rules=rules))
    desk.done(
        "apply",
        type="return_refund",
        lines=units(A=1),
        evidence=("photo.jpg",),
        refund_shipping=True,
    )
    desk.refused("apply", lines=units(A=1))
    (given,) = seen
    assert [(line.line_no, count) for line, count in given.lines] == [("A", 1)]
    assert (given.type, given.phase, given.actor_role) == ("return_refund", "shipped", "buyer")
    assert (given.amount, given.now) == (Money(10_000, "CNY"), NOON)
    assert (given.has_evidence, given.shipping_asked) == (True, True)


def test_the_plugins_that_decided_are_recorded_with_their_versions() -> None:
    ticket = Desk(HUNDRED, rulebook(versions={"shop": "1.2"})).done("apply", lines=units(A=1))
    assert ticket.detail["plugins"] == {"shop": "1.2"}


# --- reasons ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "reason", "code"),
    [
        ("refund_only", "nonsense", "unknown_reason"),
        ("refund_only", "", "unknown_reason"),
        ("refund_only", "size_fit", "reason_not_for_this"),  # for return_refund only
        ("refund_only", "not_wanted", "reason_not_for_this"),  # for unshipped goods only
    ],
)
def test_a_reason_must_be_known_and_fit(type_: str, reason: str, code: str) -> None:
    refusal = Desk(SHIPPED).refused("apply", type=type_, reason=reason, lines=units(A=1))
    assert (refusal.code, refusal.field) == (code, "reason")


def test_the_known_reasons_are_named() -> None:
    message = Desk(SHIPPED).refused("apply", reason="nonsense", lines=units(A=1)).message
    assert "agreed, quality, not_wanted, size_fit" in message


# --- policies -----------------------------------------------------------------------------------

JANUARY, MARCH, MAY = (datetime(2026, month, 1, tzinfo=PAID_AT.tzinfo) for month in (1, 3, 5))
DATED = rulebook(
    policies=(
        Policy("2026-01", JANUARY, refund_timing="after_inspection"),
        Policy("2026-03", MARCH, refund_timing="on_approval"),
        Policy("2026-05", MAY, tender_policy="in_kind"),
    )
)


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        (JANUARY - timedelta(days=1), "2026-01"),
        (JANUARY, "2026-01"),
        (MARCH - timedelta(microseconds=1), "2026-01"),
        (MARCH, "2026-03"),
        (MAY, "2026-05"),
        (None, "2026-05"),
    ],
)
def test_the_policy_in_force_on_a_day_is_found(moment: datetime | None, version: str) -> None:
    assert DATED.policy_at(moment).version == version


def test_the_policy_of_the_day_the_order_was_paid_decides_and_is_pinned() -> None:
    order = attrs.evolve(SHIPPED, placed_at=JANUARY, paid_at=MARCH)
    ticket = Desk(order, DATED).done("apply", lines=units(A=1))
    assert (ticket.rulebook, ticket.refund_timing) == ("2026-03", "on_approval")
    unpaid = attrs.evolve(SHIPPED, placed_at=JANUARY, paid_at=None)
    assert Desk(unpaid, DATED).done("apply", lines=units(A=1)).rulebook == "2026-01"


def test_a_pinned_policy_goes_on_deciding_after_a_new_one_came() -> None:
    desk = Desk(E2, rulebook(policies=(Policy("v1", tender_policy="in_kind"),), rules=()))
    desk.done("apply", lines=units(B=1))
    desk.rulebook = rulebook(policies=(Policy("v1", tender_policy="in_kind"), Policy("v2", MAY)))
    desk.done("approve", service_fee="1.00")
    assert desk.refunds() == {"cash": 4178, "red_packet": 295}


def test_a_pinned_policy_that_is_no_longer_installed_is_named() -> None:
    desk = Desk(SHIPPED)
    desk.done("apply", lines=units(A=1))
    desk.rulebook = rulebook(policies=(Policy("v2"),))
    refusal = desk.refused("approve", amount="1.00")
    assert refusal.code == "rulebook_missing" and "'v1'" in refusal.message


def test_a_reason_that_is_no_longer_installed_does_not_stop_a_ticket() -> None:
    desk = Desk(SHIPPED)
    desk.done("apply", type="return_refund", reason="quality", lines=units(A=1))
    desk.rulebook = attrs.evolve(desk.rulebook, reasons={})
    desk.done("approve", amount="90.00")
    desk.through("ship_back", "receive")
    assert desk.done("inspect").lines[0].disposition == "restock"


def test_a_decision_depends_on_nothing_but_what_it_is_given() -> None:
    """Same case, command, rulebook and time: the same decision."""
    desk = Desk(E2, rulebook(rules=(AUTOMATIC,)))
    command = desk.command("apply", lines=units(B=1))
    first, again = (decide(desk.case, command, desk.rulebook, NOON) for _ in range(2))
    assert isinstance(first, Decision) and first == again
    assert first.case.version == desk.case.version + len(first.events)
