"""The export: what is in it, in which order, and that it is the same from every database."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.histories import CANARIES, History, lines_of, opened, told
from audit.tampering import Tampered
from reverseflow.audit import export, verify
from reverseflow.core.errors import DamageFound
from reverseflow.core.values import JsonObject
from reverseflow.storage import tables
from support import checker

#: Numbers whose order differs between languages, lengths and encodings.
ORDERS = ("E10", "E9", "e1", "É1", "订单", "\U0001f600", "\uff21", "E-1", "E 1")


def records(store: Tampered, kind: str) -> list[JsonObject]:
    """The exported records of one kind."""
    return [record[kind] for record in export(store.engine) if kind in record]


def test_every_record_has_one_key_and_orders_come_in_code_point_order(tmp_path: Path) -> None:
    engine = opened(str(tmp_path / "store.db"))
    History(engine, 6, ORDERS).run(40)
    found = list(export(engine))
    assert {len(record) for record in found} == {1}
    kinds = "order ticket event posting instruction".split()
    places = [(rec[kind]["order_no"], kinds.index(kind)) for rec in found for kind in rec]
    assert places == sorted(places)
    assert [record["order"]["order_no"] for record in found if "order" in record] == sorted(ORDERS)
    engine.close()


def test_amounts_are_decimal_texts_and_times_are_utc(store: Tampered) -> None:
    order, ticket = records(store, "order")[0], records(store, "ticket")[0]
    assert (order["paid"], order["refunded"], order["paid_at"]) == (
        "242.98", "80.72", "2026-05-01T02:01:00.000000Z",
    )  # fmt: skip
    assert order["payments"][0] == {
        "payment_no": "gift_card", "tender": "gift_card", "funded_by": "buyer",
        "amount": "42.98", "reserved": "16.27", "refunded": "1.59",
    }  # fmt: skip
    assert order["lines"][0]["discounts"] == [{"code": "coupon", "amount": "16.00"}]
    assert (ticket["total"], ticket["status"]) == ("86.99", "awaiting_refund")
    assert ticket["quote"]["fees"][0]["amount"] == "-5.00"
    instruction = records(store, "instruction")[-1]
    assert instruction["amount"] is None or isinstance(instruction["amount"], str)


def test_no_amount_of_money_is_a_number_outside_of_the_chained_payloads(store: Tampered) -> None:
    counts = {"quantity", "shipped", "received", "claimed", "accepted", "rejected"}
    counts |= {"events", "number", "event", "attempt", "attempts"}

    def numbers(value: object, name: str = "") -> set[str]:
        if isinstance(value, dict):
            return {n for k, v in value.items() if k != "payload" for n in numbers(v, k)}
        if isinstance(value, list):
            return {n for part in value for n in numbers(part, name)}
        return {name} if isinstance(value, int | float) and not isinstance(value, bool) else set()

    assert numbers(list(export(store.engine))) <= counts


def test_the_hash_is_recomputed_from_the_exported_line_as_documented(store: Tampered) -> None:
    for event in records(store, "event"):
        names = ("tenant", "order_no", "number", "kind", "ticket_no", "at", "actor")
        head, payload = (
            json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            for value in ([event[name] for name in names], event["payload"])
        )
        text = f"reverseflow.event.v1\n{event['previous_hash']}\n{head}\n{payload}"
        assert event["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_personal_data_is_not_exported(store: Tampered) -> None:
    kept = " ".join(str(row) for name in ("personal", "events", "tickets")
                    for row in store.rows(tables.metadata.tables[name]))  # fmt: skip
    exported = "\n".join(lines_of(store.engine))
    assert [canary for canary in CANARIES if canary not in kept] == []
    assert [canary for canary in CANARIES if canary in exported] == []


def test_since_leaves_out_the_orders_that_have_rested(store: Tampered) -> None:
    orders = records(store, "order")
    last = max(order["last_at"] for order in orders)
    moment = datetime.fromisoformat(last)
    chosen = [order["order_no"] for order in orders if order["last_at"] >= last]
    found = [rec["order"]["order_no"] for rec in export(store.engine, since=moment) if "order" in rec]
    assert found == chosen != [order["order_no"] for order in orders]
    assert lines_of(store.engine, datetime(2020, 1, 1, tzinfo=UTC)) == lines_of(store.engine)
    assert lines_of(store.engine, datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert checker.check(lines_of(store.engine, moment)) == []


def test_rows_that_cannot_be_read_are_damage_named_by_their_order(store: Tampered) -> None:
    row = store.rows(tables.tickets)[0]
    for name, value in (("quote", "nonsense"), ("payouts", "[1]"), ("legs", "[]")):
        with store.kept(tables.tickets):
            store.put(tables.tickets, row, name, value)
            with pytest.raises(DamageFound) as caught:
                list(export(store.engine))
            assert caught.value.place == row[1]


def test_the_same_history_is_the_same_export(tmp_path: Path) -> None:
    one, other = (opened(str(tmp_path / name)) for name in ("one.db", "other.db"))
    told(other, History(one, 7, ORDERS).run(30).script)
    assert lines_of(one) == lines_of(other)
    one.close()
    other.close()


@pytest.mark.parametrize("seed", [8, 9])
def test_the_same_script_gives_the_same_export_on_postgresql(
    tmp_path: Path, postgres_url: str, seed: int
) -> None:
    """Byte for byte, whatever the numbers of the orders are; and both verify clean."""
    sqlite, postgres = opened(str(tmp_path / "store.db")), opened(postgres_url)
    told(postgres, History(sqlite, seed, ORDERS).run(60).script)
    assert lines_of(postgres) == lines_of(sqlite)
    assert list(verify(postgres)) == list(verify(sqlite)) == []
    assert checker.check(lines_of(postgres)) == []
    sqlite.close()
    postgres.close()
