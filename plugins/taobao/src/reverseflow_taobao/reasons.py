"""The reasons a buyer may give on Taobao and Tmall, as one table, edition `taobao-2026.04`.

The texts are the platform's. Which of its pages a text stands on, and whose fault it is, is a
classification of this project's own, after the dispute handling rules of 2025-08-15.
"""

from typing import NamedTuple

from reverseflow import Reason

PLATFORM_CODES = ("taobao", "tmall")
OTHER = "TB_OTHER"
FREE = "seller_if_free_shipping"  # else the buyer
KEPT = "seller_if_free_shipping_kept"  # else the buyer: a part return may break the condition

#: The pages of the platform as ticket type and phases of the engine. The engine sees goods as
#: received when the trade is signed or finished: buyers complain before that, and trades finish
#: by time-out without a parcel. Reasons from before shipping are given until the parcel arrives.
_ON_THE_WAY_OR_THERE = ("shipped", "received")
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "unshipped": ("refund_only", ("unshipped", "shipped")),
    "not_received": ("refund_only", _ON_THE_WAY_OR_THERE),
    "kept": ("refund_only", _ON_THE_WAY_OR_THERE),
    "return": ("return_refund", _ON_THE_WAY_OR_THERE),
    "exchange": ("exchange", _ON_THE_WAY_OR_THERE),
}


class Row(NamedTuple):
    """A reason: the `pages` it stands on, whose fault, who pays `freight` out and back, the proof.

    `scrap` says that goods sent back with it are not sold again.
    """

    code: str
    zh: str
    en: str
    pages: str
    fault: str
    aliases: tuple[str, ...] = ()
    freight: tuple[str, str] = ("", "")
    evidence: str = ""
    scrap: bool = False


_SELLER = ("seller", "seller")
_BUYER_BACK = (KEPT, "buyer")
_KEPT_OR_RETURN = "kept return"
_ANY_RECEIVED = "kept return exchange"

