"""Instructions as JSON Lines: written before they are answered, each try once."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reverseflow import JsonObject, UsageError
from reverseflow.builtin import file_mover
from reverseflow.core.instructions import INSTRUCTION_KINDS, Instruction


def refund(number: int = 1, **changes: Any) -> JsonObject:
    ticket = f"E{number}-R1"
    known: dict[str, Any] = {
        "key": f"{ticket}:refund:p1", "kind": "refund", "ticket_no": ticket,
        "order_no": f"E{number}", "currency": "CNY", "payment_no": "p1", "amount": 4500,
    }  # fmt: skip
    return Instruction(**known | changes).document()


def written(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answers(path: Path, *instructions: JsonObject, **options: str) -> list[tuple[str, str]]:
    deliver = file_mover.connect({"out": str(path), **options})
    return [(answer.key, answer.result) for answer in deliver(instructions)]


def test_instructions_stand_in_the_file_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    first, second = refund(), refund(2, order_no="单号二")
    assert [(first["key"], "settled"), (second["key"], "settled")] == answers(out, first, second)
    assert [first, second] == written(out)
    assert "单号二" in out.read_text(encoding="utf-8")


def test_without_options_the_file_is_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file_mover.connect({})([refund()])
    assert [refund()] == written(tmp_path / "instructions.jsonl")


def test_money_is_only_sent_where_somebody_tells_its_result_later(tmp_path: Path) -> None:
    documents = [refund(key=kind, kind=kind) for kind in INSTRUCTION_KINDS]
    found = dict(answers(tmp_path / "out.jsonl", *documents, settles="false"))
    assert {
        "refund": "sent", "charge": "sent", "compensate": "sent",
        "stock_in": "settled", "stock_out": "settled", "notify": "settled",
    } == found  # fmt: skip


def test_what_is_handed_over_again_is_answered_and_not_written_again(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    deliver = file_mover.connect({"out": str(out)})
    for _ in range(2):
        assert ["settled"] * 3 == [a.result for a in deliver([refund(), refund(), refund(2)])]
    assert "settled" == answers(out, refund(), refund(3))[0][1]
    assert [refund(), refund(2), refund(3)] == written(out)


def test_a_retry_by_finance_is_written_under_the_same_key(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    answers(out, refund())
    answers(out, refund(attempt=2))
    assert [1, 2] == [document["attempt"] for document in written(out)]
    assert 1 == len({document["key"] for document in written(out)})


def test_a_line_torn_by_a_crash_is_written_again_on_a_line_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    answers(out, refund())
    torn = json.dumps(refund(2))[:40]
    out.write_text(out.read_text(encoding="utf-8") + torn, encoding="utf-8")
    answers(out, refund(2))
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [refund(), refund(2)] == [json.loads(lines[0]), json.loads(lines[2])]
    assert torn == lines[1]


def test_a_file_that_is_one_torn_line_is_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text('{"key": "E1', encoding="utf-8")
    answers(out, refund())
    assert refund() == json.loads(out.read_text(encoding="utf-8").splitlines()[1])


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.touch()
    answers(out, refund())
    assert [refund()] == written(out)


@pytest.mark.parametrize("content", ["order,amount\nE1,5\n", '{"a": 1}\n{"b": 2}\n', "1\n[]\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: str) -> None:
    out = tmp_path / "orders.csv"
    out.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="not_an_instruction_file"):
        file_mover.connect({"out": str(out)})
    assert content == out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options", [{"settle": "false"}, {"settles": "no"}, {"out": "no/such/folder/out.jsonl"}]
)
def test_an_option_that_means_nothing_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="bad_option"):
        file_mover.connect(options)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an ordinary file"):
        file_mover.connect({"out": str(tmp_path)})


def test_what_could_not_be_written_is_not_answered_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    deliver = file_mover.connect({"out": str(out)})

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            deliver([refund()])
    assert ["settled"] == [answer.result for answer in deliver([refund()])]
    assert refund() in written(out)


def test_nothing_to_deliver_touches_no_file(tmp_path: Path) -> None:
    assert [] == answers(tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()
