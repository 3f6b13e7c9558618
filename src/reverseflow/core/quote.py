"""The quote: the whole money of a ticket, line by line and tender by tender, with its explanation.

One computation serves the preview, the decision and the report. All amounts are minor units of
the order's currency. A quote for a ticket that exists leaves that ticket's own claim out of what
is spoken for, so that quoting again replaces it.
"""

import attrs

from reverseflow.core.asking import Asked, Setting
from reverseflow.core.case import TENDERS, Payout, TicketLine, read_only
from reverseflow.core.claiming import (
    discounts_kept,
    goods_line,
    other_lines,
    reduced,
    returned_tenders,
    without_kept_tenders,
)
from reverseflow.core.errors import PluginError, Refused, said, shown
from reverseflow.core.money import Money, allocate
from reverseflow.core.rulebook import FeeFormula, FeeInput
from reverseflow.core.values import JsonObject


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


def compute_quote(setting: Setting, asked: Asked, *, capped: bool = False) -> Quote:
    """The quote for what is asked; `Refused` where it is more than the order allows.

    With `capped` (after an inspection, which is a fact) amounts and fees that are more than is
    left are brought down to it instead.
    """
    returned = returned_tenders(setting.policy, asked)
    goods = [goods_line(setting, line_no, units) for line_no, units, _ in asked.lines]
    extra = list(other_lines(setting, asked, goods))
    lines = [without_kept_tenders(line, returned) for line in (*goods, *extra)]
    lines = _within_asked(setting, asked, lines, returned, capped=capped)
    not_returned = [row for line in goods for row in discounts_kept(setting, line)]
    not_returned.extend(_kept(lines, returned))
    payable, short = _payable(setting, lines, returned)
    not_returned.extend(short)
    base = sum(payable.values())
    fees = _fees(setting, asked, base, capped=capped)
    payouts = _payouts(setting, payable, -sum(fee.amount for fee in fees))
    freight = sum(line.refund for line in lines if line.line_no.startswith("#shipping"))
    return Quote(
        tuple(lines), payouts, fees, tuple(not_returned), freight,
        sum(payout.amount for payout in payouts), setting.policy.strategy, setting.policy.version,
    )  # fmt: skip


def _within_asked(
    setting: Setting, asked: Asked, lines: list[TicketLine], returned: frozenset[str], *, capped: bool
) -> list[TicketLine]:
    """Bring the lines down to the amounts asked for each, then for the whole ticket."""
    for index, (line_no, _, amount) in enumerate(asked.lines):
        if amount is not None:
            allowed = lines[index].refund
            amount = _allowed(setting, amount, allowed, f"line {shown(line_no)}: ", "lines", capped)  # noqa: PLW2901
            lines[index] = attrs.evolve(reduced(setting, lines[index], amount, returned), asked=amount)
    if asked.amount is None:
        return lines
    refund = sum(line.refund for line in lines)
    amount = _allowed(setting, asked.amount, refund, "", "amount", capped)
    if amount == refund:
        return lines
    parts = allocate(amount, [line.refund for line in lines])
    return [reduced(setting, line, part, returned) for line, part in zip(lines, parts, strict=True)]


def _allowed(setting: Setting, amount: int, allowed: int, what: str, field: str, capped: bool) -> int:
    """The amount, where it is allowed; nothing that somebody asks for is cut silently."""
    if amount > allowed and not capped:
        raise Refused(
            "amount_above_quote",
            f"{what}{setting.money(amount)} asked, {setting.money(allowed)} allowed",
            field,
        )
    return min(amount, allowed)


def _kept(lines: list[TicketLine], returned: frozenset[str]) -> list[tuple[str, int, str]]:
    """Per tender what the lines claim of it that the policy does not give back."""
    kept: dict[str, int] = {}
    for line in lines:
        if line.refund != line.value:
            for tender, amount in line.tenders:
                if tender not in returned:
                    kept[tender] = kept.get(tender, 0) + amount
    return [(tender, amount, "tender_policy") for tender, amount in kept.items()]


