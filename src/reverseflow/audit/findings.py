"""What an audit finds."""

import attrs

from reverseflow.core.errors import shown

#: Every code a finding may have, and what it means.
CODES = {
    "store_damaged": "the database finds fault with its own file",
    "orphan": "rows of an order that has no case",
    "events_missing": "a case without events",
    "event_unreadable": "an event is no event: its time or its texts cannot be read",
    "event_differs": "an event is not written as the engine writes it",
    "number_gap": "events are not numbered 1, 2, 3 …",
    "hash_differs": "an event's hash is not that of its content and of the hash before it",
    "tail_cut": "the case counts more events than there are",
    "head_differs": "the case's number of events or its head is not that of its last event",
    "not_rebuilt": "the events do not lead to a state",
    "row_missing": "a row that the events give is not there",
    "row_unexpected": "a row is there that no event gives",
    "row_differs": "a column is not what the events give",
    "invariant_broken": "the state that the events give does not add up",
    "posting_differs": "the postings of an event are not what it gives",
    "postings_unbalanced": "the postings of an event do not add up to zero",
    "instruction_missing": "an instruction that an event gives is not in the outbox",
    "instruction_unexpected": "the outbox has an instruction that no event gives",
    "instruction_differs": "an instruction in the outbox is not what the event gives",
    "command_missing": "an event has no command that led to it",
    "command_unexpected": "a command carried out has no event that it led to",
    "command_differs": "a command carried out is not one that led to this case",
}


@attrs.frozen
class Finding:
    """One thing that is not as it must be: where (order, event number), a code and a sentence."""

    order_no: str
    seq: int | None
    code: str
    message: str

    def __str__(self) -> str:
        where = [shown(self.order_no)] if self.order_no else []
        where += [f"event {self.seq}"] if self.seq is not None else []
        return ": ".join([*where, self.code, self.message])
