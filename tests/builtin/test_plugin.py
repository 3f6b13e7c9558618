"""The built-ins are a plugin like any other, and do together what their parts promise."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import reverseflow
from reverseflow import (
    Case,
    Platform,
    Policy,
    Reason,
    Record,
    Refusal,
    Ticket,
    builtin,
    open_source,
)
from reverseflow.builtin import neutral
from reverseflow.core.decide import decide
from reverseflow.core.rulebook import Rulebook

RULEBOOK = Rulebook(
    Platform("shop", "shop", "商店", (Policy("v1"),)),
    {reason.code: reason for reason in builtin.reverseflow_reasons()},
    tuple(builtin.reverseflow_rules()),
    tuple(builtin.reverseflow_fees()),
)
NOW = datetime(2026, 5, 20, tzinfo=UTC)
UNSHIPPED: dict[str, Any] = {
    "order_no": "E1", "currency": "CNY", "paid_at": "2026-05-01T10:01:00+08:00",
    "lines": [
        {"line_no": "A", "sku": "SKU-A", "quantity": 1, "unit_price": "100.00"},
        {"line_no": "B", "sku": "SKU-B", "quantity": 2, "unit_price": "50.00"},
        {"line_no": "C", "sku": "SKU-C", "quantity": 1, "unit_price": "9.00", "returnable": False},
    ],
    "payments": [{"payment_no": "p1", "amount": "209.00"}],
}  # fmt: skip
RECEIVED = UNSHIPPED | {
    "shipped_at": "2026-05-02T10:00:00+08:00",
    "received_at": "2026-05-03T10:00:00+08:00",
}


def apply(**changes: Any) -> dict[str, Any]:
    fields = {"id": "a1", "order_no": "E1", "type": "return_refund", "reason": "not_wanted",
              "lines": [{"line_no": "B", "quantity": 1}], "actor": "buyer:b1"}  # fmt: skip
    return {"apply": fields | changes}


def outcome(folder: Path, *records: dict[str, Any]) -> Ticket | Refusal:
    """The first ticket after all records, or the first refusal."""
    path = folder / "records.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    case = Case("E1")
    for item in neutral.read(open_source(str(path)), None):  # type: ignore[arg-type]
        assert isinstance(item, Record)
        decided = decide(case, item.command, RULEBOOK, NOW)
        if isinstance(decided, Refusal):
            return decided
        case = decided.case
    return case.tickets["E1-R1"]


def refused(folder: Path, *records: dict[str, Any]) -> str:
    found = outcome(folder, *records)
    assert isinstance(found, Refusal)
    return found.code


def ticket(folder: Path, *records: dict[str, Any]) -> tuple[str, int]:
    found = outcome(folder, *records)
    assert isinstance(found, Ticket)
    return found.status, found.total


def test_every_hook_registers_what_it_is_for() -> None:
    assert reverseflow.API_VERSION == builtin.API_VERSION
    assert all(type(reason) is Reason for reason in builtin.reverseflow_reasons())
    assert ["neutral"] == [reader.name for reader in builtin.reverseflow_readers()]
    assert ["file"] == [mover.name for mover in builtin.reverseflow_movers()]


def test_cattrs_is_not_loaded_before_a_record_is_read() -> None:
    code = "import reverseflow.builtin, sys; sys.exit('cattrs' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_unshipped_goods_are_refunded_at_once(tmp_path: Path) -> None:
    told = {"order": UNSHIPPED}, apply(type="refund_only")
    assert ("awaiting_refund", 5000) == ticket(tmp_path, *told)


def test_a_complaint_about_quality_is_looked_at_by_a_person(tmp_path: Path) -> None:
    told = {"order": UNSHIPPED}, apply(type="refund_only", reason="quality")
    assert ("pending_review", 5000) == ticket(tmp_path, *told)


def test_a_return_within_its_window_is_reviewed(tmp_path: Path) -> None:
    assert ("pending_review", 5000) == ticket(tmp_path, {"order": RECEIVED}, apply())


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("window_closed", {"reason": "no_reason_return"}),
        ("window_closed", {"at": "2026-06-03T10:00:00+08:00"}),
        ("not_returnable", {"lines": [{"line_no": "C", "quantity": 1}]}),
        ("unknown_reason", {"reason": "because"}),
        ("bad_quantity", {"lines": [{"line_no": "B", "quantity": -1}]}),
        ("duplicate_line", {"lines": [{"line_no": "B", "quantity": 1}] * 2}),
        ("quantity_not_available", {"lines": [{"line_no": "B", "quantity": 3}]}),
        ("bad_amount", {"amount": "1e999"}),
        ("bad_amount", {"amount": "NaN"}),
    ],
)
def test_an_application_is_refused_with_its_code(tmp_path: Path, code: str, change: dict[str, Any]) -> None:
    assert code == refused(tmp_path, {"order": RECEIVED}, apply(**change))


def test_only_staff_takes_back_what_a_rule_refuses(tmp_path: Path) -> None:
    late = {"reason": "no_reason_return", "override": "regular customer"}
    assert "window_closed" == refused(tmp_path, {"order": RECEIVED}, apply(**late))
    told = {"order": RECEIVED}, apply(**late, actor="operations:li")
    assert ("pending_review", 5000) == ticket(tmp_path, *told)


def test_a_service_fee_is_taken_off_the_refund(tmp_path: Path) -> None:
    approve = {"approve": {"ticket_no": "a1", "actor": "operations:li", "service_fee": "5.00"}}
    assert ("awaiting_return", 4500) == ticket(tmp_path, {"order": RECEIVED}, apply(), approve)
