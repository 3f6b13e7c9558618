"""`verify`: proves from the events alone that every stored row is what it must be.

Whoever changes, deletes, adds or swaps rows by hand is found: events are chained by hash, the
case knows its last event, and everything else is rebuilt from the events and compared. Not found
by it is a history that was rewritten whole, or an order removed with every row of it: for that an
export kept elsewhere has the hashes of before.

Personal data stands beside the chain so that it can be erased, and erasing is no damage: an order
is erased when its events have no private texts, its tickets' details none of them either, and its
row of ``personal`` is gone. Half an erasure (texts in the tickets only, or in the events only) is
a finding. What personal data said before nobody can prove.
"""

from collections.abc import Callable, Iterator

from reverseflow.audit import command_rows, compare
from reverseflow.audit.findings import Finding
from reverseflow.audit.rebuild import rebuild
from reverseflow.core.errors import shown
from reverseflow.core.invariants import broken_invariants
from reverseflow.engine import Engine
from reverseflow.storage import tables
from reverseflow.storage.audit_rows import AuditRows, CaseRows, snapshot

Progress = Callable[[int], None]


def verify(engine: Engine, *, progress: Progress | None = None) -> Iterator[Finding]:
    """Everything in the engine's store that contradicts the events, order by order; a stream.

    Nothing is written, and writers are not held up. `progress` is told after every chunk how many
    orders have been looked at. `StorageUnavailable` when the store cannot be read to its end.
    """
    with snapshot(engine.database) as connection:
        source = AuditRows(connection, engine.tenant)
        for message in source.damage():
            yield Finding("", None, "store_damaged", message)
        for table, order_no in source.orphans():
            message = f"{table} has rows of the order {shown(order_no)}, which has no case"
            yield Finding(order_no, None, "orphan", message)
        done = 0
        for chunk in source.cases():
            for stored in chunk:
                yield from case_findings(engine.tenant, stored)
            done += len(chunk)
            if progress is not None:
                progress(done)


def case_findings(tenant: str, stored: CaseRows) -> list[Finding]:
    """Everything that is not as it must be in the rows of one case."""
    events, findings = stored.of(tables.events), list[Finding]()
    if not events:
        return [Finding(stored.order_no, None, "events_missing", "the case has no events")]
    rebuilt = rebuild(tenant, stored.order_no, events, findings)
    if rebuilt is None:
        return findings
    try:
        for message in broken_invariants(rebuilt.case):
            findings.append(Finding(stored.order_no, None, "invariant_broken", message))
        findings.extend(compare.differing_rows(tenant, stored, rebuilt))
        findings.extend(compare.differing_postings(stored, rebuilt))
        findings.extend(compare.differing_instructions(stored, rebuilt))
        findings.extend(command_rows.differing_commands(stored, rebuilt))
    except Exception as error:  # noqa: BLE001 - what was tampered with may break anything
        findings.extend(compare.unreadable(stored.order_no, error))
    return findings
