"""Finance's queue and the orders."""

from cli.shell import NOW, Shell, apply, delivered, order, take_back

WANG = ("--actor", "finance:wang")


def walk(shell: Shell, ticket: str, *, upto: str = "inspect") -> None:
    """Take a return as far as the step named."""
    steps = {
        "approve": ("--actor", "operations:li"),
        "ship-back": ("--tracking", "SF1", "--actor", "buyer:alice"),
        "receive": ("--actor", "warehouse:zhao"),
        "inspect": ("--actor", "warehouse:zhao"),
    }
    for step, options in steps.items():
        shell.done("ticket", step, ticket, *options, "--now", NOW)
        if step == upto:
            return


def queue(shell: Shell, *options: str) -> list[str]:
    return [line["ticket_no"] for line in shell.done("finance", "list", "--json", *options).lines]


def test_the_queue_has_only_what_waits_for_nothing_but_finance(shell: Shell) -> None:
    shell.run(order("E1"), apply("a1"))  # released by the system
    for number in range(2, 7):
        shell.run(delivered(f"E{number}"), take_back(f"r{number}", f"E{number}"))
    walk(shell, "E3-R1", upto="approve")
    walk(shell, "E4-R1")
    walk(shell, "E5-R1")
    walk(shell, "E6-R1")
    shell.done("finance", "release", "E5-R1", *WANG)
    assert ["E4-R1", "E6-R1"] == queue(shell)
    assert ["E6-R1"] == queue(shell, "--limit", "1", "--offset", "1")


def test_a_refund_without_goods_is_due_as_soon_as_it_is_approved(shell: Shell) -> None:
    asked = take_back(type="refund_only", reason="agreed")
    shell.run(delivered(), asked)
    assert [] == queue(shell)
    walk(shell, "E2-R1", upto="approve")
    assert ["E2-R1"] == queue(shell)


def test_goods_and_fees_of_a_row_add_up_to_its_total(shell: Shell) -> None:
    asked = take_back(lines=[{"line_no": "A", "quantity": 1}, {"line_no": "B", "quantity": 1}])
    shell.run(delivered(), asked)
    terms = ("--service-fee", "5.00", "--give-back", "freight", "--actor", "operations:li")
    shell.done("ticket", "approve", "E2-R1", *terms, "--now", NOW)
    shell.done("ticket", "waive-return", "E2-R1", "--actor", "operations:li", "--now", NOW)
    row = shell.done("finance", "list", "--json").document
    assert [
        ("红色连衣裙", "100.00", 1, "90.00"),
        ("shirt", "50.00", 1, "45.00"),
        ("shipping", "10.00", None, "10.00"),
        ("fee service_fee", None, None, "-5.00"),
    ] == [(line["goods"], line["unit_price"], line["quantity"], line["subtotal"]) for line in row["lines"]]
    assert ("140.00", "CNY") == (row["total"], row["currency"])
    header, *rows = shell.done("finance", "list").out.splitlines()
    assert ("ticket_no applied_at reviewed_at goods unit_price quantity subtotal total currency") == (
        " ".join(header.split())
    )
    assert 4 == len(rows)


def test_a_ticket_sent_back_is_gone_from_the_queue_and_reviewed_again(shell: Shell) -> None:
    shell.run(delivered(), take_back(type="refund_only", reason="agreed"))
    walk(shell, "E2-R1", upto="approve")
    line = shell.result("finance", "send-back", "E2-R1", "--reason", "too much", *WANG)
    assert ("applied", "pending_review") == (line["outcome"], line["status"])
    assert [] == queue(shell)
    detail = shell.done("ticket", "show", "E2-R1", "--json").document["detail"]
    assert "too much" == detail["sent_back"]


def test_several_tickets_are_released_at_once(shell: Shell) -> None:
    for number in (2, 3):
        shell.run(delivered(f"E{number}"), take_back(f"r{number}", f"E{number}"))
        walk(shell, f"E{number}-R1")
    assert shell.done("finance", "release", "E2-R1", "E3-R1", *WANG).out.count("applied") == 2
    assert [] == queue(shell)


def test_only_finance_releases(shop: Shell) -> None:
    walk(shop, "E2-R1")
    answer = shop("finance", "release", "E2-R1", "--actor", "operations:li")
    assert answer.status == 6
    assert ["E2-R1"] == queue(shop)


def test_an_order_shows_what_is_claimed_reserved_and_refunded(shop: Shell) -> None:
    document = shop.done("order", "show", "E1", "--json").document
    assert ("E1", "generic_web", "demo", "190.00", "CNY") == tuple(
        document[name] for name in ("order_no", "platform", "shop", "paid", "currency")
    )
    assert [("A", 0, "0.00"), ("B", 1, "45.00"), ("#shipping", 0, "0.00")] == [
        (line["line_no"], line["claimed"], line["reserved"]) for line in document["lines"]
    ]
    (payment,) = document["payments"]
    assert ("190.00", "45.00", "0.00") == (
        payment["amount"], payment["reserved"], payment["refunded"],
    )  # fmt: skip
    assert ["E1-R1"] == [ticket["ticket_no"] for ticket in document["tickets"]]
    text = shop.done("order", "show", "E1").out
    for word in ("红色连衣裙", "#shipping", "E1-R1", "190.00", "45.00"):
        assert word in text


def test_orders_are_listed_the_newest_first(shop: Shell) -> None:
    shop.run(order("E3", placed_at="2026-05-09T10:00:00+08:00"))
    rows = shop.done("order", "list", "--json").lines
    assert ["E3", "E1", "E2"] == [row["order_no"] for row in rows]
    assert ("190.00", "45.00", "0.00", 1) == tuple(
        rows[1][name] for name in ("paid", "reserved", "refunded", "tickets")
    )
    cut = shop.done("order", "list", "--limit", "1", "--offset", "1", "--json")
    assert ["E1"] == [row["order_no"] for row in cut.lines]
    assert "there are more: --offset 2" in cut.err
    assert "order_no" in shop.done("order", "list").out
