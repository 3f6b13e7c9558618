"""Money is whole minor units of one currency; text is read strictly; a division loses nothing."""

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverseflow.core.currencies import EXPONENTS, exponent_of
from reverseflow.core.errors import AmountError
from reverseflow.core.money import (
    MAX_MINOR,
    Money,
    allocate,
    format_amount,
    parse_amount,
    percent_of,
    share,
)
from support.cases import RELEASE, examples

AMOUNTS = st.sampled_from((0, 1, 2, 99, 100, 10**12)) | st.integers(0, 10**12)
WEIGHTS = st.lists(st.sampled_from((0, 1, 1)) | AMOUNTS, min_size=1, max_size=200).filter(any)
CURRENCIES = st.sampled_from(("JPY", "CNY", "KWD", "CLF"))


# --- one division -------------------------------------------------------------------------------


def test_ten_yuan_over_three_equal_lines() -> None:
    assert allocate(1000, [1, 1, 1]) == [334, 333, 333]
    assert allocate(-1000, [1, 1, 1]) == [-334, -333, -333]


def test_the_largest_remainder_gets_the_odd_cent_and_a_tie_goes_to_the_earlier_line() -> None:
    assert allocate(10, [1, 2]) == [3, 7]  # 3.33 and 6.67
    assert allocate(1, [1, 1, 1]) == [1, 0, 0]
    assert allocate(1, [1, 1, 2]) == [0, 0, 1]
    assert allocate(5, [0, 1, 0]) == [0, 5, 0]


@examples(300, 5_000)
@given(total=AMOUNTS, weights=WEIGHTS, sign=st.sampled_from((1, -1)))
def test_shares_add_up_exactly_and_each_is_within_one_minor_unit(
    total: int, weights: list[int], sign: int
) -> None:
    """M3: no share is negative, and the same input gives the same shares."""
    parts = allocate(sign * total, weights)
    assert sign * total == sum(parts)
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert sign * part >= 0
        assert abs(sign * part - Fraction(total * weight, whole)) < 1
    assert parts == allocate(sign * total, weights)


def test_shares_add_up_exactly_over_very_many_orders() -> None:
    """M3: 100,000 cases before a release, a share of them every day."""
    chance = random.Random(20260501)
    for _ in range(100_000 if RELEASE else 2_000):
        weights = [chance.randrange(10 ** chance.randrange(1, 13)) for _ in range(chance.randrange(1, 61))]
        if not any(weights):
            continue
        total = chance.randrange(10 ** chance.randrange(1, 13))
        parts = allocate(total, weights)
        assert sum(parts) == total
        whole = sum(weights)
        for part, weight in zip(parts, weights, strict=True):
            assert total * weight // whole <= part <= total * weight // whole + 1


