"""Payloads to start from, and the reader as an operator would meet it: with a file."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reverseflow import Drawn, Purchase, ReadItem, open_source
from reverseflow_taobao.payloads import READER

Build = Callable[..., dict[str, Any]]
Read = Callable[..., list[ReadItem]]


class Context:
    """A context that knows nothing of any order."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.options: Mapping[str, str] = {}

    def purchases(self, account: str, skus: Sequence[str], until: datetime) -> list[Purchase]:
        return []

    def drawn(self, external_no: str) -> list[Drawn]:
        return []


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read values as JSON Lines, or a text as it is."""

    def read_values(*values: object, text: str = "", platform: str = "taobao") -> list[ReadItem]:
        path = tmp_path / "payload.json"
        lines = text or "".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values)
        path.write_text(lines, encoding="utf-8")
        return list(READER.read(open_source(str(path)), Context(platform)))

    return read_values


@pytest.fixture
def refund() -> Build:
    """A refund of unshipped goods, complete, with changes; None takes a field away."""

    def build(**changes: object) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "refund_id": "7112233445566778899", "tid": "2231884277", "oid": "2231884277",
            "status": "WAIT_SELLER_AGREE", "dispute_type": "REFUND", "refund_phase": "onsale",
            "order_status": "WAIT_SELLER_SEND_GOODS", "good_status": "BUYER_NOT_RECEIVED",
            "has_good_return": False, "refund_fee": "26.42", "payment": "0.00",
            "total_fee": "26.42", "num": 1, "reason": "多拍/拍错/不想要", "desc": "",
            "created": "2026-05-02 09:00:00", "modified": "2026-05-02 09:00:00",
        }  # fmt: skip
        return {name: v for name, v in (fields | changes).items() if v is not None}

    return build


@pytest.fixture
def returned(refund: Build) -> Build:
    """A return of goods the buyer has, complete, with changes."""

    def build(**changes: object) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "dispute_type": "REFUND_AND_RETURN", "has_good_return": True,
            "order_status": "TRADE_FINISHED", "good_status": "BUYER_RETURNED_GOODS",
            "reason": "质量问题", "company_name": "申通快递", "sid": "123456789",
            "good_return_time": "2026-05-12 18:00:00", "created": "2026-05-10 09:00:00",
        }  # fmt: skip
        return refund(**(fields | changes))

    return build


@pytest.fixture
def trade() -> Build:
    """A paid trade of one sub-order, not shipped, with changes to it and to the sub-order."""

    def build(order: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
        line = {
            "oid": "2231884277", "num_iid": 3838293428, "outer_sku_id": "SKU-1", "title": "外套",
            "price": "26.42", "num": 1, "total_fee": "26.42", "discount_fee": "0.00",
            "adjust_fee": "0.00", "payment": "26.42", "divide_order_fee": "26.42",
        }  # fmt: skip
        fields: dict[str, Any] = {
            "tid": "2231884277", "status": "WAIT_SELLER_SEND_GOODS", "payment": "26.42",
            "post_fee": "0.00", "created": "2026-05-01 10:00:00", "pay_time": "2026-05-01 10:01:00",
            "alipay_no": "2026050122001", "buyer_open_uid": "AAF1", "receiver_name": "李雷",
            "receiver_mobile": "13800000000", "receiver_city": "杭州",
            "receiver_address": "文一路1号",
            "orders": {"order": [line | (order or {})]},
        }  # fmt: skip
        return {name: v for name, v in (fields | changes).items() if v is not None}

    return build
