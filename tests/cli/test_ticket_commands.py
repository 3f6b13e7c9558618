"""Commands on tickets: who gives them, to which, how often, and what may be wrong with them."""

import pytest

from cli.shell import Shell, delivered, take_back

LI = ("--actor", "operations:li")
BUYER = ("--actor", "buyer:alice")
WAREHOUSE = ("--actor", "warehouse:zhao")
WANG = ("--actor", "finance:wang")


def show(shell: Shell, name: str) -> dict[str, object]:
    document: dict[str, object] = shell.done("ticket", "show", name, "--json").document
    return document


# --- who, which, and how often ----------------------------------------------------------------------


def test_somebody_has_to_do_it(shop: Shell) -> None:
    answer = shop("ticket", "approve", "E2-R1")
    assert answer.status == 2
    assert "actor_missing: say who does it" in answer.err


def test_the_actor_may_stand_in_the_environment(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERSEFLOW_ACTOR", "operations:li")
    shop.done("ticket", "approve", "E2-R1")


def test_a_role_that_may_not_is_told_who_may(shop: Shell) -> None:
    answer = shop("ticket", "approve", "E2-R1", *WAREHOUSE)
    assert answer.status == 6
    assert answer.err.startswith("E2-R1 approve refused: not_permitted: warehouse may not approve")


def test_a_refused_command_names_the_ticket_as_the_operator_did(shop: Shell) -> None:
    answer = shop("ticket", "ship-back", "TB7", "--tracking", "SF1", *BUYER)
    assert answer.status == 5
    assert answer.err.startswith("TB7 ship_back refused: not_yet: ")


def test_an_unknown_ticket_is_refused(shop: Shell) -> None:
    answer = shop("ticket", "approve", "E9-R9", *LI)
    assert answer.status == 5
    assert "unknown_ticket: the ticket 'E9-R9' is not known" in answer.err


def test_several_tickets_are_worked_on_at_once(shell: Shell) -> None:
    shell.run(delivered("E2"), take_back("r2", "E2"), delivered("E3"), take_back("r3", "E3"))
    answer = shell.done("ticket", "approve", "E2-R1", "r3", *LI, "--json")
    assert ["E2-R1", "E3-R1"] == [line["ticket_no"] for line in answer.lines]
    assert {"applied"} == {line["outcome"] for line in answer.lines}


def test_what_could_not_be_done_does_not_undo_the_rest(shell: Shell) -> None:
    shell.run(delivered("E2"), take_back("r2", "E2"))
    answer = shell("ticket", "approve", "E9-R1", "E2-R1", *LI)
    assert answer.status == 4
    assert answer.out.startswith("E2-R1 approve applied awaiting_return 90.00 CNY")
    assert answer.err.startswith("E9-R1 approve refused: unknown_ticket: ")


@pytest.mark.parametrize("options", [("--id", "k1"), ("--expected-version", "3"), ("--amount", "1.00")])
def test_what_is_about_one_ticket_cannot_be_said_to_several(shop: Shell, options: tuple[str, ...]) -> None:
    answer = shop("ticket", "approve", "E1-R1", "E2-R1", *options, *LI)
    assert answer.status == 2
    assert "one_ticket_only" in answer.err


def test_an_idempotency_key_makes_a_command_safe_to_repeat(shop: Shell) -> None:
    again = ("ticket", "approve", "E2-R1", "--id", "k1", *LI)
    assert "applied" == shop.result(*again)["outcome"]
    assert "replayed" == shop.result(*again)["outcome"]
    answer = shop("ticket", "approve", "E2-R1", "--id", "k1", "--amount", "1.00", *LI)
    assert answer.status == 5
    assert "id_with_other_content" in answer.err


def test_a_case_that_changed_meanwhile_is_left_alone(shop: Shell) -> None:
    version = str(show(shop, "E2-R1")["version"])
    shop.result("ticket", "note", "E2-R1", "somebody was quicker", *LI)
    answer = shop("ticket", "approve", "E2-R1", "--expected-version", version, *LI)
    assert answer.status == 5
    assert "changed_meanwhile" in answer.err


@pytest.mark.parametrize("text", ["B", "=1", "B=", "B=x", "B=-1", "B=1.5", "B=１"])
def test_a_line_is_its_number_and_its_units(shop: Shell, text: str) -> None:
    answer = shop("ticket", "receive", "E2-R1", "--line", text, *WAREHOUSE)
    assert answer.status == 2
    assert "bad_line" in answer.err
