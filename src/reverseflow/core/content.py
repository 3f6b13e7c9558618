"""What a command asks, as one stable text: the same id with another content is refused.

Only fields that differ from their defaults are in it, so that a field added later changes no old
content. Free text that may be personal is in it only as a digest.
"""

import hashlib
from datetime import datetime
from functools import cache
from typing import Any

import attrs

from reverseflow.core.commands import CaseCommand
from reverseflow.core.events import canonical_json

_PRIVATE = ("note", "reason_text", "return_to", "text")
_LEFT_OUT = ("id", "expected_version")


@cache
def _fields(type_: type) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (field.name, field.default) for field in attrs.fields(type_) if field.name not in _LEFT_OUT
    )


def content_of(command: CaseCommand) -> str:
    """The canonical text of what a command asks."""
    content: dict[str, Any] = {"kind": command.kind}
    for name, default in _fields(type(command)):
        value = getattr(command, name)
        if value != default:
            content[name] = _digest(value) if name in _PRIVATE else _plain(value)
    return canonical_json(content)


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | bool) or value is None:
        return value
    if isinstance(value, datetime):
        return value.isoformat()
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
    return next(
        (name for name in sorted({*stored, *told}) if stored.get(name) != told.get(name)), ""
    )
