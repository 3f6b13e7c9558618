"""Bad input through the command line: a stable code, a place, and nothing applied that is wrong."""

import codecs
import json

import pytest

from cli.shell import Answer, Shell, apply, delivered, order, take_back

ACTS = "command,ticket_no,actor"


def refused_whole(shell: Shell, *arguments: str) -> str:
    """The one line on standard error of an input that is refused whole."""
    answer = shell(*arguments)
    assert (answer.status, answer.out) == (3, ""), answer
    (line,) = answer.err.splitlines()
    assert line.startswith("reverseflow: ")
    return line


def only_row(answer: Answer) -> tuple[str, str]:
    """Outcome and code of the last result line."""
    last = answer.lines[-1]
    (code,) = last["codes"]
    assert last["message"]
    return last["outcome"], code


# --- the file as a whole --------------------------------------------------------------------------


def test_a_missing_file_is_named(shell: Shell) -> None:
    assert "nowhere.jsonl: file_missing: there is no such file" in refused_whole(
        shell, "run", "nowhere.jsonl"
    )


def test_nothing_is_applied_when_a_later_file_is_missing(shop: Shell) -> None:
    file = shop.write("new.jsonl", order("E3"))
    refused_whole(shop, "run", file, "nowhere.jsonl")
    assert shop("order", "show", "E3").status == 5


def test_a_directory_is_no_file(shell: Shell) -> None:
    (shell.folder / "folder").mkdir()
    assert "file_is_directory" in refused_whole(shell, "run", "folder")


def test_text_in_a_western_encoding_is_refused_with_the_offset(shell: Shell) -> None:
    file = shell.write("latin.jsonl", '{"order": {"shop": "café bleu"}}', encoding="latin-1")
    line = refused_whole(shell, "run", file)
    assert "latin.jsonl: wrong_encoding: byte " in line
    assert "--encoding" in line


def test_gb18030_is_read_when_it_is_asked_for(shell: Shell) -> None:
    record = json.dumps(order(shop="杭州丝绸店"), ensure_ascii=False)
    file = shell.write("gb.jsonl", record, encoding="gb18030")
    assert shell.done("run", file, "--encoding", "gb18030").err.startswith("1 applied")
    assert "杭州丝绸店" == shell.done("order", "show", "E1", "--json").document["shop"]


def test_gb18030_is_detected_strictly_and_said(shell: Shell) -> None:
    record = json.dumps(order(shop="杭州丝绸店的旗舰店"), ensure_ascii=False)
    file = shell.write("gb.jsonl", record, encoding="gb18030")
    answer = shell.done("run", file)
    assert "gb.jsonl: read as gb18030, since byte " in answer.err
    assert "杭州丝绸店的旗舰店" == shell.done("order", "show", "E1", "--json").document["shop"]


def test_a_byte_order_mark_is_not_part_of_the_first_record(shell: Shell) -> None:
    lines = "".join(f"{json.dumps(record)}\n" for record in (order(), apply()))
    (shell.folder / "bom.jsonl").write_bytes(codecs.BOM_UTF8 + lines.encode())
    assert shell.done("run", "bom.jsonl").err.startswith("2 applied")


def test_a_byte_order_mark_is_not_part_of_the_first_column(shop: Shell) -> None:
    table = f"{ACTS}\napprove,E2-R1,operations:li\n"
    (shop.folder / "bom.csv").write_bytes(codecs.BOM_UTF8 + table.encode())
    assert shop.done("act", "bom.csv").err.startswith("1 applied")


def test_an_empty_file_is_refused_as_that(shell: Shell) -> None:
    assert "empty_file" in refused_whole(shell, "run", shell.write("empty.jsonl"))


def test_a_workbook_is_told_to_be_saved_as_text(shell: Shell) -> None:
    (shell.folder / "book.csv").write_bytes(b"PK\x03\x04 and the rest")
    assert "save the sheet as CSV" in refused_whole(shell, "run", "book.csv")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("command,ticket_no,actor,ticket_no", "duplicate_column"),
        ("command,ticket_no,acter", "unknown_column"),
    ],
)
def test_a_table_with_a_wrong_column_is_refused_whole(shop: Shell, header: str, code: str) -> None:
    file = shop.write("acts.csv", header, "approve,E2-R1,operations:li,x")
    before = shop.digest()
    assert f"acts.csv:1: {code}: " in refused_whole(shop, "act", file)
    assert before == shop.digest()


