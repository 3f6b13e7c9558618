"""The plugin is accepted by the engine, and says how long who may take."""

from datetime import UTC, datetime

import pytest

import reverseflow_taobao
from reverseflow.core.rulebook import Rulebook
from reverseflow.plugins import Registry, registry_of
from reverseflow_taobao.platforms import PLATFORMS


@pytest.fixture(scope="module")
def registry() -> Registry:
    return registry_of({"taobao": reverseflow_taobao})


def test_both_platforms_are_registered_with_their_reasons_and_the_general_ones(
    registry: Registry,
) -> None:
    for code in ("taobao", "tmall"):
        rulebook = registry.rulebook(code)
        assert rulebook.platform.currency == "CNY"
        assert {"TB_7DAY", "TB_OTHER", "no_reason_return", "other"} <= set(rulebook.reasons)
        assert code == rulebook.reasons["TB_7DAY"].platform


def test_the_reader_is_registered_for_any_platform(registry: Registry) -> None:
    (reader,) = [reader for reader in registry.readers if reader.name == "top"]
    assert (reader.platform, reader.plugin) == ("*", "taobao")


@pytest.mark.parametrize(
    ("leg", "state", "phase", "type_", "hours", "command"),
    [
        ("review", "pending", "unshipped", "refund_only", 48, "approve"),
        ("review", "pending", "shipped", "refund_only", 168, "approve"),
        ("review", "pending", "received", "refund_only", 168, "approve"),
        ("review", "pending", "shipped", "return_refund", 120, "approve"),
        ("review", "pending", "received", "return_refund", 120, "approve"),
        ("review", "rejected", "received", "return_refund", 168, "close"),
        ("return", "awaiting", "received", "return_refund", 168, "close"),
        ("return", "in_transit", "shipped", "return_refund", 240, "escalate"),
        ("settlement", "due", "received", "refund_only", 48, "escalate"),
    ],
)
def test_deadlines(
    registry: Registry, leg: str, state: str, phase: str, type_: str, hours: int, command: str
) -> None:
    rulebook: Rulebook = registry.rulebook("taobao")
    row = rulebook.deadline(leg, state, phase, type_)
    assert (hours, command) == (row.hours, row.command)


def test_every_policy_says_where_it_is_from_and_what_it_chooses() -> None:
    for platform in PLATFORMS:
        for policy in platform.policies:
            assert "[O]" in policy.source
            assert policy.effective_from > datetime(2025, 1, 1, tzinfo=UTC)
            assert policy.auto_approve_unshipped
            assert (policy.refund_timing, policy.strategy) == ("after_inspection", "proportional")
