"""Money: whole minor units of one currency, and the one division in the code base.

Inside a case every amount is a plain `int` of minor units of the order's one currency; `Money`
carries the currency wherever an amount enters or leaves a case. Text comes in by `parse_amount`
and goes out by `format_amount`, and nowhere else.
"""

import re
from collections.abc import Sequence

import attrs

from reverseflow.core.currencies import exponent_of
from reverseflow.core.errors import AmountError, shown

#: The largest amount the engine handles, in minor units: sums of a thousand stay inside 64 bits.
MAX_MINOR = 10**15 - 1
_AMOUNT = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


def _divide(total: int, weight: int, whole: int) -> tuple[int, int]:
    """The whole part and the remainder of ``total * weight / whole``: the one division there is."""
    return divmod(total * weight, whole)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units by `weights` so that the parts add up to it exactly.

    Largest remainder, ties to the earlier position; exact for any sign of `total`.
    ``allocate(1000, [1, 1, 1]) == [334, 333, 333]``. `ValueError` without a positive weight.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative, and one of them is positive")
    shares = [_divide(abs(total), weight, whole) for weight in weights]
    parts = [part for part, _ in shares]
    left = abs(total) - sum(parts)
    for index in sorted(range(len(parts)), key=lambda i: (-shares[i][1], i))[:left]:
        parts[index] += 1
    return parts if total >= 0 else [-part for part in parts]


def share(total: int, part: int, whole: int) -> int:
    """What `part` of `whole` units of a line worth `total` are worth together, rounded down.

    Handed out cumulatively (``share(k) - already given``) the units end at exactly `total`:
    10000 for 3 units goes out as 3333, 3333, 3334.
    """
    if not 0 <= part <= whole:
        raise ValueError("the part is not within the whole")
    if part == whole:
        return total
    return _divide(total, part, whole)[0]


def percent_of(amount: int, rate: int, *, included: bool = False) -> int:
    """`rate` ten-thousandths of a percent of `amount` (20 % = 200000), half up to the minor unit.

    With `included` the amount has the percentage in it: 20 % of 12000 is 2000.
    """
    whole = 1_000_000 + (rate if included else 0)
    halves = _divide(2 * abs(amount) * rate + whole, 1, 2 * whole)[0]
    return halves if amount >= 0 else -halves


def parse_amount(text: object, currency: str) -> int:
    """Minor units of a decimal text in major units (``"45.00"``), read strictly.

    ASCII digits, at most 18 before and after one point, an optional minus sign; no exponent, no
    separators, no more decimals than the currency has. `AmountError` otherwise.
    """
    exponent = exponent_of(currency)
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise AmountError("bad_amount", f'{shown(text)} is not a decimal text such as "45.00"')
    sign, major, decimals = match[1], match[2], match[3] or ""
    if len(decimals.rstrip("0")) > exponent:
        raise AmountError(
            "bad_amount", f"{shown(text)} has more decimals than {currency} allows ({exponent})"
        )
    minor = int(major + decimals[:exponent].ljust(exponent, "0"))
    if minor > MAX_MINOR:
        raise AmountError(
            "amount_out_of_range", f"{shown(text)} is beyond {format_amount(MAX_MINOR, currency)}"
        )
    return -minor if sign else minor


def format_amount(minor: int, currency: str) -> str:
    """Minor units as a decimal text in major units: ``format_amount(4500, "CNY") == "45.00"``."""
    exponent = exponent_of(currency)
    if exponent == 0:
        return str(minor)
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def _whole_minor_units(_instance: object, _attribute: object, value: int) -> None:
    if type(value) is not int:
        raise AmountError("bad_amount", f"minor units are a whole number, not {shown(value)}")
    if abs(value) > MAX_MINOR:
        raise AmountError("amount_out_of_range", f"{shown(value)} minor units are out of range")


def _known_currency(_instance: object, _attribute: object, value: str) -> None:
    exponent_of(value)


@attrs.frozen(order=False)
class Money:
    """An amount of one currency in whole minor units; amounts of two currencies never meet."""

    minor: int = attrs.field(validator=_whole_minor_units)
    currency: str = attrs.field(validator=_known_currency)

    @classmethod
    def parse(cls, text: object, currency: str) -> "Money":
        """``Money.parse("45.00", "CNY")``; `AmountError` for anything `parse_amount` refuses."""
        return cls(parse_amount(text, currency), currency)

    def _same(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {type(other).__name__}")
        if other.currency != self.currency:
            raise AmountError("currency_mismatch", f"{self.currency} and {other.currency} do not add up")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Split by whole-number weights, exactly: ``Money(1000, "CNY").allocate([1, 1, 1])``."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]

    def __str__(self) -> str:
        return f"{self.currency} {format_amount(self.minor, self.currency)}"
