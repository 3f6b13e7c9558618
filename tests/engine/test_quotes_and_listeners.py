"""A quote is what an application then claims; listeners hear what was committed, and only that."""

import logging
from collections.abc import Sequence

import pytest

from reverseflow.contracts import EventListener
from reverseflow.core.commands import Apply, BuyerFacts
from reverseflow.core.errors import ExitStatus, ReverseFlowError
from reverseflow.core.events import Event
from reverseflow.core.money import format_amount
from reverseflow.engine import Engine
from reverseflow.plugins import registry_of
from reverseflow.storage import queries
from reverseflow.storage.store import Store
from support.cases import NOON, coupon, freight, goods, money, paid, sale, units
from support.stores import apply, dump, order, outcomes, refund, shop, told

MIXED = sale(
    goods("A", "33.33", 3), goods("B", "0.05", 7), coupon("7.77"), freight("6.00"),
    paid("90.00"), paid("8.57", "points"), order_no="E1", platform="web",
)  # fmt: skip
ASKED: dict[str, Apply] = {
    "one unit": apply("E1", "q", A=1),
    "everything": apply("E1", "q", A=3, B=7),
    "with freight": apply("E1", "q", fields={"refund_shipping": True}, A=1),
    "an amount": apply("E1", "q", fields={"amount": "12.34"}, A=2, B=1),
    "money of a line": apply("E1", "q", fields={"lines": money(A="0.01")}),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("later", [False, True])
def test_a_quote_is_what_the_application_then_claims(engine: Engine, asked: str, later: bool) -> None:
    """Also on an order of which units went back before."""
    engine.execute([MIXED, *(refund("E1", "a0", B=2) if later else [])])
    command = ASKED[asked]
    if later and asked == "everything":
        command = apply("E1", "q", A=3, B=5)
    before = dump(engine)
    quote = engine.quote(command)
    assert dump(engine) == before
    [result] = engine.execute([command])
    assert result.outcome == "applied"
    assert result.refund == quote["total"]
    found = engine.find_ticket("q")
    assert found is not None
    case, ticket = found[0], found[0].tickets[found[1]]
    assert {payout.payment_no: format_amount(payout.amount, case.currency) for payout in ticket.payouts} == {
        tender["payment_no"]: tender["refund"] for tender in quote["tenders"]
    }
    assert [
        (line.line_no, line.quantity, format_amount(line.refund, case.currency))
        for line in ticket.lines
        if not line.line_no.startswith("#")
    ] == [(line["line_no"], line["quantity"], line["refund"]) for line in quote["lines"]]


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("unknown_order", apply("E9", A=1)),
        ("quantity_not_available", apply("E1", A=4)),
        ("unknown_reason", apply("E1", fields={"reason": "whim"}, A=1)),
        ("unknown_line", apply("E1", C=1)),
    ],
)
def test_what_would_be_refused_is_refused_in_the_quote(engine: Engine, code: str, asked: Apply) -> None:
    """With the code an application gets."""
    engine.execute([order("E1")])
    [result] = engine.execute([asked], platform="web")
    assert result.codes == (code,)
    with pytest.raises(ReverseFlowError) as caught:
        engine.quote(asked)
    assert caught.value.code == code


def test_a_refused_quote_is_no_internal_error(sqlite_url: str) -> None:
    """Not for the rules' no, and not where the order's platform is not supplied any more."""
    with shop(sqlite_url) as engine:
        engine.execute([order("E1")])
        with pytest.raises(ReverseFlowError) as caught:
            engine.quote(apply("E1", A=4))
        assert caught.value.exit_status is ExitStatus.REFUSED
    with (
        Engine(sqlite_url, plugins=registry_of({})) as engine,
        pytest.raises(ReverseFlowError) as caught,
    ):
        engine.quote(apply("E1", A=1))
    assert (caught.value.code, caught.value.exit_status) == ("unknown_platform", ExitStatus.REFUSED)


