"""What the tests of the documentation share: its pages, and an engine their examples run on."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from reverseflow import Engine, Platform, Policy, hookimpl
from reverseflow.plugins import registry_of


@hookimpl
def reverseflow_platforms() -> list[Platform]:
    """A shop that has configured nothing."""
    return [Platform("generic_web", "ordinary web shop", "普通网店", (Policy("generic_web-1"),))]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine on an empty store, as the pages say."""
    shop = SimpleNamespace(API_VERSION=1, reverseflow_platforms=reverseflow_platforms)
    with Engine("sqlite://", plugins=registry_of({"shop": shop}), create=True) as engine:
        yield engine
