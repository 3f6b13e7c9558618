"""``reverseflow run``: files of orders and applications through the engine."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverseflow.cli.common import database_url, open_engine, print_json, settings, store_options
from reverseflow.cli.faults import PIPE_CLOSED, TERMINATED, Stopped
from reverseflow.core.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from reverseflow.batch.run import Summary
    from reverseflow.contracts import InputReader, Record
    from reverseflow.engine import Engine
    from reverseflow.files import Source
    from reverseflow.plugins import Registry

_LOUD = 20  # messages about rows printed before they are only counted


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--platform",
    "-p",
    help="Whose files they are; else the configuration's, else the only one installed.",
)
@click.option("--format", "format_", metavar="NAME", help="The file format; else it is recognised.")
@click.option("--option", "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option(
    "--encoding",
    metavar="NAME",
    help="The encoding, such as gb18030; else UTF-8 or strictly detected.",
)
@click.option("--results", type=click.Path(dir_okay=False), help="Write a result line per record here.")
@click.option("--rejects", type=click.Path(dir_okay=False), help="Write refused and failed rows here.")
@click.option("--dry-run", is_flag=True, help="Decide everything as usual, keep nothing.")
@click.option("--emit-records", is_flag=True, help="Print the neutral records the files turn into.")
@click.option("--json", "as_json", is_flag=True, help="Print the result lines on standard output.")
@store_options
def run(files: tuple[str, ...], **options: Any) -> None:
    """Carry files of orders, applications and ticket commands through the engine.

    A file is neutral records (JSON Lines), or whatever an installed platform plugin reads; ``-``
    is standard input. Running the same files again changes nothing: a batch that was stopped is
    finished by running it again. Refused and failed rows go to --rejects, ready to be mended.

    Example: reverseflow run week.csv --platform generic_web --rejects week.rejects.csv
    """
    for name in files:
        _require_file(name)
    with _store(options) as engine:
        platform = chosen_platform(engine.registry, options)
        summary = run_files(engine, files, platform, options)
    say_summary(summary, dry_run=options["dry_run"], rejects=options["rejects"])
    raise click.exceptions.Exit(summary.exit_status)


@contextmanager
def _store(options: Mapping[str, Any]) -> "Iterator[Engine]":
    """The engine to run on; a dry run keeps nothing, not even a new store."""
    chosen = dict(options)
    if options["dry_run"]:
        url = database_url(chosen)
        file = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else url
        if ("://" not in url or url.startswith("sqlite:")) and not Path(file).exists():
            chosen["db"] = "sqlite://"
    with open_engine(chosen, create=_may_create(chosen)) as engine, ExitStack() as stack:
        if options["dry_run"]:
            stack.enter_context(engine.dry_run())
        yield engine


def _require_file(name: str) -> None:
    """Refuse what is no file before a store is made for it."""
    if name != "-" and not Path(name).is_file():
        from reverseflow.files import open_source

        open_source(name)


def _may_create(options: Mapping[str, Any]) -> bool:
    """A new SQLite store is made on the way; an older one is upgraded only when asked for.

    A file without a table is as good as none: making it was broken off.
    """
    url = database_url(dict(options))
    if "://" in url and not url.startswith("sqlite:"):
        return False
    path = Path(url.removeprefix("sqlite:///"))
    if not path.is_file():
        return not path.exists()
    from reverseflow.storage import database

    engine = database.open_database(url)
    try:
        return database.is_empty(engine)
    finally:
        engine.dispose()


def chosen_platform(registry: "Registry", options: Mapping[str, Any]) -> str:
    """The platform named, configured, or the only one there is."""
    platform = options.get("platform") or settings().platform
    if not platform and len(registry.rulebooks) == 1:
        platform = next(iter(registry.rulebooks))
    if not platform:
        raise UsageError(
            "platform_missing",
            f"say whose files they are: --platform {'|'.join(registry.rulebooks) or 'NAME'}",
        )
    registry.rulebook(platform)
    return str(platform)


def run_files(
    engine: "Engine", files: tuple[str, ...], platform: str, options: Mapping[str, Any],
    readers: "tuple[InputReader, ...] | None" = None,
) -> "Summary":  # fmt: skip
    """Run each file in turn; what became of all their rows together.

    All are looked at before the first is applied, and before any output is written over.
    """
    from reverseflow.batch.run import Batch, Summary

    summary, warn = Summary(), _speaker(options)
    with ExitStack() as stack:
        stack.enter_context(_stoppable())
        known = readers or engine.registry.readers
        inputs = [_input(name, known, platform, options) for name in files]
        for _, reader in inputs:
            _require_known_options(reader, _reader_options(options))
        results, rejects = _outputs(stack, options)
        for source, reader in inputs:
            with _progress(source) as progress:
                Batch(
                    engine, source, reader, platform, summary, _reader_options(options),
                    results, rejects, warn, _printer(options), progress,
                ).run()  # fmt: skip
    return summary


def _input(
    name: str, readers: "Sequence[InputReader]", platform: str, options: Mapping[str, Any]
) -> "tuple[Source, InputReader]":
    """A file that can be read, with its reader."""
    from reverseflow.batch.run import choose_reader
    from reverseflow.files import open_source

    source = open_source(name, options.get("encoding"))
    if source.encoding_note:
        click.echo(source.encoding_note, err=True)
    _refuse_overwriting(source, options)
    return source, choose_reader(readers, source, platform, options.get("format_") or "")


def _outputs(stack: ExitStack, options: Mapping[str, Any]) -> tuple[Any, Any]:
    from reverseflow.batch.rejects import Rejects

    if options.get("results") and options.get("results") == options.get("rejects"):
        raise UsageError("same_file", "--results and --rejects name the same file")
    results = sys.stdout if options.get("as_json") else None
    if options.get("results"):
        file = Path(options["results"]).open("w", encoding="utf-8")  # noqa: SIM115 - the stack's
        results = stack.enter_context(file)
    rejects = stack.enter_context(Rejects(Path(options["rejects"]))) if options.get("rejects") else None
    return results, rejects


def _refuse_overwriting(source: "Source", options: Mapping[str, Any]) -> None:
    from reverseflow.batch.rejects import refuse_same_file

    for name in ("results", "rejects"):
        if options.get(name):
            refuse_same_file(Path(options[name]), source)


def _require_known_options(reader: "InputReader", given: Mapping[str, str]) -> None:
    for name in given:
        if name not in reader.options:
            known = ", ".join(reader.options) or "none"
            raise UsageError("bad_option", f"--option {name}: the reader {reader.name} knows: {known}")


def _reader_options(options: Mapping[str, Any]) -> dict[str, str]:
    pairs = {}
    for pair in options.get("pairs") or ():
        key, mark, value = pair.partition("=")
        if not mark:
            raise UsageError("bad_option", f"--option {pair}: write KEY=VALUE")
        pairs[key] = value
    return pairs


def _speaker(options: Mapping[str, Any]) -> Any:
    """Says the first messages about rows in full; the rest are only counted in the summary."""
    said = 0
    named = [f"--{name}" for name in ("results", "rejects") if options.get(name)]
    where = f"in the files of {' and '.join(named)}" if named else "not shown; --rejects keeps the rows"

    def warn(text: str) -> None:
        nonlocal said
        said += 1
        if options.get("quiet"):
            return
        if said <= _LOUD:
            click.echo(text, err=True)
        elif said == _LOUD + 1:
            click.echo(f"… further messages are {where}", err=True)

    return warn


def _printer(options: Mapping[str, Any]) -> Any:
    if not options.get("emit_records"):
        return lambda _record: None
    from reverseflow.builtin.neutral import command_to_record

    def show(record: "Record") -> None:
        print_json(command_to_record(record.command))

    return show


@contextmanager
def _progress(source: "Source") -> Iterator[Any]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _row: None
        return
    total = sum(1 for _ in source.lines())
    with click.progressbar(length=total, label=source.name, file=sys.stderr) as bar:
        yield lambda row: bar.update(max(0, row - bar.pos))
        bar.update(max(0, total - bar.pos))


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM, or nobody reading the results, ends the batch as Ctrl-C does.

    The step at hand is undone, the rest is kept.
    """

    def stop(_number: int, _frame: object) -> None:
        raise Stopped(TERMINATED)

    before = None
    with suppress(ValueError):  # not in the main thread
        before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except BrokenPipeError:
        raise Stopped(PIPE_CLOSED) from None
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def say_summary(summary: "Summary", *, dry_run: bool = False, rejects: str | None = None) -> None:
    """The summary of a batch for a person, on standard error."""
    outcomes = summary.outcomes
    told = ", ".join(f"{outcomes[name]:,} {name}" for name in ("applied", "replayed", "refused", "failed"))
    click.echo(f"{'dry run, nothing kept: ' if dry_run else ''}{told}", err=True)
    for what, count in sorted(summary.rows.items()):
        click.echo(f"  {count:>10,} rows: {what}", err=True)
    for code, count in summary.codes.most_common():
        click.echo(f"  {count:>10,} {code}", err=True)
    if outcomes["replayed"] and not outcomes["applied"] and summary.exit_status == ExitStatus.DONE:
        click.echo("everything was already applied; nothing changed", err=True)
    if rejects and summary.rejected_rows:
        click.echo(f"rejected rows are in {rejects}; mend and run them again", err=True)
