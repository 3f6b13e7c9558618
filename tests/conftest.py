"""Fixtures every test may ask for."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """This worker's own PostgreSQL, started by the first test that asks for it.

    Where it cannot be installed the test is skipped, or fails under REVERSEFLOW_REQUIRE_POSTGRES=1;
    where it merely is not installed, the test fails.
    """
    if (reason := postgres.postgres_available()) is not None:
        if postgres.platform_has_wheel() or os.environ.get("REVERSEFLOW_REQUIRE_POSTGRES") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with postgres.running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """The URL of an empty database that exists for this test only."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_server.create_database(name)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
