"""Whatever a plugin does when it is asked, it is its own ticket that fails, and nobody else's."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverseflow.contracts import EventListener
from reverseflow.core.events import Event
from reverseflow.core.money import Money
from reverseflow.core.rulebook import ACCEPT, REFUSE, FeeFormula, FeeInput, Rule, RuleInput, Verdict
from reverseflow.engine import Engine
from support.cases import examples
from support.stores import apply, dump, order, outcomes, refund, shop, sound, told

VICTIM = "E2"


class Unspeakable:
    """An object that raises whatever is done to it."""

    def _raise(self, *given: object) -> Any:
        raise OSError("hands off")

    __repr__ = __str__ = __eq__ = __ne__ = __bool__ = __hash__ = __lt__ = _raise


class Unspeakably(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise OSError("hands off")


class Word(str):
    """A text that says it is every text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise OSError("hands off")

    __hash__ = str.__hash__


def forged(**fields: Any) -> Money:
    """Money whose fields were changed behind its back."""
    money = Money(1, "CNY")
    for name, value in fields.items():
        object.__setattr__(money, name, value)
    return money


def leaves() -> Any:
    raise SystemExit(0)


def endless() -> Any:
    return endless()


def unspeakably() -> Any:
    raise Unspeakably


HOSTILE: dict[str, Callable[[], Any]] = {
    "an exception": lambda: 1 // 0,
    "leaving": leaves,
    "endless": endless,
    "an exception that cannot be shown": unspeakably,
    "an object that cannot be shown": Unspeakable,
    "a class": lambda: Verdict,
    "a generator": lambda: (number for number in range(3)),
    "a coroutine function": lambda: leaves,
    "not a number": lambda: float("nan"),
    "a long text": lambda: "x" * 10**6,
    "lines": lambda: "a\nb\x1b[2J",
}
HOSTILE_VERDICTS: dict[str, Callable[[], Any]] = {
    "an outcome that is every outcome": lambda: Verdict(Word("accept"), "code"),
    "an outcome that cannot be compared": lambda: Verdict(Unspeakable(), "code"),  # type: ignore[arg-type]
    "an outcome in a list": lambda: Verdict([ACCEPT], "code"),  # type: ignore[arg-type]
    "a code that cannot be shown": lambda: Verdict(REFUSE, Unspeakable()),  # type: ignore[arg-type]
    "a code that is no text": lambda: Verdict(REFUSE, 5),  # type: ignore[arg-type]
    "a message that is no text": lambda: Verdict(REFUSE, "code", Unspeakable()),  # type: ignore[arg-type]
}
HOSTILE_FEES: dict[str, Callable[[], Any]] = {
    "a fraction of a cent": lambda: forged(minor=0.5),
    "true": lambda: forged(minor=True),
    "more than there is": lambda: forged(minor=10**30),
    "less than nothing": lambda: forged(minor=-1),
}


def rule(hostile: Callable[[], Any]) -> dict[str, Any]:
    """A rule that is hostile to one order."""

    def check(asked: RuleInput) -> Verdict | None:
        return hostile() if asked.case.order_no == VICTIM else None

    return {"rules": [Rule("hostile", check)]}


def fee(hostile: Callable[[], Any]) -> dict[str, Any]:
    """A fee formula that is hostile to one order."""

    def compute(asked: FeeInput) -> Money | None:
        return hostile() if asked.case.order_no == VICTIM else None

    return {"fees": [FeeFormula("hostile", compute)]}


CASES = (
    [(rule, name, hostile) for name, hostile in (HOSTILE | HOSTILE_VERDICTS).items()]
    + [(fee, name, hostile) for name, hostile in (HOSTILE | HOSTILE_FEES).items()]
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "hostile"),
    [pytest.param(kind, hostile, id=f"{kind.__name__}: {name}") for kind, name, hostile in CASES],
)
def test_a_hostile_plugin_fails_its_own_ticket(
    sqlite_url: str, kind: Callable[..., dict[str, Any]], hostile: Callable[[], Any]
) -> None:
    with shop(sqlite_url, **kind(hostile)) as engine:
        results = engine.execute(
            [*map(order, ("E1", VICTIM, "E3")), *(apply(no, f"a{no}", A=1) for no in ("E1", VICTIM, "E3"))]
        )  # fmt: skip
        assert [r.outcome for r in results] == ["applied"] * 4 + ["failed", "applied"]
        failed = results[4]
        assert failed.codes in (("plugin_failed",), ("plugin_contract",))
        assert "hostile of plugin more" in failed.message
        assert failed.message.isprintable() and len(failed.message) < 500
        assert [row[1] for row in dump(engine)["tickets"]] == ["E1", "E3"]
        assert sound(engine)


