"""The tutorial does what it says, from an empty folder on."""

import json
from typing import Protocol

import pytest

from support.pages import Page

PAGE = Page("tutorial/first-batch.md")


class Console(Protocol):
    """A terminal in an empty folder (`conftest.Console`)."""

    def run(self, command: str) -> str: ...
    def follow(self, text: str) -> int: ...


def test_every_command_of_the_tutorial_prints_what_the_page_says(console: Console) -> None:
    assert console.follow(PAGE.text) > 20
    assert console.run("reverseflow ticket list --json | wc -l").strip() == "4"
    totals = [json.loads(line) for line in console.run("reverseflow order list --json").splitlines()]
    assert {order["order_no"]: order["refunded"] for order in totals} == {"E1": "190.00", "E2": "33.33"}


def test_a_page_that_says_something_else_is_found_out(console: Console) -> None:
    """The comparison fails where a page is wrong, and an ellipsis stands for anything else."""
    console.follow("```console\n$ echo one two\none …\n$ echo $?\n0\n```")
    with pytest.raises(AssertionError, match="instead of"):
        console.follow("```console\n$ echo one two\none\n```")
    with pytest.raises(AssertionError, match="instead of"):
        console.follow("```console\n$ false\n$ echo $?\n0\n```")
