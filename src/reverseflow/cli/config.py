"""The settings: ``reverseflow.toml`` in the current folder, then the environment, then options."""

import os
import tomllib
from pathlib import Path
from typing import Any

import attrs

from reverseflow.core.errors import UsageError, shown

FILE = "reverseflow.toml"
DEFAULT_DATABASE = "sqlite:///reverseflow.db"
#: The keys a configuration file may have, with their types; ``movers`` holds a table per mover.
KEYS: dict[str, type] = {
    "database": str,
    "tenant": str,
    "actor": str,
    "platform": str,
    "mover": str,
    "plugins": dict,
    "movers": dict,
}
PLUGIN_KEYS = ("only", "without")


@attrs.frozen
class Settings:
    """What is set; empty strings and tuples where nothing is."""

    database: str = DEFAULT_DATABASE
    tenant: str = "default"
    actor: str = ""
    platform: str = ""
    mover: str = "file"
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    movers: dict[str, dict[str, str]] = attrs.field(factory=dict)


def load_settings(folder: Path | None = None) -> Settings:
    """The settings of a folder; `UsageError` naming the key that is unknown or of a wrong type."""
    path = (folder or Path()) / FILE
    told = _checked(_read(path), path) if path.exists() else {}
    plugins = told.pop("plugins", {})
    fields: dict[str, Any] = {**told, **{key: tuple(value) for key, value in plugins.items()}}
    for name in ("database", "tenant", "actor", "platform", "mover"):
        value = os.environ.get(f"REVERSEFLOW_{name.upper()}")
        if value:
            fields[name] = value
    return Settings(**fields)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("bad_configuration", str(error), place=str(path)) from None
    except OSError as error:
        raise UsageError("bad_configuration", error.strerror or "cannot be read", place=str(path)) from None


def _checked(told: dict[str, Any], path: Path) -> dict[str, Any]:
    for key, value in told.items():
        if key not in KEYS:
            raise UsageError("unknown_key", f"{shown(key)} is not one of {', '.join(KEYS)}", place=str(path))
        if not isinstance(value, KEYS[key]):
            raise UsageError("wrong_type", f"{key} must be a {KEYS[key].__name__}", place=str(path))
    for key, value in told.get("plugins", {}).items():
        if key not in PLUGIN_KEYS or not _is_list_of_texts(value):
            raise UsageError(
                "unknown_key",
                f"plugins.{key} is not a list of {', '.join(PLUGIN_KEYS)}",
                place=str(path),
            )
    for name, options in told.get("movers", {}).items():
        if not isinstance(options, dict) or not all(isinstance(v, str) for v in options.values()):
            raise UsageError("wrong_type", f"movers.{name} must be a table of texts", place=str(path))
    return told


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
