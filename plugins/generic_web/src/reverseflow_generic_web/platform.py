"""The platform ``generic_web``: what a shop gets that has configured nothing."""

from reverseflow import Platform, Policy

#: Goods not yet shipped are refunded by the system, shipped goods are reviewed.
POLICY = Policy(
    version="generic_web-1",
    refund_timing="after_inspection",
    tender_policy="cash_only",
    strategy="proportional",
    return_window_days=30,
    no_reason_window_days=7,
    auto_approve_unshipped=True,
    source="defaults of ReverseFlow for a shop without configuration",
)

PLATFORM = Platform("generic_web", "ordinary web shop", "普通网店", (POLICY,))
