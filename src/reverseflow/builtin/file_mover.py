"""The mover that needs no gateway: instructions as JSON Lines in a file, for a person or a script.

A line stands in the file, flushed to the disk, before its instruction is answered. Each try of a
key is written once: a retry by finance (a higher `attempt`) reaches whoever works the file off.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from reverseflow import MONEY_KINDS, Deliver, Delivery, JsonObject, Mover, UsageError, shown

_DEFAULTS = {"out": "instructions.jsonl", "settles": "true"}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: One try of one instruction: its key, and which attempt.
_Try = tuple[str, int]


def connect(options: Mapping[str, str]) -> Deliver:
    """A function that appends instructions to the file `out` (default: instructions.jsonl).

    With ``settles`` false, money is answered ``sent`` and somebody tells its result later; goods
    are settled either way. `UsageError` for options that are not these, or a file that holds
    something else; `OSError` where it cannot be read.
    """
    chosen = {**_DEFAULTS, **options}
    if unknown := sorted(set(chosen) - set(_DEFAULTS)):
        raise UsageError(
            "bad_option",
            f"{shown(unknown[0])} is no option of the file mover; it has {', '.join(_DEFAULTS)}",
        )
    if chosen["settles"] not in ("true", "false"):
        raise UsageError("bad_option", f"settles is true or false, not {shown(chosen['settles'])}")
    path = Path(chosen["out"])
    if not path.parent.is_dir():
        raise UsageError("bad_option", f"out: there is no folder {shown(str(path.parent))}")
    return _File(path, chosen["settles"] == "true", set(_tries_in(path))).deliver


@attrs.define
class _File:
    path: Path
    settles: bool
    written: set[_Try]

    def deliver(self, instructions: Sequence[JsonObject]) -> list[Delivery]:
        """Append what is not in the file yet, then answer all; `OSError` leaves all unanswered."""
        new = {(doc["key"], doc["attempt"]): doc for doc in instructions}
        lines = [_encode(doc) + "\n" for tried, doc in new.items() if tried not in self.written]
        if lines:
            _append(self.path, "".join(lines).encode())
        self.written.update(new)
        return [Delivery(doc["key"], self._result(doc)) for doc in instructions]

    def _result(self, document: JsonObject) -> str:
        return "sent" if document["kind"] in MONEY_KINDS and not self.settles else "settled"


def _tries_in(path: Path) -> Iterator[_Try]:
    """What the file holds already; a line torn by a crash was never answered and does not count."""
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError("bad_option", f"out: {shown(str(path))} is not an ordinary file")
    lines = known = 0
    with path.open("rb") as file:
        for line in file:
            lines += bool(line.strip())
            if tried := _try_of(line):
                known += 1
                yield tried
    if lines > 1 and not known:
        raise UsageError(
            "not_an_instruction_file",
            f"{path} holds no instructions; name another file in the option out",
        )


def _try_of(line: bytes) -> _Try | None:
    try:
        document = json.loads(line)
        return (str(document["key"]), int(document["attempt"]))
    except (ValueError, KeyError, TypeError):
        return None


def _append(path: Path, data: bytes) -> None:
    created = not path.exists()
    with path.open("ab") as file:
        if _ends_within_a_line(path):
            data = b"\n" + data
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if created:
        _sync_folder(path.parent)


def _ends_within_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """Make the new file's name last as well, where a folder can be synced (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


FILE_MOVER = Mover("file", connect)
