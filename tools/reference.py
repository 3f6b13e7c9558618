"""Rewrites what is generated in the pages of ``docs/reference``: ``python tools/reference.py``.

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; everything else
on a page is written by hand. What fields mean is in ``docs/reference/meanings.toml``: a field
without a meaning is an error, and so is a meaning without its field. ``--check`` writes nothing
and fails when a page is not up to date.
"""

import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import attrs
import click
import sqlalchemy as sa

import reverseflow
from reverseflow import COMMANDS, ExitStatus, contracts, hookspecs
from reverseflow.audit.findings import CODES
from reverseflow.builtin.neutral import record_key
from reverseflow.builtin.schema import schema_of
from reverseflow.cli import COMMANDS as CLI_COMMANDS
from reverseflow.cli import cli
from reverseflow.core import case, commands, events, legs, rulebook
from reverseflow.core.decide.application import APPLICANTS
from reverseflow.core.decide.money import RESULTS
from reverseflow.storage.tables import metadata

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
MEANINGS = FOLDER / "meanings.toml"
_PART = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_EXAMPLE = re.compile(r"\n*Example: (.+)$", re.DOTALL)

#: Fields of a record that are counts, with what they count; a rate is the one text with a unit.
_UNITS = {
    "quantity": "units", "shipped": "units", "received": "units", "accepted": "units",
    "rejected": "units", "expected_version": "events", "rate": "percent",
}  # fmt: skip
#: Options that say which store it is; described once, on top of the page.
_STORE = ("db", "tenant", "now", "only", "without")


class Meanings:
    """The texts of ``meanings.toml``; whatever was not asked for at the end is stale."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self._left = {(section, key) for section, texts in _sections(told) for key in (texts or {"": ""})}

    def of(self, section: str, key: str) -> str:
        """What a field means; `LookupError` where nobody has said."""
        texts = dict(_sections(self._told)).get(section, {})
        if key not in texts:
            raise LookupError(f"{MEANINGS.name}: [{section}] says nothing of {key}")
        self._left.discard((section, key))
        return texts[key]

    def all_of(self, section: str) -> dict[str, str]:
        """Every text of a section, in its order."""
        texts = dict(_sections(self._told)).get(section, {})
        self._left -= {(section, key) for key in (texts or {"": ""})}
        return texts

    def stale(self) -> list[str]:
        """What was told and never asked for."""
        return sorted(f"[{section}] {key}" for section, key in self._left)


def _sections(told: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, texts in told.items():
        if name == "exits":
            yield from ((f"exits.{command}", statuses) for command, statuses in texts.items())
        else:
            yield name, texts


# --- Markdown -------------------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a column that is empty in every row is left out."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    kept = [i for i in range(len(columns)) if any(row[i] for row in cells)]
    lines = [[columns[i] for i in kept], *([row[i] for i in kept] for row in cells)]
    drawn = [f"| {' | '.join(line)} |\n" for line in lines]
    return "".join([drawn[0], "|---" * len(kept) + "|\n", *drawn[1:]])


def code(text: str) -> str:
    """A text as code, nothing for nothing."""
    return f"`{text}`" if text else ""


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: cross references and literals are code."""
    text = inspect.cleandoc(docstring or "")
    return re.sub(r"`+([^`]+)`+", r"`\1`", text)