def meddle(asked: RuleInput | FeeInput) -> None:
    """Forget everything of an order, as a mistake in a plugin may."""
    mappings: Any = (asked.case.claims, asked.case.payments, asked.case.lines, asked.case.tickets)
    for mapping in mappings:
        mapping.clear()  # type checkers do not let it; not everybody has one


@pytest.mark.parametrize("kind", ["rules", "fees"])
@pytest.mark.parametrize("together", [True, False])
def test_a_plugin_that_meddles_with_what_it_is_shown_changes_nothing_for_others(
    engine_url: str, kind: str, together: bool
) -> None:
    """Its own ticket may fail; the others go on, and the order is what its events say."""

    def meddling(asked: Any) -> None:
        if asked.case.order_no == VICTIM:
            meddle(asked)

    values: dict[str, Any] = {"rules": [Rule("m", meddling)], "fees": [FeeFormula("m", meddling)]}
    with shop(engine_url, **{kind: values[kind]}) as engine:
        engine.execute([] if together else [order("E1"), order(VICTIM), *refund(VICTIM, "a0", B=1)])
        commands = [order("E1"), order(VICTIM), apply(VICTIM, "a1", A=1), apply("E1", "a2", A=1),
                    told("note", id="n", ticket_no="a2")]  # fmt: skip
        assert outcomes(engine.execute(commands))[-2:] == ["applied"] * 2
        assert sound(engine)


def listener(hostile: Callable[[], Any]) -> EventListener:
    def notify(order_no: str, events: Sequence[Event]) -> None:
        hostile()

    return EventListener("hostile", notify)


@pytest.mark.parametrize("name", ["an exception", "leaving", "an exception that cannot be shown"])
def test_a_hostile_listener_takes_nothing_back(
    sqlite_url: str, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it is told is committed; what it does about it is logged, and the answer is given."""
    with shop(sqlite_url, listeners=[listener(HOSTILE[name])]) as engine:
        assert outcomes(engine.execute([order("E1")])) == ["applied"]
        assert engine.case("E1") is not None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5)
    | st.builds(Money, st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from(("CNY", "USD", "JPY")))
    | st.builds(Verdict, st.sampled_from(("accept", "refer", "refuse", "maybe")), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def arbitrary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An engine whose rule and fee say what is in `answers`; its store is used again and again."""
    answers: dict[str, Any] = {}
    url = f"sqlite:///{tmp_path_factory.mktemp('arbitrary') / 'shop.db'}"
    plugins: dict[str, Any] = {
        "rules": [Rule("any", lambda asked: answers["rule"])],
        "fees": [FeeFormula("any", lambda asked: answers["fee"])],
    }
    with shop(url, create=True, **plugins) as engine:
        yield engine, answers


@attrs.define
class Count:
    """Numbers orders, so that no example finds what another left."""

    number: int = 0

    def next(self) -> str:
        self.number += 1
        return f"E{self.number}"


COUNT = Count()


@given(rule_says=ANYTHING, fee_says=ANYTHING)
@examples(60, 5_000)
def test_no_answer_of_a_plugin_breaks_the_books(
    arbitrary: tuple[Engine, dict[str, Any]], rule_says: Any, fee_says: Any
) -> None:
    """P2: carried out, refused or failed; never more than was paid, never half."""
    engine, answers = arbitrary
    answers.update(rule=rule_says, fee=fee_says)
    order_no = COUNT.next()
    results = engine.execute([order(order_no), *refund(order_no, order_no, A=2)])
    assert results[0].outcome == "applied"
    assert results[1].outcome in ("applied", "refused", "failed")
    case = engine.case(order_no)
    assert case is not None
    assert all(payment.left >= 0 for payment in case.payments.values())
    if results[1].outcome != "applied":
        assert case.version == 1
