"""The page of requirements has a row for every number, and names what is there."""

import re
from pathlib import Path

import pytest

from support.pages import DOCS, Page

ROOT = DOCS.parent
PAGE = Page("requirements.md")
ROWS = [row for rows in PAGE.tables("no.", "what", "state", "where", "shown by") for row in rows]
SHOWN = ("done", "partly")


def state_of(row: tuple[str, ...]) -> str:
    return re.split("[:,]", row[2])[0]


def test_every_number_has_one_row_in_its_order() -> None:
    system = [f"S-{number:02}" for number in range(1, 76)]
    operations = [f"O-{number:02}" for number in range(1, 21)]
    assert [row[0] for row in ROWS] == system + operations


def test_every_state_is_one_the_page_explains() -> None:
    [states] = PAGE.tables("state", "means")
    assert {state_of(row) for row in ROWS} == {state[0] for state in states}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_done_names_a_module_and_a_test_that_are_there(row: tuple[str, ...]) -> None:
    _, _, _, module, test = row
    if state_of(row) not in SHOWN:
        assert (module, test) == ("", "")
        return
    assert (ROOT / "src" / "reverseflow" / module).is_file()
    path, _, name = test.partition("::")
    assert is_a_test(ROOT / path, name), test


def is_a_test(path: Path, name: str) -> bool:
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text("utf-8"), re.MULTILINE) is not None


def test_what_is_done_in_part_says_what_is_missing() -> None:
    for row in ROWS:
        assert (state_of(row) == "partly") <= (":" in row[2]), row[0]


def test_a_test_that_is_not_there_is_found_out() -> None:
    assert is_a_test(Path(__file__), "test_a_test_that_is_not_there_is_found_out")
    assert not is_a_test(Path(__file__), "test_of_nothing")
    assert not is_a_test(ROOT / "tests" / "test_nothing.py", "test_of_nothing")


def test_every_number_the_source_cites_has_a_row() -> None:
    known = {row[0] for row in ROWS}
    for path in sorted((ROOT / "src").rglob("*.py")):
        cited = set(re.findall(r"\b[SO]-\d\d\b", path.read_text("utf-8")))
        assert cited <= known, path