def first_sentence(docstring: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(prose(docstring).split("\n\n")[0].split())


# --- records --------------------------------------------------------------------------------------


def record(meanings: Meanings, kind: str) -> str:
    """The fields of one kind of record that are its own, and what it does."""
    class_ = COMMANDS[kind]
    described = prose(class_.__doc__)
    own = _record_table(meanings, kind, class_)
    shared = (
        "Besides [those of every ticket command](#fields-of-every-ticket-command)."
        if issubclass(class_, commands.TicketCommand)
        else "Besides [those of every command](#fields-of-every-command)."
        if issubclass(class_, commands.CaseCommand)
        else ""
    )
    return "\n".join(filter(None, (described + "\n", _moves(kind), own, shared and shared + "\n")))


def shared_fields(meanings: Meanings, name: str) -> str:
    """The fields of a class other classes have inside them, or are made from."""
    class_ = getattr(commands, name)
    kind = next(k for k, c in COMMANDS.items() if issubclass(c, class_) or _holds(c, class_))
    return _record_table(meanings, kind, class_)


def _holds(outer: type, inner: type) -> bool:
    return inner.__name__ in schema_of(getattr(outer, "kind", ""))["$defs"]


def _record_table(meanings: Meanings, kind: str, class_: type) -> str:
    """The fields a class adds to what it is made from."""
    schema = schema_of(kind)
    definitions = schema["$defs"]
    properties = definitions.get(class_.__name__, schema["properties"][kind])["properties"]
    rows = []
    for field in attrs.fields(class_):
        if not field.inherited:
            key = record_key(field.name)
            told = properties[key]
            meaning = meanings.of(class_.__name__, key)
            rows.append((code(key), _type(told), _unit(key, told), _default(field), meaning))
    return table(("field", "type", "unit", "default", "meaning"), rows) if rows else ""


def _type(schema: Mapping[str, Any]) -> str:
    """What a value of a schema is, in words."""
    if "anyOf" in schema:
        parts = schema["anyOf"]
        one_or_more = [p for p in parts if p.get("type") == "array" and p["items"] in parts]
        if one_or_more:
            return f"{_type(one_or_more[0]['items'])}, or a list of them"
        return ", ".join(_type(p) for p in parts if p != {"type": "null"}).replace(", ", " or ")
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name if name in ("amount", "time") else f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return "one of " + ", ".join(code(choice) for choice in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_plural(_type(schema['items']))}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}[schema["type"]]


def _plural(text: str) -> str:
    return {"text": "texts"}.get(text, text.removeprefix("one of "))


def _unit(key: str, schema: Mapping[str, Any]) -> str:
    text = str(schema)
    if "/amount'" in text:
        return "major units"
    return "ISO 8601" if "/time'" in text else _UNITS.get(key, "")


def _default(field: "attrs.Attribute[Any]") -> str:
    value = field.default
    if value is attrs.NOTHING:
        return "required"
    if value is None:
        return "null"
    if value == ():
        return "`[]`"
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if attrs.has(type(value)) else code(str(value))


def _moves(kind: str) -> str:
    """Who may give a command and which leg it moves, from the tables of the lifecycle."""
    if kind == "order":
        return ""
    if kind == "apply":
        return f"By {_listed(APPLICANTS)}.\n"
    if kind == "external_refund":
        return "By finance, platform, system or operations.\n"
    if kind in legs.TICKET_COMMANDS:
        return f"By {_listed(legs.TICKET_COMMANDS[kind])}.\n"
    words = [f"{kind}:{result}" for result in RESULTS] if kind == "settle_result" else [kind]
    steps: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for row in legs.TRANSITIONS:
        if row.command in words:
            steps.setdefault((row.roles, row.leg, row.next), []).append(row.state)
    return "".join(
        f"- By {_listed(roles)}: {leg} {_listed(tuple(dict.fromkeys(states)))} → {following}.\n"
        for (roles, leg, following), states in steps.items()
    )


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def kinds(_meanings: Meanings, _argument: str) -> str:
    """Every kind of record with its first sentence."""
    return table(
        ("kind", "what it says"),
        [(f"[`{kind}`](#{kind})", first_sentence(class_.__doc__)) for kind, class_ in COMMANDS.items()],
    )


def document(meanings: Meanings, section: str) -> str:
    """The keys of a document the engine writes."""
    return table(("key", "meaning"), [(code(key), text) for key, text in meanings.all_of(section).items()])


# --- hooks and values -----------------------------------------------------------------------------


def hooks(_meanings: Meanings, _argument: str) -> str:
    """Every hook with its docstring."""
    parts = []
    for name, hook in vars(hookspecs).items():
        if name.startswith("reverseflow_"):
            returns = _annotation(inspect.signature(hook).return_annotation)
            signature = f"```python\ndef {name}() -> {returns}\n```"
            parts.append(f"### {name}\n\n{signature}\n\n{prose(hook.__doc__)}\n")
    return "\n".join(parts)


_HOMES = (rulebook, contracts, legs, case, events)


