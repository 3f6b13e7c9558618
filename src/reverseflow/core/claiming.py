"""What a ticket claims of each order line: units, money, tenders and tax, always cumulatively."""

from collections.abc import Iterable

import attrs

from reverseflow.core.asking import GIVE_BACK, Asked, Setting
from reverseflow.core.case import GOODS, MONEY_TENDERS, SHIPPING, TENDERS, OrderLine, TicketLine
from reverseflow.core.errors import Refused, shown
from reverseflow.core.money import allocate, share
from reverseflow.core.rulebook import Policy

_ALL_TENDERS, _OWN_MONEY = frozenset(TENDERS), frozenset(MONEY_TENDERS)


def goods_line(setting: Setting, line_no: str, units: int) -> TicketLine:
    """The claim on one line: its units' cumulative share; without units, all that is left."""
    line = setting.case.lines[line_no]
    others = setting.others(line_no)
    if units + others.units > line.quantity:
        raise Refused(
            "quantity_not_available",
            f"line {shown(line_no)}: {units} asked, {line.quantity - others.units} of "
            f"{line.quantity} left to claim",
            "lines",
        )
    if units:
        value = max(0, share(line.paid, units + others.units, line.quantity) - others.given)
        if any(own.asked is not None and own.quantity for own in _other_claims(setting, line)):
            # What another unit was given less than its share stays with that unit.
            before = share(line.paid, others.units, line.quantity)
            value = min(value, share(line.paid, units + others.units, line.quantity) - before)
    else:
        value = line.paid - others.given
    return _claim_line(setting, line, units, value)


def _claim_line(setting: Setting, line: OrderLine, units: int, value: int) -> TicketLine:
    tenders = _tenders(setting, line, value)
    return TicketLine(line.line_no, units, value, _tax_in(setting, line, value), tenders, value)


def _other_claims(setting: Setting, line: OrderLine) -> list[TicketLine]:
    """What the other live tickets claim of a line, one by one."""
    return [
        own
        for ticket in setting.case.tickets.values()
        if ticket is not setting.ticket and not ticket.closing
        if (own := ticket.line(line.line_no)) is not None
    ]


def _tenders(setting: Setting, line: OrderLine, value: int) -> tuple[tuple[str, int], ...]:
    """Split `value` over the tenders the line was paid with, so that the splits end at the whole."""
    if len(line.paid_by) <= 1:
        return ((line.paid_by[0][0], value),) if line.paid_by and value else ()
    taken = {tender: 0 for tender, _ in line.paid_by}
    for own in _other_claims(setting, line):
        for tender, part in own.tenders:
            taken[tender] += part
    given = setting.others(line.line_no).given
    parts, rest, whole = {}, given + value, line.paid
    for tender, amount in reversed(line.paid_by):
        due = share(amount, rest, whole) if tender != line.paid_by[0][0] else rest
        rest, whole = rest - due, whole - amount
        parts[tender] = min(max(0, due - taken[tender]), amount - taken[tender])
    missing = value - sum(parts.values())
    for tender, amount in line.paid_by:
        step = max(-parts[tender], min(missing, amount - taken[tender] - parts[tender]))
        parts[tender] += step
        missing -= step
    return tuple((tender, parts[tender]) for tender, _ in line.paid_by if parts[tender])


def discounts_kept(setting: Setting, claimed: TicketLine) -> Iterable[tuple[str, int, str]]:
    """The shares of order-level discounts on the claimed units: never paid, so never returned."""
    line = setting.case.lines[claimed.line_no]
    before = setting.others(claimed.line_no).units
    for code, amount in line.discounts:
        part = share(amount, before + claimed.quantity, line.quantity) - share(amount, before, line.quantity)
        if part:
            yield code, part, "discount_not_paid"


def other_lines(setting: Setting, asked: Asked, goods: list[TicketLine]) -> Iterable[TicketLine]:
    """Shipping and charges given back: all of them when the whole unshipped order is refunded."""
    others = [line for line in setting.case.lines.values() if line.kind != GOODS]
    switched = "freight" in asked.give_back
    wanted = None if isinstance(asked.shipping, bool) or switched else asked.shipping
    if not others:
        if wanted:
            raise Refused("amount_above_quote", "no shipping was paid", "refund_shipping")
        return
    in_full = all(amount is None for _, _, amount in asked.lines)
    whole = in_full and _whole_unshipped(setting, goods)
    all_shipping = asked.shipping is True or switched
    for line in others:
        value = line.paid - setting.others(line.line_no).given
        if line.kind == SHIPPING and wanted is not None:
            value = min(value, wanted)
            wanted -= value
        elif line.kind == SHIPPING:
            value = value if whole or all_shipping else 0
        elif not (whole and line.returnable):
            value = 0
        if value:
            yield _claim_line(setting, line, 0, value)
    if wanted:
        raise Refused(
            "amount_above_quote",
            f"{setting.money(wanted)} more shipping asked than is left",
            "refund_shipping",
        )


def _whole_unshipped(setting: Setting, goods: list[TicketLine]) -> bool:
    """Whether nothing was shipped and, with this ticket, every unit of the order is refunded."""
    if setting.phase != "unshipped":
        return False
    claimed = {line.line_no: line.quantity for line in goods}
    return all(
        line.shipped == 0
        and setting.others(line.line_no).units + claimed.get(line.line_no, 0) == line.quantity
        for line in setting.case.goods
    )


def returned_tenders(policy: Policy, asked: Asked) -> frozenset[str]:
    """The tenders that are given back: all in kind, or the buyer's own money and the switches."""
    if policy.tender_policy == "in_kind":
        return _ALL_TENDERS
    if not asked.give_back:
        return _OWN_MONEY
    return _OWN_MONEY.union(*(GIVE_BACK[switch] for switch in asked.give_back))


def without_kept_tenders(line: TicketLine, returned: frozenset[str]) -> TicketLine:
    """The line with what of it is not given back taken off its refund."""
    kept = sum(amount for tender, amount in line.tenders if tender not in returned)
    return attrs.evolve(line, refund=line.value - kept) if kept else line


def reduced(setting: Setting, line: TicketLine, amount: int, returned: frozenset[str]) -> TicketLine:
    """The line brought down to an amount asked: it claims that money and no other."""
    if amount == line.refund:
        return line
    given = [(tender, part) for tender, part in line.tenders if tender in returned]
    parts = allocate(amount, [part for _, part in given]) if amount else []
    tenders = tuple((tender, part) for (tender, _), part in zip(given, parts, strict=False) if part)
    tax = _tax_in(setting, setting.case.lines[line.line_no], amount)
    return attrs.evolve(line, value=amount, refund=amount, tax=tax, tenders=tenders, asked=amount)


def _tax_in(setting: Setting, line: OrderLine, value: int) -> int:
    """The tax in `value` of a line, so that the parts end at the line's whole tax."""
    if not line.tax or not line.paid:
        return 0
    taken = sum(own.tax for own in _other_claims(setting, line))
    due = share(line.tax, setting.others(line.line_no).given + value, line.paid)
    return min(max(0, due - taken), value)
