"""Words of answers: number words, words that are ignored, and which runs of letters are words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from zoo_harp.checker.lexicon import is_negation
from zoo_harp.checker.units import is_unit
from zoo_harp.checker.vocabulary import BARE, SKIPPED, TEXT, names

_SMALL: Final = {
    word: value
    for value, word in enumerate(
        names(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen"
        )
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
} | {"fourty": 40}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS: Final = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
PARTS: Final = _PARTS | {name + "s": value for name, value in _PARTS.items()} | {"halves": 2}
NUMBER_WORDS: Final = frozenset(_SMALL) | frozenset(_TENS) | frozenset(_SCALES) | {"hundred"}
FILLERS: Final = frozenset(
    ["a", "an", "the", "approximately", "about", "exactly", "roughly", "is", "are", "equals", "only", "just", "number"]
)
_KNOWN: Final = frozenset(
    names(
        "is it he we of so on my the are was has had its his her our you can but any way she they old yes "
        "no odd even red blue true false none all both neither never always sun mon tue wed thu fri sat "
        "by to per from if for not box men out"
    )
)
_WORDS: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)?|[^\sa-z\d]")
_COMMAND: Final = re.compile(r"\\(?:([A-Za-z]+)\*?|[,;:!> ])|[{}$~]")
_STYLES: Final = SKIPPED | TEXT | BARE | {None}
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th)(?![a-z])")
_ORDINALS: Final = {
    word: str(value)
    for value, word in enumerate(
        names("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"), start=1
    )
}
_DROPPED: Final = frozenset(".,;:!?'\"`*()[]-_\\") | {"a", "an", "the"}


CONDITIONS: Final = frozenset(names("such that if unless when where least most more less fewer than nearly or"))
"""words that change the meaning of the statement they are in"""


MULTIPLES: Final = frozenset(
    names("up twice thrice double triple half times reciprocal negative opposite inverse different")
)
"""words before a name that make it another value: "twice x = 5" does not give 5"""


def is_word(run: str) -> bool:
    """Whether a run of two or more letters outside of text commands is a word and not a product of variables."""
    lower = run.lower()
    if lower in _KNOWN or lower in NUMBER_WORDS or lower in PARTS:
        return True
    capitals = len(run) == 3 and (run.isupper() or (run[0].isupper() and run[1:].islower()))
    return len(run) > 3 or capitals or is_unit(run) or (len(run) == 3 and is_negation(lower))


def read_number(words: Sequence[str]) -> tuple[Fraction, int] | None:
    """The number that ``words`` (lower case) begin with, and how many of them it takes; None if they begin with none.

    "two hundred and five" is 205, "two thirds" 2/3, "one half" 1/2.
    """
    total = current = 0
    used = index = 0
    while index < len(words):
        word = words[index]
        if word in _SMALL or word in _TENS:
            value = _SMALL.get(word, _TENS.get(word, 0))
            if used and words[index - 1] in _SMALL:
                break
            current += value
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _SCALES:
            total += (current or 1) * _SCALES[word]
            current = 0
        elif word == "and" and used and index + 1 < len(words) and words[index - 1] in ("hundred", *_SCALES):
            if words[index + 1] not in _SMALL and words[index + 1] not in _TENS:
                break
            index += 1
            continue
        elif (
            word == "-"
            and used
            and index + 1 < len(words)
            and (words[index + 1] in _SMALL or words[index + 1] in PARTS)
        ):
            index += 1
            continue
        else:
            break
        index += 1
        used = index
    if used == 0:
        return (Fraction(1, 2), 1) if words[:1] == ["half"] else None
    after = used + 1 if words[used : used + 1] == ["-"] else used
    if after < len(words) and words[after] in PARTS:
        return Fraction(total + current, PARTS[words[after]]), after + 1
    part = read_part(words[used:])
    return (total + current + part[0], used + part[1]) if part else (Fraction(total + current), used)


def read_part(words: Sequence[str]) -> tuple[Fraction, int] | None:
    """The proper fraction that "and a half", "and two thirds" adds, and how many words; None if it adds none."""
    if len(words) < 3 or words[0] != "and":
        return None
    counted = {"a": 1, "an": 1, **_SMALL}.get(words[1], 0)
    index = 3 if words[2] == "-" else 2
    parts = PARTS.get(words[index], 0) if index < len(words) else 0
    return (Fraction(counted, parts), index + 1) if 0 < counted < parts else None


def words_of(text: str) -> tuple[str, ...]:
    """Words, numerals and signs of ``text`` in lower case, without styles, punctuation and articles; "5th" is 5."""
    plain = _COMMAND.sub(lambda match: " " if match[1] in _STYLES else f" {match[1]} ", text)
    words = _WORDS.findall(_ORDINAL.sub("", plain.lower()))
    return tuple(_ORDINALS.get(word, word) for word in words if word not in _DROPPED)
