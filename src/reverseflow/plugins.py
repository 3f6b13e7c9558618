"""Finding, loading and checking plugins; compiling a platform's rulebook.

Our own loop over the entry points: a plugin that fails is reported with its error and does not
stop the others. After start nothing asks a hook again: the registry holds plain values.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import isfunction
from typing import Any, TypeVar

import attrs
import pluggy

from reverseflow import hookspecs
from reverseflow.contracts import CliCommand, EventListener, InputReader, Mover
from reverseflow.core.errors import PluginError, Refused, said, shown
from reverseflow.core.legs import DEADLINES, FINAL, REFUND_TIMINGS, TRANSITIONS
from reverseflow.core.rulebook import (
    ANY,
    STRATEGIES,
    TENDER_POLICIES,
    FeeFormula,
    Platform,
    Reason,
    Rule,
    Rulebook,
)

BUILTIN = "builtin"
#: What a policy may choose between.
_CHOICES = {
    "refund_timing": REFUND_TIMINGS,
    "tender_policy": TENDER_POLICIES,
    "strategy": STRATEGIES,
}
_T = TypeVar("_T", Platform, Reason, Rule, FeeFormula, InputReader, Mover, EventListener, CliCommand)
_HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("reverseflow_"))


@attrs.frozen
class PluginInfo:
    """A plugin that was found: where from, and whether it is in use (else why not)."""

    name: str
    distribution: str
    version: str
    status: str
    error: str = ""
    provides: tuple[str, ...] = ()


@attrs.frozen
class Registry:
    """Everything the loaded plugins registered, checked, by code."""

    plugins: tuple[PluginInfo, ...]
    rulebooks: Mapping[str, Rulebook]
    readers: tuple[InputReader, ...]
    movers: Mapping[str, Mover]
    listeners: tuple[EventListener, ...]
    commands: tuple[CliCommand, ...]

    def rulebook(self, platform: str) -> Rulebook:
        """The rulebook of a platform; refused when no loaded plugin supplies it."""
        found = self.rulebooks.get(platform)
        if found is None:
            known = ", ".join(self.rulebooks) or "none"
            raise Refused(
                "unknown_platform",
                f"no plugin supplies the platform {shown(platform)}; known: {known}",
            )
        return found


def load_plugins(only: Iterable[str] | None = None, without: Iterable[str] = ()) -> Registry:
    """Load the built-ins and the installed plugins, chosen by name before anything is imported.

    `PluginError` when two plugins claim the same thing, or a name given is not installed.
    """
    wanted = None if only is None else set(only)
    unwanted = set(without)
    found = _installed()
    for name in sorted(((wanted or set()) | unwanted) - {*found, BUILTIN}):
        raise PluginError(
            "unknown_plugin",
            f"{shown(name)} is not installed; installed: {', '.join(found) or 'none'}",
        )
    loader = _Loader()
    loader.add(BUILTIN, "reverseflow", "", lambda: import_module("reverseflow.builtin"))
    for name, entry in sorted(found.items()):
        origin = _origin(entry)
        if (wanted is not None and name not in wanted) or name in unwanted:
            loader.infos.append(PluginInfo(name, *origin, "left out"))
        else:
            loader.add(name, *origin, entry.load)
    return loader.registry()


def _installed() -> dict[str, EntryPoint]:
    """The entry points by name; a name claimed twice, or the built-ins' own, is refused."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=hookspecs.PROJECT)):
        other = found.setdefault(entry.name, entry)
        if other is not entry or entry.name == BUILTIN:
            first = "reverseflow" if other is entry else _origin(other)[0]
            raise PluginError(
                "claimed_twice",
                f"the plugin name {shown(entry.name)} is claimed by the distributions {first} and "
                f"{_origin(entry)[0]}; uninstall one",
            )
    return found


def registry_of(plugins: Mapping[str, object]) -> Registry:
    """A registry of the built-ins and the given plugin modules, by name; any fault raises."""
    loader = _Loader(strict=True)
    loader.add(BUILTIN, "reverseflow", "", lambda: import_module("reverseflow.builtin"))
    for name, module in sorted(plugins.items()):
        loader.add(name, name, "", lambda module=module: module)  # type: ignore[misc]
    return loader.registry()


