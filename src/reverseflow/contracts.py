"""What the other hooks register: readers of files, movers of money and stock, listeners, commands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from reverseflow.core.commands import Command
from reverseflow.core.events import Event
from reverseflow.core.instructions import INSTRUCTION_KINDS
from reverseflow.core.rulebook import ANY
from reverseflow.core.values import JsonObject
from reverseflow.files import Source


@attrs.frozen
class Record:
    """One command read from a file; `row` is where it begins (1-based), `raw` the rows it came from.

    `what` says what the rows became, for the count (``order``, ``return_line`` …); `parts` is how
    many rows that is.
    """

    row: int
    command: Command
    raw: tuple[str, ...] = ()
    what: str = ""
    parts: int = 1


@attrs.frozen
class BadRecord:
    """A row that cannot become a command: ``failed`` (it is malformed) or ``refused`` (by a rule)."""

    row: int
    raw: tuple[str, ...]
    code: str
    message: str
    outcome: str = "failed"
    kind: str = ""
    id: str = ""
    order_no: str = ""


@attrs.frozen
class Passed:
    """A row that is no command by its nature (a service row, a stock correction): counted."""

    row: int
    what: str


@attrs.frozen
class Warned:
    """Something a person should know about a row that is read all the same."""

    row: int
    code: str
    message: str


ReadItem = Record | BadRecord | Passed | Warned


@attrs.frozen
class Purchase:
    """Units of a SKU a buyer bought and can still claim."""

    order_no: str
    line_no: str
    sku: str
    bought: int
    left: int
    placed_at: datetime


@attrs.frozen
class Drawn:
    """Units an earlier run already claimed under an external number."""

    ticket_no: str
    order_no: str
    line_no: str
    sku: str
    quantity: int


class ReadContext(Protocol):
    """What a reader may ask while it reads. Both answers include everything it yielded before."""

    platform: str
    options: Mapping[str, str]

    def purchases(self, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
        """What an account bought of these SKUs up to a moment, newest first; `left` is claimable."""
        ...

    def drawn(self, external_no: str) -> list[Drawn]:
        """What tickets that are not cancelled or closed claim under an external number."""
        ...


@attrs.frozen
class InputReader:
    """A reader of one file format.

    `detects` looks at the beginning of a file and says whether it is of this format; `read`
    yields its items in the order in which they are to be carried out. `options` are the names of
    what an operator may set for it (``--option currency=EUR``).
    """

    name: str
    detects: Callable[[Source], bool]
    read: Callable[[Source, ReadContext], Iterator[ReadItem]]
    platform: str = ANY
    describes: str = ""
    options: tuple[str, ...] = ()
    plugin: str = ""


@attrs.frozen
class Delivery:
    """What became of an instruction handed to a mover.

    `result` is ``settled`` (money moved, stock booked), ``sent`` (accepted, the result follows),
    ``failed`` (refused for good) or ``unknown`` (no answer; it will be asked again).
    """

    key: str
    result: str
    reference: str = ""
    message: str = ""


Deliver = Callable[[Sequence[JsonObject]], Sequence[Delivery]]


@attrs.frozen
class Mover:
    """Carries out instructions of some kinds; `connect` takes its options and gives the function.

    `deliver` gets instructions in the interchange format and answers each by its key. It must
    hand the key on, so that the other side carries each out once.
    """

    name: str
    connect: Callable[[Mapping[str, str]], Deliver]
    kinds: tuple[str, ...] = INSTRUCTION_KINDS
    plugin: str = ""


@attrs.frozen
class EventListener:
    """A function told of committed events: `notify(order_no, events)`."""

    name: str
    notify: Callable[[str, Sequence[Event]], None]
    plugin: str = ""


@attrs.frozen
class CliCommand:
    """A further command of the command line; `load` imports and returns a `click.Command`."""

    name: str
    load: Callable[[], object]
    plugin: str = ""
