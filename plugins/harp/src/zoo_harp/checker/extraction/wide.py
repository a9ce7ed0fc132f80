"""Assertions in Chinese, Japanese and Korean: a linking sign before the value, and no denial beside it."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.extraction.clauses import FAR

_NEAR: Final = 5
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WIDE_STOP: Final = re.compile(r"[.!?。！？\n]")
_WIDE_LINK: Final = re.compile(
    r"(?:^|[是为為は有得于於到要需がも은는이가共即答案計计값수率率:：,，=]|所以|因此|从而|故|よって|したがって|すなわち|ゆえに|그러므로|따라서|즉)[\s$*\\(\[{]*$"
)
_WIDE_CONTRAST: Final = re.compile("[,，;；]|而是|而应|なく|아니라|말고")
"""what ends a clause, and what stands between a denied value and the asserted one"""
_WIDE_OPERATOR: Final = re.compile(
    "不(?!同)|[非没沒無无未否错錯误誤違超若吗嗎か或]|ない|ませ|아니|않|없|틀|오답|보다|미만|이상|이하|초과|만약|만일|最多|最少|至多|至少|以上|以下|大于|大於|"
    "小于|小於|多于|少于|如果|假设|假設|假如|可能|大约|大約|大概|もし|かも|おそらく|恐らく|たぶん|多分|とされ|といわれ|と言われ|と思|という|と言え|とは|らしい|そうだ|はず|だろう|でしょう|据说|據說|听说|聽說|传说|有人|也许|也許|大概|或许|或許|似乎|好像|据传|據傳|传闻|傳聞|猜|估计|估計|[他她]说|左右|以外|的\\s?(?:一半|[两兩二三四五六七八九十\\d]{0,3}\\s?倍)|の\\s?(?:半分|[二三\\d]{0,3}\\s?倍)"
    "|推測|推定|噂|聞い|によれば|によると|くらい|ぐらい|라던데|쯤|추정|지도|정도|의\\s?(?:절반|(?:두|세|네|\\d{1,3})?\\s?배)|라고|다고|일\\s?수도|것\\s?같|듯|아마|추측|소문|約|间|間|なく|より|以内|아닙|아닌|\\bor\\b"
)
_RETRACTION: Final = re.compile(
    "[错錯误誤]|不对|不對|不正|不成立|不是|不行|并非|並非|否|作废|收回|撤回|ではな|ではあ|でな|じゃな|違|ちが|아니|아닙|아닌|않|틀|오답|잘못|취소"
)
_POINTING: Final = re.compile(
    "\\s*(?:[这這那该該不但]|上面|以上|刚才|剛才|でも|しかし|これ|それ|この|その|이|그|위|하지만|저)"
)


def is_asserted_wide(text: str, start: int, end: int) -> bool:
    """Whether a linking sign stands before a value, and nothing that denies or bounds it beside it."""
    before, _ = _sentence(text, start, end)
    linked = _WIDE_LINK.search(_clause(before)) or _WIDE_LINK.search(before)
    return bool(linked) and not is_denied_wide(text, start, end)


def is_denied_wide(text: str, start: int, end: int) -> bool:
    """Whether something in its sentence denies, bounds or questions a value."""
    before, after = _sentence(text, start, end)
    return bool(_WIDE_OPERATOR.search(_clause(before)) or _WIDE_OPERATOR.search(after) or "?" in after or "？" in after)


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    first = max(
        (stop.end() for stop in _WIDE_STOP.finditer(text, max(0, start - FAR), start)), default=max(0, start - FAR)
    )
    following = _WIDE_STOP.search(text, end, end + FAR)
    last = following.end() if following else end + FAR
    return text[first:start], text[end:last]


def _clause(before: str) -> str:
    return _WIDE_CONTRAST.split(before)[-1]


def takes_back_wide(sentence: str) -> bool:
    """Whether a sentence after the answer calls it wrong: it names no other value, or points to what was said."""
    if not (_WIDE.search(sentence) and _RETRACTION.search(sentence)):
        return False
    return not any(map(str.isdigit, sentence)) or bool(_POINTING.match(sentence))


def is_wide(text: str, start: int, end: int) -> bool:
    """Whether letters of these scripts stand beside ``text[start:end]``."""
    return bool(_WIDE.search(text, max(0, start - _NEAR), end + _NEAR))