ROWS = (
    # Before shipping
    Row("TB_NOT_WANTED", "多拍/拍错/不想要", "Ordered by mistake / not wanted", "unshipped",
        "buyer", ("多拍/错拍/不想要", "拍错/多拍/不喜欢", "不想买了", "买错/多买/不想要")),
    Row("TB_WRONG_INFO", "信息填写错误", "Wrong address or order details", "unshipped", "buyer",
        ("信息填写错了，重新拍", "地址/电话信息填写错误")),
    Row("TB_MISSED_PROMO", "没用/少用优惠", "Discount not applied", "unshipped kept", "none",
        ("活动/优惠未生效", "少用/未用优惠"), evidence="page"),
    Row("TB_PRICE", "商品买贵了或者降价", "Found cheaper / price dropped", "unshipped kept", "none",
        ("价格太贵，先不买了",), evidence="page"),
    Row("TB_OUT_OF_STOCK", "缺货", "Out of stock", "unshipped", "seller", ("卖家缺货",)),
    Row("TB_AGREED", "协商一致退款", "Refund agreed by both sides", "unshipped not_received kept",
        "agreed", ("与卖家协商一致退款", "买/卖双方协商一致"), freight=_SELLER),
    Row("TB_LATE_SHIP", "未按约定时间发货", "Not shipped as promised",
        "unshipped not_received kept return", "seller", ("配送超时", "快递延期"), freight=_SELLER),
    # On the way
    Row("TB_NOT_ARRIVED", "快递/物流一直未送到", "Parcel never arrived", "not_received", "carrier",
        ("快递/物流一直未收到", "包裹丢失"), freight=_SELLER, evidence="logistics"),
    Row("TB_NO_TRACKING", "快递/物流无跟踪记录", "No tracking record", "not_received", "seller",
        ("快递记录出错",), freight=_SELLER, evidence="logistics"),
    Row("TB_SIGNED_NOT_RECEIVED", "物流显示签收但实际未收到货", "Marked delivered, not received",
        "not_received", "carrier", freight=("seller", ""), evidence="logistics"),
    Row("TB_EMPTY_PARCEL", "空包裹", "Empty parcel", "not_received kept", "seller",
        freight=_SELLER, evidence="photo weigh"),
    Row("TB_REFUSED_DAMAGED", "货物破损已拒签", "Damaged, refused at the door", "not_received",
        "seller", freight=_SELLER, evidence="photo reject"),
    Row("TB_REFUSED_NOT_WANTED", "不喜欢/不想要（拒收）", "Changed mind, delivery refused",
        "not_received", "buyer", ("不喜欢/不想要",), freight=(FREE, "buyer"), evidence="reject"),
    Row("TB_NOT_TO_DOOR", "未送货上门", "Not delivered to the door", "not_received return",
        "carrier", freight=_SELLER, evidence="logistics"),
    # Received
    Row("TB_7DAY", "7天无理由退换货", "7-day no-reason return", "return exchange", "buyer",
        ("七天无理由退换货", "7天无理由退货", "7天无理由退款"), freight=_BUYER_BACK),
    Row("TB_DISLIKE", "不喜欢/效果不好", "Do not like it", "return", "buyer",
        freight=_BUYER_BACK),
    Row("TB_SIZE_FIT", "大小/尺寸不合适", "Size does not fit", "return exchange", "buyer",
        ("更换尺码", "尺码太大"), freight=_BUYER_BACK),
    Row("TB_REFUND_FREIGHT", "退运费", "Refund freight only", "kept", "agreed",
        ("退还邮费",), freight=("seller", "")),
    Row("TB_INVOICE", "发票问题", "Invoice problem", _KEPT_OR_RETURN, "seller",
        freight=_SELLER, evidence="page"),
    Row("TB_MISSING_PART", "少件/漏发", "Missing item or part", _KEPT_OR_RETURN, "seller",
        ("收到商品少件/破损", "少件(含缺少配件)", "商品漏发/错发"), freight=_SELLER,
        evidence="photo weigh"),
    Row("TB_DAMAGED", "包装/商品破损/污渍", "Damaged or stained", _ANY_RECEIVED, "seller",
        ("收到商品破损", "商品破损/包装问题"), freight=_SELLER, evidence="photo", scrap=True),
    Row("TB_WRONG_ITEM", "卖家发错货", "Wrong item sent", _ANY_RECEIVED, "seller",
        ("商家发错货", "错发"), freight=_SELLER, evidence="photo"),
    Row("TB_QUALITY", "质量问题", "Quality problem", _ANY_RECEIVED, "seller",
        ("商品质量不好", "商品瑕疵", "质量存在问题"), freight=_SELLER, evidence="photo",
        scrap=True),
    Row("TB_WORKMANSHIP", "做工粗糙/有瑕疵", "Poor workmanship", _KEPT_OR_RETURN, "seller",
        freight=_SELLER, evidence="photo"),
    Row("TB_DESC_MATERIAL", "材质/成分与商品描述不符", "Material differs from description",
        _KEPT_OR_RETURN, "seller", ("商品成分描述不符",), freight=_SELLER, evidence="photo report"),
    Row("TB_DESC_SIZE", "大小尺寸与商品描述不符", "Size differs from description", _ANY_RECEIVED,
        "seller", ("商品描述的尺寸与实物不符", "尺寸/规格不符"), freight=_SELLER, evidence="photo"),
    Row("TB_DESC_LOOK", "颜色/图案/款式与描述不符", "Colour or style differs", _ANY_RECEIVED,
        "seller", ("颜色/图案/款式不符", "颜色/尺寸/参数不符"), freight=_SELLER,
        evidence="photo"),
    Row("TB_DESC", "与商品描述不符", "Not as described", _ANY_RECEIVED, "seller",
        ("货物与描述不符", "商品信息描述不符", "内容与描述不符"), freight=_SELLER,
        evidence="photo"),
    Row("TB_EXPIRY", "已过/临近保质期", "Expired or near expiry", _KEPT_OR_RETURN, "seller",
        freight=_SELLER, evidence="photo", scrap=True),
    Row("TB_ALLERGY", "使用后过敏", "Allergic reaction", _KEPT_OR_RETURN, "none",
        freight=_SELLER, evidence="report", scrap=True),
    Row("TB_COUNTERFEIT", "假冒品牌", "Counterfeit", _KEPT_OR_RETURN, "seller",
        ("假冒品牌/产品",), freight=_SELLER, evidence="photo report", scrap=True),
    # Money only, and what fits nowhere else
    Row("TB_PRICE_PROTECT", "价保/退差价", "Price protection", "kept not_received", "none",
        ("价保服务", "退差返现"), evidence="page"),
    Row(OTHER, "其他", "Other", "unshipped not_received kept return exchange", "undecided",
        ("其它", "其他原因"), freight=("seller", "buyer")),
)  # fmt: skip


def _reason(row: Row, platform: str) -> Reason:
    pages = [PAGES[name] for name in row.pages.split()]
    return Reason(
        row.code,
        row.en,
        row.zh,
        platform=platform,
        types=tuple(dict.fromkeys(type_ for type_, _ in pages)),
        phases=tuple(dict.fromkeys(phase for _, phases in pages for phase in phases)),
        fault=row.fault,
        aliases=row.aliases,
        evidence=tuple(row.evidence.split()),
        freight_out=row.freight[0],
        freight_back=row.freight[1],
        disposition="scrap" if row.scrap else "restock",
        window="no_reason" if row.code == "TB_7DAY" else "",
    )


REASONS = tuple(_reason(row, platform) for platform in PLATFORM_CODES for row in ROWS)