def value(meanings: Meanings, name: str) -> str:
    """A value of the contract: its docstring, and its fields in the order they are given in."""
    class_ = next(vars(home)[name] for home in _HOMES if name in vars(home))
    hints = get_type_hints(class_)
    rows = []
    for field in attrs.fields(class_):
        type_, meaning = _annotation(hints[field.name]), meanings.of(name, field.name)
        rows.append((code(field.name), code(type_), _python_default(field), meaning))
    return prose(class_.__doc__) + "\n\n" + table(("field", "type", "default", "meaning"), rows)


def _annotation(hint: Any) -> str:
    """A type as it stands in the source, without the modules its names come from."""
    text = inspect.formatannotation(hint)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text.replace("NoneType", "None"))


def _python_default(field: "attrs.Attribute[Any]") -> str:
    default = field.default
    if default is attrs.NOTHING:
        return "required"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return "`{}`"
    return code(default.isoformat() if isinstance(default, datetime) else repr(default))


def front_door(_meanings: Meanings, _argument: str) -> str:
    """Every name of the front door, by the room it comes from."""
    rooms: dict[str, list[str]] = {}
    for name in reverseflow.__all__:
        if name != "__version__":
            rooms.setdefault(reverseflow._HOME[name], []).append(name)
    return table(
        ("room", "names"),
        [(code(room), ", ".join(map(code, names))) for room, names in sorted(rooms.items())],
    )


def event_kinds(_meanings: Meanings, _argument: str) -> str:
    """Every kind of event there is."""
    return ", ".join(map(code, events.EVENT_KINDS)) + "."


# --- the command line -----------------------------------------------------------------------------


def command_line(meanings: Meanings, _argument: str) -> str:
    """Every command: what it does, its arguments and options, its exit statuses."""
    parts = []
    context = click.Context(cli, info_name="reverseflow")
    for name, (_, _, help_) in CLI_COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            parts.append(f"## {name}\n\n{help_}\n")
            parts.extend(
                _command(meanings, f"{name} {inner}", told, "###") for inner, told in command.commands.items()
            )
        else:
            parts.append(_command(meanings, name, command, "##"))
    return "\n".join(parts)


def _command(meanings: Meanings, name: str, command: click.Command, level: str) -> str:
    text = prose(command.help)
    example = _EXAMPLE.search(text)
    words = _EXAMPLE.sub("", text)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join(map(_shown_argument, arguments))
    options = [p for p in command.params if isinstance(p, click.Option)]
    own = [p for p in options if p.name not in _STORE]
    has_store = any(p.name == "db" for p in options)
    parts = [f"{level} {name}\n", f"```text\nreverseflow {name} {usage}".rstrip() + "\n```\n", words + "\n"]
    if example:
        parts.append("```text\n$ " + " ".join(example[1].split()) + "\n```\n")
    if own:
        parts.append(_options(own))
    if has_store:
        parts.append("And [the options of every command with a store](#the-store).\n")
    elif rest := [p for p in options if p.name in _STORE]:
        parts.append(_options(rest))
    parts.append(_exits(meanings, name))
    return "\n".join(filter(None, parts))


def _shown_argument(argument: click.Argument) -> str:
    text = argument.metavar or str(argument.name).upper()
    return text if argument.required or text.startswith("[") else f"[{text}]"


def _options(options: Iterable[click.Option]) -> str:
    rows = []
    for option in options:
        notes = [
            "May be repeated." if option.multiple and "repeated" not in (option.help or "") else "",
            "Required." if option.required else "",
        ]
        meaning = " ".join(filter(None, (option.help or "", *notes)))
        names = ", ".join(option.opts)
        rows.append((code(f"{names} {_shown_value(option)}".strip()), _option_default(option), meaning))
    return table(("option", "default", "meaning"), rows)


def _shown_value(option: click.Option) -> str:
    """What follows an option, in words of our own: click's differ from version to version."""
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return option.metavar or "|".join(map(str, option.type.choices))
    named = {click.IntRange: "NUMBER", click.Path: "FILE"}
    return option.metavar or named.get(type(option.type), "TEXT")


def _option_default(option: click.Option) -> str:
    told = option.default
    return code(str(told)) if isinstance(told, str | int) and told and not option.is_flag else ""


def _exits(meanings: Meanings, name: str) -> str:
    """The exit statuses of a command: its own row, else that of its group."""
    group = name.partition(" ")[0]
    told = meanings.all_of(f"exits.{name}") or meanings.all_of(f"exits.{group}")
    return table(("exit status", "when"), list(told.items())) if told else ""


