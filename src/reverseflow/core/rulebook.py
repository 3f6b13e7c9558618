"""What a platform plugin supplies, as values: reasons, rules, fee formulas, dated policies.

A `Platform` is a channel with its editions of policy; a `Rulebook` is one platform compiled with
the reasons, rules and fees that apply to it. The policy in force when the order was paid decides,
and its version is recorded on the ticket.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import attrs

from reverseflow.core.case import Case, OrderLine, Ticket
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import DEADLINES, Deadline
from reverseflow.core.money import Money

ANY = "*"
OUTCOMES = ACCEPT, REFER, REFUSE = "accept", "refer", "refuse"
TENDER_POLICIES = ("cash_only", "in_kind")
STRATEGIES = ("proportional",)
FAULTS = ("buyer", "seller", "carrier", "platform", "agreed", "none", "undecided")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class Reason:
    """Why a buyer applies: a stable code with its texts.

    `types` and `phases` say for which tickets it may be given (empty: all). `aliases` are other
    spellings a platform sends as free text. `evidence` names proof that is required.
    `window` names a window of its own (``no_reason``); empty for the usual return window.
    """

    code: str
    en: str
    zh: str
    platform: str = ANY
    types: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    fault: str = "undecided"
    aliases: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    freight_out: str = ""
    freight_back: str = ""
    disposition: str = "restock"
    window: str = ""
    plugin: str = ""


@attrs.frozen
class Policy:
    """The figures and choices of a platform from a day on (hours and days are calendar time)."""

    version: str
    effective_from: datetime = _BEGINNING
    refund_timing: str = "after_inspection"
    tender_policy: str = "cash_only"
    strategy: str = "proportional"
    return_window_days: int = 30
    no_reason_window_days: int = 7
    auto_approve_unshipped: bool = True
    source: str = ""


@attrs.frozen
class Verdict:
    """A rule's answer: `accept`, `refer` (a person decides) or `refuse`, with a stable code."""

    outcome: str
    code: str
    message: str = ""


@attrs.frozen
class RuleInput:
    """What a rule may look at; `lines` are the goods the ticket is about, with its units."""

    case: Case
    type: str
    phase: str
    reason: Reason
    lines: tuple[tuple[OrderLine, int], ...]
    amount: Money
    policy: Policy
    now: datetime
    actor_role: str
    has_evidence: bool = False
    shipping_asked: bool = False


@attrs.frozen
class Rule:
    """A named check of an application; `check` returns a `Verdict` or None for "no opinion"."""

    code: str
    check: Callable[[RuleInput], Verdict | None]
    platform: str = ANY
    types: tuple[str, ...] = ()
    overridable: bool = False
    plugin: str = ""


@attrs.frozen
class FeeInput:
    """What a fee formula may look at: the money of the lines before fees, and what staff asked."""

    case: Case
    ticket: Ticket | None
    type: str
    phase: str
    reason: Reason
    base: Money
    service_fee: Money
    policy: Policy
    now: datetime


@attrs.frozen
class FeeFormula:
    """A fee the buyer bears: `compute` returns its amount (0 ≤ fee ≤ base) or None for no fee."""

    code: str
    compute: Callable[[FeeInput], Money | None]
    why: str = ""
    platform: str = ANY
    types: tuple[str, ...] = ()
    plugin: str = ""


@attrs.frozen
class Platform:
    """A channel: its code, names, dated policies (newest version wins on a day) and deadlines.

    `inherits_reasons` adds the built-in reasons to the platform's own.
    """

    code: str
    en: str
    zh: str
    policies: tuple[Policy, ...]
    deadlines: tuple[Deadline, ...] = ()
    inherits_reasons: bool = True
    currency: str = ""
    plugin: str = ""


@attrs.frozen
class Rulebook:
    """A platform compiled once at start: plain look-ups and functions, no hooks."""

    platform: Platform
    reasons: Mapping[str, Reason]
    rules: tuple[Rule, ...]
    fees: tuple[FeeFormula, ...]
    versions: Mapping[str, str] = attrs.field(factory=dict)

    def policy_at(self, moment: datetime | None) -> Policy:
        """The policy in force when the order was paid (the newest for an unknown time)."""
        policies = self.platform.policies
        if len(policies) == 1 or moment is None:
            return policies[-1]
        in_force = [policy for policy in policies if policy.effective_from <= moment]
        return in_force[-1] if in_force else policies[0]

    def policy_version(self, version: str) -> Policy:
        """The policy pinned on a ticket; refused where the plugin no longer has it."""
        for policy in self.platform.policies:
            if policy.version == version:
                return policy
        raise Refused(
            "rulebook_missing",
            f"the rulebook {shown(version)} pinned on the ticket is not installed",
        )

    def reason(self, code: str, type_: str, phase: str) -> Reason:
        """The reason with this code, refused when unknown or not for this type or phase."""
        reason = self.reasons.get(code)
        if reason is None:
            raise Refused(
                "unknown_reason",
                f"{shown(code)} is not a reason of {self.platform.code}; known are {', '.join(self.reasons)}",
                "reason",
            )
        if (reason.types and type_ not in reason.types) or (reason.phases and phase not in reason.phases):
            raise Refused(
                "reason_not_for_this",
                f"the reason {shown(code)} is not for {type_} of {phase} goods",
                "reason",
            )
        return reason

    def deadline(self, leg: str, state: str, phase: str, type_: str) -> Deadline:
        """The row that says how long this state may last; the platform's own rows come first."""
        for row in (*self.platform.deadlines, *DEADLINES):
            if (row.leg, row.state) != (leg, state):
                continue
            if row.phase in ("", phase) and row.type in ("", type_):
                return row
        raise LookupError(f"no deadline for {leg} {state}: the lifecycle tables are not closed")
