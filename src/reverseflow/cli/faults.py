"""Errors at the edge: one line for a person, one exit status for the shell, no traceback."""

import os
import sys
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import click

from reverseflow.core.errors import ExitStatus, Refused, ReverseFlowError

TERMINATED, PIPE_CLOSED = 143, 141


class Stopped(BaseException):
    """The shell stopped a batch; what was begun is undone on the way out. Args: exit status."""


def reported(call: Callable[[], Any], *, debug: bool = False) -> int:
    """Run a command; say what went wrong on standard error; the exit status."""
    output = sys.stdout
    try:
        answer = call()
        sys.stdout.flush()
        return answer if isinstance(answer, int) else ExitStatus.DONE
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _stopped(ExitStatus.INTERRUPTED)
    except Stopped as stopped:
        return _stopped(stopped.args[0])
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return _left_alone()
    except SystemExit as leave:  # click's way out of completion and, stdout wrapped, of a broken pipe
        return int(leave.code or 0) if sys.stdout is output else _left_alone()
    except Refused as refused:
        return _say(str(refused.refusal), ExitStatus.REFUSED)
    except ReverseFlowError as error:
        if debug:
            traceback.print_exc()
        return _say(str(error), error.exit_status)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        said = f"{where}file_error: {(error.strerror or str(error)).lower()}"
        return _say(said, ExitStatus.USAGE if error.filename else ExitStatus.INTERNAL_ERROR)
    except Exception as error:  # noqa: BLE001 - the edge: a bug is reported as one
        number = uuid.uuid4().hex[:8]
        if debug:
            traceback.print_exc()
        return _say(
            f"internal_error: {type(error).__name__} (number {number}); "
            f"nothing of the step at hand was kept; run with: reverseflow --debug …",
            ExitStatus.INTERNAL_ERROR,
        )


def _say(text: str, status: int) -> int:
    click.echo(f"reverseflow: {text}", err=True)
    return int(status)


def _left_alone() -> int:
    """Nobody reads standard output any more, which is no error; nothing more is written there."""
    if sys.__stdout__ is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    return ExitStatus.DONE


def _stopped(status: int) -> int:
    if status == PIPE_CLOSED:
        _left_alone()
    return _say("stopped; what was reported is kept. Run the same command again to go on.", status)
