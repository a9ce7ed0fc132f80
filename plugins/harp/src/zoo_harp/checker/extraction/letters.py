"""The letter of a choice in a response."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.extraction.assertions import is_asserted, is_kept
from zoo_harp.checker.extraction.boxes import last_box
from zoo_harp.checker.extraction.reader import anchors, delimited
from zoo_harp.checker.extraction.reply import reply
from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.limits import MAX_RESPONSE

_SHORT: Final = 100
_LONG: Final = 200
_LETTER: Final = re.compile(
    r"(?:\\(?:text[a-z]{0,6}|mathrm|mathbf|rm|bf|boxed|fbox)(?![a-z])|[\s{($*_`\"'\[:]|option\b|choice\b|\\[(\[]){0,24}"
    r"(?<![A-Za-z\\])([A-Ea-e])(?![A-Za-z])(?P<after>.{0,40})",
    re.DOTALL | re.IGNORECASE,
)
_PROSE_AFTER: Final = re.compile(r"\s{1,8}(?!because|since|as\b|is\b|for\b|and\b|or\b|with\b)[a-z]{2,}")
_SECOND: Final = re.compile(
    r"[\s})$.*]{0,12}(?:,|\?|\bor\b|\band\b|\\text\{\s{0,4}(?:or|and)\s{0,4}\}|/)[\s({$*]{0,12}"
    r"(?:\\text\w{0,6}\s?\{\s?\(?)?([A-E])(?![A-Za-z])"
)
_OR_ANYTHING: Final = re.compile(r"(?:[\s})$.*]{0,12}|[^$]{0,30}\$\s{0,4})(?:\bor\b|\\text\{\s{0,4}or\b|\\lor\b)")
_OPERATED: Final = re.compile(r"[-+/*^<>]|(?<![A-Za-z])[A-Za-z]\s?=|\\(?:cdot|times|sin|cos|forall|lnot|neg)(?![a-z])")
_CHANGED: Final = re.compile(
    r"\b(?:half|twice|double|thrice|inverse|negative|opposite|square|except|unlike|instead|up to)\b"
)
_RESET: Final = re.compile(r"[.,;:!?\n]|\b(?:so|thus|hence|therefore|but|then|and)\b")
_CONTRASTED: Final = re.compile(r"\b(?:not|rather than|instead of)\s{1,4}(?:option|choice|answer)?[\s({$*]{0,8}$")
_JOINED: Final = re.compile(r"(?<![\w\\'])\(?([A-E])\)?(?:[,/?]|,?\s{1,4}(?:and|or)\b)\s{0,4}$")
_NAMED: Final = re.compile(r"\b(?:option|choice|letter)\s{1,4}(?:is\s{1,4})?[($*{]{0,4}([A-E])(?![A-Za-z'])")
_FACTOR: Final = r"(?<![\d)])(?<!\b[A-Za-z])"
"""no number and no single letter before: with one of them the letter in brackets is multiplied"""
_LAST_LETTER: Final = re.compile(
    rf"{_FACTOR}\(([A-E])\)(?!\s?[-+*/^]\s?\w)|(?<![\w\\'(])([A-E])(?![\w'])(?=[.)*\s]{{0,8}}$)"
)


def extract_choice(response: str) -> str | None:
    """The letter A to E that a response chooses; None if there is none, or two are joined by "or" and "and"."""
    text, _ = reply(response[-MAX_RESPONSE:])
    box = last_box(text)
    for anchor in anchors(text):
        if box is not None and anchor.start < box.end:
            break
        if not is_kept(text, anchor.end, anchor.end + 1):
            return None
        letter = _letter(anchor.text[:_LONG])
        if letter is not None:
            return letter or None
        if _CHANGED.match(anchor.text):
            return None
    if box is not None:
        return _letter(box.text[:_LONG]) or None if is_kept(text, box.start, box.end) else None
    if len(text) <= _LONG:
        letter = _letter(text)
        if letter is not None:
            return letter or None
    for formula in reversed(list(delimited(text))):
        letter = _letter(formula.text[:_LONG])
        if letter is not None:
            marked = "(" in formula.text or is_asserted(text, formula.start, formula.end)
            return letter if letter and marked and _is_chosen(text, formula.start, formula.end, letter) else None
    mentions = sorted((*_NAMED.finditer(text), *_LAST_LETTER.finditer(text)), key=lambda match: match.end())
    for last in reversed(mentions):
        letter = last[last.lastindex or 1]
        if not _CONTRASTED.search(text, max(0, last.start() - _SHORT), last.start()):
            return letter if _is_chosen(text, *last.span(), letter) else None
    return None


def _is_chosen(text: str, start: int, end: int, letter: str) -> bool:
    """Whether the words around a letter leave it, and neither another letter nor a sign changes it."""
    before = text[max(0, start - _SHORT) : start]
    joined = _JOINED.search(before)
    clause = _RESET.split(before)[-1]
    bare = before.rstrip(" ($*")
    changed = (
        _OPERATED.search(bare[-3:])
        or bare.endswith(("\\cdot", "\\times"))
        or _CHANGED.search(clause)
        or denies(clause.split())
    )
    return is_kept(text, start, end) and not changed and (joined is None or joined[1] == letter)


def _letter(text: str) -> str | None:
    """The letter that ``text`` begins with; empty if it is one of several, None if it begins with none."""
    match = _LETTER.match(text)
    if match is None:
        return None
    letter, after = match[1].upper(), match["after"]
    glued = text[: match.start(1)].rstrip()[-1:]
    if glued not in ("(", "{", "*", "$", "[") and (
        _PROSE_AFTER.match(after) or (match[1].islower() and after.strip(" .)*"))
    ):
        return None
    second = _SECOND.match(after)
    if (second and second[1].upper() != letter) or _OR_ANYTHING.match(after) or _OPERATED.match(after.lstrip(" })$*")):
        return ""
    return letter if is_kept(text, match.start(1), match.end(1)) else None
