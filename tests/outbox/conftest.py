"""A shop for every test of the outbox: on SQLite, and where it matters on PostgreSQL too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outbox.gateways import Gateway
from outbox.shop import Shop, store_url


@pytest.fixture(params=["sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty shop; ``parametrize("shop", BOTH, indirect=True)`` has it on both databases."""
    with Shop(store_url(request, tmp_path)) as opened:
        yield opened


@pytest.fixture
def gateway() -> Gateway:
    """A gateway that does what it is asked, once."""
    return Gateway()
