"""The quote: the whole money of a ticket, line by line and tender by tender, with its explanation.

One computation serves the preview, the decision and the report. All amounts are minor units of
the order's currency. A quote for a ticket that exists leaves that ticket's own claim out of what
is spoken for, so that quoting again replaces it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from reverseflow.core.case import (
    GOODS,
    MONEY_TENDERS,
    SHIPPING,
    TENDERS,
    Case,
    Claim,
    OrderLine,
    Payout,
    Ticket,
    TicketLine,
)
from reverseflow.core.errors import PluginError, Refused, shown
from reverseflow.core.money import Money, allocate, format_amount, share
from reverseflow.core.rulebook import FeeFormula, FeeInput, Policy, Reason, Rulebook
from reverseflow.core.values import JsonObject

#: What a reviewer's switches give back (S-22): tenders, or the freight.
GIVE_BACK: Mapping[str, tuple[str, ...]] = {
    "coupon": ("coupon", "red_packet"),
    "virtual_currency": ("points",),
    "freight": (),
}
_NOTHING = Claim()
_ALL_TENDERS, _OWN_MONEY = frozenset(TENDERS), frozenset(MONEY_TENDERS)


@attrs.frozen
class Asked:
    """What is asked for, in minor units: per line units (0: money only) and amount (None: all)."""

    lines: tuple[tuple[str, int, int | None], ...]
    amount: int | None = None
    shipping: int | bool = False
    give_back: tuple[str, ...] = ()
    service_fee: int = 0
    reduction: int = 0

    def to_json(self) -> JsonObject:
        """The stored form: what is not at its default."""
        stored: JsonObject = {"lines": [list(line) for line in self.lines]}
        for name, default in _ASKED_DEFAULTS.items():
            if (value := getattr(self, name)) != default:
                stored[name] = list(value) if name == "give_back" else value
        return stored

    @classmethod
    def from_json(cls, stored: JsonObject) -> "Asked":
        """The inverse of `to_json`."""
        fields = dict(stored)
        fields["lines"] = tuple((line[0], line[1], line[2]) for line in stored["lines"])
        fields["give_back"] = tuple(stored.get("give_back", ()))
        return cls(**fields)


_ASKED_DEFAULTS = {
    "amount": None,
    "shipping": False,
    "give_back": (),
    "service_fee": 0,
    "reduction": 0,
}


@attrs.frozen
class FeeLine:
    """One fee, signed from the buyer's side: minus for what is kept back."""

    code: str
    plugin: str
    amount: int
    payer: str
    why: str


@attrs.frozen
class Quote:
    """The computed money of a ticket; `lines` include shipping and charges given back."""

    lines: tuple[TicketLine, ...]
    payouts: tuple[Payout, ...]
    fees: tuple[FeeLine, ...]
    not_returned: tuple[tuple[str, int, str], ...]
    freight: int
    total: int
    strategy: str
    rulebook: str

    def summary(self) -> JsonObject:
        """What of the quote is stored with the ticket besides its lines and payouts."""
        summary: JsonObject = {"strategy": self.strategy}
        if self.freight:
            summary["freight"] = self.freight
        if self.fees:
            summary["fees"] = [list(attrs.astuple(fee)) for fee in self.fees]
        if self.not_returned:
            summary["not_returned"] = [list(row) for row in self.not_returned]
        return summary


@attrs.frozen
class Setting:
    """What a quote is computed in: the case, the ticket it may replace, and the rules."""

    case: Case
    type: str
    phase: str
    reason: Reason
    policy: Policy
    rulebook: Rulebook
    now: datetime
    ticket: Ticket | None = None

    def others(self, line_no: str) -> Claim:
        """What all other tickets claim of a line."""
        claim = self.case.claims.get(line_no, _NOTHING)
        own = self.ticket.line(line_no) if self.ticket else None
        if own is None or self.ticket is None or self.ticket.closing:
            return claim
        return Claim(claim.units - own.quantity, claim.given - own.value, 0)

    def own_payouts(self) -> dict[str, int]:
        """What the ticket itself has reserved on each payment."""
        if self.ticket is None or self.ticket.closing:
            return {}
        return {payout.payment_no: payout.amount for payout in self.ticket.payouts}

    def money(self, minor: int) -> str:
        """An amount for a message."""
        return f"{format_amount(minor, self.case.currency)} {self.case.currency}"


