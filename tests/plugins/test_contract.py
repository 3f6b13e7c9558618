"""What a plugin registers is checked when it is loaded; what is wrong names the plugin."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import attrs
import pytest

from reverseflow import hookimpl, hookspecs
from reverseflow.contracts import CliCommand, Delivery, EventListener, InputReader, Mover
from reverseflow.core.errors import PluginError
from reverseflow.core.legs import Deadline
from reverseflow.core.rulebook import ANY, FeeFormula, Platform, Policy, Reason, Rule
from reverseflow.plugins import registry_of
from support.cases import NOON
from support.stores import plugin

HOOKS = [name for name in vars(hookspecs) if name.startswith("reverseflow_")]


def nothing(*given: Any) -> Any:
    """Whatever a plugin is asked, it has no opinion."""


def deliver(instructions: Any) -> list[Delivery]:
    return []


#: One value of everything that can be registered, as (hook, value, what the refusal calls it).
VALUES: dict[str, tuple[Any, str]] = {
    "platforms": (Platform("p", "p", "p", (Policy("v1"),)), "platform 'p'"),
    "reasons": (Reason("whim", "whim", "随意"), "reason '*/whim'"),
    "rules": (Rule("r", nothing), "rule '*/r'"),
    "fees": (FeeFormula("f", nothing), "fee formula '*/f'"),
    "readers": (InputReader("in", nothing, nothing), "reader 'in'"),
    "movers": (Mover("m", lambda options: deliver), "mover 'm'"),
    "listeners": (EventListener("ear", nothing), "listener 'ear'"),
    "commands": (CliCommand("hello", nothing), "command 'hello'"),
}


#: What is no list of the values of any hook.
ANSWERS: dict[str, Any] = {
    "nothing": None,
    "a text": "text",
    "a number": 1,
    "a mapping": {"a": 1},
    "a list of nothing": [None],
    "a list of numbers": [1.5],
    "a list of texts": ["te\nxt"],
    "a list of objects": [object()],
    "a class": [Rule],
    "a list in a list": [[]],
    "a generator": (number for number in range(3)),
}


def refused(**plugins: object) -> PluginError:
    """The error with which plugins are refused."""
    with pytest.raises(PluginError) as caught:
        registry_of(plugins)
    return caught.value


def test_there_is_a_value_here_for_every_hook() -> None:
    assert [f"reverseflow_{name}" for name in VALUES] == HOOKS


def test_every_hook_is_heard_and_its_values_carry_the_plugins_name() -> None:
    registry = registry_of({"oak": plugin(**{name: [value] for name, (value, _) in VALUES.items()})})
    [info] = [info for info in registry.plugins if info.name == "oak"]
    assert info.provides == tuple(f"{name} (1)" for name in VALUES)
    rulebook = registry.rulebooks["p"]
    registered = {
        "platforms": rulebook.platform, "reasons": rulebook.reasons["whim"],
        "rules": rulebook.rules[-1], "fees": rulebook.fees[-1], "readers": registry.readers[-1],
        "movers": registry.movers["m"], "listeners": registry.listeners[0],
        "commands": registry.commands[0],
    }  # fmt: skip
    for name, (value, _) in VALUES.items():
        assert registered[name] == attrs.evolve(value, plugin="oak")


@pytest.mark.parametrize("hook", VALUES)
def test_what_two_plugins_claim_is_refused_with_both_names(hook: str) -> None:
    value, what = VALUES[hook]
    error = refused(oak=plugin(**{hook: [value]}), ash=plugin(**{hook: [value]}))
    assert error.code == "claimed_twice"
    assert what in error.message
    assert "plugins ash and oak" in error.message
    assert "--without" in error.message


@pytest.mark.parametrize("hook", VALUES)
def test_what_one_plugin_claims_twice_is_refused(hook: str) -> None:
    value, what = VALUES[hook]
    error = refused(oak=plugin(**{hook: [value, value]}))
    assert (error.code, what in error.message) == ("claimed_twice", True)


@pytest.mark.parametrize(
    ("hook", "taken"),
    [
        ("readers", InputReader("neutral", nothing, nothing)),
        ("movers", Mover("file", lambda options: deliver)),
        ("reasons", Reason("agreed", "agreed", "协商一致", platform=ANY)),
        ("rules", Rule("return_window", nothing)),
        ("fees", FeeFormula("service_fee", nothing)),
    ],
)
def test_what_the_built_ins_have_cannot_be_taken(hook: str, taken: object) -> None:
    error = refused(oak=plugin(**{hook: [taken]}))
    assert error.code == "claimed_twice"
    assert "plugins builtin and oak" in error.message


def test_a_platforms_own_reason_goes_before_the_general_one() -> None:
    own = Reason("agreed", "settled by us", "本店协商", platform="p")
    elsewhere = Reason("agreed", "elsewhere", "别处", platform="q")
    platforms = [VALUES["platforms"][0], Platform("q", "q", "q", (Policy("v1"),), inherits_reasons=False)]
    registry = registry_of({"oak": plugin(platforms=platforms, reasons=[own, elsewhere])})
    assert registry.rulebooks["p"].reasons["agreed"].en == "settled by us"
    assert "not_wanted" in registry.rulebooks["p"].reasons
    assert set(registry.rulebooks["q"].reasons) == {"agreed"}


@pytest.mark.parametrize("hook", VALUES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_hook_that_returns_something_else_is_refused(hook: str, answer: str) -> None:
    error = refused(oak=plugin(**{hook: lambda: ANSWERS[answer]}))
    assert error.code == "plugin_contract"
    assert error.message.startswith(f"plugin oak: reverseflow_{hook} returned ")
    assert "\n" not in error.message


def test_a_value_of_another_hook_is_refused() -> None:
    for hook in VALUES:
        for other, (value, _) in VALUES.items():
            if other != hook:
                assert refused(oak=plugin(**{hook: [value]})).code == "plugin_contract"


def test_a_hook_may_return_nothing_or_a_tuple() -> None:
    registry_of({"oak": plugin(rules=[], fees=())})
    registry_of({"oak": plugin(rules=lambda: (Rule("r", nothing),))})


def test_a_hook_that_raises_is_an_error_of_the_plugin() -> None:
    def raising() -> list[Rule]:
        raise ZeroDivisionError("no rules today")

    with pytest.raises(ZeroDivisionError):
        registry_of({"oak": plugin(rules=raising)})


def written(**words: Any) -> ModuleType:
    """A plugin module with these words in it, as its author wrote them."""
    module = plugin()
    vars(module).update(words)
    return module


@hookimpl
def misspelt() -> list[Rule]:
    return []


def no_marker() -> list[Rule]:
    return []


@hookimpl
def with_argument(given: object) -> list[Rule]:
    return []


@hookimpl
def with_engine(engine: object, config: object) -> list[Rule]:
    return []


MISTAKES: dict[str, tuple[ModuleType, str]] = {
    "misspelt": (written(reverseflow_rulez=misspelt), "unknown hook reverseflow_rulez"),
    "misspelt, no marker": (
        written(reverseflow_rulez=no_marker), "unknown hook reverseflow_rulez; known: .*reverseflow_rules"
    ),
    "no marker": (written(reverseflow_rules=no_marker), "reverseflow_rules lacks the @hookimpl marker"),
    "an argument": (written(reverseflow_rules=with_argument), "reverseflow_rules.*given"),
    "arguments": (written(reverseflow_rules=with_engine), "reverseflow_rules.*engine"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_hook_written_wrongly_is_refused(mistake: str) -> None:
    module, said = MISTAKES[mistake]
    with pytest.raises(PluginError, match=f"(?s)plugin oak: .*{said}") as caught:
        registry_of({"oak": module})
    assert caught.value.code == "bad_hook"


@pytest.mark.parametrize("version", [None, 0, 2, "1", 1.5])
def test_a_plugin_for_another_version_of_the_contract_is_refused(version: object) -> None:
    error = refused(oak=written(API_VERSION=version))
    assert error.code == "wrong_api_version"
    assert "plugin oak" in error.message
    assert f"{version!r}, this is {hookspecs.API_VERSION}" in error.message


def test_a_plugin_without_a_version_of_the_contract_is_refused() -> None:
    assert refused(oak=ModuleType("oak")).code == "wrong_api_version"


def platform(*policies: Policy, **fields: Any) -> Callable[[], list[Platform]]:
    return lambda: [Platform("p", "p", "p", policies, **fields)]


def deadline(leg: str = "review", state: str = "pending", hours: int = 1, command: str = "close") -> Deadline:
    return Deadline(leg, state, "operations", hours, command)


V1 = Policy("v1")
IMPOSSIBLE: dict[str, Callable[[], list[Platform]]] = {
    "no policy": platform(),
    "one version twice": platform(V1, Policy("v1", NOON)),
    "not in dated order": platform(Policy("v1", NOON), Policy("v2", NOON.replace(hour=1))),
    "a day without a zone": platform(Policy("v1", NOON.replace(tzinfo=None))),
    "days without a zone": platform(
        Policy("v1", NOON.replace(tzinfo=None)), Policy("v2", NOON.replace(hour=13, tzinfo=None))
    ),
    "a state nobody knows": platform(V1, deadlines=(deadline(state="asleep"),)),
    "a leg nobody knows": platform(V1, deadlines=(deadline(leg="sleep"),)),
    "no time at all": platform(V1, deadlines=(deadline(hours=0),)),
    "what no timer does": platform(V1, deadlines=(deadline(command="release"),)),
    "a timing nobody knows": platform(Policy("v1", refund_timing="whenever")),
    "a tender policy nobody knows": platform(Policy("v1", tender_policy="whatever")),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_platform_that_cannot_work_is_refused(case: str) -> None:
    """Policies without a time zone, say, would break at the first order that was paid."""
    error = refused(oak=plugin(platforms=IMPOSSIBLE[case]))
    assert error.code == "plugin_contract"
    assert "plugin oak" in error.message


@pytest.mark.parametrize("hook", VALUES)
def test_a_value_without_a_code_is_refused(hook: str) -> None:
    value, _ = VALUES[hook]
    field = "code" if hasattr(value, "code") else "name"
    for code in ("", " ", None, 5):
        error = refused(oak=plugin(**{hook: [attrs.evolve(value, **{field: code})]}))
        assert error.code == "plugin_contract"
        assert "plugin oak" in error.message


@pytest.mark.parametrize(
    ("hook", "field"),
    [("rules", "check"), ("fees", "compute"), ("readers", "read"), ("readers", "detects"),
     ("movers", "connect"), ("listeners", "notify"), ("commands", "load")],
)  # fmt: skip
def test_what_is_to_be_called_must_be_callable(hook: str, field: str) -> None:
    value, _ = VALUES[hook]
    error = refused(oak=plugin(**{hook: [attrs.evolve(value, **{field: "not a function"})]}))
    assert error.code == "plugin_contract"