def test_a_table_without_a_required_column_is_refused_whole(shell: Shell) -> None:
    header = "InvoiceNo,StockCode,Description,InvoiceDate,UnitPrice,CustomerID,Country"
    file = shell.write("ledger.csv", header, "1,X1,LAMP,2010-12-01 08:26:00,2.55,77,France")
    line = refused_whole(shell, "run", file, "--format", "ledger")
    assert "missing_column: missing column 'Quantity'" in line


# --- a record that cannot be read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"apply": {"id": "a1", "order_no": "E1", "typ', "malformed_json"),
        ('{"apply": {"id": "a1", "id": "a2", "order_no": "E1"}}', "duplicate_key"),
        ('{"apply": {"id": "a1", "order_no": "E1", "amount": NaN}}', "not_finite"),
        ('{"apply": {"id": "a1", "order_no": "E1", "amount": 1e999999}}', "number_out_of_range"),
        ('{"apply": {"id": "a1", "order_no": "E1", "colour": "red"}}', "bad_record"),
        ('{"applay": {"id": "a1"}}', "unknown_kind"),
        ("[1, 2]", "bad_record"),
    ],
)
def test_a_line_that_is_no_record_fails_alone(shell: Shell, line: str, code: str) -> None:
    answer = shell.run(order(), line, apply())
    assert answer.status == 4
    assert [(), (code,), ()] == [codes for _, _, codes in answer.outcomes]
    assert ("failed", 2) == (answer.lines[1]["outcome"], answer.lines[1]["row"])
    assert f"input.jsonl:2: failed: {code}: " in answer.err


def test_an_unknown_key_is_named_with_its_path(shell: Shell) -> None:
    facts = apply(lines=[{"line_no": "B", "quantity": 1, "qty": 2}])
    answer = shell.run(order(), facts)
    assert ("failed", "unknown_field") == only_row(answer)
    assert "$.lines[0]" in answer.lines[-1]["message"]
    assert "qty" in answer.lines[-1]["message"]


@pytest.mark.parametrize("quantity", [-1, 0, 1.5, "two", True, None])
def test_a_quantity_is_a_whole_number_of_units(shell: Shell, quantity: object) -> None:
    bad = apply(lines=[{"line_no": "B", "quantity": quantity}])
    answer = shell.run(order(), bad)
    assert answer.status == 4
    assert answer.lines[-1]["outcome"] in ("refused", "failed")
    assert "quantity" in answer.lines[-1]["message"]


@pytest.mark.parametrize("quantity", [-2, 0, 1.5])
def test_an_order_line_has_a_whole_number_of_units(shell: Shell, quantity: object) -> None:
    lines = [{"line_no": "A", "sku": "S", "quantity": quantity, "unit_price": "1.00"}]
    answer = shell.run(order(lines=lines))
    assert answer.status in (3, 5)
    assert "quantity" in answer.lines[-1]["message"]


@pytest.mark.parametrize("amount", ["-1.00", "1e2", "0.001", "１.00", "1,000.00", "", "0.00"])
def test_an_amount_is_a_plain_decimal_text(shell: Shell, amount: str) -> None:
    answer = shell.run(order(), apply(amount=amount))
    assert answer.status == 4
    assert answer.lines[-1]["outcome"] in ("refused", "failed")
    assert "amount" in answer.lines[-1]["message"]


def test_an_amount_is_never_a_json_number(shell: Shell) -> None:
    answer = shell.run(order(), apply(amount=45.0))
    assert ("failed", "wrong_type") == only_row(answer)


# --- a record the rules refuse --------------------------------------------------------------------


def test_a_currency_that_does_not_exist_is_refused(shell: Shell) -> None:
    answer = shell.run(order(currency="RMB"))
    assert ("refused", "unknown_currency") == only_row(answer)


def test_an_amount_with_decimals_the_currency_has_not_is_refused(shell: Shell) -> None:
    answer = shell.run(order(currency="JPY", payments=[{"payment_no": "p1", "amount": "190.50"}]))
    assert ("refused", "bad_amount") == only_row(answer)


