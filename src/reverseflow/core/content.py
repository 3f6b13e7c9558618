"""What a command asks, as one stable text: the same id with another content is refused.

Only fields that differ from their defaults are in it, so that a field added later changes no old
content. Free text that may be personal is in it only as a digest.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

import attrs

from reverseflow.core.commands import CaseCommand
from reverseflow.core.events import canonical_json

PRIVATE = ("note", "reason_text", "return_to", "text")
#: What may differ when the same thing is said again: a platform moves its deadlines.
_LEFT_OUT = ("id", "expected_version", "deadline")


_FIELDS: dict[Any, tuple[tuple[str, Any], ...]] = {}


def _fields(type_: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a record's class that count, with their defaults."""
    if type_ not in _FIELDS:
        _FIELDS[type_] = tuple(
            (field.name, field.default) for field in attrs.fields(type_) if field.name not in _LEFT_OUT
        )
    return _FIELDS[type_]


def content_of(command: CaseCommand) -> str:
    """The canonical text of what a command asks."""
    content: dict[str, Any] = {"kind": command.kind}
    for name, default in _fields(type(command)):
        value = getattr(command, name)
        if value != default:
            content[name] = _digest(value) if name in PRIVATE else _plain(value)
    return canonical_json(content)


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | bool) or value is None:
        return value
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {
        name: _plain(part)
        for name, default in _fields(type(value))
        if (part := getattr(value, name)) != default
    }


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def differing_field(stored: dict[str, Any], told: dict[str, Any]) -> str:
    """The first field in which two contents differ."""
    return next((name for name in sorted({*stored, *told}) if stored.get(name) != told.get(name)), "")