def compute_quote(setting: Setting, asked: Asked) -> Quote:
    """The quote for what is asked; `Refused` where it is more than the order allows."""
    goods = [_goods_line(setting, *line) for line in asked.lines]
    not_returned = [row for line in goods for row in _discounts_kept(setting, line)]
    if asked.amount is not None:
        goods = _spread_amount(setting, goods, asked.amount)
    extra = list(_other_lines(setting, asked, goods))
    returned = _returned_tenders(setting.policy, asked)
    lines = _keep_tenders([*goods, *extra], returned, not_returned)
    base = sum(line.refund for line in lines)
    if asked.service_fee > base:
        raise Refused(
            "fees_exceed_refund",
            f"a service fee of {setting.money(asked.service_fee)} exceeds the {setting.money(base)} refunded",
            "service_fee",
        )
    fees = _fees(setting, asked, base)
    withheld = -sum(fee.amount for fee in fees)
    if withheld > base:
        raise Refused(
            "fees_exceed_refund",
            f"fees of {setting.money(withheld)} exceed the {setting.money(base)} refunded",
        )
    payouts = _payouts(setting, lines, returned, withheld, not_returned)
    freight = sum(line.refund for line in extra if line.line_no.startswith("#shipping"))
    return Quote(
        tuple(lines), payouts, fees, tuple(not_returned), freight,
        sum(payout.amount for payout in payouts), setting.policy.strategy, setting.policy.version,
    )  # fmt: skip


def _goods_line(setting: Setting, line_no: str, units: int, amount: int | None) -> TicketLine:
    """The claim on one line: its units' cumulative share, or the amount asked within it."""
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
    else:
        value = line.paid - others.given
    if amount is not None:
        if amount > value:
            raise Refused(
                "amount_above_quote",
                f"line {shown(line_no)}: {setting.money(amount)} asked, {setting.money(value)} allowed",
                "lines",
            )
        value = amount
    return _claim_line(setting, line, units, value, amount)


def _claim_line(
    setting: Setting, line: OrderLine, units: int, value: int, asked: int | None
) -> TicketLine:
    others = setting.others(line.line_no)
    tax = share(line.tax, others.given + value, line.paid) if line.paid else 0
    tax -= share(line.tax, others.given, line.paid) if line.paid else 0
    return TicketLine(line.line_no, units, value, tax, _tenders(setting, line, value), value, asked)


def _tenders(setting: Setting, line: OrderLine, value: int) -> tuple[tuple[str, int], ...]:
    """Split `value` over the tenders the line was paid with, so that the splits end at the whole."""
    if len(line.paid_by) <= 1:
        return ((line.paid_by[0][0], value),) if line.paid_by and value else ()
    taken = {tender: 0 for tender, _ in line.paid_by}
    for ticket in setting.case.tickets.values():
        own = ticket.line(line.line_no)
        if own is not None and not ticket.closing and ticket is not setting.ticket:
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


def _discounts_kept(setting: Setting, claimed: TicketLine) -> Iterable[tuple[str, int, str]]:
    """The shares of order-level discounts on the claimed units: never paid, so never returned."""
    line = setting.case.lines[claimed.line_no]
    before = setting.others(claimed.line_no).units
    for code, amount in line.discounts:
        part = share(amount, before + claimed.quantity, line.quantity) - share(
            amount, before, line.quantity
        )
        if part:
            yield code, part, "discount_not_paid"


def _spread_amount(setting: Setting, goods: list[TicketLine], amount: int) -> list[TicketLine]:
    """Bring the lines down to an amount asked for the whole ticket."""
    allowed = sum(line.value for line in goods)
    if amount > allowed:
        raise Refused(
            "amount_above_quote",
            f"{setting.money(amount)} asked, {setting.money(allowed)} allowed",
            "amount",
        )
    if amount == allowed:
        return goods
    parts = allocate(amount, [line.value for line in goods])
    return [
        _claim_line(setting, setting.case.lines[line.line_no], line.quantity, part, part)
        for line, part in zip(goods, parts, strict=True)
    ]