def test_a_settlement_in_another_currency_is_refused(shop: Shell) -> None:
    told = {
        "id": "s1", "ticket_no": "E1-R1", "actor": "system", "result": "settled",
        "key": "E1-R1:refund:p1", "amount": "45.00", "currency": "USD",
    }  # fmt: skip
    assert ("refused", "currency_mismatch") == only_row(shop.run({"settle_result": told}))


def test_an_order_that_does_not_add_up_is_refused_with_the_difference(shell: Shell) -> None:
    answer = shell.run(order(payments=[{"payment_no": "p1", "amount": "190.01"}]))
    assert answer.status == 5
    assert answer.lines[-1]["outcome"] == "refused"
    assert "0.01" in answer.lines[-1]["message"]


def test_an_application_for_an_unknown_order_is_refused(shell: Shell) -> None:
    answer = shell.run(order(), apply(order_no="E404"))
    assert ("refused", "unknown_order") == only_row(answer)


def test_an_unknown_reason_is_refused_and_the_known_ones_are_named(shell: Shell) -> None:
    answer = shell.run(order(), apply(reason="boredom"))
    assert ("refused", "unknown_reason") == only_row(answer)
    assert "not_wanted" in answer.lines[-1]["message"]


def test_a_line_the_order_has_not_is_refused(shell: Shell) -> None:
    answer = shell.run(order(), apply(lines=[{"line_no": "Z", "quantity": 1}]))
    assert ("refused", "unknown_line") == only_row(answer)


def test_a_line_named_twice_is_refused(shell: Shell) -> None:
    twice = [{"line_no": "B", "quantity": 1}, {"line_no": "B", "quantity": 1}]
    answer = shell.run(order(), apply(lines=twice))
    assert ("refused", "duplicate_line") == only_row(answer)


def test_a_line_returned_twice_is_refused_the_second_time(shell: Shell) -> None:
    answer = shell.run(delivered(), take_back("r1"), take_back("r2"))
    assert ("refused", "quantity_not_available") == only_row(answer)
    assert "0 of 2 left" in answer.lines[-1]["message"]


def test_a_unit_that_is_claimed_already_is_refused(shell: Shell) -> None:
    one = [{"line_no": "A", "quantity": 1}]
    answer = shell.run(order(), apply("a1", lines=one), apply("a2", lines=one))
    assert ("refused", "quantity_not_available") == only_row(answer)


def test_more_than_was_bought_is_refused(shell: Shell) -> None:
    answer = shell.run(order(), apply(lines=[{"line_no": "B", "quantity": 3}]))
    assert ("refused", "quantity_not_available") == only_row(answer)


def test_more_money_than_the_quote_allows_is_refused_with_what_is_allowed(shell: Shell) -> None:
    answer = shell.run(order(), apply(amount="45.01"))
    assert ("refused", "amount_above_quote") == only_row(answer)
    assert "45.00 CNY allowed" in answer.lines[-1]["message"]


def test_numbers_of_nineteen_digits_stay_as_they_are(shell: Shell) -> None:
    trade, refund = "2846712390000000123", "9182736450000000019"
    shell.run(delivered(trade), take_back(order_no=trade, external_no=refund))
    (row,) = shell.done("ticket", "list", "--external", refund, "--json").lines
    assert (trade, f"{trade}-R1", refund) == (row["order_no"], row["ticket_no"], row["external_no"])
    assert refund in shell.done("export").out


def test_numbers_of_nineteen_digits_in_a_table_stay_as_they_are(shell: Shell) -> None:
    refund = "9182736450000000019"
    shell.run(delivered(), take_back(external_no=refund))
    acts = shell.write("acts.csv", ACTS, f"approve,{refund},operations:li")
    assert shell.done("act", acts, "--json").document["ticket_no"] == "E2-R1"


def test_a_message_shows_an_offending_value_escaped_and_cut(shell: Shell) -> None:
    answer = shell.run(order(), apply(reason="x\u001b[31m" + "y" * 500))
    assert "\x1b" not in answer.err + answer.out
    assert "y" * 100 not in answer.err