def store_options(_meanings: Meanings, _argument: str) -> str:
    """The options that say which store, which time and which plugins."""
    command = cli.get_command(click.Context(cli), "verify")
    assert command is not None
    return _options(
        sorted(
            (p for p in command.params if isinstance(p, click.Option) and p.name in _STORE),
            key=lambda p: _STORE.index(str(p.name)),
        )
    )


def exit_statuses(_meanings: Meanings, _argument: str) -> str:
    """The table of exit statuses, with the comments the glossary gives them."""
    glossary = (FOLDER.parent / "glossary.md").read_text(encoding="utf-8")
    when = dict(re.findall(r"^\| (\d+) \| `[A-Z_]+` \| [^|]+ \| ([^|]+) \|$", glossary, re.MULTILINE))
    return table(
        ("status", "name", "when"),
        [(str(int(status)), code(status.name), when[str(int(status))]) for status in ExitStatus],
    )


def findings(_meanings: Meanings, _argument: str) -> str:
    """Every code of `verify`."""
    return table(("code", "means"), [(code(name), text) for name, text in CODES.items()])


# --- tables ---------------------------------------------------------------------------------------


def tables(meanings: Meanings, _argument: str) -> str:
    """Every table: its columns, keys, checks and indexes."""
    parts = []
    for told in metadata.tables.values():
        keys = [column.name for column in told.primary_key]
        rows = [
            (
                code(column.name), _column_type(column), "yes" if column.nullable else "",
                _column_meaning(meanings, told.name, column.name),
            )
            for column in told.columns
        ]  # fmt: skip
        checks = [c for c in told.constraints if isinstance(c, sa.CheckConstraint)]
        limits = [
            f"- primary key {', '.join(map(code, keys))}",
            *sorted(f"- check {code(str(check.sqltext))}" for check in checks),
            *sorted(f"- index on {', '.join(code(c.name) for c in index.columns)}" for index in told.indexes),
        ]  # fmt: skip
        parts.append(
            f"## {told.name}\n\n{meanings.of('tables', told.name)}\n\n"
            + table(("column", "type", "null", "meaning"), rows)
            + "\n"
            + "\n".join(limits)
            + "\n"
        )
    return "\n".join(parts)


def _column_type(column: "sa.Column[Any]") -> str:
    if column.type.python_type is int:
        return "whole number"
    return "time" if re.fullmatch("at|.*_at|deadline", column.name) else "text"


def _column_meaning(meanings: Meanings, table_name: str, column: str) -> str:
    own = meanings._told.get(f"tables.{table_name}", {})
    section = f"tables.{table_name}" if column in own else "tables"
    return meanings.of(section, column)


# --- pages ----------------------------------------------------------------------------------------

PARTS: Mapping[str, Callable[[Meanings, str], str]] = {
    "record": record,
    "fields": shared_fields,
    "kinds": kinds,
    "document": document,
    "hooks": hooks,
    "value": value,
    "event-kinds": event_kinds,
    "front-door": front_door,
    "commands": command_line,
    "store-options": store_options,
    "exit-statuses": exit_statuses,
    "findings": findings,
    "tables": tables,
}


def generated() -> dict[Path, str]:
    """Every page with a generated part, as it has to be."""
    meanings = Meanings(tomllib.loads(MEANINGS.read_text(encoding="utf-8")))

    def fill(found: re.Match[str]) -> str:
        name, _, argument = found[2].partition(" ")
        return f"{found[1]}\n{PARTS[name](meanings, argument).strip()}\n\n{found[3]}"

    pages = {path: _PART.sub(fill, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md"))}
    if stale := meanings.stale():
        raise LookupError(f"{MEANINGS.name} tells of what is not there: {', '.join(stale)}")
    return pages


def main() -> None:
    """Write the pages anew, or with ``--check`` say which are not up to date."""
    pages = {path: text for path, text in generated().items() if path.read_text(encoding="utf-8") != text}
    if "--check" in sys.argv[1:] and pages:
        raise SystemExit(f"not up to date: {', '.join(path.name for path in pages)}")
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
        print("wrote", path.name)


if __name__ == "__main__":
    main()
