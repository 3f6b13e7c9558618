"""Reading the amounts and counts of a record, with the field's path in every refusal."""

from reverseflow.core.errors import AmountError, Refused, shown
from reverseflow.core.money import parse_amount

MAX_QUANTITY = 10**9


def amount_in(text: object, currency: str, field: str, *, signed: bool = False) -> int:
    """Minor units of an amount in a record; refused with the field's path when it is not one."""
    try:
        minor = parse_amount(text, currency)
    except AmountError as error:
        raise Refused(error.code, f"{field}: {error.message}", field) from None
    if minor < 0 and not signed:
        raise Refused("negative_amount", f"{field}: {shown(text)} is below zero", field)
    return minor


def quantity_in(value: int, field: str, minimum: int = 1) -> int:
    """A count of units; refused outside `minimum`..10^9."""
    if type(value) is not int or not minimum <= value <= MAX_QUANTITY:
        raise Refused(
            "bad_quantity",
            f"{field}: {shown(value)} is not a whole number from {minimum} up",
            field,
        )
    return value


def units_in(told: int | None, quantity: int, all_of_them: bool, field: str) -> int:
    if told is None:
        return quantity if all_of_them else 0
    if not 0 <= quantity_in(told, field, 0) <= quantity:
        raise Refused("bad_quantity", f"{field}: {told} is more than the {quantity} bought", field)
    return told