def _fees(setting: Setting, asked: Asked, base: int, *, capped: bool) -> tuple[FeeLine, ...]:
    """The fees on `base`: each formula's, then what a review lowered; together never above it."""
    service_fee = min(asked.service_fee, base) if capped else asked.service_fee
    if service_fee > base:
        _refuse_fees(setting, service_fee, base)
    fees = []
    formulas = setting.rulebook.fees
    if formulas:
        currency = setting.case.currency
        given = FeeInput(
            read_only(setting.case), setting.ticket, setting.type, setting.phase, setting.reason,
            Money(base, currency), Money(service_fee, currency), setting.policy, setting.now,
        )  # fmt: skip
        for formula in formulas:
            if not formula.types or setting.type in formula.types:
                amount = _fee(formula, given)
                if amount:
                    fees.append(FeeLine(formula.code, formula.plugin, -amount, "buyer", formula.why))
    if asked.reduction:
        why = "amount lowered on review"
        fees.append(FeeLine("agreed_reduction", "reverseflow", -asked.reduction, "buyer", why))
    if -sum(fee.amount for fee in fees) > base:
        if not capped:
            _refuse_fees(setting, -sum(fee.amount for fee in fees), base)
        fees = _fitted(fees, base)
    return tuple(fees)


def _fitted(fees: list[FeeLine], base: int) -> list[FeeLine]:
    """Fees brought down to `base`, the first ones first served."""
    fitted = []
    for fee in fees:
        amount = min(-fee.amount, base)
        base -= amount
        if amount:
            fitted.append(attrs.evolve(fee, amount=-amount))
    return fitted


def _refuse_fees(setting: Setting, fees: int, base: int) -> None:
    raise Refused(
        "fees_exceed_refund", f"fees of {setting.money(fees)} exceed the {setting.money(base)} refunded"
    )


def _fee(formula: FeeFormula, given: FeeInput) -> int:
    """What a plugin's formula returns, checked: nothing, or 0 ≤ fee ≤ base in the order's currency."""
    where = f"fee {formula.code} of plugin {formula.plugin}"
    try:
        fee = formula.compute(given)
    except (Exception, SystemExit) as error:
        raise PluginError("plugin_failed", f"{where} raised {said(error)}") from error
    if fee is None:
        return 0
    if type(fee) is not Money or type(fee.minor) is not int:
        raise PluginError("plugin_contract", f"{where} returned {shown(fee)}, not Money or None")
    if fee.currency != given.base.currency:
        raise PluginError("plugin_contract", f"{where} returned {fee}, the order is in {given.base.currency}")
    if not 0 <= fee.minor <= given.base.minor:
        raise PluginError("plugin_contract", f"{where} returned {fee}, allowed is 0 to {given.base}")
    return fee.minor


def _payable(
    setting: Setting, lines: list[TicketLine], returned: frozenset[str]
) -> tuple[dict[str, int], list[tuple[str, int, str]]]:
    """Per tender what can be given back, and what cannot because it was refunded outside."""
    wanted: dict[str, int] = {}
    for line in lines:
        for tender, amount in line.tenders:
            if tender in returned:
                wanted[tender] = wanted.get(tender, 0) + amount
    own = setting.own_payouts()
    payable, short = {}, []
    for tender in sorted(wanted, key=TENDERS.index):
        left = sum(
            payment.left + own.get(payment.payment_no, 0)
            for payment in setting.case.payments.values()
            if payment.tender == tender
        )
        payable[tender] = min(wanted[tender], left)
        if wanted[tender] > left:
            short.append((tender, wanted[tender] - left, "refunded_outside"))
    return payable, short


def _payouts(setting: Setting, payable: dict[str, int], withheld: int) -> tuple[Payout, ...]:
    """What goes to which payment, fees kept back: in the order the payments were made."""
    own = setting.own_payouts()
    payouts = []
    for tender, amount in payable.items():
        step = min(withheld, amount)
        withheld -= step
        need = amount - step
        for payment in setting.case.payments.values():
            if payment.tender == tender and need:
                take = min(need, payment.left + own.get(payment.payment_no, 0))
                need -= take
                if take:
                    payouts.append(Payout(payment.payment_no, take))
    return tuple(payouts)
