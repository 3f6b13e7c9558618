"""What a quote is asked for, and what it is computed in."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from reverseflow.core.case import Case, Claim, Ticket
from reverseflow.core.money import format_amount
from reverseflow.core.rulebook import Policy, Reason, Rulebook
from reverseflow.core.values import JsonObject

#: What a reviewer's switches give back (S-22): tenders, or the freight.
GIVE_BACK: Mapping[str, tuple[str, ...]] = {
    "coupon": ("coupon", "red_packet"),
    "virtual_currency": ("points",),
    "freight": (),
}
_NOTHING = Claim()


@attrs.frozen
class Asked:
    """What is asked for, in minor units: per line units (0: money only) and amount (None: all)."""

    lines: tuple[tuple[str, int, int | None], ...]
    amount: int | None = None
    shipping: int | bool = False
    give_back: tuple[str, ...] = ()
    service_fee: int = 0
    reduction: int = 0

    def without_terms(self) -> "Asked":
        """What the buyer asks for, without what an earlier review made of it."""
        return attrs.evolve(self, give_back=(), service_fee=0, reduction=0)

    def to_json(self) -> JsonObject:
        """The stored form: what is not at its default."""
        stored: JsonObject = {"lines": [list(line) for line in self.lines]}
        for name, default in _ASKED_DEFAULTS.items():
            value = getattr(self, name)
            if value != default or type(value) is not type(default):  # no shipping (0) is asked for
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