class Ear:
    """A listener that keeps what it hears, after looking whether it is in the store yet."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[str]]] = []
        self.engine: Engine | None = None

    def notify(self, order_no: str, events: Sequence[Event]) -> None:
        assert self.engine is not None
        with shop(str(self.engine.database.url)) as another:
            case = another.case(order_no)
        assert case is not None and case.version >= events[-1].seq, "told before the commit"
        self.heard.append((order_no, [event.kind for event in events]))


def test_listeners_hear_of_every_order_after_the_commit(engine_url: str) -> None:
    ear = Ear()
    with shop(engine_url, listeners=[EventListener("ear", ear.notify)]) as engine:
        ear.engine = engine
        engine.execute([order("E1"), *refund("E1", "a1", until="released", A=1), order("E2")])
        engine.execute([order("E1"), told("note", id="n", ticket_no="a1"), apply("E1", "r", A=9)])
    assert ear.heard == [
        ("E1", ["order_recorded", "ticket_opened", "review_approved", "settlement_released"]),
        ("E2", ["order_recorded"]),
        ("E1", ["note_added"]),
    ]


def test_a_listener_that_raises_is_logged_and_nothing_else(
    engine_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def deaf(order_no: str, events: Sequence[Event]) -> None:
        raise ZeroDivisionError("no ear")

    listeners = [
        EventListener("deaf", deaf),
        EventListener("ear", lambda order_no, events: heard.append(order_no)),
    ]
    with (
        caplog.at_level(logging.ERROR, "reverseflow"),
        shop(engine_url, listeners=listeners) as engine,
    ):
        assert outcomes(engine.execute([order("E1"), order("E2")])) == ["applied"] * 2
        assert engine.counts()["cases"] == 2
    assert heard == ["E1", "E2"]
    assert [record.getMessage() for record in caplog.records] == ["listener deaf of plugin more failed"] * 2


def test_find_ticket_knows_every_name_of_a_ticket(engine: Engine) -> None:
    engine.execute([order("E1"), apply("E1", "a1", fields={"external_no": "X1"}, A=1)])
    for name in ("E1-R1", "a1", "X1"):
        found = engine.find_ticket(name)
        assert found is not None
        assert (found[0].order_no, found[1]) == ("E1", "E1-R1")
    assert engine.find_ticket("E1") is None
    assert engine.find_ticket("E1-R2") is None


def test_questions_about_many_orders_are_answered_from_one_snapshot(engine_url: str) -> None:
    """What somebody commits in between shows in all of the answer or in nothing of it."""
    with shop(engine_url) as engine, shop(engine_url) as another:
        engine.execute([order("E1")])

        def ask(store: Store) -> tuple[int, int]:
            first = queries.counts(store)["cases"]
            another.execute([order("E2")])
            return first, queries.counts(store)["cases"]

        assert engine.view(ask) == (1, 1)
        assert engine.counts()["cases"] == 2


def test_what_an_account_bought_is_found_with_what_is_left_of_it(engine: Engine) -> None:
    buyer = BuyerFacts(account="b1")
    engine.execute([order("E1", buyer=buyer, placed_at=NOON), *refund("E1", "a1", A=2)])
    engine.execute([order("E2", buyer=buyer, placed_at=NOON.replace(hour=13))])
    found = engine.purchases("b1", ["SKU-A"], NOON)
    assert [(bought.order_no, bought.bought, bought.left) for bought in found] == [("E1", 3, 1)]
    assert engine.purchases("", ["SKU-A"], NOON) == engine.purchases("b2", ["SKU-A"], NOON) == []


def test_what_is_drawn_under_an_external_number_leaves_out_what_ended(engine: Engine) -> None:
    fields = {"external_no": "X", "lines": units(A=1)}
    commands = [order("E1"), apply("E1", "a1", fields=fields), told("cancel", ticket_no="a1"),
                apply("E1", "a2", fields=fields)]  # fmt: skip
    engine.execute(commands)
    assert [(drawn.ticket_no, drawn.quantity) for drawn in engine.drawn("X")] == [("E1-R2", 1)]
