"""The reasons a buyer may give on every platform, as one table.

No reason is bound to a phase or a type here: a line of which one unit was shipped can be
complained about while another still stands in the warehouse. A reason that needs proof goes to a
person instead (`rules.evidence_required`). A platform's own list may be narrower.
"""

from reverseflow import Reason

_PHOTO = ("photo",)

#: Seller's fault: the seller pays both ways. No fault: the buyer sends back at his own cost (S-45).
#: Proof is asked for where the goods or their quality are complained about (S-46, O-03, O-04).
REASONS = (
    Reason("not_wanted", "not wanted any more", "不想要了", fault="buyer",
           freight_out="buyer", freight_back="buyer",
           aliases=("多拍/拍错/不想要", "拍错/多拍/不喜欢", "ordered by mistake")),
    Reason("wrong_address", "wrong address or order details", "地址/信息填写错误", fault="buyer",
           freight_out="buyer", freight_back="buyer", aliases=("信息填写错误",)),
    Reason("found_cheaper", "found cheaper elsewhere", "买贵了/其他地方更便宜", fault="none",
           freight_out="buyer", freight_back="buyer", aliases=("商品买贵了或者降价",)),
    Reason("out_of_stock", "out of stock", "缺货", fault="seller",
           freight_out="seller", freight_back="seller", aliases=("卖家缺货",)),
    Reason("late_shipment", "not shipped as promised", "未按约定时间发货", fault="seller",
           freight_out="seller", freight_back="seller", aliases=("延迟发货",)),
    Reason("not_arrived", "parcel has not arrived", "快递/物流一直未送到", fault="carrier",
           freight_out="seller", freight_back="seller", aliases=("未收到货",)),
    Reason("lost", "parcel lost on the way", "包裹丢失", fault="carrier",
           freight_out="seller", freight_back="seller", aliases=("丢件",)),
    Reason("refused_delivery", "delivery refused", "拒收", fault="buyer",
           freight_out="buyer", freight_back="buyer", aliases=("不喜欢/不想要（拒收）",)),
    Reason("no_reason_return", "return without giving a reason", "七天无理由退货", fault="buyer",
           window="no_reason",
           freight_out="buyer", freight_back="buyer",
           aliases=("7天无理由退换货", "七天无理由退换货", "7天无理由退货")),
    Reason("size_fit", "size does not fit", "大小/尺寸不合适", fault="buyer",
           freight_out="buyer", freight_back="buyer", aliases=("尺码不合适",)),
    Reason("not_as_described", "not as described", "与商品描述不符", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO,
           aliases=("货物与描述不符", "商品信息描述不符")),
    Reason("quality", "quality problem", "质量问题", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO,
           aliases=("商品质量不好", "商品瑕疵"), disposition="refurbish"),
    Reason("damaged", "damaged or stained", "包装/商品破损/污渍", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO,
           aliases=("收到商品破损", "商品破损"), disposition="scrap"),
    Reason("missing_item", "item or part missing", "少件/漏发", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO, aliases=("漏发",)),
    Reason("wrong_item", "wrong item sent", "卖家发错货", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO,
           aliases=("商家发错货", "错发")),
    Reason("expired", "expired or about to expire", "已过/临近保质期", fault="seller",
           freight_out="seller", freight_back="seller", evidence=_PHOTO, disposition="scrap"),
    Reason("counterfeit", "counterfeit", "假冒品牌", fault="seller",
           freight_out="seller", freight_back="seller", evidence=("photo", "report"),
           aliases=("假冒品牌/产品",), disposition="scrap"),
    Reason("agreed", "agreed by both sides", "协商一致退款", fault="agreed",
           freight_out="seller", freight_back="seller", aliases=("与卖家协商一致退款",)),
    Reason("price_protection", "price protection", "价保/退差价", fault="none",
           freight_out="buyer", freight_back="buyer", aliases=("价保服务", "退差价")),
    Reason("other", "other", "其他", fault="undecided",
           freight_out="seller", freight_back="buyer", aliases=("其它", "其他原因")),
)  # fmt: skip
