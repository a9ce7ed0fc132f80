"""Words beside a value that deny it, bound it or make another value of it: "not 5", "twice 5", "5 is too small"."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.vocabulary import names
from zoo_harp.checker.words import denies

_FAR: Final = 80
"""characters beside a value that are looked at"""
_OPEN: Final = r"[\s{}$(]{0,6}$"
_BEFORE: Final = re.compile(
    r"(?:\b(?:not|never|nor|neither|cannot|untrue|false|wrong|eliminate|exclude|discard|rule out|cross out)|n't"
    r"|≠|(?<=\s)!=|\\(?:neg|lnot|nexists|neq?|not)(?![A-Za-z]))(?:\s(?:that|be|equal|to|equals|equal to|be equal to))?"
    + _OPEN
    + r"|\b(?:(?:any|every|all)\b[^.\n]{0,30}\bbut|exceeds?|exceeding|almost|nearly|close to)\b"
    + _OPEN
    + r"|(?:^|[.;:!?]\s|\{)\s?(?:no|nothing|none|nobody|neither)\b[^.,;:\n]{0,40}\b(?:is|are|equals?|gives?|be)\b"
    + _OPEN
    + r"|(?:不是|不等于|不等於|不为|不為|并非|並非|不存在[^.,;\n]{0,20})\s?$",
    re.IGNORECASE,
)
_QUALIFIED: Final = re.compile(
    r"(?:^|\b(?:is|are|be|was|equals|it's)\s|:\s?)[\s$\\(]{0,4}(?:\\text\w{0,6}\s?\{)?\s?(?:at (?:least|most)"
    r"|(?:no |\w{1,12} )?(?:more|less|fewer|greater|larger|smaller|bigger|higher|lower) than"
    r"|above|below|under|over|up to|if|unless|one of|when"
    r"|anything (?:but|except)|all but|except|other than"
    r"|twice|double|triple|thrice|half|(?:\w{1,12} )?times"
    r"|(?:the )?(?:negative|opposite|reciprocal|inverse|square|square root|cube|cube root|half|double) of)"
    r"[\s}$]{0,6}$",
    re.IGNORECASE,
)
"""what stands before a value and makes another statement or another value of it"""
_UNTRUE: Final = re.compile(
    r"\b(?:not (?:the case|true|correct|so|possible|likely)|false|untrue|incorrect|wrong|impossible|unlikely|doubt)\s"
    r"(?:to (?:say|claim|think) )?that\b[^.\n]{0,30}$"
    r"|\b(?:if|assume|suppose|assuming|supposing|whether|unless)\b[^.,;\n]{0,20}$"
    r"|\b(?:not|never|anything but)[\s}*_]{1,6}(?:the\s|final\s|correct\s){0,2}$",
    re.IGNORECASE,
)
_MORE: Final = re.compile(
    r"[\s})$]{0,4}(?:\\text\w{0,6}\s?\{)?\s?or (?:more|less|fewer|greater|larger|smaller|above|below)\b"
)
_ASKED: Final = re.compile(r"[\s})$*]{0,6}\?\s{0,4}(?:[A-Z]|$)")
_NEGATED: Final = re.compile(r"\\(?:nexists|lnot|neg)(?![A-Za-z])")
_WRONG: Final = re.compile(
    r"(?:[\s})$*.\]\\]|\\text\w{0,6}\s?\{){0,12}(?:(?:[A-Za-z]{1,8}[\s}]{1,3})?"
    r"(?:is|are|was|were|would be|seems)\s{1,4}"
    r"(?:wrong|incorrect|false|not (?:correct|right|the answer|true|possible)|impossible|invalid)\b"
    r"|(?:では(?:ない|ありません)|[이가] 아니|是错|是錯|不对|不對|不正确))",
    re.IGNORECASE,
)
_REJECTED: Final = re.compile(
    r"[\s})$*.\]]{0,12}(?:\\text\w{0,6}\s?\{\s?)?"
    r"(?:(?:is|are|was|were|does|do|did|ca|would|wo|could|has)(?:n't|n’t|\s(?:not|never))|cannot|fails?"
    r"|(?:is|are|was|were|seems) (?:too (?:small|large|big|high|low|few|many|much|great)|excluded|eliminated))\b",
    re.IGNORECASE,
)
_BOUNDARY: Final = re.compile(
    r"[.;:!?,\n]|\b(?:but|so|hence|therefore|thus|and|that|then|is|are|equals)\b|'s\b",
    re.IGNORECASE,
)
_DOUBTED: Final = re.compile(
    r"(?:\b(?:not|cannot|never|nobody|no one)|n't)\s(?:\w{1,12}\s)?(?:says?|thinks?|believe|claim|agree|knows?"
    r"|mean|suppose|guess|sure|certain|convinced|true|correct|likely)\b[^.,;!?\n]{0,40}$",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Za-z']+")
_COMPARING: Final = frozenset(
    names(
        "than other rather instead differs differ different excluding besides unlike under below above beyond bounded"
    )
) | frozenset(names("least most if assume suppose assuming supposing whether were"))
"""words after which a clause names a bound or a supposition"""


def is_denied(text: str, start: int, end: int, *, boxed: bool = False) -> bool:
    """Whether the words beside a value deny it: "not 5", "it is false that n = 10", "there is no x with x = 3".

    A box is given as the answer, also where "at least" stands before it: only a denial at its side takes it back.
    """
    first = max(0, start - _FAR)
    if boxed:
        after = _WRONG.match(text, end) or _REJECTED.match(text, end)
        return bool(after or _BEFORE.search(text, first, start))
    if any(pattern.search(text, first, start) for pattern in (_QUALIFIED, _BEFORE, _DOUBTED)):
        return True
    if any(pattern.match(text, end) for pattern in (_MORE, _WRONG, _REJECTED, _ASKED)):
        return True
    words = _WORDS.findall(_BOUNDARY.split(text[first:start])[-1].lower())
    return (
        denies(words) or not _COMPARING.isdisjoint(words) or (len(text) < _FAR and bool(_NEGATED.search(text[:start])))
    )


def is_untrue(text: str, start: int) -> bool:
    """Whether the statement that begins at ``start`` is said to be false: "it is not the case that the answer is 5"."""
    return bool(_UNTRUE.search(text, max(0, start - _FAR), start))


def is_refuted(text: str, value: str) -> bool:
    """Whether the line in which ``value`` is given as the answer takes it back, as in "5 is wrong"."""
    line = text.split("\n", 1)[0]
    at = line.find(value)
    return bool(_WRONG.search(line) or (at >= 0 and _REJECTED.match(line, at + len(value))))
