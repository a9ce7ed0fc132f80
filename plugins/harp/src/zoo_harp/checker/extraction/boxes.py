r"""Boxes: the last ``\boxed{...}`` of a text, and those that commas, words or spacing join to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from zoo_harp.checker.limits import MAX_ANSWER

_BRACES: Final = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])[ \t]{0,8}(\{?)|\\.|[{}]", re.DOTALL)
_BARE_BOX: Final = re.compile(r"[^\s$.,;]{1,200}")
_SPACE: Final = r"(?:[\s$}~&]|\\[\[\]()\\,;:! ]|\\q?quad(?![A-Za-z])){0,12}"
_WORD: Final = r"(?:\\text\w{0,6}\s?\{)?\s?(?:[A-Za-z]{2,12}\s){0,2}(?:and|or)(?:\s[a-z]{2,12}){0,2}(?:\s?\})?"
_LABEL: Final = r"(?:[A-Za-z](?:_\{?\w{1,3}\}?)?'?\s?=\s?)?"
_BESIDE: Final = r"(?:[ \t$}]|\\[()\[\],;:! ]){1,12}"
_BETWEEN: Final = re.compile(
    rf"(?:{_SPACE}(?:(?:,|;){_SPACE}(?:{_WORD})?|{_WORD}"
    rf"|\\text\{{ ?for part \(\w\) (?:and|or) ?\}}|\\q?quad){_SPACE}|{_BESIDE}){_LABEL}"
)
_NOT_LINKING: Final = re.compile(
    r"\b(?:so|thus|then|hence|therefore|but|not|now|gives?|get|have|is|instead|correct\w*)\b"
)
_NAMED: Final = re.compile(r"([A-Za-z](?:_\{?\w{1,3}\}?)?)\s?=\s?$")
_COMMAND: Final = r"\\(?:cdot|times|div|pm|mp)(?![A-Za-z])"
_OPERATOR: Final = rf"(?:[-−+*/·×^]|{_COMMAND})"
_BEFORE: Final = re.compile(
    rf"(?:[-−+\d]|{_COMMAND}\s?|(?:[\d)}}]|(?<![A-Za-z\\])[A-Za-z])\s?{_OPERATOR}\s?|(?<![A-Za-z\\])[A-Za-z]"
    r"|\\(?:sqrt|[dt]?frac)\s?(?:\{[^{}]{1,60}\})?\s?\{)$"
)
_AFTER: Final = re.compile(
    rf"\d|\{{\d|_\s?\{{?\s?(?:\d|\\text)|\^(?!\{{?\s?\\circ)|(?:\{{\}})?\s?{_OPERATOR}\s?(?:\d|\\(?:[dt]?frac|sqrt|pi)(?![A-Za-z]))"
    rf"|{_OPERATOR}?[A-Za-z](?![A-Za-z])|\s?{_COMMAND}"
)
_EDGE: Final = re.compile(
    r"[=$\n:;,<>]|\\[()\[\]]|\\(?:text\w*|Rightarrow|implies|to|therefore)(?![a-z])|(?<![A-Za-z\\])[A-Za-z]{2,}|\.\s"
)
_BOUND: Final = re.compile(r"(?:[<>≠]|\\(?:lt|gt|neq?)(?![A-Za-z]))")
"""a sign that bounds strictly: a box beside it is no value"""
_BOUNDED_BEFORE: Final = re.compile(rf"{_BOUND.pattern}[\s$]{{0,4}}$")
_BOUNDED_AFTER: Final = re.compile(rf"[\s$]{{0,4}}{_BOUND.pattern}(?!/|\|)")
_FAR: Final = 200
_EMPTY: Final = re.compile(r"\\(?:text\w*|boxed|fbox|,|;|!|quad)|[\s{}$~]")


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the response: its text, its start and its end."""

    start: int
    end: int
    text: str


def last_box(text: str) -> Span | None:
    """The last box that is not empty and lies in no other box, with those that are one list with it."""
    joined: list[tuple[int, int, int]] = []
    for start, inside, end in reversed(_boxes(text)):
        if not _EMPTY.sub("", text[inside : min(end, inside + MAX_ANSWER + 1)]):
            continue
        if joined:
            between = text[end : joined[-1][0]] if joined[-1][0] - end <= 120 else "."
            close = joined[0][2] - start <= MAX_ANSWER
            if between != "}" and not (close and _BETWEEN.fullmatch(between) and not _NOT_LINKING.search(between)):
                break
        joined.append((start, inside, end))
    if not joined:
        return None
    joined.reverse()
    texts = [text[inside:end] for _, inside, end in joined]
    names = [_NAMED.search(text, max(0, start - 12), start) for start, _, _ in joined] if len(joined) > 1 else []
    if names and all(names) and not any("=" in inner for inner in texts):
        texts = [f"{name[1]}={inner}" for name, inner in zip(names, texts, strict=True) if name]
    around = _around(text, joined[0][0], joined[0][2] + 1) if len(joined) == 1 else None
    return Span(joined[0][0], joined[-1][2], around or ", ".join(texts))


def is_bounded(text: str, start: int, end: int) -> bool:
    """Whether a box is a strict bound of something, or something that its neighbour is not."""
    return bool(_BOUNDED_BEFORE.search(text, max(0, start - 20), start) or _BOUNDED_AFTER.match(text, end + 1))


def _around(text: str, start: int, end: int) -> str | None:
    r"""The formula of which a box is only a part, as in ``2\boxed{5}`` or ``\frac{\boxed{5}}{2}``; else None."""
    if not (_BEFORE.search(text, max(0, start - _FAR), start) or _AFTER.match(text, end)):
        return None
    edges = [match.end() for match in _EDGE.finditer(text, max(0, start - _FAR), start)]
    edge = _EDGE.search(text, end, end + _FAR)
    first, last = edges[-1] if edges else max(0, start - _FAR), edge.start() if edge else end + _FAR
    formula = opened(text[first:last]).strip()
    return formula if formula.count("{") == formula.count("}") else None


def _boxes(text: str) -> list[tuple[int, int, int]]:
    """Where boxes that lie in no other begin, where their content does, and where that ends."""
    stack: list[tuple[int, int]] = []
    closed: list[tuple[int, int, int]] = []
    for match in _BRACES.finditer(text):
        sign = match[0]
        if sign[0] == "\\" and len(sign) > 4:
            if match[1]:
                stack.append((match.end(), match.start()))
            elif match.end() < len(text):
                bare = _BARE_BOX.match(text, match.end())
                if bare and bare[0][0] not in "}\\":
                    closed.append((match.start(), match.end(), bare.end()))
        elif sign == "{":
            stack.append((-1, -1))
        elif sign == "}" and stack:
            inside, start = stack.pop()
            if inside >= 0:
                while closed and closed[-1][0] > start:
                    closed.pop()
                closed.append((start, inside, match.start()))
    return closed


def opened(text: str) -> str:
    """``text`` without the boxes in it, their content kept, in one pass."""
    kept: list[str] = []
    stack: list[bool] = []
    position = 0
    for match in _BRACES.finditer(text):
        sign = match[0]
        if match[1]:
            kept.append(text[position : match.start()])
            position = match.end()
            stack.append(True)
        elif sign == "{":
            stack.append(False)
        elif sign == "}" and stack and stack.pop():
            kept.append(text[position : match.start()])
            position = match.end()
    return "".join(kept) + text[position:]