def _other_lines(setting: Setting, asked: Asked, goods: list[TicketLine]) -> Iterable[TicketLine]:
    """Shipping and charges given back: all of them when the whole unshipped order is refunded."""
    others = [line for line in setting.case.lines.values() if line.kind != GOODS]
    if not others:
        if asked.shipping not in (False, True, 0):
            raise Refused("amount_above_quote", "no shipping was paid", "refund_shipping")
        return
    whole = _whole_unshipped(setting, goods)
    wanted: int | None = None
    if asked.shipping is not False and asked.shipping is not True:
        wanted = asked.shipping
    all_shipping = asked.shipping is True or "freight" in asked.give_back
    for line in others:
        value = line.paid - setting.others(line.line_no).given
        if line.kind == SHIPPING and wanted is not None and not whole:
            value = min(value, wanted)
            wanted -= value
        elif line.kind == SHIPPING:
            value = value if whole or all_shipping else 0
            wanted = max(0, wanted - value) if wanted is not None else None
        elif not (whole and line.returnable):
            value = 0
        if value:
            yield _claim_line(setting, line, 0, value, None)
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


def _returned_tenders(policy: Policy, asked: Asked) -> frozenset[str]:
    """The tenders that are given back: all in kind, or the buyer's own money and the switches."""
    if policy.tender_policy == "in_kind":
        return _ALL_TENDERS
    if not asked.give_back:
        return _OWN_MONEY
    return _OWN_MONEY.union(*(GIVE_BACK[switch] for switch in asked.give_back))


def _keep_tenders(
    lines: list[TicketLine], returned: frozenset[str], not_returned: list[tuple[str, int, str]]
) -> list[TicketLine]:
    """Take the tenders that are not given back off what each line refunds."""
    kept: dict[str, int] = {}
    result = []
    for line in lines:
        withheld = 0
        for tender, amount in line.tenders:
            if tender not in returned:
                kept[tender] = kept.get(tender, 0) + amount
                withheld += amount
        result.append(attrs.evolve(line, refund=line.value - withheld) if withheld else line)
    not_returned.extend((tender, amount, "tender_policy") for tender, amount in kept.items())
    return result


def _fees(setting: Setting, asked: Asked, base: int) -> tuple[FeeLine, ...]:
    fees = []
    formulas = setting.rulebook.fees
    if formulas:
        currency = setting.case.currency
        given = FeeInput(
            setting.case, setting.ticket, setting.type, setting.phase, setting.reason,
            Money(base, currency), Money(asked.service_fee, currency), setting.policy, setting.now,
        )  # fmt: skip
        for formula in formulas:
            if not formula.types or setting.type in formula.types:
                amount = _fee(formula, given)
                if amount:
                    fees.append(
                        FeeLine(formula.code, formula.plugin, -amount, "buyer", formula.why)
                    )
    if asked.reduction:
        fees.append(
            FeeLine(
                "agreed_reduction",
                "reverseflow",
                -asked.reduction,
                "buyer",
                "amount lowered on review",
            )
        )
    return tuple(fees)


def _fee(formula: FeeFormula, given: FeeInput) -> int:
    """What a plugin's formula returns, checked: nothing, or 0 ≤ fee ≤ base in the order's currency."""
    where = f"fee {formula.code} of plugin {formula.plugin}"
    try:
        fee = formula.compute(given)
    except Exception as error:
        raise PluginError(
            "plugin_failed", f"{where} raised {type(error).__name__}: {error}"
        ) from error
    if fee is None:
        return 0
    if type(fee) is not Money or type(fee.minor) is not int:
        raise PluginError("plugin_contract", f"{where} returned {shown(fee)}, not Money or None")
    if fee.currency != given.base.currency:
        raise PluginError(
            "plugin_contract", f"{where} returned {fee}, the order is in {given.base.currency}"
        )
    if not 0 <= fee.minor <= given.base.minor:
        raise PluginError(
            "plugin_contract", f"{where} returned {fee}, allowed is 0 to {given.base}"
        )
    return fee.minor


def _payouts(
    setting: Setting,
    lines: list[TicketLine],
    returned: frozenset[str],
    withheld: int,
    not_returned: list[tuple[str, int, str]],
) -> tuple[Payout, ...]:
    """What goes to which payment: tender by tender, in the order the payments were made."""
    by_tender: dict[str, int] = {}
    for line in lines:
        for tender, amount in line.tenders:
            if tender in returned:
                by_tender[tender] = by_tender.get(tender, 0) + amount
    own = setting.own_payouts()
    payouts = []
    for tender in sorted(by_tender, key=TENDERS.index):
        step = min(withheld, by_tender[tender])
        withheld -= step
        need = by_tender[tender] - step
        for payment in setting.case.payments.values():
            if payment.tender == tender and need:
                take = min(need, payment.left + own.get(payment.payment_no, 0))
                need -= take
                if take:
                    payouts.append(Payout(payment.payment_no, take))
        if need:
            not_returned.append((tender, need, "refunded_outside"))
    return tuple(payouts)
