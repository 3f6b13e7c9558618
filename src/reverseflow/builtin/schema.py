"""JSON Schemas of the neutral records, made from the command classes.

The copies in ``schemas/`` are for programs that do not run Python; a test holds them to the code.
``python -m reverseflow.builtin.schema`` writes them anew.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from inspect import cleandoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from reverseflow import COMMANDS, FUNDERS, GIVE_BACK, TENDERS, TYPES, JsonObject
from reverseflow.builtin.neutral import command_class, record_key

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).with_name("schemas")

_AMOUNTS = frozenset("amount discount fee paid refund_shipping refunded service_fee tax unit_price".split())
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "tender": tuple(TENDERS),
    "funded_by": tuple(FUNDERS),
    "give_back": tuple(GIVE_BACK),
    "type": tuple(TYPES),
}
_ONE_OR_MORE = ("shipping",)  # a list in the class, in a record also one object
_AMOUNT: JsonObject = {
    "description": "A decimal text in major units of the order's currency, without sign.",
    "type": "string",
    "pattern": r"^[0-9]{1,18}(\.[0-9]{1,18})?$",
}
_TIME: JsonObject = {
    "description": "ISO 8601 with an offset from UTC.",
    "type": "string",
    "format": "date-time",
}
_PLAIN: Mapping[type, JsonObject] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
}


def schema_of(kind: str) -> JsonObject:
    """The JSON Schema (draft 2020-12) of a record of this kind; `RecordError` if there is none."""
    class_ = command_class(kind)
    definitions: JsonObject = {}
    return {
        "$schema": DIALECT,
        "title": kind,
        "description": _description(class_),
        "type": "object",
        "properties": {kind: _class_schema(class_, definitions)},
        "required": [kind],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _description(class_: type) -> str:
    return " ".join(cleandoc(class_.__doc__ or "").replace("`", "").split())


def _class_schema(class_: type, definitions: JsonObject) -> JsonObject:
    """An object with the fields of an attrs class, no others; classes below go to `definitions`."""
    hints = get_type_hints(class_)
    properties: JsonObject = {}
    required = []
    for field in attrs.fields(class_):
        key = record_key(field.name)
        properties[key] = _field_schema(key, hints[field.name], definitions)
        if field.default is attrs.NOTHING:
            required.append(key)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _field_schema(key: str, hint: Any, definitions: JsonObject) -> JsonObject:
    schema = _type_schema(key, hint, definitions)
    return {"anyOf": [schema["items"], schema]} if key in _ONE_OR_MORE else schema


def _type_schema(key: str, hint: Any, definitions: JsonObject) -> JsonObject:
    if get_origin(hint) in (Union, UnionType):
        return {"anyOf": [_type_schema(key, part, definitions) for part in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type_schema(key, get_args(hint)[0], definitions)}
    if attrs.has(hint):
        if hint.__name__ not in definitions:
            schema = {"description": _description(hint)} | _class_schema(hint, definitions)
            definitions[hint.__name__] = schema
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if hint is datetime:
        definitions["time"] = _TIME
        return {"$ref": "#/$defs/time"}
    if hint is str and key in _AMOUNTS:
        definitions["amount"] = _AMOUNT
        return {"$ref": "#/$defs/amount"}
    if hint is str and key in _CHOICES:
        return {"enum": list(_CHOICES[key])}
    return dict(_PLAIN[hint])


def write_schemas(folder: Path = FOLDER) -> None:
    """Write the schema of every kind as ``<kind>.json``."""
    folder.mkdir(exist_ok=True)
    for kind in COMMANDS:
        (folder / f"{kind}.json").write_text(schema_text(kind), encoding="utf-8")


def schema_text(kind: str) -> str:
    """The stored text of a kind's schema."""
    return json.dumps(schema_of(kind), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    write_schemas()
