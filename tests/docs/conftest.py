"""What the tests of the documentation share: its pages, an engine and a shell their examples run in."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from reverseflow import Engine, Platform, Policy, hookimpl
from reverseflow.plugins import registry_of

#: A file to be saved under a name that the sentence before it has, or a session at a terminal.
STEP = re.compile(
    r"[Ss]ave\s(?:this|it)\sas\s`(?P<name>[^`]+)`[^\n]*:\n\n```\w*\n(?P<file>.*?)^```$"
    r"|^```console\n(?P<session>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


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


#: What the pages call by name, as arguments of this Python; packages are installed beside it.
PROGRAMS = {
    "python": '"$@"',
    "reverseflow": '-m reverseflow "$@"',
    "pip": '-m pip "$@" --no-index --no-deps --no-build-isolation --no-cache-dir --target "$PYTHONPATH"',
}


class Console:
    """A terminal in an empty folder, where the programs the pages name are those of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.packages, programs = (folder / name for name in ("shop", "packages", "programs"))
        for path in (self.folder, self.packages, programs):
            path.mkdir(parents=True)
        for name, arguments in PROGRAMS.items():
            script, interpreter = programs / name, shlex.quote(sys.executable)
            script.write_text(f"#!/bin/sh\nexec {interpreter} {arguments}\n", encoding="utf-8")
            script.chmod(0o755)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("REVERSEFLOW_")}
        self.environment = inherited | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(self.packages),
            "LC_ALL": "C.UTF-8", "COLUMNS": "80", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        self.status = 0

    def run(self, command: str) -> str:
        """What a command prints, standard output and standard error as a terminal shows them."""
        done = subprocess.run(
            ["/bin/sh", "-c", f"(exit {self.status}); {command}"], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        self.status = done.returncode
        return done.stdout.decode()

    def follow(self, text: str) -> int:
        """Do what a page says, step by step, and compare; how many commands there were."""
        count = 0
        for found in STEP.finditer(text):
            if found["name"]:
                path = self.folder / found["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(found["file"], encoding="utf-8")
                continue
            for command, expected in commands(found["session"]):
                actual = self.run(command)
                assert matches(expected, actual), f"$ {command}\n{actual}\ninstead of\n{expected}"
                count += 1
        return count


def commands(session: str) -> Iterator[tuple[str, str]]:
    """The commands of a session, each with what the page says it prints."""
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        first, *rest = step.splitlines(keepends=True)
        while rest and rest[0].startswith("> "):
            first += rest.pop(0)[2:]
        yield first.rstrip("\n"), "".join(rest)


def matches(expected: str, actual: str) -> bool:
    """Whether a command printed what the page says; ``…`` stands for anything."""
    parts = [re.escape(part) for part in expected.strip().split("…")]
    return re.fullmatch(".*?".join(parts), actual.strip(), re.DOTALL) is not None


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """A terminal in an empty folder."""
    if os.name != "posix":
        pytest.skip("the pages show a POSIX shell")
    return Console(tmp_path)
