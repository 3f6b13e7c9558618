"""The figures on the page about money are the engine's."""

from sqlalchemy import text

from reverseflow import Engine, format_amount
from reverseflow.core.asking import GIVE_BACK
from reverseflow.core.case import MONEY_TENDERS, TENDERS
from reverseflow.core.rulebook import Policy
from support.pages import Page

PAGE = Page("explanation/money.md")


def test_every_example_gives_the_answer_on_the_page(engine: Engine) -> None:
    assert PAGE.run(engine=engine) > 20


def test_the_worked_examples_are_all_there(engine: Engine) -> None:
    """E1 to E3 and E7 are told, each with the figures it is known for."""
    PAGE.run(engine=engine)
    orders = {name: engine.case(name) for name in ("E1", "E2", "E3", "E7")}
    assert None not in orders.values()
    for figure in ("45.00", "190.00", "42.78", "71.77", "33.33", "33.34", "66.77"):
        assert figure in PAGE.text


def test_the_postings_on_the_page_are_those_of_order_e7(engine: Engine) -> None:
    PAGE.run(engine=engine)
    query = text(
        "SELECT e.kind, p.account, p.amount FROM postings p JOIN events e "
        "ON e.order_no = p.order_no AND e.seq = p.seq "
        "WHERE p.order_no = 'E7' ORDER BY p.seq, p.position"
    )
    with engine.database.connect() as connection:
        found = [
            (kind, account, format_amount(amount, "CNY"))
            for kind, account, amount in connection.execute(query)
        ]
    assert [found] == PAGE.tables("event", "account", "amount")


def test_the_second_order_is_given_back_as_the_table_of_tenders_says(engine: Engine) -> None:
    """The red packet of line B stays away, or comes along where the reviewer says so."""
    PAGE.run(engine=engine)
    [rows] = PAGE.tables("line B of order E2")
    case = engine.case("E2")
    assert case is not None
    parts = dict(case.lines["B"].paid_by)
    cash, packet = parts["cash"], parts["red_packet"]
    expected = [(cash, 0, cash), (cash, packet, cash + packet)]
    assert [tuple(format_amount(amount, "CNY") for amount in row) for row in expected] == [
        row[1:] for row in rows
    ]


def test_the_table_of_tender_policies_has_every_tender() -> None:
    heading = next(line for line in PAGE.text.splitlines() if line.startswith("| `tender_policy` |"))
    first, second = (
        tuple(word.strip().replace(" ", "_") for word in cell.split(","))
        for cell in heading.strip("|").split("|")[1:]
    )
    assert (first, first + second) == (MONEY_TENDERS, TENDERS)
    [rows] = PAGE.tables("tender_policy")
    assert [f"{Policy('v').tender_policy} (default)", "in_kind"] == [row[0] for row in rows]
    for switch in GIVE_BACK:
        assert f"`{switch}`" in PAGE.text or f'"{switch}"' in PAGE.text


def test_the_page_says_which_strategy_every_quote_has() -> None:
    assert f"always `{Policy('v').strategy}`" in PAGE.text
