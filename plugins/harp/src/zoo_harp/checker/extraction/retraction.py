"""Sentences after an answer that take it back: "But that is wrong.", "Nein, das stimmt nicht.", "Scratch that."."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.extraction.clauses import END, FAR, read_words
from zoo_harp.checker.extraction.wide import takes_back_wide
from zoo_harp.checker.languages import NOES, THIS
from zoo_harp.checker.lexicon import is_false, is_negation
from zoo_harp.checker.vocabulary import names

_CLOSERS: Final = frozenset(
    names(
        "qed done end hope checked verified finished thanks thank cheers good let best great proof note see completes"
    )
)
"""words that a sentence of at most three words after the answer may begin with"""
_OTHERWISE: Final = frozenset(names("or maybe perhaps possibly alternatively either"))
_POINTED: Final = re.compile(r"(?:[^,STD]{1,3},|[CVX]|ET?|PNN?,?)*")
_POINTERS: Final = tuple((word,) for word in names("it this that these those which"))
_POINTING: Final = frozenset(names("i answer wait actually above my mine which oops hmm unfortunately value"))
_TAKING: Final = frozenset(names("take takes taking took"))


def is_taken_back(text: str, end: int) -> bool:
    """Whether a sentence after the one that ends behind ``end`` takes it back: "But that is wrong."."""
    stop = END.search(text, end)
    if stop is None:
        return False
    whole = END.split(text[stop.end() : stop.end() + FAR])
    return any(map(_takes_back, whole if stop.end() + FAR >= len(text) else whole[:-1]))


def _takes_back(sentence: str) -> bool:
    """Whether a sentence speaks against what was said before it; of few words only thanks and the like do not."""
    if takes_back_wide(sentence):
        return True
    read = read_words(sentence)
    words = [word for word in read.words if word[:1].isalpha()]
    if words[:1] and words[0] in _OTHERWISE and len(words) <= 3 and "F" in read.classes:
        return True
    if not words or not set(read.classes) - set("VFPDSTC,.()"):
        return False
    if (
        len(words) <= 3
        and words[0] not in _CLOSERS
        and not {"holds", "works"}.intersection(words[-1:])
        and "F" not in read.classes
    ):
        return True
    if is_negation(read.words[-1]) or ("back" in words and not _TAKING.isdisjoint(words)):
        return True
    if read.words[0] in NOES and read.classes[1:2] in ("", ",", ";", ":", "."):
        return True
    if read.words[0] in THIS and any(is_negation(word) or is_false(word) for word in words):
        return True
    index = _POINTED.match(read.classes).end()  # type: ignore[union-attr]
    pointing = not _POINTING.isdisjoint(words[:4]) or read.words[index : index + 1] in _POINTERS
    return pointing and any(is_negation(word) or is_false(word) or word in ("error", "errors") for word in words)
