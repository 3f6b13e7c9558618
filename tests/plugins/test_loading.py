"""Plugins are found by their entry points, chosen by name, asked in the order of their names."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reverseflow.core.errors import PluginError
from reverseflow.engine import Engine
from reverseflow.plugins import BUILTIN, PluginInfo, Registry, load_plugins, registry_of
from support.cases import goods, paid, sale
from support.stores import apply, plugin

Install = Callable[..., Path]

PLATFORM = """
@hookimpl
def reverseflow_platforms():
    return [Platform({code!r}, {code!r}, {code!r}, (Policy("v1"),))]
"""
RULE = """
@hookimpl
def reverseflow_rules():
    return [Rule({code!r}, lambda given: None)]
"""


def info(registry: Registry, name: str) -> PluginInfo:
    [found] = [info for info in registry.plugins if info.name == name]
    return found


def test_the_built_ins_are_there_without_any_plugin() -> None:
    registry = registry_of({})
    assert [(found.name, found.status) for found in registry.plugins] == [(BUILTIN, "loaded")]
    assert [reader.name for reader in registry.readers] == ["neutral"]
    assert set(registry.movers) == {"file"}
    assert registry.rulebooks == {}


def test_an_installed_plugin_is_used(install: Install, tmp_path: Path) -> None:
    trace = install("acorn", PLATFORM.format(code="acorn"), version="2.7")
    registry = load_plugins(only=["acorn"])
    assert trace.exists()
    assert info(registry, "acorn") == PluginInfo(
        "acorn", "reverseflow-acorn", "2.7", "loaded", "", ("platforms (1)",)
    )
    assert set(registry.rulebooks) == {"acorn"}
    assert registry.rulebooks["acorn"].versions == {"acorn": "2.7"}
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    told_order = sale(goods("A", "1.00"), paid("1.00"), order_no="E1", platform="acorn")
    with Engine(url, plugins=registry, create=True) as engine:
        results = engine.execute([told_order, apply("E1", "a1", A=1)])
        assert [result.outcome for result in results] == ["applied"] * 2
        case = engine.case("E1")
        assert case is not None
        assert case.tickets["E1-R1"].detail["plugins"] == {"acorn": "2.7"}


def test_what_is_not_chosen_is_not_even_imported(install: Install) -> None:
    """Neither with `only` nor with `without`: what code would do, it does not get to do."""
    traces = {name: install(name, RULE.format(code=name)) for name in ("acorn", "birch", "cedar")}
    registry = load_plugins(only=["acorn", "birch"], without=["birch"])
    assert [name for name, trace in traces.items() if trace.exists()] == ["acorn"]
    assert [info(registry, name).status for name in traces] == ["loaded", "left out", "left out"]
    assert "plugin_reverseflow_birch" not in sys.modules
    registry = load_plugins(without=["acorn", "cedar"])
    assert [name for name, trace in traces.items() if trace.exists()] == ["acorn", "birch"]
    assert [info(registry, name).status for name in traces] == ["left out", "loaded", "left out"]
    assert info(registry, "cedar").version == "1.0"


def test_a_name_that_is_not_installed_is_refused_before_anything_is_imported(
    install: Install,
) -> None:
    trace = install("acorn")
    with pytest.raises(PluginError, match=r"'alder' is not installed; .*acorn") as caught:
        load_plugins(only=["acorn", "alder"])
    assert caught.value.code == "unknown_plugin"
    with pytest.raises(PluginError, match="'alder' is not installed"):
        load_plugins(without=["acorn", "alder"])
    assert not trace.exists()


def test_the_built_ins_may_be_all_there_is(install: Install) -> None:
    trace = install("acorn")
    assert {i.name for i in load_plugins(only=[BUILTIN]).plugins if i.status == "loaded"} == {BUILTIN}
    assert {i.name for i in load_plugins(only=[]).plugins if i.status == "loaded"} == {BUILTIN}
    assert not trace.exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("API_VERSION = 99", "API version 99, this is 1"),
        ("del API_VERSION", "API version None"),
        (RULE.format(code="x").replace("rules", "rulez"), "unknown hook reverseflow_rulez"),
        ("@hookimpl\ndef reverseflow_rules():\n    1 / 0", "ZeroDivisionError"),
        ("@hookimpl\ndef reverseflow_rules():\n    raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_reported_and_stops_no_other(
    install: Install, code: str, said: str
) -> None:
    install("acorn", PLATFORM.format(code="acorn"))
    install("birch", PLATFORM.format(code="birch") + code)
    install("cedar", PLATFORM.format(code="cedar"))
    registry = load_plugins(only=["acorn", "birch", "cedar"])
    assert [info(registry, name).status for name in ("acorn", "birch", "cedar")] == [
        "loaded",
        "failed",
        "loaded",
    ]
    failed = info(registry, "birch")
    assert said in failed.error
    assert (failed.distribution, failed.version, failed.provides) == ("reverseflow-birch", "1.0", ())
    assert set(registry.rulebooks) == {"acorn", "cedar"}


def test_a_failed_plugin_leaves_nothing_of_what_it_registered_before(install: Install) -> None:
    install("acorn", PLATFORM.format(code="acorn") + RULE.format(code="early") + "\n@hookimpl\ndef "
            "reverseflow_commands():\n    raise OSError('late')")  # fmt: skip
    install("birch", PLATFORM.format(code="birch"))
    registry = load_plugins(only=["acorn", "birch"])
    assert info(registry, "acorn").status == "failed"
    assert set(registry.rulebooks) == {"birch"}
    assert "early" not in {rule.code for rule in registry.rulebooks["birch"].rules}


def test_a_platform_of_a_failed_plugin_is_missed_by_its_own_orders_only(
    install: Install, tmp_path: Path
) -> None:
    """The tickets of the others go on; nothing is ruled by default."""
    for name in ("acorn", "birch"):
        install(name, PLATFORM.format(code=name))
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    orders = [
        sale(goods("A", "1.00"), paid("1.00"), order_no=name, platform=name) for name in ("acorn", "birch")
    ]
    with Engine(url, plugins=load_plugins(only=["acorn", "birch"]), create=True) as engine:
        engine.execute(orders)
    with Engine(url, plugins=load_plugins(only=["acorn"])) as engine:
        results = engine.execute([apply("birch", "b", A=1), apply("acorn", "a", A=1)])
        assert [result.outcome for result in results] == ["refused", "applied"]
        assert results[0].codes == ("unknown_platform",)


def test_plugins_are_asked_in_the_order_of_their_names(install: Install) -> None:
    """Whatever the order they were installed in; the built-ins come first."""
    for name in ("cedar", "acorn", "birch"):
        install(name, RULE.format(code=f"of_{name}"))
    install("yew", PLATFORM.format(code="yew"))
    registry = load_plugins(only=["yew", "birch", "cedar", "acorn"])
    mine = [rule.code for rule in registry.rulebooks["yew"].rules]
    assert [code for code in mine if code.startswith("of_")] == ["of_acorn", "of_birch", "of_cedar"]
    assert mine[-3:] == ["of_acorn", "of_birch", "of_cedar"]
    names = ["builtin", "acorn", "birch", "cedar", "yew"]
    assert [i.name for i in registry.plugins if i.status == "loaded"] == names
    given = {"b": plugin(rules=[]), "a": plugin(rules=[])}
    assert [i.name for i in registry_of(given).plugins] == ["builtin", "a", "b"]


def test_a_name_two_distributions_claim_is_refused_with_both(install: Install) -> None:
    """Else the one that is found first would be used, and nobody would know which."""
    install("acorn", RULE.format(code="one"), distribution="reverseflow-acorn")
    install("acorn", RULE.format(code="other"), distribution="acorn-for-reverseflow")
    with pytest.raises(PluginError) as caught:
        load_plugins(only=["acorn"])
    assert caught.value.code == "claimed_twice"
    assert "reverseflow-acorn" in caught.value.message
    assert "acorn-for-reverseflow" in caught.value.message


def test_nobody_else_is_called_as_the_built_ins_are(install: Install) -> None:
    trace = install(BUILTIN, RULE.format(code="x"), distribution="not-the-builtin")
    with pytest.raises(PluginError) as caught:
        load_plugins(without=[])
    assert caught.value.code == "claimed_twice"
    assert "not-the-builtin" in caught.value.message
    assert not trace.exists()


def test_an_engine_loads_what_is_installed(install: Install, tmp_path: Path) -> None:
    install("acorn", PLATFORM.format(code="acorn"))
    with Engine(f"sqlite:///{tmp_path / 'shop.db'}", create=True) as engine:
        assert "acorn" in engine.registry.rulebooks
