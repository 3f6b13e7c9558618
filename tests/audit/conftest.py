"""A store with a rich history, for all tests of a module that only read it or put it back."""

from collections.abc import Iterator

import pytest

from audit.tampering import Tampered


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tampered]:
    """The store to tamper with; whoever tampers puts it back."""
    tampered = Tampered(tmp_path_factory.mktemp("store") / "tampered.db")
    yield tampered
    tampered.close()
