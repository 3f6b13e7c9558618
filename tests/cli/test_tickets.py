"""Tickets by hand: each command by its name, alone or several at once, through a whole life."""

import pytest

from cli.shell import NOW, Shell, apply, delivered, order, take_back

LI = ("--actor", "operations:li")
BUYER = ("--actor", "buyer:alice")
WAREHOUSE = ("--actor", "warehouse:zhao")
WANG = ("--actor", "finance:wang")


def told(shell: Shell, *arguments: str) -> tuple[str, str, str]:
    """Outcome, status and refund of a ticket command."""
    line = shell.result("ticket", *arguments)
    return line["outcome"], line["status"], line["refund"]


def show(shell: Shell, name: str) -> dict[str, object]:
    document: dict[str, object] = shell.done("ticket", "show", name, "--json").document
    return document


# --- a whole life ---------------------------------------------------------------------------------


def test_a_return_goes_by_hand_from_application_to_money(shell: Shell) -> None:
    shell.run(delivered())
    asked = ("--type", "return_refund", "--reason", "size_fit", "--line", "B=2")
    opened = told(shell, "apply", "E2", *asked, "--external-no", "TB7", *BUYER)
    assert ("applied", "pending_review", "90.00") == opened
    terms = ("--service-fee", "5.00", "--give-back", "freight", "--return-address", "Hangzhou 7")
    assert ("applied", "awaiting_return", "95.00") == told(shell, "approve", "TB7", *terms, *LI)
    parcel = ("--carrier", "SF", "--tracking", "SF1")
    assert "awaiting_return" == told(shell, "ship-back", "E2-R1", *parcel, *BUYER)[1]
    assert "applied" == told(shell, "receive", "E2-R1", "--line", "B=1", *WAREHOUSE)[0]
    assert "applied" == told(shell, "receive", "E2-R1", "--line", "B=1", *WAREHOUSE)[0]
    found = told(shell, "inspect", "E2-R1", "--line", "B=1:1:restock", *WAREHOUSE)
    assert ("applied", "awaiting_refund", "50.00") == found
    released = shell.result("finance", "release", "E2-R1", *WANG)
    assert ("applied", "awaiting_refund") == (released["outcome"], released["status"])
    settled = told(shell, "settle", "E2-R1", "--result", "settled", *WANG)
    assert ("applied", "completed", "50.00") == settled
    shell.done("verify")


@pytest.mark.parametrize(
    ("command", "actor", "event"),
    [
        (("pickup", "--carrier", "SF"), BUYER, "pickup_booked"),
        (("refuse-delivery",), BUYER, "delivery_refused"),
        (("intercept", "--tracking", "SF1"), LI, "parcel_intercepted"),
        (("waive-return", "--reason", "perishable"), LI, "return_waived"),
    ],
)
def test_goods_come_back_in_one_of_four_ways_or_not_at_all(
    shop: Shell, command: tuple[str, ...], actor: tuple[str, str], event: str
) -> None:
    shop.result("ticket", "approve", "E2-R1", *LI)
    assert "applied" == told(shop, command[0], "E2-R1", *command[1:], *actor)[0]
    history = show(shop, "E2-R1")["history"]
    assert isinstance(history, list)
    assert event == history[-1]["event"]


def test_a_parcel_may_be_lost(shop: Shell) -> None:
    shop.result("ticket", "approve", "E2-R1", *LI)
    shop.result("ticket", "ship-back", "E2-R1", "--tracking", "SF1", *BUYER)
    answer = told(shop, "lose", "E2-R1", "--reason", "carrier confirmed", *WAREHOUSE)
    assert ("applied", "awaiting_refund") == answer[:2]


def test_a_rejected_application_is_revised_and_reviewed_anew(shop: Shell) -> None:
    assert "rejected" == told(shop, "reject", "E2-R1", "--reason", "worn", *LI)[1]
    assert ("applied", "pending_review", "45.00") == told(
        shop, "revise", "E2-R1", "--line", "B=1", "--reason", "quality", *BUYER
    )
    assert "quality" == show(shop, "E2-R1")["reason"]


def test_a_withdrawn_application_frees_what_it_claimed_and_can_come_back(shop: Shell) -> None:
    assert "cancelled" == told(shop, "cancel", "E2-R1", *BUYER)[1]
    lines = shop.done("order", "show", "E2", "--json").document["lines"]
    assert [0, 0, 0] == [line["claimed"] for line in lines]
    assert "pending_review" == told(shop, "reopen", "E2-R1", *LI)[1]


def test_staff_may_close_a_ticket(shop: Shell) -> None:
    assert "closed" == told(shop, "close", "E2-R1", "--reason", "no answer", *LI)[1]


