"""A batch: a file goes through its reader into the engine, a result line comes out per record.

It streams: at most `CHUNK` records are held. Everything carried out is kept for ever under its
id, so that a batch that was stopped is finished by running it again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TextIO

import attrs

from reverseflow.batch.rejects import Rejects
from reverseflow.contracts import (
    BadRecord,
    Drawn,
    InputReader,
    Passed,
    Purchase,
    ReadItem,
    Record,
    Warned,
)
from reverseflow.core.errors import ExitStatus, InputError, PluginError, shown
from reverseflow.core.results import Result
from reverseflow.core.rulebook import ANY
from reverseflow.engine import Engine
from reverseflow.files import Source

CHUNK = 1_000
#: So many records failing in a row by a plugin's fault stop the batch.
FAULTS_IN_A_ROW = 20


@attrs.define
class Summary:
    """What became of the rows of a batch: counts by outcome, by what they are, and by code."""

    outcomes: Counter[str] = attrs.field(factory=Counter)
    rows: Counter[str] = attrs.field(factory=Counter)
    kinds: Counter[str] = attrs.field(factory=Counter)
    codes: Counter[str] = attrs.field(factory=Counter)
    rejected_rows: int = 0
    warnings: int = 0
    last_row: int = 0

    @property
    def exit_status(self) -> ExitStatus:
        """What the batch tells the shell."""
        done = self.outcomes["applied"] + self.outcomes["replayed"]
        bad = self.outcomes["failed"] + self.outcomes["refused"]
        if bad == 0:
            return ExitStatus.DONE
        if done:
            return ExitStatus.DONE_IN_PART
        if self.outcomes["failed"] == 0:
            return ExitStatus.REFUSED
        faults = sum(count for code, count in self.codes.items() if code.startswith("plugin_"))
        return ExitStatus.PLUGIN_FAULT if faults == bad else ExitStatus.INPUT_REFUSED

    def document(self) -> dict[str, object]:
        """The summary as JSON."""
        return {
            "outcomes": dict(self.outcomes),
            "kinds": dict(self.kinds),
            "rows": dict(self.rows),
            "codes": dict(self.codes),
            "rejected_rows": self.rejected_rows,
            "warnings": self.warnings,
        }


@attrs.define
class Batch:
    """One file on its way through; make one per file and call `run`."""

    engine: Engine
    source: Source
    reader: InputReader
    platform: str
    summary: Summary
    options: Mapping[str, str] = attrs.field(factory=dict)
    results: TextIO | None = None
    rejects: Rejects | None = None
    warn: Callable[[str], None] = lambda _text: None
    seen: Callable[[Record], None] = lambda _record: None
    progress: Callable[[int], None] = lambda _row: None
    _waiting: list[Record | BadRecord] = attrs.field(factory=list)
    _faults: int = 0

    def run(self) -> None:
        """Carry the file out. `InputError` when it is refused or changed; `PluginError` when its
        reader fails, or too many records in a row fail by a plugin."""
        for item in self._items():
            self._take(item)
        self.flush()
        self.source.check_unchanged()

    def _items(self) -> Iterator[ReadItem]:
        items = iter(self.reader.read(self.source, self))
        while True:
            try:
                item = next(items)
            except StopIteration:
                return
            except (InputError, PluginError):
                self.flush()
                raise
            except (KeyboardInterrupt, SystemExit):
                raise
            except Exception as error:
                if type(error).__module__.startswith("reverseflow."):
                    raise
                self.flush()
                raise PluginError(
                    "plugin_failed",
                    f"reader {self.reader.name} of plugin {self.reader.plugin} raised "
                    f"{type(error).__name__}: {error}",
                    place=f"{self.source.name}:{self.summary.last_row}",
                ) from error
            yield item

    def _take(self, item: ReadItem) -> None:
        self.summary.last_row = max(self.summary.last_row, item.row)
        if isinstance(item, Passed):
            self.summary.rows[item.what] += 1
        elif isinstance(item, Warned):
            self.summary.warnings += 1
            self.warn(f"{self.source.name}:{item.row}: warning: {item.code}: {item.message}")
        else:
            if isinstance(item, Record):
                self.seen(item)
            self._waiting.append(item)
            if len(self._waiting) >= CHUNK:
                self.flush()

    def flush(self) -> None:
        """Carry out what was read so far, and say what became of it."""
        waiting, self._waiting = self._waiting, []
        commands = [item.command for item in waiting if isinstance(item, Record)]
        outcomes = iter(self.engine.execute(commands, platform=self.platform))
        rejected: set[int] = set()
        stop: PluginError | None = None
        for item in waiting:
            if isinstance(item, Record):
                result = next(outcomes)
                stop = stop or self._watch(result)
            else:
                result = Result(
                    item.outcome,
                    item.kind,
                    item.id,
                    item.order_no,
                    codes=(item.code,),
                    message=item.message,
                )
            self._note(item, result, rejected)
        self.progress(self.summary.last_row)
        if stop is not None:
            raise stop

    def _note(self, item: Record | BadRecord, result: Result, rejected: set[int]) -> None:
        bad = result.outcome in ("refused", "failed")
        follows = isinstance(item, Record) and item.parts == 0
        if bad and follows and item.row in rejected:
            return
        summary = self.summary
        summary.outcomes[result.outcome] += 1
        summary.kinds[f"{result.kind} {result.outcome}"] += 1
        parts = item.parts if isinstance(item, Record) else 1
        if bad:
            rejected.add(item.row)
            summary.codes.update(result.codes)
            summary.rows["rejected"] += parts
            summary.rejected_rows += parts
            codes = ", ".join(result.codes)
            self.warn(f"{self.source.name}:{item.row}: {result.outcome}: {codes}: {result.message}")
            if self.rejects is not None:
                self.rejects.add(self.source, item, result)
        elif isinstance(item, Record) and item.what:
            summary.rows[item.what] += parts
        if self.results is not None:
            line = json.dumps(result.document(item.row), ensure_ascii=False)
            self.results.write(line + "\n")

    def _watch(self, result: Result) -> PluginError | None:
        """The fault that stops a batch which a broken plugin would only fail from here on."""
        faulty = result.outcome == "failed" and any(code.startswith("plugin_") for code in result.codes)
        self._faults = self._faults + 1 if faulty else 0
        if self._faults < FAULTS_IN_A_ROW:
            return None
        return PluginError(
            "plugin_stopped_batch",
            f"{self._faults} records in a row failed, the last with: {result.message}",
            place=self.source.name,
        )

    def purchases(self, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
        """For the reader: what was bought, everything read so far included."""
        self.flush()
        return self.engine.purchases(account, skus, until)

    def drawn(self, external_no: str) -> list[Drawn]:
        """For the reader: what is claimed under an external number, as above."""
        self.flush()
        return self.engine.drawn(external_no)


def choose_reader(
    readers: Sequence[InputReader], source: Source, platform: str, name: str = ""
) -> InputReader:
    """The reader of a file: the one named, else the only one that recognises it."""
    fitting = [reader for reader in readers if reader.platform in (ANY, platform)]
    known = ", ".join(reader.name for reader in fitting)
    if name:
        for reader in fitting:
            if reader.name == name:
                return reader
        raise InputError("unknown_format", f"{shown(name)} is not one of: {known}", place=source.name)
    if all(not line.text.strip() for line in islice(source.lines(), 1_000)):
        raise InputError("empty_file", "there is nothing in the file", place=source.name)
    found = [reader for reader in fitting if reader.detects(source)]
    if len(found) != 1:
        which = f"could be {', '.join(r.name for r in found)}" if found else "is of no known format"
        raise InputError(
            "unknown_format",
            f"the file {which}; say which with --format: {known}",
            place=source.name,
        )
    return found[0]
