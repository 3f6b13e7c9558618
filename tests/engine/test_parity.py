"""SQLite and PostgreSQL keep the same rows of the same commands, down to the hashes."""

import pytest

from engine.scripts import Script
from reverseflow.core.commands import BuyerFacts, Command
from reverseflow.engine import Engine
from support.cases import NOON, RELEASE, goods, paid, sale
from support.stores import apply, dump, outcomes, refund, shop, sound, told

SEEDS = range(20 if RELEASE else 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_story_is_kept_in_the_same_rows(sqlite_url: str, postgres_store: str, seed: int) -> None:
    """Three hundred commands, in batches of different lengths on either side."""
    commands = Script(seed, orders=25).told(300)
    with shop(sqlite_url) as one, shop(postgres_store) as other:
        told_one = in_parts(one, commands, 37)
        told_other = in_parts(other, commands, 91)
        assert told_one == told_other
        assert dump(one) == dump(other)
        assert sound(one) and sound(other)
        assert one.counts() == other.counts()
        assert one.money_totals() == other.money_totals()


def in_parts(engine: Engine, commands: list[Command], size: int) -> list[object]:
    """The results of the commands, so many at a time."""
    return [
        result
        for start in range(0, len(commands), size)
        for result in engine.execute(commands[start : start + size])
    ]


STRANGE = ("Ünïcode №1", "订单-１２", 'O\'Brien "%s" \\N {0} $1 :x ?', "a\tb\nc", "🧧", "e\u0301", "ſ ß İ")


def test_strange_texts_are_kept_as_they_are_told(sqlite_url: str, postgres_store: str) -> None:
    """Quotes, marks of parameters, tabs and line ends, other scripts, and look-alikes."""
    commands: list[Command] = []
    for number, text in enumerate(STRANGE):
        buyer = BuyerFacts(account=text, name=text, phone=text, address=text)
        fields = {"external_no": text, "note": text, "actor": f"buyer:{text}"}
        line = goods("A", "10.00", 2, title=text, category=text)
        commands += [
            sale(line, paid("20.00", payment_no=text), order_no=text, shop=text, buyer=buyer, platform="web"),
            apply(text, f"{number}{text}", fields=fields, A=1),
            told("note", id=f"n{number}", ticket_no=text, text=text, actor=f"operations:{text}"),
            *refund(text, f"{number}{text}", A=1)[1:],
        ]  # fmt: skip
    with shop(sqlite_url) as one, shop(postgres_store) as other:
        assert one.execute(commands) == other.execute(commands)
        assert set(outcomes(one.execute(commands))) == {"replayed"}
        assert dump(one) == dump(other)
        assert sound(one) and sound(other)
        for engine in (one, other):
            for text in STRANGE:
                case = engine.case(text)
                assert case is not None
                assert (case.shop, case.lines["A"].title, case.buyer) == (text, text, text)
                assert case.tickets[f"{text}-R1"].external_no == text
                found = engine.find_ticket(text)
                assert found is not None and found[0].order_no == text


def test_the_largest_amounts_are_kept_to_the_cent(sqlite_url: str, postgres_store: str) -> None:
    most = "9999999999999.99"
    commands = [
        sale(goods("A", most), paid(most), order_no="E1", platform="web"),
        sale(goods("A", "1", 10**9), paid(str(10**9)), order_no="E2", currency="JPY", platform="web"),
        *refund("E1", "a1", A=1),
        *refund("E2", "a2", A=999_999_999),
    ]
    with shop(sqlite_url) as one, shop(postgres_store) as other:
        assert set(outcomes(one.execute(commands))) == {"applied"}
        assert set(outcomes(other.execute(commands))) == {"applied"}
        assert dump(one) == dump(other)
        assert one.money_totals() == other.money_totals() == {
            "CNY": (10**15 - 1, 0, 10**15 - 1),
            "JPY": (10**9, 0, 10**9 - 1),
        }  # fmt: skip


def test_times_are_kept_to_the_microsecond_in_utc(engine: Engine) -> None:
    exact = NOON.replace(microsecond=123456)
    early = sale(goods("A", "1.00"), paid("1.00"), order_no="E1", platform="web", paid_at=exact)
    engine.execute([early])
    case = engine.case("E1")
    assert case is not None
    assert case.paid_at == exact
    assert dump(engine)["cases"][0][6] == "2026-05-01T12:00:00.123456Z"
