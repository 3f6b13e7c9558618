"""The rejects file: rows as they came, with code and message, to be mended and run again."""

import csv
import io
import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from reverseflow.contracts import BadRecord, Record
from reverseflow.core.errors import InputError
from reverseflow.core.results import Result
from reverseflow.files import Source, peek_header

#: What a rejected row has besides what it came with; readers pass over them.
CODE, MESSAGE = "reject_code", "reject_message"


class Rejects:
    """Writes rejected rows; the file is made with the first one and is readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._header_of = ""
        self._json: dict[str, bool] = {}

    def __enter__(self) -> "Rejects":
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, source: Source, item: Record | BadRecord, result: Result) -> None:
        """Keep the rows of one rejected item."""
        if self._file is None:
            self.path.touch(mode=0o600)
            self._file = self.path.open("w", encoding="utf-8", newline="")
        code, message = ", ".join(result.codes), result.message
        for raw in item.raw:
            text = raw.rstrip("\r\n")
            if self._is_json(source):
                self._file.write(_json_line(text, item.row, code, message) + "\n")
            else:
                self._add_table_row(self._file, source, text, code, message)
        self._file.flush()

    def _is_json(self, source: Source) -> bool:
        """Whether the file is JSON: the file decides, not what a bad row happens to look like."""
        if source.digest not in self._json:
            first = next((line.text for line in source.lines() if line.text.strip()), "")
            self._json[source.digest] = first.lstrip().startswith(("{", "["))
        return self._json[source.digest]

    def _add_table_row(self, file: TextIO, source: Source, text: str, code: str, message: str) -> None:
        if self._header_of != source.digest:
            header = [name for name in peek_header(source) if name not in (CODE, MESSAGE)]
            file.write(_csv([*header, CODE, MESSAGE]) + "\n")
            self._header_of = source.digest
        cells = _cells(text, source)
        file.write(f"{cells},{_csv([code, message])}\n")


def _cells(text: str, source: Source) -> str:
    """The row as it came, without the code and message an earlier run put there."""
    names = peek_header(source)
    if CODE not in names:
        return text
    with suppress(csv.Error):
        row = next(csv.reader([text]))
        return _csv([cell for name, cell in zip(names, row, strict=False) if name not in (CODE, MESSAGE)])
    return text


def _csv(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def _json_line(text: str, row: int, code: str, message: str) -> str:
    """The record as it came with a key ``rejected`` beside its own; broken text is kept as text."""
    rejected = {"row": row, "code": code, "message": message}
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        if isinstance(value, dict) and "rejected" not in value:
            closing = text.rstrip().removesuffix("}").rstrip()
            return f'{closing}, "rejected": {json.dumps(rejected, ensure_ascii=False)}}}'
        if isinstance(value, dict):
            value["rejected"] = rejected
            return json.dumps(value, ensure_ascii=False)
    return json.dumps({"rejected": rejected | {"raw": text}}, ensure_ascii=False)


def refuse_same_file(path: Path, source: Source) -> None:
    """A rejects file must not be written over the file that is being read."""
    if source.path is not None and path.exists() and path.samefile(source.path):
        raise InputError("same_file", "the rejects would overwrite the input", place=str(path))
