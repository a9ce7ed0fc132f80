"""The letter of a choice in a response."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.limits import MAX_RESPONSE
from zoo_harp.checker.sandbox.assertions import is_kept
from zoo_harp.checker.sandbox.boxes import last_box
from zoo_harp.checker.sandbox.extraction import anchors, delimited
from zoo_harp.checker.sandbox.reply import reply

_SHORT: Final = 100
_LETTER: Final = re.compile(
    r"(?:\\(?:text[a-z]{0,6}|mathrm|mathbf|rm|bf|boxed|fbox)(?![a-z])|[\s{($*_`\"'\[:]|option\b|choice\b|\\[(\[]){0,24}"
    r"(?<![A-Za-z\\])([A-Ea-e])(?![A-Za-z])(?P<after>.{0,40})",
    re.DOTALL | re.IGNORECASE,
)
_PROSE_AFTER: Final = re.compile(r"\s{1,8}(?!because|since|as\b|is\b|for\b|and\b|or\b|with\b)[a-z]{2,}")
_REJECTED: Final = re.compile(
    r"[\s})$.*]{0,12}(?:is|are|cannot be|can't be)\s{1,8}(?:wrong|incorrect|not|false|impossible)\b"
)
_SECOND: Final = re.compile(
    r"[\s})$.*]{0,12}(?:,|\?|\bor\b|\band\b|\\text\{\s{0,4}(?:or|and)\s{0,4}\}|/)[\s({$*]{0,12}"
    r"(?:\\text\w{0,6}\s?\{\s?\(?)?([A-E])(?![A-Za-z])"
)
_JOINED: Final = re.compile(r"(?<![\w\\'])\(?([A-E])\)?(?:[,/?]|,?\s{1,4}(?:and|or)\b)\s{0,4}$")
_NAMED: Final = re.compile(r"\b(?:option|choice|letter)\s{1,4}(?:is\s{1,4})?[($*{]{0,4}([A-E])(?![A-Za-z'])")
_LAST_LETTER: Final = re.compile(r"\(([A-E])\)(?!\s?[-+*/^]\s?\w)|(?<![\w\\'])([A-E])(?![\w'])(?=[.)*\s]{0,8}$)")


def extract_choice(response: str) -> str | None:
    """The letter A to E that a response chooses; None if there is none, or two are joined by "or" and "and"."""
    text, _ = reply(response[-MAX_RESPONSE:])
    box = last_box(text)
    for anchor in anchors(text):
        if box is not None and anchor.start < box.end:
            break
        if not is_kept(text, anchor.end, anchor.end + 1):
            return None
        letter = _letter(anchor.text[:200])
        if letter is not None:
            return letter or None
    if box is not None:
        return _letter(box.text[:200]) or None if is_kept(text, box.start, box.end) else None
    if len(text) <= 200:
        letter = _letter(text)
        if letter is not None:
            return letter or None
    for formula in reversed(list(delimited(text))):
        letter = _letter(formula.text[:200])
        if letter is not None:
            return letter or None
    last = None
    for match in _NAMED.finditer(text):
        last = match
    for match in _LAST_LETTER.finditer(text):
        last = match
    if last is None:
        return None
    letter = last[last.lastindex or 1]
    if not is_kept(text, *last.span()):
        return None
    joined = _JOINED.search(text, max(0, last.start() - _SHORT), last.start())
    return letter if joined is None or joined[1] == letter else None


def _letter(text: str) -> str | None:
    """The letter that ``text`` begins with; empty if two different ones are joined, None if it begins with none."""
    match = _LETTER.match(text)
    if match is None:
        return None
    letter, after = match[1].upper(), match["after"]
    glued = text[: match.start(1)].rstrip()[-1:]
    if glued not in ("(", "{", "*", "$", "[") and (
        _PROSE_AFTER.match(after) or (match[1].islower() and after.strip(" .)*"))
    ):
        return None
    if _REJECTED.match(after):
        return None
    second = _SECOND.match(after)
    if second and second[1].upper() != letter:
        return ""
    return letter
