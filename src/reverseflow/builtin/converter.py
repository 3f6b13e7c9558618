"""Fields of a record to its command: strict, with every fault of the record and its path.

Text is text, a whole number is a whole number: nothing is turned into what it is not. Only this
module knows cattrs; the converter is made once.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from reverseflow import CellFault, Command, RecordOrder, ShippingFacts, parse_time, shown
from reverseflow.builtin.record_faults import Fault, RecordError, record_key

_EXPECTED: Mapping[type, str] = {
    str: "text in quotation marks",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
_NAMES = {"None": "null", "True": "true", "False": "false"}
_EXAMPLE = "such as 2026-05-01T10:00:00+08:00"
#: What stands below these paths is personal, and is not repeated in a message.
_PERSONAL = ("$.buyer", "$.return_to")
_Hook = Callable[[Any, Any], Any]
_converter = Converter(detailed_validation=True, forbid_extra_keys=True)


class _Mismatch(ValueError):
    """A value that is not what its field takes; the sentence has ``{}`` in the value's place."""

    def __init__(self, code: str, sentence: str, value: object) -> None:
        super().__init__(code, sentence, value)
        self.code, self.sentence, self.value = code, sentence, value


def structure(command: type[Command], fields: object) -> Command:
    """The command of this class with these fields; `RecordError` with every fault of theirs."""
    try:
        return _converter.structure(fields, command)
    except (BaseValidationError, _Mismatch) as error:
        raise RecordError(tuple(_faults(error, "$"))) from None


def _wrong_type(expected: str, value: object) -> _Mismatch:
    return _Mismatch("wrong_type", f"{expected} is expected, not {{}}", value)


def _require(value: object, type_: type) -> None:
    if type(value) is not type_:
        raise _wrong_type(_EXPECTED[type_], value)


def _exactly(expected: type) -> _Hook:
    def hook(value: Any, _type: Any) -> Any:
        if type(value) is not expected:
            raise _wrong_type(_EXPECTED[expected], value)
        return value

    return hook


def _text_or_truth(value: Any, _type: Any) -> str | bool:
    if isinstance(value, str | bool):
        return value
    raise _wrong_type(f"{_EXPECTED[str]}, true or false", value)


def _moment(value: Any, _type: Any) -> datetime:
    """An aware time, in UTC."""
    _require(value, str)
    try:
        moment: datetime = parse_time(value, ("iso",), UTC)
    except CellFault as fault:
        raise _Mismatch(fault.code, f"{{}} is not a time {_EXAMPLE}", value) from None
    if value[-1] != "Z" and value[-6] not in "+-":
        sentence = f"{{}} has no offset from UTC; write a time {_EXAMPLE}"
        raise _Mismatch("time_without_offset", sentence, value)
    return moment


def _is_list(type_: Any) -> bool:
    return get_origin(type_) is tuple


def _list_hook(type_: Any) -> _Hook:
    """A list to a tuple of one type; the faults of all its elements come together."""
    element = get_args(type_)[0]
    inner = _converter.get_structure_hook(element)

    def hook(values: Any, _type: Any) -> Any:
        _require(values, list)
        try:
            return tuple([inner(value, element) for value in values])
        except (BaseValidationError, _Mismatch):
            errors = list(_element_errors(inner, values, element))
            raise IterableValidationError("elements", errors, type_) from None

    return hook


def _element_errors(inner: _Hook, values: list[Any], element: Any) -> Iterator[Exception]:
    for index, value in enumerate(values):
        try:
            inner(value, element)
        except (BaseValidationError, _Mismatch) as error:
            error.__notes__ = [IterableValidationNote(f"[{index}]", index, element)]
            yield error


def _class_hook(class_: Any) -> _Hook:
    """An object to a value of an attrs class; `shipping` of an order is a list or one of it."""
    attrs.resolve_types(class_)  # a field's type may be named before its class
    overrides: dict[str, Any] = {
        field.name: override(rename=record_key(field.name))
        for field in attrs.fields(class_)
        if record_key(field.name) != field.name
    }
    if class_ is RecordOrder:
        overrides["shipping"] = override(struct_hook=_one_or_more(ShippingFacts))
    inner: _Hook = make_dict_structure_fn(class_, _converter, **overrides)

    def hook(value: Any, type_: Any) -> Any:
        if type(value) is not dict:
            raise _wrong_type(_EXPECTED[dict], value)
        return inner(value, type_)

    return hook


def _one_or_more(class_: type) -> _Hook:
    listed = _converter.get_structure_hook(tuple[class_, ...])  # type: ignore[valid-type]
    single = _converter.get_structure_hook(class_)

    def hook(value: Any, type_: Any) -> Any:
        return (single(value, class_),) if isinstance(value, dict) else listed(value, type_)

    return hook


def _faults(error: BaseException, path: str) -> Iterator[Fault]:
    """What cattrs collected, flat and each with its path."""
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _faults(inner, path + _step(inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        *others, last = sorted(error.extra_fields)
        for key in others:
            yield Fault("unknown_field", path, f"unknown key {shown(key)}")
        known = ", ".join(record_key(field.name) for field in attrs.fields(error.cl))
        yield Fault("unknown_field", path, f"unknown key {shown(last)}; known here are {known}")
    elif isinstance(error, KeyError):
        yield Fault("missing_field", path, "is missing")
    elif isinstance(error, _Mismatch):
        value = "what stands there" if path.startswith(_PERSONAL) else _as_in_file(error.value)
        yield Fault(error.code, path, error.sentence.format(value))
    else:  # a bug here, not a fault of the data
        raise error


def _step(error: BaseException) -> str:
    """What the path goes on with: the attribute or the index cattrs noted on an error."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]"
        if isinstance(note, AttributeValidationNote):
            return f".{record_key(note.name)}"
    return ""


def _as_in_file(value: object) -> str:
    """An offending value as the file has it, not as Python has it."""
    if isinstance(value, dict | list):
        return _EXPECTED[type(value)]
    return shown(value) if isinstance(value, str) else _NAMES.get(str(value), str(value))


_converter.register_structure_hook_factory(attrs.has, _class_hook)
_converter.register_structure_hook_factory(_is_list, _list_hook)
for _type in (str, int, bool):
    _converter.register_structure_hook(_type, _exactly(_type))
_converter.register_structure_hook(str | bool, _text_or_truth)
_converter.register_structure_hook(datetime, _moment)
