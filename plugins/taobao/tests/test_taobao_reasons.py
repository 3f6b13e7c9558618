"""The texts payloads carry are understood in every spelling, or the raw text is kept."""

import pytest

from reverseflow_taobao.matching import Match, levelled, match_reason
from reverseflow_taobao.reasons import PLATFORM_CODES, REASONS, ROWS

TYPES = {row.code: next(iter(r.types)) for row in ROWS for r in REASONS if r.code == row.code}


def test_each_platform_has_the_whole_list_once() -> None:
    assert len(ROWS) == 33
    for platform in PLATFORM_CODES:
        codes = [reason.code for reason in REASONS if reason.platform == platform]
        assert [row.code for row in ROWS] == codes
        assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_reason_is_found_by_its_code_and_each_of_its_texts(row: object) -> None:
    assert isinstance(row, type(ROWS[0]))
    for text in (row.code, row.zh, row.en, *row.aliases):
        assert row.code == match_reason(text, TYPES[row.code]).code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("多拍、拍错、不想要", "TB_NOT_WANTED"),
        ("多拍 / 拍错 ／ 不想要", "TB_NOT_WANTED"),
        ("多拍/拍錯/不想要", "TB_NOT_WANTED"),
        ("價格太貴,先不買了", "TB_PRICE"),
        ("快遞／物流一直未送到", "TB_NOT_ARRIVED"),
        ("物流顯示簽收但實際未收到貨", "TB_SIGNED_NOT_RECEIVED"),
        ("不喜欢/不想要(拒收)", "TB_REFUSED_NOT_WANTED"),
        ("退還郵費", "TB_REFUND_FREIGHT"),
        ("沒用／少用優惠", "TB_MISSED_PROMO"),
        ("tb_not_wanted", "TB_NOT_WANTED"),
    ],
)
def test_spelling_does_not_matter(text: str, code: str) -> None:
    assert Match(code) == match_reason(text, "refund_only")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("７天無理由退換貨", "TB_7DAY"),
        ("包裝、商品破損、污漬", "TB_DAMAGED"),
        ("材質/成分與商品描述不符", "TB_DESC_MATERIAL"),
        ("顏色／圖案／款式與描述不符", "TB_DESC_LOOK"),
        ("已過/臨近保質期", "TB_EXPIRY"),
        ("使用後過敏", "TB_ALLERGY"),
        ("少件（含缺少配件）", "TB_MISSING_PART"),
        ("質量問題", "TB_QUALITY"),
        ("發票問題", "TB_INVOICE"),
        ("賣家發錯貨", "TB_WRONG_ITEM"),
    ],
)
def test_spelling_does_not_matter_for_returns_either(text: str, code: str) -> None:
    assert Match(code) == match_reason(text, "return_refund")


def test_an_unknown_text_is_taken_as_other_and_says_so() -> None:
    assert Match("TB_OTHER", "not in the list of reasons") == match_reason("天气不好", "refund_only")
    assert Match("TB_OTHER") == match_reason("", "refund_only")


def test_a_reason_of_another_type_is_taken_as_other_since_the_engine_would_refuse_it() -> None:
    assert match_reason("多拍/拍错/不想要", "return_refund").code == "TB_OTHER"
    assert match_reason("7天无理由退换货", "refund_only").code == "TB_OTHER"


def test_a_reason_from_before_the_parcel_arrived_is_not_one_of_received_goods() -> None:
    assert match_reason("多拍/拍错/不想要", "refund_only").code == "TB_NOT_WANTED"
    assert match_reason("多拍/拍错/不想要", "refund_only", received=True).code == "TB_OTHER"
    assert match_reason("协商一致退款", "refund_only", received=True).code == "TB_AGREED"


def test_levelling_leaves_letters_and_digits_alone() -> None:
    assert levelled(" ７ 天，（ＡBC）／、 ") == "7天abc"


def test_goods_given_back_as_damaged_are_not_restocked() -> None:
    by_code = {reason.code: reason for reason in REASONS}
    assert by_code["TB_DAMAGED"].disposition == "scrap"
    assert by_code["TB_7DAY"].disposition == "restock"
    assert (
        by_code["TB_DAMAGED"].freight_out,
        by_code["TB_DAMAGED"].freight_back,
    ) == ("seller", "seller")
    assert by_code["TB_7DAY"].freight_back == "buyer"


def test_the_no_reason_return_alone_has_the_window_for_it() -> None:
    assert {"TB_7DAY"} == {reason.code for reason in REASONS if reason.window == "no_reason"}
