"""Formulas that stand in prose without delimiters, such as the end of "so the solution is x > 3"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from zoo_harp.checker.units import is_unit
from zoo_harp.checker.vocabulary import FUNCTION_NAMES, PLAIN, names

_WINDOW: Final = 1000
"""characters at the end of a response that are searched for formulas"""
_LINE: Final = re.compile(r"[^\n]+")
_WORD: Final = re.compile(r"[^\s()\[\]{}]*[(\[{][^()\[\]{}\n]{0,100}[)\]}]\S*|\S+")
_SIGNS: Final = frozenset(
    names(r"+ - − – = < > <= >= ≤ ≥ ≠ * · × / ± ∪ \le \leq \ge \geq \ne \neq \cdot \times \pm \cup \in")
)
_COMMAND: Final = re.compile(r"\\[A-Za-z]+|" + "|".join(sorted({*FUNCTION_NAMES, *PLAIN}, key=len, reverse=True)))
_MATH: Final = re.compile(r"[A-Za-z]|.*[\d\\^_=+*/<>|√π°≤≥∞].*", re.DOTALL)
_PROSE: Final = re.compile(r"[A-Za-z]{3}")
_NAME: Final = re.compile(r"[A-Za-z]+_?\d+\w*|[A-Za-z]\w*\([^()]*\)|#?\d+(?:st|nd|rd|th)|\(?\d+\)")
"""what is not the answer on its own: an index, an argument, an ordinal, a number in brackets"""
_WHOLE: Final = re.compile(r"[-−]?\d{1,9}")
_PART: Final = re.compile(r"\d{1,9}/\d{1,9}(?!\d)|\\[dt]?frac")
_SCALES: Final = frozenset(names("percent hundred thousand million billion trillion"))
_SEVERAL: Final = frozenset(names("are were be values solutions roots"))
_LINKS: Final = ("=", "<", ">")
_STOPS: Final = ".,;:!?"


def formulas(text: str) -> Iterator[tuple[str, int]]:
    """What may be a formula with a numeral at the end of ``text``, and where it ends; the last comes first.

    It may still be none: the caller tries to read it.
    """
    for line in reversed(list(_LINE.finditer(text, max(0, len(text) - _WINDOW)))):
        matches = list(_WORD.finditer(text, *line.span()))
        words = [word[0] for word in matches]
        for index in range(len(words) - 1, -1, -1):
            bare = words[index].rstrip(_STOPS)
            if any(sign.isdigit() for sign in bare) and _is_math(words[index]):
                first, last = _leftmost(words, index), _rightmost(words, index)
                if first < last or not _NAME.fullmatch(bare):
                    yield _balanced(" ".join(words[first : last + 1])), matches[last].end()


def _is_math(word: str) -> bool:
    bare = word.rstrip(_STOPS)
    return bool(_MATH.fullmatch(bare)) and not _PROSE.search(_COMMAND.sub("", bare))


def _ends_phrase(word: str) -> bool:
    return word[-1] in ".,;:?"


def _leftmost(words: list[str], index: int) -> int:
    """The word that the formula ending at ``at`` begins with."""
    end, linked = index, any(sign in words[index] for sign in _LINKS)
    while index > 0:
        before = words[index - 1]
        linked = linked or before in _LINKS
        joins = before in _SIGNS or before == "or" or (before == "and" and linked)
        if joins and index > 1 and _is_math(words[index - 2]) and not _ends_phrase(words[index - 2]):
            index -= 2
        elif before in ("-", "−", "±", r"\pm") or (_PART.match(words[index]) and _WHOLE.fullmatch(before)):
            index -= 1
        elif words[index][0] in _LINKS or before[-1] in _LINKS:
            if not _is_math(before) or _ends_phrase(before):
                break
            index -= 1
        else:
            break
    return index if index < end else _list(words, end)


def _list(words: list[str], end: int) -> int:
    """The word that a list ending at ``end`` begins with, where a plural announces it."""
    index = end
    while index > 0:
        if words[index - 1] in ("and", "or") and index > 1 and _is_math(words[index - 2].rstrip(",")):
            index -= 2
        elif words[index - 1].endswith(",") and _is_math(words[index - 1]):
            index -= 1
        else:
            break
    return index if index > 0 and words[index - 1].lower().rstrip(":") in _SEVERAL else end


def _rightmost(words: list[str], index: int) -> int:
    """The word that the formula beginning at ``at`` ends with: further signs, or a unit."""
    while (
        index + 2 < len(words)
        and not _ends_phrase(words[index])
        and words[index + 1] in _SIGNS
        and _is_math(words[index + 2])
    ):
        index += 2
    if index + 1 < len(words) and not _ends_phrase(words[index]):
        after = words[index + 1].rstrip(_STOPS + ")")
        if after.lower() in ("square", "cubic", "sq", "cu") and index + 2 < len(words):
            index += 2
        elif after in _SCALES or (len(after) > 1 and after != "in" and is_unit(after)):
            index += 1
    return index


def _balanced(text: str) -> str:
    """Without punctuation at the end, and without brackets that are opened or closed outside."""
    text = text.rstrip(_STOPS)
    while text.count(")") > text.count("(") and text.endswith(")"):
        text = text[:-1].rstrip(_STOPS)
    while text.count("(") > text.count(")") and text.startswith("("):
        text = text[1:]
    return text
