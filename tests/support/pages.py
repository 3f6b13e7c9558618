"""Pages of the documentation, taken apart: their tables, and their examples."""

import doctest
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """One page, by its path below ``docs/``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = (DOCS / path).read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [body for name, body in _BLOCK.findall(self.text) if name == language]

    def tables(self, *heading: str) -> list[list[tuple[str, ...]]]:
        """The rows of every table that begins with these columns, without the code marks."""
        found: list[list[tuple[str, ...]]] = []
        rows: list[tuple[str, ...]] | None = None
        for line in self.text.splitlines():
            cells = tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
            if not line.startswith("|"):
                rows = None
            elif rows is None:
                rows = []
                if cells[: len(heading)] == heading:
                    found.append(rows)
            elif set(line) - set("|-"):
                rows.append(cells)
        return found

    def run(self, **names: Any) -> int:
        """Run the examples of the page one after the other; how many there were."""
        examples = "\n".join(block for block in self.blocks("python") if block.startswith(">>>"))
        test = doctest.DocTestParser().get_doctest(examples, names, self.path, self.path, 0)
        runner = doctest.DocTestRunner(verbose=False)
        told: list[str] = []
        runner.run(test, out=told.append)
        assert runner.failures == 0, "".join(told)
        return len(test.examples)
