"""The two channels: their dated policies, and who may take how long for what.

The platform's own deadline, where a payload states one, goes before the rows here. Figures marked
`[O]` are from an official rule text, `[2]` are second-hand and `[K]` general knowledge without a
source: the latter two are defaults to be checked, not facts.
"""

from datetime import datetime, timedelta, timezone

from reverseflow import Deadline, Platform, Policy

BEIJING = timezone(timedelta(hours=8))
DAY = 24

#: The seller's side is `operations` and `warehouse`. A timer's command is given by the system.
DEADLINES = (
    # The seller answers an application: 48 h before shipping [2], a return 5 d [2], refund only
    # of shipped goods 7 d [2].
    Deadline("review", "pending", "operations", 48, "approve", phase="unshipped"),
    Deadline("review", "pending", "operations", 5 * DAY, "approve", type="return_refund"),
    Deadline("review", "pending", "operations", 7 * DAY, "approve", phase="shipped"),
    Deadline("review", "pending", "operations", 7 * DAY, "approve", phase="received"),
    # The buyer revises or appeals after a refusal: 7 d [K].
    Deadline("review", "rejected", "buyer", 7 * DAY, "close"),
    # The buyer sends the goods: 7 d [2]; then the application closes and may not be made again
    # for the same cause (dispute rules, art. 43 [O]).
    Deadline("return", "awaiting", "buyer", 7 * DAY, "close"),
    # The seller confirms the goods: 10 d [K]. The platform refunds then; here a person looks.
    Deadline("return", "in_transit", "warehouse", 10 * DAY, "escalate"),
)


def _policy(version: str, effective_from: datetime, source: str) -> Policy:
    """The choices both sites share; what the platform itself brings waits for its word."""
    return Policy(
        version,
        effective_from=effective_from,
        refund_timing="after_inspection",
        tender_policy="cash_only",
        strategy="proportional",
        return_window_days=15,
        no_reason_window_days=7,
        auto_approve_unshipped=True,
        source=source,
    )


_SHARED = (
    "no-reason return 7 days from the day after signing: SAMR, no-reason returns, art. 10 [O]; "
    "other applications up to 15 days after the trade finished [K]; "
    "proportional: the platform supplies the split (divide_order_fee)"
)

PLATFORMS = (
    Platform(
        "taobao",
        "Taobao",
        "淘宝",
        policies=(
            _policy(
                "taobao-2025.08",
                datetime(2025, 8, 15, tzinfo=BEIJING),
                f"Taobao dispute handling rules of 2025-08-15 [O]; {_SHARED}",
            ),
        ),
        deadlines=DEADLINES,
        currency="CNY",
    ),
    Platform(
        "tmall",
        "Tmall",
        "天猫",
        policies=(
            _policy(
                "tmall-2026.04",
                datetime(2026, 4, 9, tzinfo=BEIJING),
                f"Tmall rules in the edition of 2026-04-09 [O]; {_SHARED}",
            ),
        ),
        deadlines=DEADLINES,
        currency="CNY",
    ),
)
