"""Commands, their records and the schemas of these go together, for every kind."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverseflow import Apply, JsonObject, LineAsked, open_source
from reverseflow.builtin import neutral
from reverseflow.builtin.neutral import RecordError, command_to_record, read_record
from reverseflow.builtin.schema import FOLDER, schema_of, schema_text, write_schemas
from reverseflow.core.asking import GIVE_BACK
from reverseflow.core.case import FUNDERS, TENDERS
from reverseflow.core.commands import COMMANDS, Command
from reverseflow.core.legs import TYPES

AMOUNTS = "amount discount fee paid refund_shipping refunded service_fee tax unit_price".split()
CHOICES = {"tender": TENDERS, "funded_by": FUNDERS, "give_back": [*GIVE_BACK], "type": [*TYPES]}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=8)
TIMES = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - the offset is drawn apart
    datetime(2999, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
)


def values(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field that its schema allows."""
    if get_origin(hint) is tuple:
        return st.lists(values(name, get_args(hint)[0]), max_size=2).map(tuple)
    if get_args(hint):
        return st.one_of([values(name, part) for part in get_args(hint)])
    if attrs.has(hint):
        return commands(hint)
    if hint is str and name in AMOUNTS:
        return st.decimals(0, 10**9, places=2).map(str)
    if hint is str and name in CHOICES:
        return st.sampled_from(CHOICES[name])
    plain = {str: TEXT, int: st.integers(0, 10**9), bool: st.booleans(), datetime: TIMES}
    return st.none() if hint is NoneType else plain[hint]


def commands(class_: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(class_)
    fields = {f.name: values(f.name, hints[f.name]) for f in attrs.fields(class_)}
    return st.builds(class_, **fields)


ANY_COMMAND = st.sampled_from(list(COMMANDS.values())).flatmap(commands)


@given(ANY_COMMAND)
@settings(deadline=None)
def test_a_command_written_as_a_record_and_read_again_is_the_same(command: Command) -> None:
    ((kind, fields),) = json.loads(json.dumps(command_to_record(command))).items()
    assert command == read_record(kind, fields)


@given(ANY_COMMAND)
@settings(deadline=None)
def test_every_record_written_is_valid_by_its_schema(command: Command) -> None:
    record = json.loads(json.dumps(command_to_record(command)))
    assert [] == complaints(record, schema_of(command.kind))


def test_a_record_leaves_out_what_is_at_its_default(tmp_path: Path) -> None:
    line = LineAsked(line_no="B", quantity=1)
    apply = Apply(id="a1", order_no="E1", type="refund_only", reason="other", lines=(line,))
    record = command_to_record(apply)
    assert {
        "apply": {
            "id": "a1", "order_no": "E1", "type": "refund_only", "reason": "other",
            "lines": [{"line_no": "B", "quantity": 1}],
        }
    } == record  # fmt: skip
    path = tmp_path / "again.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    (item,) = neutral.read(open_source(str(path)), None)  # type: ignore[arg-type]
    assert apply == item.command  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_stored_schema_of_a_kind_is_what_the_code_says(kind: str) -> None:
    stored = (FOLDER / f"{kind}.json").read_text(encoding="utf-8")
    assert schema_text(kind) == stored, "run: python -m reverseflow.builtin.schema"


def test_there_is_one_stored_schema_for_every_kind(tmp_path: Path) -> None:
    write_schemas(tmp_path / "schemas")
    written = sorted(path.name for path in (tmp_path / "schemas").iterdir())
    assert sorted(f"{kind}.json" for kind in COMMANDS) == written
    assert written == sorted(path.name for path in FOLDER.iterdir())


def test_a_schema_says_what_is_required_and_what_may_be_chosen() -> None:
    order = schema_of("order")
    assert ["order"] == order["required"]
    assert ["order_no", "currency", "lines"] == order["properties"]["order"]["required"]
    payment = order["$defs"]["PaymentFacts"]
    assert "One tender the order was paid with" in payment["description"]
    assert [*TENDERS] == payment["properties"]["tender"]["enum"]
    assert [*FUNDERS] == payment["properties"]["funded_by"]["enum"]
    assert [*TYPES] == schema_of("apply")["properties"]["apply"]["properties"]["type"]["enum"]
    approve = schema_of("approve")["properties"]["approve"]["properties"]
    assert [*GIVE_BACK] == approve["give_back"]["items"]["enum"]
    assert "for" in schema_of("apply")["$defs"]["ReplacementAsked"]["required"]


def test_there_is_no_schema_of_an_unknown_kind() -> None:
    with pytest.raises(RecordError, match="unknown_kind"):
        schema_of("aply")


ORDER: JsonObject = {
    "order_no": "E1", "shop": "demo", "currency": "CNY",
    "placed_at": "2026-05-01T10:00:00+08:00", "shipped_at": None,
    "lines": [{"line_no": "A", "sku": "SKU-A", "quantity": 1, "unit_price": "100.00"}],
    "shipping": {"fee": "10.00"}, "payments": [{"payment_no": "p1", "amount": "110.00"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"oder": 1},
        {"lines": [{"line_no": "A"}]},
        {"lines": "A"},
        {"currency": 3},
        {"shipping": {"fee": 10}},
        {"shipping": [{"fee": "-10"}]},
        {"payments": [{"payment_no": "p1", "amount": "1", "tender": "shells"}]},
        {"price_includes_tax": 1},
    ],
)
def test_a_schema_refuses_what_the_reader_or_the_rules_refuse(change: JsonObject) -> None:
    assert [] == complaints({"order": ORDER}, schema_of("order"))
    assert [] != complaints({"order": ORDER | change}, schema_of("order"))


_IS = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": NoneType,
}  # fmt: skip


def complaints(value: Any, schema: JsonObject, root: JsonObject | None = None) -> list[str]:
    """What a value breaks of the few words of JSON Schema that are used here."""
    root = root or schema
    if "$ref" in schema:
        return complaints(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        found = [complaints(value, option, root) for option in schema["anyOf"]]
        return [] if [] in found else [line for option in found for line in option]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{value!r} is not in {schema['enum']}"]
    if type(value) is not _IS[schema["type"]]:
        return [f"{value!r} is not {schema['type']}"]
    if isinstance(value, dict):
        return _complaints_of_object(value, schema, root)
    if isinstance(value, list):
        return [line for item in value for line in complaints(item, schema["items"], root)]
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        return [f"{value!r} does not match {schema['pattern']}"]
    return [f"{value} is below the minimum"] if value.__class__ is int and value < 0 else []


def _complaints_of_object(value: JsonObject, schema: JsonObject, root: JsonObject) -> list[str]:
    properties = schema["properties"]
    assert schema["additionalProperties"] is False
    unknown = [f"unknown {key}" for key in value if key not in properties]
    missing = [f"missing {key}" for key in schema["required"] if key not in value]
    known = [key for key in value if key in properties]
    return [
        *unknown,
        *missing,
        *(line for key in known for line in complaints(value[key], properties[key], root)),
    ]
