"""A batch that is stopped, and the shell around it: signals, pipes, progress.

The command runs as a process of its own. A batch stopped anywhere and run again leaves the same
store as one that was never stopped: the exports are compared.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.shell import NOW, Shell, apply, delivered, order, take_back

ORDERS = 1_100
RUN = ("run", "big.jsonl", "--json", "--now", NOW)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A big file in a folder, and the export of the store it leads to when nothing stops it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    records = []
    for number in range(ORDERS):
        if number % 2:
            records += [order(f"E{number}"), apply(f"a{number}", f"E{number}")]
        else:
            records += [delivered(f"E{number}"), take_back(f"a{number}", f"E{number}")]
    lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    shell = Shell(folder)
    (folder / "big.jsonl").write_text(lines, encoding="utf-8")
    store = f"sqlite:///{folder / 'whole.db'}"
    shell.done("run", str(folder / "big.jsonl"), "--now", NOW, "--db", store)
    return folder, shell.done("export", "--db", store).out


def recorded(folder: Path) -> int:
    """How many orders a store has; 0 before there is a store."""
    path = folder / "reverseflow.db"
    if not path.exists():
        return 0
    connection = sqlite3.connect(path, timeout=30)
    try:
        found = connection.execute("SELECT count(*) FROM cases").fetchone()
    except sqlite3.OperationalError:  # no table yet
        return 0
    finally:
        connection.close()
    return int(found[0])


def stop_in_the_middle(shell: Shell, number: signal.Signals) -> "subprocess.CompletedProcess[bytes]":
    """Start the batch, and send the signal when something, but not everything, is written.

    Nobody reads its results, so that it waits with those of its first step; before it is killed
    they are read, and the kill meets it in its second step.
    """
    process = shell.start(*RUN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    while recorded(shell.folder) == 0:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    if number not in (signal.SIGINT, signal.SIGTERM):
        process.stdout.read(150_000)
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert 0 < recorded(shell.folder) < ORDERS
    return subprocess.CompletedProcess(RUN, process.returncode, None, said)


@posix
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (getattr(signal, "SIGKILL", signal.SIGTERM), -9)],
)
def test_a_stopped_batch_run_again_leaves_what_an_unstopped_one_does(
    shell: Shell, uninterrupted: tuple[Path, str], number: signal.Signals, status: int
) -> None:
    folder, whole = uninterrupted
    shutil.copy(folder / "big.jsonl", shell.folder)
    stopped = stop_in_the_middle(shell, number)
    assert status == stopped.returncode
    assert b"Traceback" not in stopped.stderr
    if status > 0:
        assert b"Run the same command again to go on" in stopped.stderr
    shell.done("verify")
    assert "replayed" in shell.done(*RUN).err
    assert whole == shell.done("export").out


@posix
@pytest.mark.parametrize("command", [("export",), ("ticket", "list", "--json", "--limit", "5000")])
def test_a_reader_that_leaves_early_is_no_error(
    shell: Shell, uninterrupted: tuple[Path, str], command: tuple[str, ...]
) -> None:
    store = f"sqlite:///{uninterrupted[0] / 'whole.db'}"
    assert (0, b"") == first_line_only(shell, *command, "--db", store)


@posix
def test_a_batch_whose_results_nobody_reads_says_how_to_go_on(
    shell: Shell, uninterrupted: tuple[Path, str]
) -> None:
    shutil.copy(uninterrupted[0] / "big.jsonl", shell.folder)
    status, said = first_line_only(shell, *RUN)
    assert 141 == status
    assert b"Run the same command again to go on" in said
    assert 0 < recorded(shell.folder) < ORDERS


def first_line_only(shell: Shell, *command: str) -> tuple[int, bytes]:
    """Exit status and messages of a command whose reader leaves after the first line."""
    process = shell.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr as stream:
        said = stream.read()
    return process.wait(timeout=60), said


def test_output_is_utf8_whatever_the_terminal_says(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    program = "from reverseflow.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "lifecycle", "return_refund"],
        capture_output=True, check=False, cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 0
    assert "退货退款" in done.stdout.decode("utf-8")


def test_without_a_terminal_there_is_no_progress_bar(shell: Shell) -> None:
    shell.write("big.jsonl", order(), apply())
    process = shell.start(*RUN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (0, 2) == (process.returncode, out.count(b"\n"))
    assert b"\r" not in err and b"\x1b" not in err and b"2 applied" in err


@posix
def test_on_a_terminal_there_is_one(shell: Shell) -> None:
    pty = pytest.importorskip("pty")
    shell.write("big.jsonl", order(), apply())
    ours, theirs = pty.openpty()
    process = shell.start(*RUN, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # the other end was closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"100%" in said and b"2 applied" in said