@examples(200, 5_000)
@given(total=AMOUNTS, weights=WEIGHTS)
def test_a_larger_weight_never_gets_less(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    pairs = sorted(zip(weights, parts, strict=True))
    assert [part for _, part in pairs] == sorted(parts)


@pytest.mark.parametrize("weights", [[], [0], [0, 0]])
def test_there_is_nothing_to_allocate_by_without_a_positive_weight(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="one of them is positive"):
        allocate(100, weights)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        allocate(100, [3, -1])


def test_e3_a_line_of_three_is_handed_out_one_unit_at_a_time() -> None:
    given_out = [share(10_000, k, 3) - share(10_000, k - 1, 3) for k in (1, 2, 3)]
    assert given_out == [3333, 3333, 3334]


def test_all_orders_of_up_to_five_partials_end_at_the_whole() -> None:
    for total in (0, 1, 10_000, 9_999_999):
        for steps in permutations((1, 2, 3, 4, 5)):
            taken, handed_out = 0, 0
            for step in steps:
                part = share(total, taken + step, 15) - share(total, taken, 15)
                assert 0 <= part <= total
                taken, handed_out = taken + step, handed_out + part
            assert total == handed_out


@examples(300, 5_000)
@given(total=AMOUNTS, whole=st.integers(1, 10**6), data=st.data())
def test_a_share_is_rounded_down_and_never_shrinks_as_units_are_added(
    total: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    assert total * part // whole == share(total, part, whole)
    assert share(total, max(0, part - 1), whole) <= share(total, part, whole) <= total


@pytest.mark.parametrize(("part", "whole"), [(-1, 3), (4, 3), (1, 0)])
def test_a_share_is_of_a_part_within_the_whole(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="within"):
        share(100, part, whole)


@pytest.mark.parametrize(
    ("amount", "rate", "included", "percentage"),
    [
        (10_000, 200_000, False, 2_000),  # 20 % on top of 100.00
        (12_000, 200_000, True, 2_000),  # 20 % within 120.00
        (10_000, 130_000, True, 1_150),  # 13 % within 100.00: 11.504…
        (10, 50_000, False, 1),  # half a cent is rounded up
        (9, 50_000, False, 0),
        (-10, 50_000, False, -1),
        (10_000, 0, True, 0),
        (10_000, 99_999_999, False, 1_000_000),  # 9999.9999 %
        (1, 1, False, 0),
    ],
)
def test_a_percentage_is_rounded_half_up(amount: int, rate: int, included: bool, percentage: int) -> None:
    assert percentage == percent_of(amount, rate, included=included)


@examples(200, 5_000)
@given(amount=st.integers(-(10**12), 10**12), rate=st.integers(0, 2_000_000))
def test_a_percentage_is_within_half_a_minor_unit(amount: int, rate: int) -> None:
    on_top = percent_of(amount, rate)
    assert abs(on_top - Fraction(amount * rate, 10**6)) <= Fraction(1, 2)
    within = percent_of(amount, rate, included=True)
    assert abs(within - Fraction(amount * rate, 10**6 + rate)) <= Fraction(1, 2)
    assert abs(within) <= abs(amount)


# --- text in and out ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("45.00", "CNY", 4500),
        ("45", "CNY", 4500),
        ("45.5", "CNY", 4550),
        ("45.500", "CNY", 4550),  # zeros behind the last decimal say nothing
        ("0", "CNY", 0),
        ("-0.00", "CNY", 0),
        ("-45.01", "CNY", -4501),
        ("007", "CNY", 700),
        ("4500", "JPY", 4500),
        ("4500.00", "JPY", 4500),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        ("9999999999999.99", "CNY", MAX_MINOR),
        ("999999999999999", "JPY", MAX_MINOR),
    ],
)
def test_an_amount_is_read(text: str, currency: str, minor: int) -> None:
    assert minor == parse_amount(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        "４５.００",
        "٤٥",
        "1_000",
        "1e5",
        "1E5",
        "NaN",
        "Infinity",
        "inf",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1,000.00",
        "1.000,00",
        "1,5",
        "$1",
        "1.",
        ".5",
        ".",
        "-",
        "--1",
        "−1",
        "",
        "0x10",
        "1234567890123456789",
        "1.0000000000000000000",
        "0.001",
        "1.005",
        True,
        False,
        45,
        45.0,
        float("nan"),
        None,
        b"1",
        ["1"],
    ],
    ids=repr,
)
def test_anything_else_is_not_an_amount(text: object) -> None:
    """M4, R20: no exponent, separator, sign, space, other digits or fraction of a minor unit."""
    with pytest.raises(AmountError) as refused:
        parse_amount(text, "CNY")
    assert refused.value.code == "bad_amount"


def test_an_amount_beyond_the_range_is_refused_by_its_own_code() -> None:
    for text in ("10000000000000.00", "-10000000000000.00", "999999999999999999"):
        with pytest.raises(AmountError, match=r"beyond 9999999999999\.99") as refused:
            parse_amount(text, "CNY")
        assert refused.value.code == "amount_out_of_range"


