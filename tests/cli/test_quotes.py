"""``quote``: every figure of an application's money, and nothing written."""

import json

import pytest

from cli.shell import NOW, Shell, apply, delivered, order, take_back

QUOTE = {
    "order_no": "E1",
    "currency": "CNY",
    "type": "refund_only",
    "verdicts": [{"rule": "auto_unshipped", "outcome": "accept", "code": "unshipped"}],
    "lines": [
        {"line_no": "B", "quantity": 1, "list": "50.00", "discount": "5.00", "tax": "0.00", "refund": "45.00"}
    ],
    "freight": "0.00",
    "fees": [],
    "tenders": [{"payment_no": "p1", "tender": "cash", "refund": "45.00"}],
    "not_returned": [{"what": "coupon-20", "amount": "5.00", "why": "discount_not_paid"}],
    "strategy": "proportional",
    "rulebook": "generic_web-1",
    "total": "45.00",
}  # fmt: skip
ASKED = ("E1", "--type", "refund_only", "--reason", "not_wanted")


def test_a_quote_has_the_words_of_the_format_in_their_order(shell: Shell) -> None:
    shell.run(order())
    answer = shell.done("quote", *ASKED, "--line", "B=1", "--json")
    assert json.dumps(QUOTE) == answer.out.rstrip("\n")


def test_an_application_in_a_file_gets_the_same_quote(shell: Shell) -> None:
    shell.run(order())
    file = shell.write("asked.jsonl", apply())
    assert QUOTE == shell.done("quote", file, "--json").document
    stdin = (shell.folder / file).read_bytes()
    assert QUOTE == shell.done("quote", "-", "--json", stdin=stdin).document


def test_a_quote_writes_nothing(shell: Shell) -> None:
    shell.run(order())
    before = shell.digest()
    shell.done("quote", *ASKED, "--line", "B=1")
    assert before == shell.digest()
    assert [] == shell.done("ticket", "list", "--json").lines


def test_every_figure_is_told_with_its_why(shell: Shell) -> None:
    shell.run(order(payments=[
        {"payment_no": "p1", "amount": "150.00"},
        {"payment_no": "p2", "tender": "points", "amount": "40.00", "funded_by": "platform"},
    ]))  # fmt: skip
    told = shell.done("quote", *ASKED, "--line", "A=1", "--line", "B=2").out
    rows = [" ".join(line.split()) for line in told.splitlines()]
    assert "E1 refund_only 150.00 CNY" == rows[0]
    assert "B 2 100.00 10.00 0.00 71.05" in rows
    assert "to p1 150.00 goes back as cash" in rows
    assert "not points 40.00 the policy does not give this tender back" in rows
    assert "rule auto_unshipped accept: unshipped" in rows
    assert any(row.startswith("freight 7.90 shipping given back") for row in rows)


def test_the_figures_add_up_to_the_total(shell: Shell) -> None:
    wrapped = order(
        charges=[{"code": "gift_wrap", "amount": "3.00"}],
        payments=[{"payment_no": "p1", "amount": "193.00"}],
    )
    shell.run(wrapped)
    told = shell.done("quote", *ASKED, "--line", "A=1", "--line", "B=2").out
    rows = [line.split()[:2] for line in told.splitlines() if line]
    assert ["freight", "10.00"] in rows and ["total", "193.00"] in rows
    assert any(line.startswith("#charge:gift_wrap") and line.endswith("3.00") for line in told.splitlines())


@pytest.mark.parametrize(
    ("options", "total"),
    [
        (("--line", "B=2"), "90.00"),
        (("--line", "B=1", "--line", "A=1@10.00"), "55.00"),
        (("--line", "B=1@40.00"), "40.00"),
        (("--line", "A=@12.34"), "12.34"),
        (("--line", "B=2", "--amount", "33.33"), "33.33"),
        (("--line", "B=1", "--refund-shipping", "5.00"), "50.00"),
        (("--line", "B=1", "--refund-shipping", "all"), "55.00"),
    ],
)
def test_units_amounts_and_shipping_can_be_asked_for(
    shell: Shell, options: tuple[str, ...], total: str
) -> None:
    shell.run(delivered("E1"))
    told = ("E1", "--type", "refund_only", "--reason", "agreed", "--now", NOW)
    assert total == shell.done("quote", *told, *options, "--json").document["total"]


def test_the_quote_of_an_application_is_what_its_ticket_gets(shell: Shell) -> None:
    shell.run(delivered())
    asked = ("E2", "--type", "return_refund", "--reason", "size_fit", "--line", "B=1", "--line", "A=1")
    now = ("--now", "2026-05-04T10:00:00+08:00")
    quoted = shell.done("quote", *asked, *now, "--json").document
    shell.done("ticket", "apply", *asked, *now, "--actor", "buyer:alice")
    kept = shell.done("ticket", "show", "E2-R1", "--json").document["quote"]
    assert quoted | {"verdicts": []} == kept


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--line", "B=3"), "quantity_not_available"),
        (("--line", "Z=1"), "unknown_line"),
        (("--line", "B=1@45.01"), "amount_above_quote"),
        (("--line", "B=1", "--amount", "x"), "bad_amount"),
    ],
)
def test_what_the_order_does_not_allow_is_refused(shell: Shell, options: tuple[str, ...], code: str) -> None:
    shell.run(order())
    answer = shell("quote", *ASKED, *options)
    assert (answer.status, answer.out) == (5, "")
    assert f"{code}: " in answer.err


def test_what_a_rule_would_refuse_is_quoted_and_said(shell: Shell) -> None:
    shell.run(delivered())
    asked = ("E2", "--type", "return_refund", "--reason", "size_fit", "--line", "B=1")
    answer = shell("quote", *asked, "--now", "2026-09-01T00:00:00Z", "--json")
    assert answer.status == 5
    assert "refuse" in {verdict["outcome"] for verdict in answer.document["verdicts"]}
    assert "window_closed: the rule return_window would refuse this" in answer.err


def test_a_file_with_a_refused_application_is_quoted_in_part(shell: Shell) -> None:
    shell.run(order())
    file = shell.write("asked.jsonl", apply(), apply("a2", "E404"), order())
    answer = shell("quote", file, "--json")
    assert answer.status == 4
    assert [QUOTE] == answer.lines
    assert "asked.jsonl:2: unknown_order: " in answer.err
    assert "1 record that is no application passed over" in answer.err


def test_a_file_without_an_application_is_a_usage_error(shell: Shell) -> None:
    shell.run(order())
    assert shell("quote", "input.jsonl").status == 2


def test_an_order_number_alone_is_told_what_is_missing(shell: Shell) -> None:
    shell.run(order())
    answer = shell("quote", "E1")
    assert answer.status == 3
    assert "give --type, --reason and --line" in answer.err
    assert shell("quote", "E1", "--type", "refund_only").status == 2


def test_a_return_can_be_quoted_before_anybody_applies(shell: Shell) -> None:
    shell.run(delivered())
    asked = shell.write("asked.jsonl", take_back())
    assert "90.00" == shell.done("quote", asked, "--json").document["total"]
