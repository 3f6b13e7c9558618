"""An independent checker: reads nothing but the lines of an export, imports nothing of ReverseFlow.

Everything is held against the small model that makes its own sense of the events: chain hashes,
caps of money and units after every event, statuses, ledgers, postings, instructions.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator

from support.checker_model import Model, Record, status_of

Group = dict[str, list[Record]]

KINDS = ("order", "ticket", "event", "posting", "instruction")
TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "finished_at")
AMOUNTS = "unit_price discount tax paid reserved refunded amount value refund asked".split()
CLAIM = ("line_no", "quantity", "value", "tax", "tenders", "refund", "asked")
GOODS = ("received", "accepted", "rejected", "disposition")


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
    kept = {event["hash"] for group in _groups(newer) for event in group["event"]}
    events = [event for group in _groups(older) for event in group["event"]]
    return [f"{e['order_no']}: event {e['number']}" for e in events if e["hash"] not in kept]


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
        model.tickets[ticket["ticket_no"]]["facts"]["currency"] = order["currency"]
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


def _bare(record: Record) -> Record:
    """A record as an event's payload has it: amounts in minor units, parts as pairs."""
    bare = {**record}
    for name, value in record.items():
        if name in AMOUNTS and value is not None:
            bare[name] = _minor(value)
        elif name in ("discounts", "paid_by", "tenders"):
            bare[name] = [[part.get("code") or part["tender"], _minor(part["amount"])] for part in value]
    return bare


def _differing(told: Record, known: Record) -> str:
    return ", ".join(sorted(k for k in {*told, *known} if told.get(k) != known.get(k)))


def _order(order: Record, model: Model) -> Iterator[str]:
    """The order as it was told, and its ledgers as its tickets give them."""
    lines, payments = model.held()
    told, sums = model.told, [0, 0, 0]
    for line, given in zip(order["lines"], told["lines"], strict=True):
        no = given["line_no"]
        known = {**given, **given["extra"]} | {"extra": line.get("extra")}
        known["shipped"], known["received"] = model.journey[no]
        known["claimed"], known["reserved"], known["refunded"] = lines[no]
        if differing := _differing(_bare(line), known):
            yield f"line {no} is not what its events give: {differing}"
        if sum(amount for _, amount in given["paid_by"]) != given["paid"]:
            yield f"the tenders of line {no} do not add up"
    for payment, given in zip(order["payments"], told["payments"], strict=True):
        no = given["payment_no"]
        known = {**given, **dict(zip(("reserved", "refunded"), payments[no], strict=True))}
        if differing := _differing(_bare(payment), known):
            yield f"payment {no} is not what its events give: {differing}"
        sums = [a + b for a, b in zip(sums, [given["amount"], *payments[no]], strict=True)]
    known = {name: told[name] for name in ("platform", "shop", "currency", "price_includes_tax")}
    known |= {name: model.times.get(name) for name in TIMES}
    known |= dict(zip(("paid", "reserved", "refunded"), sums, strict=True))
    if differing := _differing({name: _bare(order)[name] for name in known}, known):
        yield f"the order is not what its events give: {differing}"
    if sum(given["paid"] for given in told["lines"]) != sums[0]:
        yield "the lines are not what the payments add up to"


def _ticket(ticket: Record, known: Record) -> Iterator[str]:
    if (ticket["legs"], ticket["closing"]) != (known["legs"], known["closing"]):
        yield "its legs are not where its events left them"
    if ticket["status"] != status_of(known):
        yield f"its status {ticket['status']} is not that of its legs"
    if differing := _differing({name: ticket[name] for name in known["facts"]}, known["facts"]):
        yield f"it is not what its events give: {differing}"
    payouts = {p["payment_no"]: [_minor(p["amount"]), p["key"], p["state"]] for p in ticket["payouts"]}
    if payouts != known["payouts"] or len(payouts) != len(ticket["payouts"]):
        yield "its payouts are not what its events give"
    lines = [_bare(line) for line in ticket["lines"]]
    if [[line[name] for name in CLAIM] for line in lines] != known["claim"]["lines"]:
        yield "its lines are not what its events give"
    for line in lines:
        goods, no = [line[name] for name in GOODS], line["line_no"]
        came_in = known["goods"].get(no, [0, 0, 0, ""])
        if goods[:3] != came_in[:3] or (goods[0] and goods != came_in):
            yield f"the goods of line {no} are not what came in"
        if goods[1] + goods[2] > goods[0] or not 0 <= line["refund"] <= line["value"]:
            yield f"line {no} accepts or refunds too much"
        if sum(amount for _, amount in line["tenders"]) != line["value"]:
            yield f"the tenders of line {no} do not add up"
    yield from _quote(ticket, lines, known["claim"]["quote"])


def _quote(ticket: Record, lines: list[Record], summary: Record) -> Iterator[str]:
    """The total is what the lines give back less the fees, and what the payouts add up to."""
    quote = ticket["quote"]
    for name in ("fees", "not_returned"):
        if [[*_bare(part).values()] for part in quote[name]] != summary.get(name, []):
            yield f"its {name} are not what its events give"
    if [quote["strategy"], _minor(quote["freight"])] != [summary["strategy"], summary.get("freight", 0)]:
        yield "its strategy or freight is not what its events give"
    given = sum(line["refund"] for line in lines)
    given += sum(_minor(fee["amount"]) for fee in quote["fees"])
    outside = [kept for kept in quote["not_returned"] if kept["why"] == "refunded_outside"]
    given -= sum(_minor(kept["amount"]) for kept in outside)
    paid_out = sum(_minor(payout["amount"]) for payout in ticket["payouts"])
    if not 0 <= _minor(ticket["total"]) == given == paid_out:
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
    _, payments = model.held()
    expected = {
        f"clearing:{no}": payment["amount"] - payments[no][1] for no, payment in model.payments.items()
    }
    payouts = [payout for known in model.tickets.values() for payout in known["payouts"].values()]
    moving = [amount for amount, key, state in payouts if key and state != "settled"]
    released = [ticket for ticket in group["ticket"] if ticket["released_at"] is not None]
    fees = [_minor(fee["amount"]) for ticket in released for fee in ticket["quote"]["fees"]]
    expected |= {"refunds_reserved": -sum(moving), "fee_income": sum(fees)}
    expected["sales"] = -sum(expected.values())
    if {**dict.fromkeys(expected, 0), **balances} != expected:
        yield f"the accounts stand at {dict(balances)}, the events leave {expected}"


def _instructions(order: Record, told: list[Record], model: Model) -> Iterator[str]:
    """One instruction per payout released and per disposition taken in, and no other."""
    given = dict(model.told_outside)
    for instruction in told:
        key, kind = instruction["key"], instruction["kind"]
        expected = given.pop(key, None)
        if expected is None:
            yield f"{key} was instructed by no event"
            continue
        bare = {name: value for name, value in _bare(instruction).items() if name in expected}
        right = bare == expected and instruction["currency"] == order["currency"]
        right = right and key.startswith(f"{instruction['ticket_no']}:{kind}:")
        if not right or instruction["state"] not in ("pending", "delivered", "dead"):
            yield f"{key} is not what event {expected['event']} gives"
    for key in given:
        yield f"{key} was never instructed"
