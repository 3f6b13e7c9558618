"""A struct of a payload, read field by field; what is wrong is named with the field's path."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

from reverseflow import AmountError, JsonObject, format_amount, parse_amount, shown

CURRENCY = "CNY"
_NUMBER = re.compile(r"[0-9]{1,32}", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_FLAGS = {"true": True, "false": False}


class PayloadFault(Exception):
    """A payload that cannot be used: a stable code, a sentence, and ``failed`` or ``refused``."""

    def __init__(self, code: str, message: str, outcome: str = "failed") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.outcome = outcome


class Struct:
    """One JSON object of a payload and the path to it; empty texts count as missing."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise PayloadFault("wrong_type", f"{path}: an object is needed, here is {shown(value)}")
        self.value: JsonObject = value
        self.path = path

    def text(self, name: str) -> str:
        """A text, or a whole number as text; empty where it is missing."""
        value = self.value.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.fault("wrong_type", name, f"{shown(value)} is not a text")
        return str(value).strip()

    def required(self, name: str) -> str:
        """A text that must be there."""
        return self.text(name) or self._missing(name)

    def number(self, name: str) -> str:
        """A number of the platform (19 digits and more) as text, digit for digit."""
        text = self.required(name)
        if not _NUMBER.fullmatch(text):
            raise self.fault("bad_number", name, f"{shown(text)} is not a number of the platform")
        return text

    def count(self, name: str) -> int | None:
        """A whole number from 1 up; None where it is missing."""
        text = self.text(name)
        if text and not _COUNT.fullmatch(text):
            raise self.fault("bad_quantity", name, f"{shown(text)} is not a whole number from 1 up")
        return int(text) if text else None

    def fen(self, name: str) -> int | None:
        """An amount in yuan (``"200.07"``) as whole fen; None where it is missing."""
        value = self.value.get(name)
        if value is None or value == "":
            return None
        try:
            amount: int = parse_amount(value, CURRENCY)
        except AmountError as error:
            raise self.fault(error.code, name, error.message) from None
        return amount

    def required_fen(self, name: str) -> int:
        """An amount that must be there."""
        amount = self.fen(name)
        return self._missing(name) if amount is None else amount

    def flag(self, name: str) -> bool | None:
        """True or false, as such or as text; None where it is missing."""
        value = self.value.get(name)
        if value is None or isinstance(value, bool):
            return value
        text = self.text(name)
        if text not in _FLAGS:
            raise self.fault("wrong_type", name, f"{shown(text)} is neither true nor false")
        return _FLAGS[text]

    def time(self, name: str) -> datetime | None:
        """A time of the platform, ``yyyy-MM-dd HH:mm:ss`` in Beijing; None where it is missing."""
        text = self.text(name)
        if not text:
            return None
        try:
            if not _TIME.fullmatch(text):
                raise ValueError
            return datetime.fromisoformat(f"{text}+08:00")
        except ValueError:
            message = f"{shown(text)} is not a time; it is written as yyyy-MM-dd HH:mm:ss"
            raise self.fault("not_a_time", name, message) from None

    def required_time(self, name: str) -> datetime:
        """A time that must be there."""
        return self.time(name) or self._missing(name)

    def child(self, name: str) -> "Struct | None":
        """An object within the object; None where it is missing."""
        value = self.value.get(name)
        return None if value is None else Struct(value, f"{self.path}.{name}")

    def children(self, name: str, inner: str = "") -> Iterator["Struct"]:
        """The objects of the list `name`, or of `inner` within it; one alone is a list too."""
        value, path = self.value.get(name), f"{self.path}.{name}"
        if inner and isinstance(value, dict) and (inner in value or not value):
            value, path = value.get(inner), f"{path}.{inner}"
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield Struct(item, f"{path}[{index}]")
        elif value is not None:
            yield Struct(value, path)

    def fault(self, code: str, name: str, message: str) -> PayloadFault:
        """A fault of one field."""
        return PayloadFault(code, f"{self.path}.{name}: {message}")

    def _missing(self, name: str) -> NoReturn:
        raise self.fault("missing_value", name, "is missing")


def yuan(fen: int) -> str:
    """Whole fen as the decimal text of commands."""
    text: str = format_amount(fen, CURRENCY)
    return text
