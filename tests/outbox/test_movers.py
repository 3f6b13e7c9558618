"""A mover is chosen by its name; what is wrong with it is said before anything is sent."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from outbox.shop import KEY, Shop
from reverseflow.contracts import Deliver, Mover
from reverseflow.core.errors import PluginError, UsageError
from reverseflow.core.instructions import INSTRUCTION_KINDS
from reverseflow.hookspecs import API_VERSION, hookimpl
from reverseflow.outbox.relay import connect_movers
from reverseflow.plugins import Registry, registry_of


def with_mover(connect: Any, *kinds: str) -> Registry:
    @hookimpl
    def reverseflow_movers() -> list[Mover]:
        return [Mover("bank", connect, kinds or INSTRUCTION_KINDS)]

    module = ModuleType("bank")
    vars(module).update(API_VERSION=API_VERSION, reverseflow_movers=reverseflow_movers)
    return registry_of({"acme": module})


def test_without_a_name_instructions_go_to_a_file(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    movers = connect_movers(shop.engine.registry, options={"out": str(path)})
    assert set(INSTRUCTION_KINDS) == set(movers)
    shop.release("E1")
    assert 1 == shop.deliver(movers).settled
    assert f'"key":"{KEY}"' in path.read_text(encoding="utf-8")


def test_a_mover_serves_its_own_kinds_and_gets_its_options() -> None:
    told: list[Mapping[str, str]] = []

    def connect(options: Mapping[str, str]) -> Deliver:
        told.append(options)
        return lambda _documents: []

    movers = connect_movers(with_mover(connect, "refund"), "bank", {"url": "x"})
    assert (["refund"], [{"url": "x"}]) == ([*movers], told)


def test_an_unknown_mover_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no plugin has a mover 'bnk'; known: bank, file"):
        connect_movers(with_mover(print), "bnk")


def test_a_mover_that_cannot_connect_is_named_with_its_plugin() -> None:
    def broken(_options: Mapping[str, str]) -> Deliver:
        raise RuntimeError("no such host")

    with pytest.raises(PluginError, match=r"mover bank of plugin acme.*RuntimeError: no such host"):
        connect_movers(with_mover(broken), "bank")
    with pytest.raises(PluginError, match="the mover bank connected to 'None', no function"):
        connect_movers(with_mover(lambda _options: None), "bank")


def test_what_a_mover_says_about_its_options_reaches_the_person() -> None:
    with pytest.raises(UsageError, match="no option of the file mover"):
        connect_movers(with_mover(print), "file", {"colour": "red"})