def test_a_note_is_kept_with_its_author(shop: Shell) -> None:
    shop.done("ticket", "note", "E2-R1", "called the buyer", *LI)
    detail = show(shop, "E2-R1")["detail"]
    assert isinstance(detail, dict)
    assert [{"by": "operations:li", "text": "called the buyer"}] == detail["notes"]


def test_an_unquoted_note_is_not_taken_for_several_tickets(shop: Shell) -> None:
    answer = shop("ticket", "note", "E2-R1", "called", "the", "buyer", *LI)
    assert answer.status == 2


def test_a_reason_is_required_where_the_buyer_will_read_it(shop: Shell) -> None:
    assert shop("ticket", "reject", "E2-R1", *LI).status == 2
    assert shop("finance", "send-back", "E2-R1", *WANG).status == 2


# --- show -----------------------------------------------------------------------------------------


def test_show_has_everything_a_reviewer_looks_at(shop: Shell) -> None:
    document = shop.done("ticket", "show", "E2-R1", "--json").document
    assert ("E2-R1", "E2", "TB7", "r1") == tuple(
        document[name] for name in ("ticket_no", "order_no", "external_no", "apply_id")
    )
    assert {"review": "pending", "return": "awaiting", "settlement": "due"} == document["legs"]
    (line,) = document["goods"]
    assert ("B", "SKU-B", "shirt", "50.00", 2, "90.00") == tuple(
        line[name] for name in ("line_no", "sku", "title", "unit_price", "quantity", "refund")
    )
    assert "90.00" == document["amount"] == document["quote"]["total"]
    (payout,) = document["payouts"]
    assert ("p1", "cash", "90.00", "due") == tuple(
        payout[name] for name in ("payment_no", "tender", "amount", "state")
    )
    assert ("operations", "escalate") == (document["owner"], document["deadline_command"])
    assert ["ticket_opened"] == [event["event"] for event in document["history"]]


def test_the_buyer_is_masked_unless_he_is_to_be_revealed(shop: Shell) -> None:
    masked = shop.done("ticket", "show", "E2-R1", "--json").document["buyer"]
    assert {
        "account": "a***e", "level": "vip2", "name": "张***", "phone": "***4567",
        "address": "浙江省杭州市***", "past_tickets": 1,
    } == masked  # fmt: skip
    plain = shop.done("ticket", "show", "E2-R1", "--json", "--reveal").document["buyer"]
    assert "13800004567" == plain["phone"]
    for command in (("ticket", "show", "E2-R1"), ("order", "show", "E2")):
        said = shop.done(*command).out
        assert "13800004567" not in said and "文三路" not in said


def test_show_tells_the_return_and_the_whole_history(shop: Shell) -> None:
    address = ("--return-contact", "仓库", "--return-phone", "0571", "--return-address", "杭州")
    shop.result("ticket", "approve", "E2-R1", *address, *LI)
    shop.result("ticket", "ship-back", "E2-R1", "--carrier", "SF", "--tracking", "SF1", *BUYER)
    surprise = ("--line", "B=1", "--line", "A=1", "--surprise", "a book")
    shop.result("ticket", "receive", "E2-R1", *surprise, *WAREHOUSE)
    told_ = shop.done("ticket", "show", "E2-R1", "--json").document["return"]
    assert {"contact": "仓库", "phone": "0571", "address": "杭州"} == told_["return_to"]
    assert [{"way": "ship_back", "carrier": "SF", "tracking_no": "SF1"}] == told_["parcels"]
    assert [[["B", 1]]] == [receipt["lines"] for receipt in told_["receipts"]]
    assert [["unlisted_item", "A", 1], ["told", "a book", 0]] == told_["surprises"]
    text = shop.done("ticket", "show", "E2-R1").out
    for word in ("退货退款", "待退货", "SF1", "仓库", "unlisted_item", "goods_received", "90.00"):
        assert word in text


def test_all_tickets_that_bear_a_name_are_shown(shell: Shell) -> None:
    shell.run(
        delivered("E2"), take_back("r2", "E2", external_no="TB7"),
        delivered("E3"), take_back("r3", "E3", external_no="TB7"),
    )  # fmt: skip
    found = shell.done("ticket", "show", "TB7", "--json").lines
    assert ["E2-R1", "E3-R1"] == [document["ticket_no"] for document in found]


def test_showing_what_is_not_known_is_refused(shop: Shell) -> None:
    for command in (("ticket", "show", "E9-R1"), ("order", "show", "E9")):
        answer = shop(*command)
        assert (answer.status, answer.out) == (5, "")
        assert "'E9" in answer.err


# --- list -----------------------------------------------------------------------------------------


def listed(shell: Shell, *options: str) -> list[str]:
    lines = shell.done("ticket", "list", "--json", *options).lines
    return [line["ticket_no"] for line in lines]


