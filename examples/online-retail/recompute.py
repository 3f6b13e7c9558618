"""Recomputes what a run over this ledger must come to, straight from the CSV.

It shares no code with ReverseFlow: only csv and Decimal. ``python recompute.py [FILE]``
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

WEEK = Path(__file__).with_name("uci_online_retail_2010-12-01_to_08.csv")
SERVICES = {"POST", "DOT", "C2", "M", "D", "S", "BANK CHARGES", "AMAZONFEE"}


def recompute(path: Path = WEEK) -> dict[str, object]:
    """Orders, order lines, return lines, refusals by code, rows set aside, and the refunds."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    bought, cancelled, orders = defaultdict(list), [], set()
    counts: Counter[str] = Counter()
    for number, row in enumerate(rows):
        quantity = int(row["Quantity"])
        when = datetime.strptime(row["InvoiceDate"], "%m/%d/%y %H:%M")  # noqa: DTZ007 - no zone given
        key = row["CustomerID"], row["StockCode"]
        if row["StockCode"] in SERVICES:
            counts["service_rows"] += 1
        elif row["InvoiceNo"].startswith("C"):
            cancelled.append((when, number, key, -quantity))
        elif quantity < 0:
            counts["stock_corrections"] += 1
        else:
            counts["order_lines"] += 1
            orders.add(row["InvoiceNo"])
            bought[key].append([when, number, quantity, Decimal(row["UnitPrice"])])
    refunds, refused = Decimal("0.00"), Counter()
    for when, _, key, wanted in sorted(cancelled):
        before = sorted((lot for lot in bought[key] if lot[0] <= when), reverse=True)
        if not key[0]:
            refused["no_customer"] += 1
        elif not before:
            refused["no_purchase_found"] += 1
        elif sum(lot[2] for lot in before) < wanted:
            refused["more_than_bought"] += 1
        else:
            counts["return_lines"] += 1
            missing = wanted
            for lot in before:
                units = min(missing, lot[2])
                refunds += units * lot[3]
                lot[2], missing = lot[2] - units, missing - units
    return {
        "rows": len(rows),
        "orders": len(orders),
        **counts,
        "refused": dict(sorted(refused.items())),
        "refunds": str(refunds),
    }


if __name__ == "__main__":
    print(json.dumps(recompute(*map(Path, sys.argv[1:])), indent=2))
