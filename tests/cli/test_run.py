"""``run``: files in, result lines out, once and only once, bad rows apart."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from cli.shell import NOW, Shell, apply, delivered, order, take_back

ORDER_LINE = (
    '{"row": 1, "kind": "order", "id": "", "outcome": "applied", "order_no": "E1", "ticket_no": "", '
    '"status": "", "refund": "", "currency": "CNY", "codes": [], "message": ""}'
)
APPLY_LINE = (
    '{"row": 2, "kind": "apply", "id": "a1", "outcome": "applied", "order_no": "E1", '
    '"ticket_no": "E1-R1", "status": "awaiting_refund", "refund": "45.00", "currency": "CNY", '
    '"codes": [], "message": ""}'
)
LEDGER_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def export_of(shell: Shell, *options: str) -> str:
    return shell.done("export", *options).out


def test_a_result_line_has_the_words_of_the_format_in_their_order(shell: Shell) -> None:
    answer = shell.run(order(), apply())
    assert [ORDER_LINE, APPLY_LINE] == answer.out.splitlines()


def test_result_lines_go_to_a_file_when_one_is_named(shell: Shell) -> None:
    file = shell.write("in.jsonl", order(), apply())
    answer = shell.done("run", file, "--results", "out.jsonl")
    assert answer.out == ""
    told = (shell.folder / "out.jsonl").read_text().splitlines()
    assert [ORDER_LINE, APPLY_LINE] == told


def test_a_summary_for_a_person_goes_to_standard_error(shell: Shell) -> None:
    answer = shell.run(order(), apply(), apply("a2", reason="boredom"))
    assert "2 applied, 0 replayed, 1 refused, 0 failed" in answer.err
    assert "unknown_reason" in answer.err


def test_the_same_file_again_is_replayed_and_changes_nothing(shell: Shell) -> None:
    shell.run(order(), apply())
    before = export_of(shell)
    answer = shell.run(order(), apply())
    assert answer.status == 0
    assert ["replayed", "replayed"] == [line["outcome"] for line in answer.lines]
    assert "everything was already applied; nothing changed" in answer.err
    assert before == export_of(shell)


def test_the_same_id_with_other_content_is_refused_and_names_the_field(shell: Shell) -> None:
    shell.run(order(), apply())
    answer = shell.run(apply(reason="other"))
    assert [("apply", "refused", ("id_with_other_content",))] == answer.outcomes
    assert "another reason" in answer.document["message"]


def test_records_come_in_on_standard_input_too(shell: Shell) -> None:
    lines = "".join(f"{json.dumps(record)}\n" for record in (order(), apply()))
    answer = shell.done("run", "-", "--json", stdin=lines.encode())
    assert [ORDER_LINE, APPLY_LINE] == answer.out.splitlines()


def test_several_files_are_one_batch(shell: Shell) -> None:
    first, second = shell.write("1.jsonl", order()), shell.write("2.jsonl", apply())
    answer = shell.done("run", first, second, "--json")
    assert ["order", "apply"] == [line["kind"] for line in answer.lines]
    assert "2 applied" in answer.err


def test_ticket_commands_in_a_file_may_name_the_id_of_its_application(shell: Shell) -> None:
    answer = shell.run(
        delivered(),
        take_back(),
        {"approve": {"id": "c1", "ticket_no": "r1", "actor": "operations:li", "at": NOW}},
    )
    assert answer.status == 0
    assert "awaiting_return" == answer.lines[-1]["status"]
    assert "E2-R1" == answer.lines[-1]["ticket_no"]


def test_the_records_can_be_printed_and_printed_records_are_the_same_commands(shell: Shell) -> None:
    file = shell.write("in.jsonl", order(), apply())
    told = shell.done("run", file, "--dry-run", "--emit-records")
    records = [json.loads(line) for line in told.out.splitlines()]
    assert ["order", "apply"] == [next(iter(record)) for record in records]
    shell.done("run", file)
    assert {"replayed"} == {line["outcome"] for line in shell.run(*records).lines}


def test_a_ledger_turns_into_neutral_records(shell: Shell) -> None:
    file = shell.write("ledger.csv", LEDGER_HEADER, "9001,X1,LAMP,2,2010-12-01 08:26:00,2.55,77,France")
    (record,) = shell.done("run", file, "--dry-run", "--emit-records").lines
    assert "9001" == record["order"]["order_no"]
    assert "GBP" == record["order"]["currency"]


# --- dry run --------------------------------------------------------------------------------------


def test_a_dry_run_decides_the_same_and_writes_nothing(shell: Shell) -> None:
    shell.run(order())
    records = (apply(), apply("a2", reason="boredom"), delivered(), take_back())
    file = shell.write("in.jsonl", *records)
    before, export = shell.digest(), export_of(shell)
    dry = shell("run", file, "--json", "--dry-run")
    assert before == shell.digest()
    assert export == export_of(shell)
    wet = shell("run", file, "--json")
    assert (dry.status, dry.out) == (wet.status, wet.out)
    assert "dry run, nothing kept" in dry.err


def test_a_dry_run_makes_no_store(shell: Shell) -> None:
    answer = shell.run(order(), apply(), options=["--dry-run"])
    assert [ORDER_LINE, APPLY_LINE] == answer.out.splitlines()
    assert ["input.jsonl"] == [path.name for path in shell.folder.iterdir()]


def test_a_dry_run_still_fills_the_rejects_file(shell: Shell) -> None:
    shell.run(order(), apply("a2", reason="boredom"), options=["--dry-run", "--rejects", "no.jsonl"])
    assert "unknown_reason" in (shell.folder / "no.jsonl").read_text()


# --- rejects --------------------------------------------------------------------------------------


def test_rejected_records_come_back_as_they_were_with_code_and_message(shell: Shell) -> None:
    bad = apply("a2", reason="boredom")
    answer = shell.run(order(), bad, apply(), options=["--rejects", "no.jsonl"])
    assert answer.status == 4
    (line,) = (shell.folder / "no.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert {"row": 2, "code": "unknown_reason"} == {k: told["rejected"][k] for k in ("row", "code")}
    assert "boredom" in told["rejected"]["message"]
    assert bad["apply"] == told["apply"]
    assert "rejected rows are in no.jsonl; mend and run them again" in answer.err


def test_mended_records_of_the_rejects_file_are_applied(shell: Shell) -> None:
    shell.run(order(), apply("a2", reason="boredom"), options=["--rejects", "no.jsonl"])
    path = shell.folder / "no.jsonl"
    path.write_text(path.read_text().replace("boredom", "not_wanted", 1))
    answer = shell("run", "no.jsonl", "--json", "--rejects", "still.jsonl")
    assert [("apply", "applied", ())] == answer.outcomes
    assert not (shell.folder / "still.jsonl").exists()


def test_a_line_that_is_no_json_is_kept_as_text(shell: Shell) -> None:
    answer = shell.run(order(), '{"apply": {"id": "a2"', options=["--rejects", "no.jsonl"])
    assert answer.status == 4
    told = json.loads((shell.folder / "no.jsonl").read_text())
    assert '{"apply": {"id": "a2"' == told["rejected"]["raw"]


LEDGER = (
    LEDGER_HEADER,
    "9001,X1,LAMP,2,2010-12-01 08:26:00,2.55,77,France",
    "C9002,X9,SHADE,-1,2010-12-02 09:00:00,4.00,77,France",
)


def test_rejected_rows_of_a_table_come_back_under_its_header(shell: Shell) -> None:
    answer = shell("run", shell.write("ledger.csv", *LEDGER), "--rejects", "no.csv")
    assert answer.status == 4
    with (shell.folder / "no.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert "C9002" == row["InvoiceNo"]
    assert "no_purchase_found" == row["reject_code"]
    assert row["reject_message"]


def test_mended_rows_of_a_table_are_applied(shell: Shell) -> None:
    shell("run", shell.write("ledger.csv", *LEDGER), "--rejects", "no.csv")
    path = shell.folder / "no.csv"
    path.write_text(path.read_text().replace(",X9,SHADE,", ",X1,LAMP,"))
    answer = shell("run", "no.csv", "--json")
    assert answer.status == 0
    assert ["applied"] * len(answer.lines) == [line["outcome"] for line in answer.lines]
    assert shell.done("ticket", "list", "--external", "C9002", "--json").document["amount"] == "2.55"


def test_rows_rejected_again_are_not_given_two_codes(shell: Shell) -> None:
    shell("run", shell.write("ledger.csv", *LEDGER), "--rejects", "no.csv")
    shell("run", "no.csv", "--rejects", "again.csv")
    first, second = ((shell.folder / name).read_text() for name in ("no.csv", "again.csv"))
    assert first == second


def test_an_old_rejects_file_is_gone_when_nothing_is_rejected(shell: Shell) -> None:
    (shell.folder / "no.jsonl").write_text("old\n")
    shell.run(order(), options=["--rejects", "no.jsonl"])
    assert not (shell.folder / "no.jsonl").exists()


@pytest.mark.parametrize("option", ["--rejects", "--results"])
def test_the_input_is_never_overwritten(shell: Shell, option: str) -> None:
    file = shell.write("input.jsonl", order())
    before = shell.digest(file)
    answer = shell("run", file, option, file)
    assert answer.status in (2, 3)
    assert before == shell.digest(file)


# --- act ------------------------------------------------------------------------------------------


def test_many_transitions_come_from_a_table(shop: Shell) -> None:
    header = "command,ticket_no,actor,at,carrier,tracking_no,lines"
    rows = (
        f"approve,E2-R1,operations:li,{NOW},,,",
        f"ship_back,E2-R1,buyer:alice,{NOW},SF,SF1,",
        f"receive,TB7,warehouse:zhao,{NOW},,,B=2",
        f"inspect,TB7,warehouse:zhao,{NOW},,,B=1:1:restock",
    )
    file = shop.write("acts.csv", header, *rows)
    answer = shop("act", file, "--json")
    assert answer.status == 0
    assert ["approve", "ship_back", "receive", "inspect"] == [x["kind"] for x in answer.lines]
    assert "45.00" == answer.lines[-1]["refund"]
    assert {"replayed"} == {line["outcome"] for line in shop("act", file, "--json").lines}


def test_a_bad_row_of_a_table_of_transitions_does_not_stop_the_others(shop: Shell) -> None:
    file = shop.write(
        "acts.csv", "command,ticket_no,actor,lines",
        "receive,E2-R1,warehouse:zhao,B=two",
        "fly,E2-R1,warehouse:zhao,",
        "approve,E9-R1,operations:li,",
        "approve,E2-R1,operations:li,",
    )  # fmt: skip
    answer = shop("act", file, "--json", "--rejects", "no.csv")
    assert answer.status == 4
    assert [("bad_cell",), ("unknown_kind",), ("unknown_ticket",), ()] == [
        codes for _, _, codes in answer.outcomes
    ]
    with (shop.folder / "no.csv").open(newline="") as rejected:
        assert ["two", "", ""] == [row["lines"].removeprefix("B=") for row in csv.DictReader(rejected)]


def test_a_dry_act_writes_nothing(shop: Shell) -> None:
    file = shop.write("acts.csv", "command,ticket_no,actor", "approve,E2-R1,operations:li")
    before = shop.digest()
    dry: Any = shop.done("act", file, "--dry-run", "--json").document
    assert ("applied", "awaiting_return") == (dry["outcome"], dry["status"])
    assert before == shop.digest()


def test_names_of_files_may_be_paths(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shell.write("in/week 1.jsonl", order())
    shell.done("run", str(tmp_path / "in" / "week 1.jsonl"))