def _origin(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("", "")


class _Loader:
    """Loads plugins one by one; each is used whole or not at all."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.infos: list[PluginInfo] = []
        self.values: dict[str, list[Any]] = {hook: [] for hook in _HOOKS}

    def add(self, name: str, distribution: str, version: str, load: Callable[[], object]) -> None:
        """Load one plugin, take what its hooks return, and note what became of it."""
        try:
            values = _ask(name, load())
        except (Exception, SystemExit) as error:
            if self.strict:
                raise
            text = error.message if isinstance(error, PluginError) else said(error)
            self.infos.append(PluginInfo(name, distribution, version, "failed", text))
            return
        provides = []
        for hook, found in values.items():
            self.values[hook].extend(found)
            if found:
                provides.append(f"{hook.removeprefix('reverseflow_')} ({len(found)})")
        self.infos.append(PluginInfo(name, distribution, version, "loaded", "", tuple(provides)))

    def registry(self) -> Registry:
        """Everything loaded, with no code claimed twice."""
        value = self.values
        platforms = _unique("platform", value["reverseflow_platforms"], lambda p: p.code)
        reasons = _unique("reason", value["reverseflow_reasons"], lambda r: f"{r.platform}/{r.code}")
        rules = _unique("rule", value["reverseflow_rules"], lambda r: f"{r.platform}/{r.code}")
        fees = _unique("fee formula", value["reverseflow_fees"], lambda f: f"{f.platform}/{f.code}")
        readers = _unique("reader", value["reverseflow_readers"], lambda r: r.name)
        movers = _unique("mover", value["reverseflow_movers"], lambda m: m.name)
        listeners = _unique("listener", value["reverseflow_listeners"], lambda x: x.name)
        commands = _unique("command", value["reverseflow_commands"], lambda c: c.name)
        versions = {i.name: i.version for i in self.infos if i.status == "loaded" and i.version}
        return Registry(
            tuple(self.infos),
            {code: _compile(owned, reasons, rules, fees, versions) for code, owned in platforms.items()},
            tuple(readers.values()), movers, tuple(listeners.values()), tuple(commands.values()),
        )  # fmt: skip


_TYPES: dict[str, type] = {
    "reverseflow_platforms": Platform,
    "reverseflow_reasons": Reason,
    "reverseflow_rules": Rule,
    "reverseflow_fees": FeeFormula,
    "reverseflow_readers": InputReader,
    "reverseflow_movers": Mover,
    "reverseflow_listeners": EventListener,
    "reverseflow_commands": CliCommand,
}


#: What of a registered value is called later.
_CALLED: dict[str, tuple[str, ...]] = {
    "reverseflow_rules": ("check",),
    "reverseflow_fees": ("compute",),
    "reverseflow_readers": ("detects", "read"),
    "reverseflow_movers": ("connect",),
    "reverseflow_listeners": ("notify",),
    "reverseflow_commands": ("load",),
}


def _ask(name: str, module: object) -> dict[str, list[Any]]:
    """What one plugin's hooks return, each value checked; pluggy checks names and arguments."""
    version = getattr(module, "API_VERSION", None)
    if version != hookspecs.API_VERSION:
        raise PluginError(
            "wrong_api_version",
            f"plugin {name} is for API version {version!r}, this is {hookspecs.API_VERSION}",
        )
    _refuse_misspelt(name, module)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError("bad_hook", f"plugin {name}: {error}") from error
    values: dict[str, list[Any]] = {}
    for hook in _HOOKS:
        answer = getattr(module, hook)() if hasattr(module, hook) else []
        values[hook] = [_checked(name, hook, value) for value in _listed(name, hook, answer)]
    return values


def _refuse_misspelt(name: str, module: object) -> None:
    """A function called like a hook that is no hook, or a hook without its marker, is a mistake."""
    for word, value in vars(module).items() if hasattr(module, "__dict__") else ():
        if word.startswith("reverseflow_") and isfunction(value):
            if word not in _HOOKS:
                raise PluginError(
                    "bad_hook", f"plugin {name}: unknown hook {word}; known: {', '.join(_HOOKS)}"
                )
            if not hasattr(value, "reverseflow_impl"):
                raise PluginError("bad_hook", f"plugin {name}: {word} lacks the @hookimpl marker")


def _listed(name: str, hook: str, answer: object) -> Iterable[Any]:
    if not isinstance(answer, list | tuple):
        raise PluginError("plugin_contract", f"plugin {name}: {hook} returned {shown(answer)}, not a list")
    return answer


def _checked(name: str, hook: str, value: Any) -> Any:
    expected: Any = _TYPES[hook]
    if type(value) is not expected:
        raise PluginError(
            "plugin_contract",
            f"plugin {name}: {hook} returned {shown(value)}, not {expected.__name__}",
        )
    code = getattr(value, "code", None) or getattr(value, "name", None)
    if type(code) is not str or not code.strip():
        raise PluginError("plugin_contract", f"plugin {name}: {hook}: {shown(value)} has no code")
    for field in _CALLED.get(hook, ()):
        if not callable(getattr(value, field)):
            what = f"{shown(code)}: {field} is no function"
            raise PluginError("plugin_contract", f"plugin {name}: {hook}: {what}")
    if hook == "reverseflow_platforms":
        _check_platform(name, value)
    return attrs.evolve(value, plugin=name)


def _check_platform(name: str, platform: Platform) -> None:
    """A platform has a policy, in dated order, and every deadline names a state and a command."""
    dates = [policy.effective_from for policy in platform.policies]
    if any(date.tzinfo is None for date in dates):
        raise PluginError(
            "plugin_contract", f"plugin {name}: platform {platform.code}: a day of a policy has no time zone"
        )
    versions = {policy.version for policy in platform.policies}
    if not dates or dates != sorted(dates) or len(versions) != len(dates):
        raise PluginError(
            "plugin_contract",
            f"plugin {name}: platform {platform.code} needs policies in dated order, each its own version",
        )
    for policy in platform.policies:
        for field, known in _CHOICES.items():
            if (told := getattr(policy, field)) not in known:
                what = f"policy {policy.version}: {field} {shown(told)} is not one of {', '.join(known)}"
                raise PluginError("plugin_contract", f"plugin {name}: {what}")
    states = {(row.leg, row.state) for row in TRANSITIONS} | {(leg, s) for leg, f in FINAL.items() for s in f}
    for deadline in platform.deadlines:
        if (deadline.leg, deadline.state) not in states or deadline.hours <= 0:
            raise PluginError(
                "plugin_contract",
                f"plugin {name}: {shown(deadline)} is not a deadline of the lifecycle",
            )
        if deadline.command not in (
            "approve",
            "close",
            "escalate",
            *(row.command for row in DEADLINES),
        ):
            raise PluginError(
                "plugin_contract",
                f"plugin {name}: {shown(deadline.command)} is not what a timer can do",
            )


def _unique(what: str, values: list[_T], code: Callable[[Any], str]) -> dict[str, _T]:
    found: dict[str, _T] = {}
    for value in values:
        key = code(value)
        if key in found:
            first, second = found[key].plugin, value.plugin
            raise PluginError(
                "claimed_twice",
                f"the {what} {shown(key)} is claimed by the plugins {first} and {second}; "
                f"leave one out with --without",
            )
        found[key] = value
    return found


def _compile(
    platform: Platform, reasons: Mapping[str, Reason], rules: Mapping[str, Rule],
    fees: Mapping[str, FeeFormula], versions: Mapping[str, str],
) -> Rulebook:  # fmt: skip
    """One platform with what applies to it; its own reason goes before a general one."""
    known: dict[str, Reason] = {}
    scopes = (platform.code, ANY) if platform.inherits_reasons else (platform.code,)
    for scope in scopes:
        for reason in reasons.values():
            if reason.platform == scope:
                known.setdefault(reason.code, reason)
    mine = (platform.code, ANY)
    my_rules = tuple(rule for rule in rules.values() if rule.platform in mine)
    my_fees = tuple(fee for fee in fees.values() if fee.platform in mine)
    used = {platform.plugin, *(rule.plugin for rule in my_rules), *(fee.plugin for fee in my_fees)}
    pinned = {name: version for name, version in versions.items() if name in used}
    return Rulebook(platform, known, my_rules, my_fees, pinned)
