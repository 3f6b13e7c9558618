"""The pages of reference are those of the code: tables, examples, keys, the plugin on the page."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from reverseflow import COMMANDS, Apply, Approve, Engine, LineAsked, Source, audit, open_source
from reverseflow.batch import actions
from reverseflow.batch.run import Batch, Summary
from reverseflow.builtin import schema
from reverseflow.builtin.neutral import command_to_record, read_record, record_key
from reverseflow.cli import COMMANDS as CLI_COMMANDS
from reverseflow.contracts import Record
from reverseflow.outbox.relay import run_outbox
from support.pages import DOCS, Page

ROOT = DOCS.parent
FORMATS = Page("reference/formats.md")
PLATFORM = "generic_web"


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """``tools/reference.py`` as a module."""
    spec = spec_from_file_location("reference_generator", ROOT / "tools" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


# --- generated pages ------------------------------------------------------------------------------


def test_every_generated_page_is_up_to_date(generator: ModuleType) -> None:
    """Otherwise: ``python tools/reference.py``."""
    for path, text in generator.generated().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_a_field_without_a_meaning_is_an_error(generator: ModuleType) -> None:
    meanings = generator.Meanings({"Note": {"text": "t"}})
    assert meanings.of("Note", "text") == "t"
    with pytest.raises(LookupError, match="says nothing of reason"):
        meanings.of("Note", "reason")


def test_a_meaning_without_its_field_is_stale(generator: ModuleType) -> None:
    assert generator.Meanings({"Note": {"text": "t"}}).stale() == ["[Note] text"]


def test_every_command_has_its_section() -> None:
    text = Page("reference/commands.md").text
    for name in CLI_COMMANDS:
        assert f"\n## {name}\n" in text


# --- records --------------------------------------------------------------------------------------


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every record on the page: its kind and its fields."""
    lines = "".join(FORMATS.blocks("json")).splitlines()
    return [next(iter(json.loads(line).items())) for line in lines]


def test_every_kind_of_record_has_an_example() -> None:
    assert {kind for kind, _ in examples()} == set(COMMANDS)


@pytest.mark.parametrize(("kind", "fields"), examples())
def test_every_example_of_a_record_is_one(kind: str, fields: dict[str, Any]) -> None:
    command = read_record(kind, fields)
    again = command_to_record(command)
    assert read_record(kind, again[kind]) == command


def test_the_orders_on_the_page_are_taken_and_the_applications_too(engine: Engine) -> None:
    """Those that open something; the others are about tickets nobody has."""
    opening = ("order", "apply", "external_refund")
    told = [read_record(kind, fields) for kind, fields in examples() if kind in opening]
    outcomes = [(result.kind, result.outcome) for result in engine.execute(told, platform=PLATFORM)]
    assert outcomes[:3] == [("order", "applied"), ("order", "applied"), ("apply", "applied")]
    assert outcomes[4] == ("external_refund", "applied")


def test_the_table_of_commands_on_the_page_is_read(tmp_path: Path, engine: Engine) -> None:
    [block] = [block for block in FORMATS.blocks("text") if block.startswith("command,")]
    path = tmp_path / "actions.csv"
    path.write_text(block, encoding="utf-8")
    source = open_source(str(path))
    assert actions.detects(source)
    batch = Batch(engine, source, actions.READER, PLATFORM, Summary())
    assert [type(item) for item in actions.read(source, batch)] == [Record] * 3


def test_the_schemas_are_where_the_page_says() -> None:
    assert {path.stem for path in schema.FOLDER.glob("*.json")} == set(COMMANDS)


# --- documents ------------------------------------------------------------------------------------


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """The example's orders and tickets, with one of each kind of document."""
    source: Source = open_source(str(ROOT / "examples" / "neutral" / "first-batch.jsonl"))
    [reader] = [reader for reader in engine.registry.readers if reader.name == "neutral"]
    Batch(engine, source, reader, PLATFORM, Summary()).run()
    return engine


def keys(section: str) -> set[str]:
    """The keys that the page tells of a document."""
    part = FORMATS.text.split(f"<!-- generated: document {section} -->")[1].split("<!-- end -->")[0]
    return {line.split("|")[1].strip(" `") for line in part.strip().splitlines()[2:]}


