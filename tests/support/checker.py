"""An independent checker: reads nothing but the lines of an export, imports nothing of ReverseFlow.

It follows the events with a small model of its own and holds everything else against it: chain
hashes, caps of money and units after every event, statuses, postings, instructions.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Record = dict[str, Any]
Group = dict[str, list[Record]]

KINDS = ("order", "ticket", "event", "posting", "instruction")
FINAL = ("settled", "inspected", "waived", "lost", "approved")
#: leg → state → the states that may follow it.
EDGES = {
    "review": {
        "pending": "pending approved rejected",
        "rejected": "pending",
        "approved": "pending",
    },
    "return": {
        "awaiting": "in_transit received waived",
        "in_transit": "in_transit received lost",
        "received": "received inspected",
    },
    "settlement": {
        "due": "released settled",
        **dict.fromkeys(("released", "sent", "unknown"), "released sent unknown failed settled"),
        "failed": "released sent unknown failed settled",
        "settled": "failed",
    },
}


def check(lines: Iterable[str]) -> list[str]:
    """One sentence for everything wrong with an export; empty when all is well."""
    problems, last = [], ""
    for group in _groups(lines):
        order = group["order"][0]
        if order["order_no"] <= last:
            problems.append(f"{order['order_no']} comes after {last}")
        last = order["order_no"]
        try:
            found = list(_case(order, group))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            found = [f"cannot be followed: {error!r}"]
        problems.extend(f"{last}: {problem}" for problem in found)
    return problems


def rewritten(older: Iterable[str], newer: Iterable[str]) -> list[str]:
    """The events of an export kept from before that a newer one does not have any more."""
    kept = {e["hash"] for group in _groups(newer) for e in group["event"]}
    return [
        f"{event['order_no']}: event {event['number']} is not what it was"
        for group in _groups(older)
        for event in group["event"]
        if event["hash"] not in kept
    ]


def _groups(lines: Iterable[str]) -> Iterator[Group]:
    """The records order by order; within one, the kinds in their stable order."""
    group: Group | None = None
    for line in lines:
        ((kind, record),) = json.loads(line).items()
        if kind == "order":
            if group is not None:
                yield group
            group = {kind: [] for kind in KINDS}
        assert group is not None, "the first line is no order"
        assert record["order_no"] == (group["order"] or [record])[0]["order_no"], record
        assert not any(group[later] for later in KINDS[KINDS.index(kind) + 1 :]), record
        group[kind].append(record)
    if group is not None:
        yield group


def _minor(text: str) -> int:
    """An amount as whole minor units: an export writes all decimals its currency has."""
    return int(text.replace(".", ""))


def _case(order: Record, group: Group) -> Iterator[str]:
    yield from _chain(order, group["event"])
    model = Model(group["event"][0]["payload"])
    for event in group["event"]:
        for problem in model.take(event):
            yield f"event {event['number']}: {problem}"
    yield from _order(order, model)
    if [ticket["ticket_no"] for ticket in group["ticket"]] != list(model.tickets):
        yield "its tickets are not those that were opened"
    for ticket in group["ticket"]:
        for problem in _ticket(ticket, model.tickets[ticket["ticket_no"]]):
            yield f"{ticket['ticket_no']}: {problem}"
    yield from _postings(order, group, model)
    yield from _instructions(order, group["instruction"], model)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _chain(order: Record, events: list[Record]) -> Iterator[str]:
    previous, at = "", ""
    names = ("tenant", "order_no", "number", "kind", "ticket_no", "at", "actor")
    for number, event in enumerate(events, 1):
        head, payload = _text([event[name] for name in names]), _text(event["payload"])
        hashed = f"reverseflow.event.v1\n{previous}\n{head}\n{payload}"
        if event["number"] != number or event["tenant"] != order["tenant"]:
            yield f"event {number} has the number {event['number']}"
        if event["previous_hash"] != previous:
            yield f"event {number} does not follow on the one before"
        previous = event["hash"]
        if previous != hashlib.sha256(hashed.encode()).hexdigest():
            yield f"event {number} does not have the hash of its content"
        if event["at"] < at:
            yield f"event {number} is before the one before"
        at = event["at"]
    if (order["events"], order["head"], order["last_at"]) != (len(events), previous, at):
        yield "the order does not stand at its last event"


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
        self.stock_in: dict[str, Record] = {}
        self.released: dict[str, Record] = {}

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
            before, reopened = ticket["legs"][leg], kind in ("ticket_opened", "ticket_reopened")
            if not reopened and state not in EDGES[leg].get(before, "").split():
                yield f"{leg} goes from {before} to {state}"
        ticket["legs"] = {**ticket["legs"], **payload.get("legs", {})}
        ticket["closing"] = payload.get("closing", ticket["closing"])
        if "claim" in payload:
            ticket["claim"] = payload["claim"]
            ticket["payouts"] = {no: [due, "", "due"] for no, due in payload["claim"]["payouts"]}
        for no, quantity in payload.get("received", ()):
            row = ticket["goods"].setdefault(no, [0, 0, 0, ""])
            row[0] += quantity
        for no, *found in payload.get("inspected", ()):
            ticket["goods"][no] = found
            if found[1] and found[3] != "missing":
                key = f"{event['ticket_no']}:stock_in:{no}:{found[3]}"
                units = {"quantity": found[1], "disposition": found[3]}
                told = {"sku": self.lines[no]["sku"], **units}
                self.stock_in[key] = {"event": event["number"], "lines": [told]}
        for no, key in payload.get("keys", ()):
            ticket["payouts"][no][1:] = [key, "released"]
            amount = ticket["payouts"][no][0]
            self.released[key] = {"event": event["number"], "payment_no": no, "amount": amount}
        for payout in ticket["payouts"].values():
            if payout[1] and payout[1] == payload.get("key"):
                payout[2] = payload["state"]

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


def _order(order: Record, model: Model) -> Iterator[str]:
    """The order as it was told, and its ledgers as its tickets give them."""
    lines, payments = model.held()
    told = model.told
    for name in ("platform", "shop", "currency", "price_includes_tax"):
        if order[name] != told[name]:
            yield f"its {name} is not what was told"
    for name in ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at"):
        if order[name] != model.times.get(name):
            yield f"its {name} is not what was told"
    plain = ("line_no", "kind", "sku", "title", "quantity", "returnable")
    amounts = ("unit_price", "discount", "tax", "paid")
    for given, line in zip(told["lines"], order["lines"], strict=True):
        no = line["line_no"]
        if [line[name] for name in plain] != [given[name] for name in plain] or any(
            line[name] != value for name, value in given["extra"].items()
        ):
            yield f"line {no} is not what was told"
        if [_minor(line[name]) for name in amounts] != [given[name] for name in amounts]:
            yield f"the amounts of line {no} are not what was told"
        for name, word in (("discounts", "code"), ("paid_by", "tender")):
            if [[part[word], _minor(part["amount"])] for part in line[name]] != given[name]:
                yield f"{name} of line {no} are not what was told"
        if sum(_minor(part["amount"]) for part in line["paid_by"]) != given["paid"]:
            yield f"the tenders of line {no} do not add up"
        if [line["shipped"], line["received"]] != model.journey[no]:
            yield f"line {no} did not travel like that"
        if [line["claimed"], _minor(line["reserved"]), _minor(line["refunded"])] != lines[no]:
            yield f"line {no} claims what its tickets do not"
    sums = [0, 0, 0]
    for given, payment in zip(told["payments"], order["payments"], strict=True):
        no, ledger = payment["payment_no"], ("reserved", "refunded")
        if any(payment[name] != given[name] for name in ("payment_no", "tender", "funded_by")):
            yield f"payment {no} is not what was told"
        if [_minor(payment[name]) for name in ledger] != payments[no]:
            yield f"payment {no} holds what its tickets do not"
        if _minor(payment["amount"]) != given["amount"]:
            yield f"payment {no} is not of that amount"
        sums = [a + b for a, b in zip(sums, [given["amount"], *payments[no]], strict=True)]
    if [_minor(order[name]) for name in ("paid", "reserved", "refunded")] != sums:
        yield "the order is not what its payments add up to"
    if sum(given["paid"] for given in told["lines"]) != sums[0]:
        yield "the lines are not what the payments add up to"


def _status(ticket: Record) -> str:
    legs = ticket["legs"]
    if ticket["closing"] or legs["review"] in ("pending", "rejected"):
        words = {"pending": "pending_review", "rejected": "rejected"}
        return str(ticket["closing"] or words[legs["review"]])
    if legs.get("return", "waived") not in FINAL:
        return "awaiting_return"
    if legs["settlement"] == "due" and "return" not in legs:
        return "approved"
    return "completed" if legs["settlement"] == "settled" else "awaiting_refund"


def _ticket(ticket: Record, known: Record) -> Iterator[str]:
    if (ticket["legs"], ticket["closing"]) != (known["legs"], known["closing"]):
        yield "its legs are not where its events left them"
    if ticket["status"] != _status(known):
        yield f"its status {ticket['status']} is not that of its legs"
    if (ticket["completed_at"] is not None) != (ticket["status"] == "completed"):
        yield "it is completed, or is not"
    payouts = {p["payment_no"]: [_minor(p["amount"]), p["key"], p["state"]] for p in ticket["payouts"]}
    if payouts != known["payouts"] or len(payouts) != len(ticket["payouts"]):
        yield "its payouts are not what its events give"
    claimed = []
    for line in ticket["lines"]:
        asked = None if line["asked"] is None else _minor(line["asked"])
        tenders = [[part["tender"], _minor(part["amount"])] for part in line["tenders"]]
        value, tax, refund = (_minor(line[name]) for name in ("value", "tax", "refund"))
        claimed.append([line["line_no"], line["quantity"], value, tax, tenders, refund, asked])
        goods = [line[name] for name in ("received", "accepted", "rejected", "disposition")]
        if goods != known["goods"].get(line["line_no"], [0, 0, 0, ""]):
            yield f"the goods of line {line['line_no']} are not what came in"
        if goods[1] + goods[2] > goods[0] or not 0 <= refund <= value:
            yield f"line {line['line_no']} accepts or refunds too much"
        if sum(amount for _, amount in tenders) != value:
            yield f"the tenders of line {line['line_no']} do not add up"
    if claimed != known["claim"]["lines"]:
        yield "its lines are not what its events give"
    quote, total = ticket["quote"], _minor(ticket["total"])
    given = sum(line[5] for line in claimed) + sum(_minor(fee["amount"]) for fee in quote["fees"])
    given -= sum(
        _minor(kept["amount"]) for kept in quote["not_returned"] if kept["why"] == "refunded_outside"
    )
    if not 0 <= total == given == sum(payout[0] for payout in payouts.values()):
        yield "its total is not its lines less its fees, or not its payouts"


def _postings(order: Record, group: Group, model: Model) -> Iterator[str]:
    """Every event's postings add up to zero, and every balance is what the events left."""
    by_event: Counter[int] = Counter()
    balances: Counter[str] = Counter()
    for posting in group["posting"]:
        if posting["currency"] != order["currency"]:
            yield f"a posting of event {posting['event']} is in another currency"
        by_event[posting["event"]] += _minor(posting["amount"])
        balances[posting["account"]] += _minor(posting["amount"])
    for number, balance in by_event.items():
        if balance:
            yield f"the postings of event {number} do not add up"
    expected = {
        f"clearing:{no}": payment["amount"] - model.held()[1][no][1]
        for no, payment in model.payments.items()
    }
    payouts = [payout for t in model.tickets.values() for payout in t["payouts"].values()]
    expected["refunds_reserved"] = -sum(
        amount for amount, key, state in payouts if key and state != "settled"
    )
    expected["fee_income"] = sum(
        _minor(fee["amount"])
        for ticket in group["ticket"]
        for fee in ticket["quote"]["fees"]
        if ticket["released_at"] is not None
    )
    expected["sales"] = -sum(expected.values())
    if +balances != +Counter(expected) or -balances != -Counter(expected):
        yield f"the accounts stand at {dict(balances)}, the events leave {expected}"


def _instructions(order: Record, told: list[Record], model: Model) -> Iterator[str]:
    """One instruction per payout released and per disposition taken in, and no other."""
    given = {**model.released, **model.stock_in}
    for instruction in told:
        expected = given.pop(instruction["key"], None)
        if expected is None:
            yield f"{instruction['key']} was instructed by no event"
            continue
        names = ["event", *(["lines"] if "lines" in expected else ["payment_no"])]
        amount = None if instruction["amount"] is None else _minor(instruction["amount"])
        if (
            [instruction[name] for name in names] != [expected[name] for name in names]
            or amount != expected.get("amount")
            or instruction["kind"] != ("stock_in" if "lines" in expected else "refund")
            or instruction["ticket_no"] != instruction["key"].rpartition(":" + instruction["kind"])[0]
            or instruction["currency"] != order["currency"]
            or instruction["state"] not in ("pending", "delivered", "dead")
        ):
            yield f"{instruction['key']} is not what event {expected['event']} gives"
    for key in given:
        yield f"{key} was never instructed"
