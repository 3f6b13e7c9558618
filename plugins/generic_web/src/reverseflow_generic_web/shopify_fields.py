"""Reading a JSON payload field by field: each is what it should be, or a fault naming its path.

Payloads have hundreds of fields and get new ones; what nobody asks for is not looked at.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from reverseflow import AmountError, CellFault, Money, parse_amount, parse_time, shown


class PayloadFault(Exception):
    """A payload that cannot be read: a stable code and a sentence that names the field."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Node:
    """An object of a payload and the path to it; a field that is absent or null has its default."""

    def __init__(self, value: Mapping[str, Any], path: str) -> None:
        self.value = value
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def fault(self, code: str, name: str, says: str) -> PayloadFault:
        """A fault of one of its fields."""
        return PayloadFault(code, f"{self.path}.{name}: {says}")

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        found = self.value.get(name)
        if found is None:
            return default
        if not isinstance(found, str):
            raise self.fault("wrong_type", name, f"{shown(found)} is not a text")
        return found

    def identity(self, name: str, *, required: bool = False) -> str:
        """An id: a whole number or a text, with every digit it has."""
        found = self.value.get(name)
        if isinstance(found, str) or type(found) is int:
            return str(found)
        if found is not None or required:
            says = "is required" if found is None else f"{shown(found)} is not an id"
            raise self.fault("wrong_type" if found is not None else "missing_value", name, says)
        return ""

    def flag(self, name: str) -> bool:
        """A truth value; absent is false."""
        found = self.value.get(name)
        if found is not None and not isinstance(found, bool):
            raise self.fault("wrong_type", name, f"{shown(found)} is neither true nor false")
        return bool(found)

    def count(self, name: str) -> int:
        """A whole number of units, which has to be there."""
        found = self.value.get(name)
        if type(found) is not int or found < 0:
            raise self.fault("bad_quantity", name, f"{shown(found)} is not a number of units")
        return found

    def currency(self, name: str) -> str:
        """A currency's code, which has to be there and known."""
        found = self.text(name)
        if not found:
            raise self.fault("missing_value", name, "is required")
        try:
            Money(0, found)
        except AmountError as error:
            raise self.fault(error.code, name, error.message) from None
        return found

    def money(self, name: str, currency: str) -> int:
        """An amount in minor units, 0 where there is none; given as a text or a JSON number."""
        found = self.value.get(name)
        if found is None:
            return 0
        text = format(found, "f") if isinstance(found, Decimal) else found
        try:
            minor: int = parse_amount(str(text) if type(text) is int else text, currency)
        except AmountError as error:
            raise self.fault(error.code, name, error.message) from None
        return minor

    def time(self, name: str) -> datetime | None:
        """A moment."""
        text = self.text(name)
        try:
            return parse_time(text, ("iso",), UTC) if text else None
        except CellFault as fault:
            raise self.fault(fault.code, name, fault.message) from None

    def node(self, name: str) -> "Node":
        """An object; an empty one where there is none."""
        found = self.value.get(name)
        if found is not None and not isinstance(found, Mapping):
            raise self.fault("wrong_type", name, f"{shown(found)} is not an object")
        return Node(found or {}, f"{self.path}.{name}")

    def nodes(self, name: str) -> list["Node"]:
        """A list of objects; an empty one where there is none."""
        found = self.value.get(name)
        if found is not None and not isinstance(found, list):
            raise self.fault("wrong_type", name, f"{shown(found)} is not a list")
        path = f"{self.path}.{name}"
        for index, item in enumerate(found or ()):
            if not isinstance(item, Mapping):
                raise PayloadFault("wrong_type", f"{path}[{index}]: {shown(item)} is not an object")
        return [Node(item, f"{path}[{index}]") for index, item in enumerate(found or ())]
