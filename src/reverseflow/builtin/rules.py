"""The rules every platform has: small pure functions from what a rule may see to a verdict."""

from datetime import datetime, timedelta

from reverseflow import ACCEPT, REFER, REFUSE, Rule, RuleInput, Verdict, shown

#: The window of its own that a return without any reason has, whatever the goods are like.
NO_REASON = "no_reason"
#: Reasons that find no fault with the goods: what was sold as final sale stays with the buyer.
WITHOUT_FAULT = ("no_reason_return", "not_wanted", "size_fit")


def auto_unshipped(given: RuleInput) -> Verdict | None:
    """Accept a refund of goods that were not shipped, where the policy allows it (S-03, S-05)."""
    if given.phase != "unshipped" or given.actor_role == "platform":
        return None  # what the platform brings, the platform approves
    if any(units == 0 for _, units in given.lines):
        return Verdict(REFER, "money_only", "no units are called off; a person decides")
    if given.shipping_asked:
        return Verdict(REFER, "shipping_asked", "the freight is asked for; a person decides")
    if given.policy.auto_approve_unshipped:
        return Verdict(ACCEPT, "unshipped", "the goods have not been shipped")
    return None


def return_window(given: RuleInput) -> Verdict | None:
    """Refuse after the window from receipt has passed (S-08); before receipt none has begun."""
    received = given.case.received_at
    if given.actor_role == "platform":  # what the platform has accepted, it has accepted
        return None
    if given.phase != "received" or received is None:
        return None
    no_reason = given.reason.window == NO_REASON
    days = given.policy.no_reason_window_days if no_reason else given.policy.return_window_days
    if given.now - received <= timedelta(days=days):
        return None
    return Verdict(
        REFUSE,
        "window_closed",
        f"the goods were received on {_day(received)}; the {days} days to apply with the reason "
        f"{given.reason.code} ended on {_day(received + timedelta(days=days))}",
    )


def returnable(given: RuleInput) -> Verdict | None:
    """Refuse to take back, for a reason without fault, what was sold as not returnable."""
    if given.reason.code not in WITHOUT_FAULT:
        return None
    kept = [line.line_no for line, _ in given.lines if not line.returnable]
    if not kept:
        return None
    return Verdict(
        REFUSE,
        "not_returnable",
        f"sold as not returnable, so not taken back for {given.reason.code}: "
        f"line {', '.join(map(shown, kept))}",
    )


def evidence_required(given: RuleInput) -> Verdict | None:
    """Refer to a person what needs proof; whether it proves anything, a rule cannot see (S-46)."""
    if not given.reason.evidence:
        return None
    if given.has_evidence:
        return Verdict(REFER, "evidence_given", "a person looks at the proof")
    proof = " and ".join(given.reason.evidence)
    return Verdict(
        REFER,
        "evidence_missing",
        f"the reason {given.reason.code} needs proof ({proof}); a person looks at it",
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"


_BY_THE_BUYER = ("refund_only", "return_refund")
RULES = (
    Rule("auto_unshipped", auto_unshipped, types=("refund_only",)),
    Rule("return_window", return_window, types=_BY_THE_BUYER, overridable=True),
    Rule("returnable", returnable, types=("return_refund",), overridable=True),
    Rule("evidence_required", evidence_required),
)
