"""The independent checker's own idea of a case, out of nothing but the exported events."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Record = dict[str, Any]

#: "leg state" → the states that may follow it.
EDGES = {
    "review pending": "pending approved rejected",
    **dict.fromkeys(("review rejected", "review approved"), "pending"),
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
            self.tickets[ticket_no] = {"legs": payload["legs"], "closing": "", "goods": {}}
        if ticket_no:
            yield from self._ticket(event, self.tickets[ticket_no])
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
            self.told_outside[key] = {**told, "kind": "refund"}
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
