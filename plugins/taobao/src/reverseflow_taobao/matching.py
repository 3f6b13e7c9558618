"""From the text a payload gives as reason to a reason's code.

Payloads carry texts, in the spelling of the page the buyer saw; codes are accepted too. Before two
texts are compared, width, case, spaces, punctuation and traditional characters are levelled.
"""

import unicodedata
from typing import NamedTuple

from reverseflow import Reason
from reverseflow_taobao.reasons import OTHER, PLATFORM_CODES, REASONS

#: The traditional forms of the characters that occur in the reasons' texts.
_SIMPLIFIED = str.maketrans(
    "與丟臨買產價優內寫動務賣發參雙協圖後實錄損換數無時顯歡汙汚沒漬現電碼簽籤約裝規記話誤貨質貴費蹤過運還適遞郵錯門問間際題顏",
    "与丢临买产价优内写动务卖发参双协图后实录损换数无时显欢污污没渍现电码签签约装规记话误货质贵费踪过运还适递邮错门问间际题颜",
)


class Match(NamedTuple):
    """The code a text stands for; `because` says why it is only the one for the rest, if it is."""

    code: str
    because: str = ""


def levelled(text: str) -> str:
    """A text with nothing in it but letters, digits and simplified characters, in one spelling."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLIFIED)
    return "".join(character for character in plain if character.isalnum())


def _by_text(platform: str) -> dict[str, Reason]:
    found: dict[str, Reason] = {}
    for reason in REASONS:
        if reason.platform == platform:
            for text in (reason.code, reason.zh, reason.en, *reason.aliases):
                owner = found.setdefault(levelled(text), reason)
                assert owner is reason, f"{text} is claimed by {owner.code} and {reason.code}"
    return found


_REASONS = _by_text(PLATFORM_CODES[0])  # the texts and codes of all platforms are the same


def match_reason(text: str, type_: str, *, received: bool = False) -> Match:
    """The reason a text stands for if a ticket of this type may have it, else the one for the rest.

    `received` says that the goods were with the buyer when he applied.
    """
    reason = _REASONS.get(levelled(text))
    if reason is None:
        return Match(OTHER, "not in the list of reasons" if text else "")
    if type_ not in reason.types:
        return Match(OTHER, f"{reason.code} is not for {type_}")
    if received and "received" not in reason.phases:
        return Match(OTHER, f"{reason.code} is not for received goods")
    return Match(reason.code)
