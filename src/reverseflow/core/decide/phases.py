"""Where the goods are that an application is about: not shipped, on their way, or received."""

from reverseflow.core.asking import Asked
from reverseflow.core.case import Case, OrderLine, Ticket
from reverseflow.core.errors import Refused, shown
from reverseflow.core.legs import RETURN, TicketType

PHASES = ("unshipped", "shipped", "received")


def phase_of(case: Case, asked: Asked, type_: TicketType, own: Ticket | None = None) -> str:
    """Where the goods are: the most delivered phase of the units asked about.

    What the ticket `own` claims so far is left out.
    """
    others = [t for t in case.tickets.values() if t is not own and not t.closing]
    phases = [
        _returning_phase(case, others, case.lines[line_no], units)
        if RETURN in type_.legs
        else _line_phase(case, others, case.lines[line_no], max(1, units))
        for line_no, units, _ in asked.lines
    ]
    return max(phases, key=PHASES.index)


def _line_phase(case: Case, others: list[Ticket], line: OrderLine, units: int) -> str:
    """Units that can still be held back are unshipped; others are where the order's goods are."""
    refunds = [ticket for ticket in others if RETURN not in ticket.legs]
    called_off = _claimed([t for t in refunds if t.phase == PHASES[0]], line)
    beyond_shipped = _claimed([t for t in refunds if t.phase != PHASES[0]], line) - line.shipped
    if units <= line.quantity - line.shipped - called_off - max(0, beyond_shipped):
        return PHASES[0]
    return _delivered(case, line)


def _returning_phase(case: Case, others: list[Ticket], line: OrderLine, units: int) -> str:
    """Units can come back only when they were shipped; refunds take the unshipped ones first."""
    called_off = _claimed([t for t in others if RETURN not in t.legs], line)
    kept = max(0, called_off - (line.quantity - line.shipped))
    left = line.shipped - kept - _claimed([t for t in others if RETURN in t.legs], line)
    if units > left and line.shipped < line.quantity:
        raise Refused(
            "not_shipped",
            f"line {shown(line.line_no)}: {units} asked to come back, {left} of those shipped are left; "
            f"for goods not shipped apply for refund_only",
            "type",
        )
    return _delivered(case, line)


def _delivered(case: Case, line: OrderLine) -> str:
    return PHASES[2] if line.received or case.received_at else PHASES[1]


def _claimed(tickets: list[Ticket], line: OrderLine) -> int:
    """Units of a line that these tickets claim."""
    return sum(own.quantity for ticket in tickets if (own := ticket.line(line.line_no)) is not None)
