"""Payloads go through the engine: tickets follow the platform, again and again the same."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import reverseflow_taobao
from reverseflow import Apply, Engine, LineAsked, ReadItem, Record
from reverseflow.core.case import Ticket
from reverseflow.outbox.relay import list_outbox
from reverseflow.plugins import registry_of

Build = Callable[..., dict[str, Any]]
Read = Callable[..., list[ReadItem]]
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    plugins = registry_of({"taobao": reverseflow_taobao})
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Engine(url, plugins=plugins, clock=lambda: NOW, create=True) as engine:
        yield engine


class Shop:
    """A shop that hands in what the platform says."""

    def __init__(self, read: Read, engine: Engine) -> None:
        self.read = read
        self.engine = engine

    def hand_in(self, *payloads: object) -> list[tuple[str, str]]:
        commands = [item.command for item in self.read(*payloads) if isinstance(item, Record)]
        results = self.engine.execute(commands, platform="taobao")
        return [(result.kind, " ".join((result.outcome, *result.codes))) for result in results]

    def ticket(self, number: int = 0) -> Ticket:
        case = self.engine.case("2231884277")
        assert case is not None
        return list(case.tickets.values())[number]


@pytest.fixture
def shop(read: Read, engine: Engine) -> Shop:
    return Shop(read, engine)


@pytest.mark.parametrize(
    ("status", "public"),
    [
        ("WAIT_SELLER_AGREE", "pending_review"),
        ("WAIT_BUYER_RETURN_GOODS", "awaiting_return"),
        ("WAIT_SELLER_CONFIRM_GOODS", "awaiting_return"),
        ("SELLER_REFUSE_BUYER", "rejected"),
        ("CLOSED", "closed"),
        ("SUCCESS", "completed"),
    ],
)
def test_a_return_stands_where_the_platform_says_and_a_second_reading_changes_nothing(
    shop: Shop, returned: Build, trade: Build, status: str, public: str
) -> None:
    finished = trade(
        status="TRADE_FINISHED", consign_time="2026-05-02 08:00:00", end_time="2026-05-06 08:00:00"
    )
    payload = {"trade": finished, "refund": returned(status=status)}
    assert {"applied"} == {outcome for _, outcome in shop.hand_in(payload)}
    assert (public, "TB_QUALITY", 2642) == (
        shop.ticket().status, shop.ticket().reason, shop.ticket().total,
    )  # fmt: skip
    assert {"replayed"} == {outcome for _, outcome in shop.hand_in(payload)}


@pytest.mark.parametrize(
    ("status", "public"),
    [
        ("WAIT_SELLER_AGREE", "pending_review"),
        ("SELLER_REFUSE_BUYER", "rejected"),
        ("CLOSED", "closed"),
        ("SUCCESS", "completed"),
    ],
)
def test_a_refund_before_shipping_stands_where_the_platform_says(
    shop: Shop, refund: Build, trade: Build, status: str, public: str
) -> None:
    outcomes = shop.hand_in({"trade": trade(), "refund": refund(status=status)})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert (public, "unshipped") == (shop.ticket().status, shop.ticket().phase)


def test_a_refund_followed_step_by_step_applies_each_step_once(
    shop: Shop, returned: Build, trade: Build
) -> None:
    shop.hand_in(trade(status="TRADE_FINISHED", end_time="2026-05-06 08:00:00"))
    seen = 0
    waits = ("WAIT_SELLER_AGREE", "WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS")
    for status in (*waits, "SUCCESS"):
        payload = returned(status=status, modified=f"2026-05-1{seen} 00:00:00")
        outcomes = [outcome for _, outcome in shop.hand_in(payload)]
        assert ["replayed"] * seen + ["applied"] * (len(outcomes) - seen) == outcomes
        seen = len(outcomes)
    assert (shop.ticket().status, seen) == ("completed", 6)
    (line,) = shop.ticket().lines
    assert (line.received, line.accepted, line.disposition) == (1, 1, "scrap")


def test_the_whole_order_is_refunded_with_its_postage(shop: Shop, refund: Build, trade: Build) -> None:
    paid = trade({"payment": "36.42"}, payment="36.42", post_fee="10.00")
    outcomes = shop.hand_in({"trade": paid, "refund": refund(refund_fee="36.42", status="SUCCESS")})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert (shop.ticket().status, shop.ticket().total) == ("completed", 3642)
    assert [line.refund for line in shop.ticket().lines] == [2642, 1000]


def test_a_later_payload_without_the_trade_is_the_same_application(
    shop: Shop, refund: Build, trade: Build
) -> None:
    paid = trade({"payment": "36.42"}, payment="36.42", post_fee="10.00")
    shop.hand_in({"trade": paid, "refund": refund(refund_fee="36.42")})
    outcomes = shop.hand_in(refund(refund_fee="36.42", status="SUCCESS"))
    assert [outcome for _, outcome in outcomes] == ["replayed", "applied", "applied"]


@pytest.mark.parametrize(
    ("fee", "shares"),
    [("26.42", [2642]), ("20.00", [2000]), ("31.42", [2642, 500]), ("36.42", [2642, 1000])],
)
@pytest.mark.parametrize("shipped", [{}, {"status": "TRADE_BUYER_SIGNED"}])
def test_postage_is_refunded_only_as_far_as_the_platform_refunds_it(
    shop: Shop, refund: Build, trade: Build, shipped: dict[str, str], fee: str, shares: list[int]
) -> None:
    paid = trade({"payment": "36.42"}, payment="36.42", post_fee="10.00", **shipped)
    agreed = refund(status="SUCCESS", refund_fee=fee, reason="协商一致退款")
    outcomes = shop.hand_in({"trade": paid, "refund": agreed})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert (shop.ticket().status, shop.ticket().total) == ("completed", sum(shares))
    assert [line.refund for line in shop.ticket().lines] == shares


def test_a_part_of_the_money_leaves_the_goods_to_be_returned_later(
    shop: Shop, refund: Build, returned: Build, trade: Build
) -> None:
    signed = trade(status="TRADE_BUYER_SIGNED", consign_time="2026-05-01 18:00:00")
    part = refund(
        good_status="BUYER_RECEIVED", order_status="TRADE_BUYER_SIGNED", reason="协商一致退款",
        refund_fee="6.42", payment="20.00", status="SUCCESS",
    )  # fmt: skip
    back = returned(refund_id="2", refund_fee="20.00", status="SUCCESS")
    outcomes = shop.hand_in({"trade": signed, "refunds": [part, back]})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert [shop.ticket(0).total, shop.ticket(1).total] == [642, 2000]
    assert [shop.ticket(number).lines[0].quantity for number in (0, 1)] == [0, 1]


def test_a_second_application_follows_one_that_was_closed(shop: Shop, refund: Build, trade: Build) -> None:
    first = refund(status="CLOSED")
    second = refund(refund_id="2", created="2026-05-03 09:00:00", status="SUCCESS")
    outcomes = shop.hand_in({"trade": trade(), "refunds": [second, first]})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert [shop.ticket(0).status, shop.ticket(1).status] == ["closed", "completed"]


def test_the_platforms_deadline_goes_before_the_rulebooks(shop: Shop, refund: Build, trade: Build) -> None:
    timeout = {"exist_timeout": True, "timeout": "2026-05-03 09:00:00"}
    shop.hand_in({"trade": trade(), "refund": refund(refund_remind_timeout=timeout)})
    assert datetime(2026, 5, 3, 1, tzinfo=UTC) == shop.ticket().deadline
    assert shop.ticket().deadline_command == "approve"


def test_a_deadline_the_platform_moves_leaves_the_application_as_it_was(
    shop: Shop, refund: Build, trade: Build
) -> None:
    first, moved = (
        refund(refund_remind_timeout={"exist_timeout": True, "timeout": f"2026-05-0{day} 09:00:00"})
        for day in (3, 4)
    )
    shop.hand_in({"trade": trade(), "refund": first})
    assert shop.hand_in(moved) == [("apply", "replayed")]
    assert datetime(2026, 5, 3, 1, tzinfo=UTC) == shop.ticket().deadline


def test_without_one_the_seller_has_two_days(shop: Shop, refund: Build, trade: Build) -> None:
    shop.hand_in({"trade": trade(), "refund": refund()})
    assert datetime(2026, 5, 4, 1, tzinfo=UTC) == shop.ticket().deadline


def test_a_refund_the_seller_refused_may_still_go_on(shop: Shop, returned: Build, trade: Build) -> None:
    signed = trade(status="TRADE_BUYER_SIGNED", consign_time="2026-05-01 18:00:00")
    shop.hand_in({"trade": signed, "refund": returned(status="SELLER_REFUSE_BUYER")})
    assert shop.ticket().status == "rejected"
    outcomes = shop.hand_in(returned(status="WAIT_BUYER_RETURN_GOODS"))
    assert outcomes == [("apply", "replayed"), ("approve", "applied")]
    assert shop.ticket().status == "awaiting_return"


@pytest.mark.parametrize("goods_back", [False, True])
def test_a_refund_the_platform_paid_leaves_no_money_to_be_moved(
    shop: Shop, refund: Build, returned: Build, trade: Build, *, goods_back: bool
) -> None:
    signed = trade(status="TRADE_BUYER_SIGNED", consign_time="2026-05-01 18:00:00")
    told = {"trade": signed, "refund": returned()} if goods_back else {
        "trade": trade(), "refund": refund()
    }  # fmt: skip
    told["refund"]["status"] = "SUCCESS"
    assert {"applied"} == {outcome for _, outcome in shop.hand_in(told)}
    assert shop.ticket().status == "completed"
    assert [payout.state for payout in shop.ticket().payouts] == ["settled"]
    instructed = [entry["kind"] for entry in list_outbox(shop.engine)]
    assert instructed == (["stock_in"] if goods_back else [])
    assert {"CNY": (2642, 0, 2642)} == shop.engine.money_totals()


@pytest.mark.parametrize(
    ("actor", "status"),
    [("buyer:AAF1", "awaiting_refund"), ("platform:taobao", "pending_review")],
)
def test_only_the_platforms_own_applications_wait_for_its_word(
    shop: Shop, trade: Build, actor: str, status: str
) -> None:
    shop.hand_in(trade())
    apply = Apply(
        id="a", actor=actor, order_no="2231884277", type="refund_only", reason="TB_NOT_WANTED",
        lines=(LineAsked(line_no="2231884277", quantity=1),),
    )  # fmt: skip
    shop.engine.execute([apply])
    assert shop.ticket().status == status


def test_a_return_is_taken_after_the_window_where_the_platform_has_taken_it(
    shop: Shop, returned: Build, trade: Build
) -> None:
    finished = trade(status="TRADE_FINISHED", end_time="2026-04-01 08:00:00")
    outcomes = shop.hand_in(
        {"trade": finished, "refund": returned(reason="7天无理由退换货", status="SUCCESS")}
    )
    assert {"applied"} == {outcome for _, outcome in outcomes}


def test_more_than_was_paid_is_refused(shop: Shop, refund: Build, trade: Build) -> None:
    outcomes = shop.hand_in({"trade": trade(), "refund": refund(refund_fee="26.43")})
    assert outcomes[-1] == ("apply", "refused amount_above_quote")


def test_a_refund_of_an_order_nobody_told_is_refused(shop: Shop, refund: Build) -> None:
    assert shop.hand_in(refund()) == [("apply", "refused unknown_order")]


def test_a_changed_application_under_the_same_number_is_refused_by_field(
    shop: Shop, refund: Build, trade: Build
) -> None:
    shop.hand_in({"trade": trade(), "refund": refund()})
    assert shop.hand_in(refund(refund_fee="20.00"))[0] == ("apply", "refused id_with_other_content")


def test_the_published_sample_is_settled_as_money_alone(shop: Shop, trade: Build, refund: Build) -> None:
    sample = refund(
        refund_id="83477", status="SUCCESS", order_status="BUYER_RECEIVED", dispute_type=None,
        good_status="BUYER_RECEIVED", has_good_return=True, refund_fee="10.00", payment="200.07",
        total_fee="10.00", reason="退还邮费", company_name="申通快递", sid="123456789",
        special_refund_type="退差返现",
    )  # fmt: skip
    signed = trade(status="TRADE_BUYER_SIGNED", consign_time="2026-05-01 18:00:00")
    outcomes = shop.hand_in({"trade": signed, "refund": sample})
    assert {"applied"} == {outcome for _, outcome in outcomes}
    assert (
        shop.ticket().status, shop.ticket().reason, shop.ticket().total,
    ) == ("completed", "TB_REFUND_FREIGHT", 1000)  # fmt: skip
