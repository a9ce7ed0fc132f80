r"""Names of figures by their points, as in ``\angle ABC=60^\circ``: one may be left out, but not be exchanged.

Some orders are one name: an angle, an arc and a segment may be read backwards, a triangle in any order.
"""

from __future__ import annotations

import re
from typing import Final

_POINT: Final = r"[A-Z](?:_\{?\w{1,2}\}?|'{1,2})?"
_NAME: Final = re.compile(
    rf"\s*(?P<kind>(?:(?:m|the|measure|measures|of|angle|triangle|arc|length|area|segment|side|perimeter|∠|∡|△|Δ"
    rf"|\\(?:text\w{{0,4}}\s?\{{\s?(?:[Tt]he|[Aa]ngle|[Tt]riangle|[Aa]rc|[Ll]ength|[Aa]rea|[Ss]egment|[Ss]ide|[Mm]easure|[Pp]erimeter|of|the|\s)+\}}"
    rf"|(?:measured)?angle|sphericalangle|triangle|(?:wide)?hat|over(?:set|line|arc)|wideparen|overparen|mathrm|text|operatorname"
    rf"|stackrel|frown|lvert|left|right|,|;|!|quad|[ ]))[\s{{}}~]*|[\[|(\s{{~])*)"
    rf"(?P<points>{_POINT}(?:\s?{_POINT}){{0,5}})[\]|)\s}}]*",
)
_EQUATION: Final = re.compile(r"^[\s$]*(?P<label>[^=<>≤≥≠≈]{1,120}?)\s*(?:=|\bis\b|:)\s*(?P<value>[^=]{1,200})$")
_KINDS: Final = {
    "triangle": "area", "angle": "angle", "∠": "angle", "∡": "angle", "hat": "angle", "[": "area", "rea": "area",
    "△": "area", "Δ": "area",
}  # fmt: skip
"""signs and words before the points, the first that is there deciding"""
_MARKED: Final = re.compile(r"\s*m?\s?(?:\\angle|∠)\s?\{?\s?(\\[a-z]{2,8}|\d|[a-z])\s?\}?\s*")
"""an angle with a number or a letter of its own"""
_SINGLE: Final = re.compile(_POINT)


def are_of_different_figures(gold: str, response: str) -> bool:
    """Whether both answers give a value to a figure named by points, and to another one."""
    one, another = _figure(gold), _figure(response)
    if one is None or another is None:
        return False
    (kind, points), (other, others) = one, another
    if kind != other and "" not in (kind, other):
        return True
    kind = kind or other
    if kind == "angle" and 1 in (len(points), len(others)) and {len(points), len(others)} <= {1, 3}:
        return points[len(points) // 2] != others[len(others) // 2]
    if kind == "area":
        return sorted(points) != sorted(others) if min(len(points), len(others)) <= 3 else not _turned(points, others)
    return points not in (others, others[::-1])


def is_of_figure(text: str) -> bool:
    """Whether a text is an equation for a figure that is named by its points."""
    return _figure(text) is not None


def _turned(points: list[str], others: list[str]) -> bool:
    """Whether a polygon is named from another corner or in the other direction."""
    if len(points) != len(others):
        return False
    turns = [points[k:] + points[:k] for k in range(len(points))]
    return others in turns or others[::-1] in turns


def _figure(text: str) -> tuple[str, list[str]] | None:
    """The kind and the points of the figure that an equation is about; None of another answer."""
    match = _EQUATION.match(text) if "=" in text or ":" in text or "is" in text else None
    marked = _MARKED.fullmatch(match["label"]) if match else None
    if marked is not None:
        return "angle", [marked[1]]
    name = _NAME.fullmatch(match["label"]) if match else None
    if name is None:
        return None
    said = name["kind"]
    kind = next((kind for sign, kind in _KINDS.items() if sign in said), "")
    return kind, [point.replace("{", "").replace("}", "") for point in _SINGLE.findall(name["points"])]
