"""The page of codes has every code the source can give, and no other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from reverseflow.audit.findings import CODES
from support.pages import Page

ROOT = Path(__file__).parents[2]
SOURCES = (*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "plugins").glob("*/src/**/*.py")))
#: Whatever takes a code, and as which argument.
TAKES_CODE = {
    "Refused": 0, "Refusal": 0, "ReverseFlowError": 0, "InputError": 0, "UsageError": 0, "PluginError": 0,
    "StorageUnavailable": 0, "SchemaMismatch": 0, "DamageFound": 0, "AmountError": 0, "CellFault": 0,
    "JsonFault": 0, "PayloadFault": 0, "Fault": 0, "_Mismatch": 0, "fault": 0, "tell": 0, "Warned": 1,
    "Verdict": 1, "Unmatched": 1, "_refused": 1, "BadRow": 2, "BadRecord": 2, "Finding": 2,
}  # fmt: skip
#: Codes that are put together, by the text they are put together with, and where.
MADE = {
    "missing_column": ("src/reverseflow/files/tables.py", '_column"'),
    "duplicate_column": ("src/reverseflow/files/tables.py", '"duplicate"'),
    "top_error_N": ("plugins/taobao/src/reverseflow_taobao/payloads.py", 'f"top_error_{'),
    "internal_error": ("src/reverseflow/cli/faults.py", 'f"internal_error: '),
    "file_error": ("src/reverseflow/cli/faults.py", "}file_error: {"),
}
_WORD = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")


def on_the_page() -> set[str]:
    return {row[0] for rows in Page("reference/codes.md").tables("code") for row in rows}


@cache
def in_the_source() -> frozenset[str]:
    return frozenset(code for path in SOURCES for code in codes_in(path.read_text(encoding="utf-8"), path))


def codes_in(text: str, path: Path) -> Iterator[str]:
    """Every word that one module writes down as a code."""
    is_plugin = path.is_relative_to(ROOT / "plugins")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield from given(node)
        elif isinstance(node, ast.Assign) and any(is_code(target) for target in node.targets):
            yield from (word for word in words(node.value) if "_" in word)
        elif isinstance(node, ast.Tuple) and is_plugin and has_message(node):
            yield from (word for word in words(node.elts[0]) if "_" in word)


def given(call: ast.Call) -> Iterator[str]:
    """The codes in a call of what takes one, or in ``codes=(…)``."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    position = TAKES_CODE.get(name, len(call.args))
    if position < len(call.args):
        yield from words(call.args[position])
    for keyword in call.keywords:
        if keyword.arg == "codes":
            yield from words(keyword.value)


def is_code(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "code"


def has_message(pair: ast.Tuple) -> bool:
    """``"missing_value", f"{path}: …"``: how the readers of the platforms hand a code on."""
    message = pair.elts[-1] if len(pair.elts) == 2 else None
    return isinstance(message, ast.JoinedStr) or " " in str(getattr(message, "value", ""))


def words(node: ast.expr) -> Iterator[str]:
    """The words an expression may be, where they are written out."""
    if isinstance(node, ast.IfExp):
        yield from (*words(node.body), *words(node.orelse))
    elif isinstance(node, ast.BoolOp | ast.Tuple):
        parts = node.values if isinstance(node, ast.BoolOp) else node.elts
        yield from (word for part in parts for word in words(part))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
        yield node.value


def test_no_code_is_missing() -> None:
    assert in_the_source() | set(CODES) | set(MADE) <= on_the_page()


def test_no_code_is_stale() -> None:
    assert on_the_page() <= in_the_source() | set(CODES) | set(MADE)


@pytest.mark.parametrize("code", MADE)
def test_what_is_put_together_is_put_together_there(code: str) -> None:
    path, part = MADE[code]
    assert part in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        'raise Refused("no_good", "m")',
        'raise files.InputError("no_good", "m")',
        'yield BadRecord(1, (), "no_good", "m")',
        'code = "no_good" if a else b',
        'Result("refused", kind, codes=("no_good",))',
        'raise CellFault(told or "no_good", "m")',
    ],
)
def test_the_search_sees_a_code_wherever_one_may_stand(text: str) -> None:
    assert list(codes_in(text, ROOT / "src/reverseflow/x.py")) == ["no_good"]