def test_a_result_has_the_keys_on_the_page(shop: Engine) -> None:
    [result] = shop.execute([Apply(order_no="nobody", type="refund_only", reason="other")], platform=PLATFORM)
    assert set(result.document(1)) == keys("result")


def test_a_quote_has_the_keys_on_the_page(engine: Engine) -> None:
    """An order with every part of a quote: a discount, points that stay, shipping, a verdict."""
    order = {
        "order_no": "Q", "currency": "CNY",
        "lines": [{"line_no": "A", "sku": "S", "quantity": 1, "unit_price": "100.00"}],
        "discounts": [{"code": "ten", "amount": "10.00"}], "shipping": {"fee": "5.00"},
        "payments": [{"payment_no": "p", "amount": "85.00"},
                     {"payment_no": "q", "amount": "10.00", "tender": "points"}],
    }  # fmt: skip
    engine.execute([read_record("order", order)], platform=PLATFORM)
    asked = (LineAsked(line_no="A", quantity=1),)
    quote = engine.quote(Apply(order_no="Q", type="refund_only", reason="other", lines=asked))
    assert set(quote) == keys("quote")
    for part in ("lines", "verdicts", "tenders", "not_returned"):
        assert set(quote[part][0]) == keys(f"quote.{part}")


def test_a_fee_has_the_keys_on_the_page(shop: Engine) -> None:
    asked = (LineAsked(line_no="1", quantity=1),)
    at = datetime(2026, 5, 10, tzinfo=UTC)
    apply = Apply(id="f", order_no="E2", type="return_refund", reason="size_fit", lines=asked, at=at)
    approve = Approve(ticket_no="f", actor="operations:li", service_fee="1.00")
    results = shop.execute([apply, approve])
    assert [result.outcome for result in results] == ["applied", "applied"]
    tickets = [told["ticket"] for told in audit.export(shop) if "ticket" in told]
    [fee] = [fee for ticket in tickets for fee in ticket["quote"]["fees"]]
    assert set(fee) == keys("quote.fees")


def test_an_instruction_has_the_keys_on_the_page(shop: Engine) -> None:
    given: list[dict[str, Any]] = []

    def deliver(documents: Any) -> list[Any]:
        given.extend(documents)
        return []

    run_outbox(shop, dict.fromkeys(("refund", "stock_in"), deliver))
    assert {document["kind"] for document in given} == {"refund", "stock_in"}
    for document in given:
        assert set(document) == keys("instruction")
        assert set(document["lines"][0]) == keys("instruction.lines")


def test_an_export_has_the_keys_on_the_page(shop: Engine) -> None:
    found: dict[str, Any] = {}
    for document in audit.export(shop):
        for kind, fields in document.items():
            found[kind] = found.get(kind, fields)
            assert set(found[kind]) == set(fields)
    assert set(found) == {"order", "ticket", "event", "posting", "instruction"}
    for kind in ("order", "ticket", "event", "posting"):
        assert set(found[kind]) == keys(f"export.{kind}")
    assert set(found["instruction"]) == keys("instruction") | keys("export.instruction")
    for kind, part in (("order", "lines"), ("order", "payments"), ("ticket", "lines"), ("ticket", "payouts")):
        assert set(found[kind][part][0]) == keys(f"export.{kind}.{part}")


# --- hooks ----------------------------------------------------------------------------------------


def test_the_plugin_on_the_page_about_hooks_does_what_the_page_says() -> None:
    page = Page("reference/hooks.md")
    [source] = [block for block in page.blocks("python") if block.startswith('"""A corner shop')]
    plugin = ModuleType("corner_shop")
    exec(source, vars(plugin))  # noqa: S102 - the page is ours
    assert page.run(corner_shop=plugin, datetime=datetime, UTC=UTC) > 8


def test_every_field_of_a_record_is_on_the_page() -> None:
    """Nothing of a command is told of nowhere, whatever the generator leaves out."""
    for class_ in COMMANDS.values():
        for field in attrs.fields(class_):
            assert f"| `{record_key(field.name)}` |" in FORMATS.text