def test_the_list_has_the_columns_of_the_trade(shop: Shell) -> None:
    header, *rows = shop.done("ticket", "list").out.splitlines()
    assert (
        "ticket_no order_no shop type amount currency applied_at reviewed_at placed_at status"
    ) == " ".join(header.split())
    assert 2 == len(rows)
    assert "E2-R1" == rows[0].split()[0], "the newest first"


def test_the_columns_are_yours_to_choose_and_to_order(shop: Shell) -> None:
    answer = shop.done("ticket", "list", "--columns", "status, ticket_no,amount")
    assert ["status", "ticket_no", "amount"] == answer.out.splitlines()[0].split()
    line = shop.done("ticket", "list", "--columns", "amount,status", "--json").lines[0]
    assert [("amount", "90.00"), ("status", "pending_review")] == list(line.items())
    header = shop.done("ticket", "list", "--columns", "all").out.splitlines()[0]
    assert {"deadline", "owner", "external_no", "reviewer"} <= set(header.split())


@pytest.mark.parametrize("options", [("--columns", "colour"), ("--sort", "colour")])
def test_an_unknown_column_is_a_usage_error_that_names_the_known(
    shop: Shell, options: tuple[str, str]
) -> None:
    answer = shop("ticket", "list", *options)
    assert answer.status == 2
    assert "unknown_column" in answer.err and "reviewed_at" in answer.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--ticket", "E1-R1"), ["E1-R1"]),
        (("--order", "E2"), ["E2-R1"]),
        (("--external", "TB7"), ["E2-R1"]),
        (("--status", "pending_review"), ["E2-R1"]),
        (("--status", "pending_review", "--status", "awaiting_refund"), ["E2-R1", "E1-R1"]),
        (("--type", "refund_only"), ["E1-R1"]),
        (("--platform", "generic_web"), ["E2-R1", "E1-R1"]),
        (("--platform", "tmall"), []),
        (("--shop", "demo", "--owner", "operations"), ["E2-R1"]),
        (("--applied-from", "2026-05-02"), ["E2-R1"]),
        (("--applied-to", "2026-05-01"), ["E1-R1"]),
        (("--applied-from", "2026-05-04", "--applied-to", "2026-05-04"), ["E2-R1"]),
        (("--applied-to", "2026-05-01T11:00:00+08:00"), ["E1-R1"]),
        (("--applied-to", "2026-05-01T10:59:59+08:00"), []),
        (("--placed-from", "2026-05-02"), []),
        (("--placed-to", "2026-05-01"), ["E2-R1", "E1-R1"]),
        (("--due", "--now", "2026-05-03T00:00:00Z"), ["E1-R1"]),
        (("--due", "--now", "2026-05-01T04:00:00Z"), []),
        (("--sort", "ticket_no"), ["E1-R1", "E2-R1"]),
        (("--sort", "-amount"), ["E2-R1", "E1-R1"]),
        (("--limit", "1"), ["E2-R1"]),
        (("--limit", "1", "--offset", "1"), ["E1-R1"]),
    ],
)
def test_the_list_is_filtered_and_sorted(shop: Shell, options: tuple[str, ...], expected: list[str]) -> None:
    assert expected == listed(shop, *options)


def test_a_cut_list_says_how_to_go_on(shop: Shell) -> None:
    assert "--offset 1" in shop.done("ticket", "list", "--limit", "1").err
    assert "" == shop.done("ticket", "list", "--limit", "2").err


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-05-01T10:00:00"])
def test_a_bound_is_a_day_or_a_time_with_an_offset(shop: Shell, text: str) -> None:
    assert shop("ticket", "list", "--applied-from", text).status == 2


def test_amounts_have_the_decimals_of_their_currency(shell: Shell) -> None:
    yen = order(
        "J1", currency="JPY", discounts=[], shipping=[],
        lines=[{"line_no": "B", "sku": "S", "quantity": 2, "unit_price": "50"}],
        payments=[{"payment_no": "p1", "amount": "100"}],
    )  # fmt: skip
    shell.run(yen, apply(order_no="J1"))
    assert "50" == shell.done("ticket", "list", "--json").document["amount"]


def test_control_characters_never_reach_the_terminal(shell: Shell) -> None:
    shell.run(order(shop="a\tb"), apply())
    assert "a\\tb" in shell.done("ticket", "list").out


def test_the_owner_of_the_clock_is_the_option(shop: Shell) -> None:
    shop.done("ticket", "approve", "E2-R1", *LI, "--now", NOW)
    document = shop.done("ticket", "show", "E2-R1", "--json").document
    assert "2026-05-05T02:00:00Z" == document["reviewed_at"]
