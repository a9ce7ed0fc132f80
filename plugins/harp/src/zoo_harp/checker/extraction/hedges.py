"""Sentences that leave a value open: other values beside it, and conditions of which another value has its own.

A reply that names several values, one of them right, answers nothing: "7 or 8", "7, alternatively 8", "7 if n is even
and 8 if n is odd".
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from zoo_harp.checker.extraction.clauses import Words
from zoo_harp.checker.lexicon import is_operator
from zoo_harp.checker.vocabulary import names

_ALTERNATIVES: Final = frozenset(
    names(
        "maybe perhaps possibly alternatively might could else otherwise unless except provided assuming iff versus vs "
        "corrected"
    )
)
"""words after a value that offer another one, or bind it to a condition"""
_OR: Final = frozenset(names("o ou oder или либо eller lub veya"))
"""words for "or" between two values; some of them are articles elsewhere"""
_OFFERS: Final = frozenset(names("options choices candidates possibilities alternatives contenders guesses"))
"""plurals before a colon that announce values of which none is asserted"""
_FIRST_OF_LIST: Final = re.compile(r"[,;]F(?:$|[,;)])")
_LAST_OF_LIST: Final = re.compile(r"(?:^|:)(?:F[,;])+C?$")
_CONDITIONAL_ASIDE: Final = re.compile(r"\(F(?!\))")
_SIDES: Final = ("above", "below")
SUPERLATIVES: Final = frozenset(names("smallest largest least greatest first last only number numbers integers"))
_CONDITIONS: Final = tuple((word,) for word in names("if when for in at where"))
_REASONS: Final = ("because", "since", "equality")
_PLACES: Final = frozenset(names("at for with in of when where among since because attained achieved reached is are"))
"""words behind which a further value does not compete with the first"""


def is_open(left: Words, right: Words, value: str) -> bool:
    """Whether the words before and after ``value`` offer other values, or bind it to one of several conditions."""
    listed = _FIRST_OF_LIST.match(right.classes) or ("=" not in value and _LAST_OF_LIST.search(left.classes))
    if listed or is_conditional(left, right):
        return True
    if any(word in _OR and after == "F" for word, after in zip(right.words[:4], right.classes[1:5], strict=False)) or (
        left.words[-1:] and left.words[-1] in _OR and left.classes[-2:-1] == "F"
    ):
        return True
    if right.words[:1] == ("only",) and right.words[1:2] in _CONDITIONS:
        return True
    if ":" in left.words and not _OFFERS.isdisjoint(left.words[: left.words.index(":")]):
        return True
    for start in (match.start() for match in _CONDITIONAL_ASIDE.finditer(right.classes)):
        if not {"if", "or", "when", "for"}.isdisjoint(right.words[start + 2 : start + 3]):
            return True
    return not _ALTERNATIVES.isdisjoint(before_reason(right))


def before_reason(right: Words) -> tuple[str, ...]:
    """The words after a value up to "because", "since" or "with equality"."""
    return next((right.words[:k] for k, word in enumerate(right.words) if word in _REASONS), right.words)


def is_conditional(left: Words, right: Words) -> bool:
    """Whether a value holds under one of several conditions: "7 if n is even, 8 if n is odd"."""
    conditions = sum(word == "if" for word in (*left.words, *right.words))
    return "if" in right.words and (conditions > 1 or not {"otherwise", "else"}.isdisjoint(right.words))


def stands_alone(right: Words) -> bool:
    """Whether what follows a value that nothing introduces only counts it or says where it is reached."""
    words, classes = right.words, right.classes
    if "if" in words or ("such", "that") in pairwise(words):
        return False
    placed = False
    for index, ((before, word), letter) in enumerate(zip(pairwise(("", *words)), classes, strict=True)):
        if before in ("because", "since") or (before == "not" and word == ""):
            return True
        if letter == "F" and not placed and (before == "as" or classes[index - 1 : index] not in ("A", "R")):
            return False
        superlative = before == "the" and word in SUPERLATIVES
        if is_operator(word) and not superlative and word not in _SIDES and words[index + 1 : index + 2] != ("",):
            return False
        placed = placed or word in _PLACES
    return True
