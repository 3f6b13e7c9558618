"""The platform ``generic_web``: what a shop gets that has configured nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverseflow_generic_web.platform import PLATFORM

if TYPE_CHECKING:
    from plugins.generic_web.tests.conftest import Shop


def test_the_defaults_are_those_of_the_interchange_format() -> None:
    (policy,) = PLATFORM.policies
    expected = ("after_inspection", "cash_only", "proportional", 30, 7, True)
    actual = (
        policy.refund_timing, policy.tender_policy, policy.strategy, policy.return_window_days,
        policy.no_reason_window_days, policy.auto_approve_unshipped,
    )  # fmt: skip
    assert actual == expected


def test_the_plugin_registers_its_platform_and_its_readers(shop: Shop) -> None:
    rulebook = shop.registry.rulebook("generic_web")
    assert rulebook.platform.plugin == "generic_web"
    assert {"not_wanted", "other"} <= set(rulebook.reasons)
    mine = {reader.name for reader in shop.registry.readers if reader.plugin == "generic_web"}
    assert mine == {"ledger", "shopify"}
