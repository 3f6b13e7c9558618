"""The independent checker's own idea of a case, out of nothing but the exported events."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Record = dict[str, Any]

#: "leg state" → the states that may follow it.
EDGES = {
    "review pending": "pending approved rejected",
    "review rejected": "pending approved",
    "review approved": "pending",
    "return awaiting": "in_transit received waived",
    "return in_transit": "in_transit received lost",
    "return received": "received inspected",
    "settlement due": "released settled",
    **dict.fromkeys(
        ("settlement released", "settlement sent", "settlement unknown", "settlement failed"),
        "released sent unknown failed settled",
    ),
    "settlement settled": "failed",
}
FINAL = ("settled", "inspected", "waived", "lost", "approved")
#: What an application is from the beginning: the same names in the event and in the ticket.
FACTS = ("type", "phase", "reason", "rulebook", "refund_timing")


def status_of(ticket: Record) -> str:
    """The public status of a ticket in these legs."""
    legs = ticket["legs"]
    if ticket["closing"] or legs["review"] in ("pending", "rejected"):
        words = {"pending": "pending_review", "rejected": "rejected"}
        return str(ticket["closing"] or words[legs["review"]])
    if legs.get("return", "waived") not in FINAL:
        return "awaiting_return"
    if legs["settlement"] == "due" and "return" not in legs:
        return "approved"
    return "completed" if legs["settlement"] == "settled" else "awaiting_refund"


class Model:
    """What a reader makes of the events: goods and money, nothing more; minor units."""

    def __init__(self, told: Record) -> None:
        self.told = told
        self.lines = {line["line_no"]: line for line in told["lines"]}
        self.journey = {no: [x["shipped"], x["received"]] for no, x in self.lines.items()}
        self.payments = {payment["payment_no"]: payment for payment in told["payments"]}
        self.outside = Counter({p["payment_no"]: p["refunded"] for p in told["payments"]})
        self.times = {name: time for name, time in told.items() if name.endswith("_at")}
        self.tickets: dict[str, Record] = {}
        self.told_outside: dict[str, Record] = {}

    def take(self, event: Record) -> Iterator[str]:
        """Follow one event; what may not be after it."""
        payload, ticket_no = event["payload"], event["ticket_no"]
        if event["kind"] == "external_refund_recorded":
            self.outside[payload["payment_no"]] += payload["amount"]
        elif event["kind"] == "order_updated":
            self.times |= {name: time for name, time in payload.items() if name.endswith("_at")}
            self.journey |= {no: journey for no, *journey in payload.get("lines", ())}
        elif event["kind"] == "ticket_opened":
            self.tickets[ticket_no] = _opened(event)
        if ticket_no:
            yield from self._ticket(event, self.tickets[ticket_no])
            _dated(event, self.tickets[ticket_no])
        yield from self._over()

    def _ticket(self, event: Record, ticket: Record) -> Iterator[str]:
        payload, kind = event["payload"], event["kind"]
        for leg, state in payload.get("legs", {}).items():
            following = EDGES.get(f"{leg} {ticket['legs'][leg]}", "").split()
            if kind not in ("ticket_opened", "ticket_reopened") and state not in following:
                yield f"{leg} goes from {ticket['legs'][leg]} to {state}"
        ticket["legs"] = {**ticket["legs"], **payload.get("legs", {})}
        ticket["closing"] = payload.get("closing", ticket["closing"])
        if "claim" in payload:
            # A line that left the claim leaves what became of its goods in the events only.
            claimed = {line[0] for line in ticket.get("claim", {}).get("lines", ())}
            ticket["goods"] = {no: row for no, row in ticket["goods"].items() if no in claimed}
            ticket["claim"] = payload["claim"]
            ticket["payouts"] = {no: [due, "", "due"] for no, due in payload["claim"]["payouts"]}
        self._goods(event, ticket["goods"])
        if kind == "settlement_released" and ticket["legs"].get("return") == "inspected":
            for no, quantity, *_ in ticket["claim"]["lines"]:
                if quantity > ticket["goods"].get(no, [0, 0])[1]:
                    yield f"{quantity} units of line {no} are refunded, fewer were accepted"
        for no, key in payload.get("keys", ()):
            payout = ticket["payouts"][no]
            payout[1:] = [key, "released"]
            told = {"event": event["number"], "payment_no": no, "amount": payout[0]}
            if "paid_by" not in payload:
                self.told_outside[key] = {**told, "kind": "refund", "lines": self._units(ticket)}
        for payout in ticket["payouts"].values():
            if payout[1] and payout[1] == payload.get("key"):
                payout[2] = payload["state"]

    def _goods(self, event: Record, goods: Record) -> None:
        for no, quantity in event["payload"].get("received", ()):
            goods.setdefault(no, [0, 0, 0, ""])[0] += quantity
        for no, *found in event["payload"].get("inspected", ()):
            goods[no] = found
            if found[1] and found[3] != "missing":
                units = {"quantity": found[1], "disposition": found[3]}
                told = {"event": event["number"], "payment_no": "", "amount": None}
                told["lines"] = [{"sku": self.lines[no]["sku"], **units}]
                key = f"{event['ticket_no']}:stock_in:{no}:{found[3]}"
                self.told_outside[key] = {**told, "kind": "stock_in"}

    def _units(self, ticket: Record) -> list[Record]:
        return [
            {
                "sku": self.lines[no]["sku"],
                "quantity": quantity,
                "disposition": ticket["goods"].get(no, [""])[-1] or None,
            }
            for no, quantity, *_ in ticket["claim"]["lines"]
            if quantity
        ]

    def held(self) -> tuple[Mapping[str, list[int]], Mapping[str, list[int]]]:
        """Per line units, reserved, refunded; per payment reserved, refunded; of all tickets."""
        lines: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        payments = {no: [0, self.outside[no]] for no in self.payments}
        for ticket in self.tickets.values():
            if ticket["closing"]:
                continue
            settled = ticket["legs"]["settlement"] == "settled"
            for no, quantity, value, *_ in ticket["claim"]["lines"]:
                lines[no][0] += quantity
                lines[no][2 if settled else 1] += value
            for no, (amount, _, state) in ticket["payouts"].items():
                payments[no][state == "settled"] += amount
        return lines, payments

    def _over(self) -> Iterator[str]:
        lines, payments = self.held()
        for no, (units, reserved, refunded) in lines.items():
            if units > self.lines[no]["quantity"]:
                yield f"{units} units of line {no} are claimed"
            if reserved + refunded > self.lines[no]["paid"]:
                yield f"line {no} gives back more than was paid for it"
        for no, (reserved, refunded) in payments.items():
            if min(reserved, refunded) < 0 or reserved + refunded > self.payments[no]["amount"]:
                yield f"payment {no} gives back more than was paid with it"


def _opened(event: Record) -> Record:
    payload = event["payload"]
    facts = {name: payload[name] for name in FACTS}
    facts |= {name: payload.get(name, "") for name in ("external_no", "apply_id")}
    facts |= {"first_reason": payload["reason"], "opened_by": event["actor"], "reviewer": ""}
    facts |= {"applied_at": event["at"], "reviewed_at": None, "released_at": None}
    return {"legs": payload["legs"], "closing": "", "goods": {}, "facts": facts}


def _dated(event: Record, ticket: Record) -> None:
    """When and by whom: what an event says about its ticket besides goods and money."""
    payload, kind, facts = event["payload"], event["kind"], ticket["facts"]
    if kind in ("review_approved", "review_rejected"):
        facts |= {"reviewed_at": event["at"], "reviewer": event["actor"]}
    if kind == "ticket_revised":
        facts |= {name: payload[name] for name in ("reason", "phase") if name in payload}
    if kind == "settlement_released":
        facts["released_at"] = event["at"]
    if "deadline" in payload:
        names = ("deadline", "deadline_command", "owner")
        facts |= dict(zip(names, payload["deadline"] or (None, "", ""), strict=True))
    completed = facts.get("completed_at") or event["at"]
    facts["completed_at"] = completed if status_of(ticket) == "completed" else None
