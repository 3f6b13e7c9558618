"""The stores of these tests, and plugins that are installed for one test."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from support.stores import engine_url, postgres_store, sqlite_template, sqlite_url

__all__ = ["engine_url", "install", "postgres_store", "sqlite_template", "sqlite_url"]

#: name of the entry point, code of the module, version → the file an import of it leaves.
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one plugin for the length of the test.

    ``install("shop", "…code…")`` makes the distribution ``reverseflow-shop`` 1.0 with the module
    ``plugin_shop``; importing it leaves the file that is returned. The code has ``hookimpl`` and an
    ``API_VERSION``.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, code: str = "", *, version: str = "1.0", distribution: str = "") -> Path:
        distribution = distribution or f"reverseflow-{name}"
        module = f"plugin_{distribution.replace('-', '_')}"
        trace = tmp_path / f"{distribution} was imported"
        head = f"""
            from pathlib import Path
            from reverseflow import *
            API_VERSION = 1
            Path({str(trace)!r}).touch()
        """
        (site / f"{module}.py").write_text(dedent(head) + dedent(code), encoding="utf-8")
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(f"[reverseflow]\n{name} = {module}\n", encoding="utf-8")
        importlib.invalidate_caches()
        return trace

    yield install
    for module in [module for module in sys.modules if module.startswith("plugin_")]:
        del sys.modules[module]
