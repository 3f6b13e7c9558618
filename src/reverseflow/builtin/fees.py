"""The fee every platform has: what a reviewer agreed with the buyer (S-10, E7)."""

from reverseflow import FeeFormula, FeeInput, Money


def service_fee(given: FeeInput) -> Money | None:
    """What the reviewer set, unchanged; None where nothing was set."""
    return given.service_fee if given.service_fee.minor else None


SERVICE_FEE = FeeFormula("service_fee", service_fee, "after-sales service fee set on review")
