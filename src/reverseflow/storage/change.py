"""What a transaction keeps: per case the state before and after and what was said, and commands."""

import attrs

from reverseflow.core.case import Case
from reverseflow.core.commands import BuyerFacts
from reverseflow.core.events import Event, canonical_json, event_hash
from reverseflow.core.instructions import Instruction
from reverseflow.core.postings import Posting


@attrs.frozen
class StoredCommand:
    """A command carried out before: what it asked and what came of it."""

    order_no: str
    ticket_no: str
    kind: str
    content: str
    status: str
    refund: int
    currency: str


@attrs.define
class Change:
    """What one transaction does to one case: the state before and after, and everything said."""

    before: Case
    after: Case
    buyer: BuyerFacts | None = None
    events: list[tuple[Event, str, str]] = attrs.field(factory=list)
    head: str = ""
    instructions: list[tuple[int, Instruction]] = attrs.field(factory=list)
    postings: list[tuple[int, Posting]] = attrs.field(factory=list)
    requeued: list[str] = attrs.field(factory=list)
    settled: list[str] = attrs.field(factory=list)

    def add(self, tenant: str, event: Event) -> None:
        """Chain an event: with its payload text and its hash."""
        text = canonical_json(event.payload)
        self.head = event_hash(tenant, self.after.order_no, event, text, self.head)
        self.events.append((event, text, self.head))