def test_the_refused_text_is_shown_escaped_and_cut() -> None:
    with pytest.raises(AmountError) as refused:
        parse_amount("1\x1b[2J" + "9" * 200, "CNY")
    assert "\x1b" not in refused.value.message
    assert len(refused.value.message) < 150


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (4500, "CNY", "45.00"),
        (5, "CNY", "0.05"),
        (-5, "CNY", "-0.05"),
        (0, "CNY", "0.00"),
        (4500, "JPY", "4500"),
        (-4500, "JPY", "-4500"),
        (1, "KWD", "0.001"),
        (12345, "CLF", "1.2345"),
    ],
)
def test_an_amount_is_written(minor: int, currency: str, text: str) -> None:
    assert text == format_amount(minor, currency)


@examples(300, 5_000)
@given(minor=st.integers(-MAX_MINOR, MAX_MINOR), currency=CURRENCIES)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert minor == parse_amount(format_amount(minor, currency), currency)


# --- currencies ---------------------------------------------------------------------------------


def test_the_table_of_currencies_is_iso_4217() -> None:
    published = {
        currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None
    }
    assert published == EXPONENTS


@pytest.mark.parametrize("code", ["XXX", "XAU", "cny", "RMB", "", " CNY", "CNY ", None, 156, ["CNY"]])
def test_an_unknown_currency_is_refused(code: object) -> None:
    with pytest.raises(AmountError) as refused:
        exponent_of(code)  # type: ignore[arg-type]  # what a file may hold
    assert refused.value.code == "unknown_currency"


# --- Money --------------------------------------------------------------------------------------


def test_money_of_one_currency_adds_compares_and_is_allocated() -> None:
    ten, four = Money(1000, "CNY"), Money.parse("4.00", "CNY")
    assert Money(1400, "CNY") == ten + four
    assert Money(600, "CNY") == ten - four
    assert Money(-1000, "CNY") == -ten
    assert four < ten and four <= ten and ten > four and ten >= four
    assert [Money(334, "CNY"), Money(333, "CNY"), Money(333, "CNY")] == ten.allocate([1, 1, 1])
    assert str(ten) == "CNY 10.00"


def plus(one: Money, other: Money) -> object:
    return one + other


def minus(one: Money, other: Money) -> object:
    return one - other


def is_less(one: Money, other: Money) -> object:
    return one < other


def is_at_most(one: Money, other: Money) -> object:
    return one <= other


OPERATIONS = (plus, minus, is_less, is_at_most)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_two_currencies_never_meet(operation: Callable[[Money, Money], object]) -> None:
    """M5."""
    with pytest.raises(AmountError) as refused:
        operation(Money(1, "CNY"), Money(1, "JPY"))
    assert refused.value.code == "currency_mismatch"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_money_goes_with_money_only(operation: Callable[[Money, object], object]) -> None:
    with pytest.raises(TypeError, match="not with int"):
        operation(Money(1, "CNY"), 1)


@pytest.mark.parametrize(
    ("minor", "code"),
    [
        (1.0, "bad_amount"),
        (True, "bad_amount"),
        ("1", "bad_amount"),
        (None, "bad_amount"),
        (float("nan"), "bad_amount"),
        (MAX_MINOR + 1, "amount_out_of_range"),
        (-MAX_MINOR - 1, "amount_out_of_range"),
    ],
)
def test_money_is_a_whole_number_in_range(minor: object, code: str) -> None:
    """M4."""
    with pytest.raises(AmountError) as refused:
        Money(minor, "CNY")  # type: ignore[arg-type]  # what a plugin may return
    assert code == refused.value.code


def test_money_has_a_known_currency() -> None:
    with pytest.raises(AmountError, match="XYZ"):
        Money(1, "XYZ")


def test_a_sum_beyond_the_range_is_refused() -> None:
    with pytest.raises(AmountError, match="out of range"):
        Money(MAX_MINOR, "CNY") + Money(1, "CNY")
