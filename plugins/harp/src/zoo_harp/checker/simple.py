"""The commonest answers, integers and fractions of integers, compared without parsing them in full."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"(-?)(?:(\d{1,15})(?:/(\d{1,15}))?|\\[dt]?frac\{(\d{1,15})\}\{(\d{1,15})\})")


def bare(text: str) -> str:
    """``text`` without one pair of delimiters or a box around all of it."""
    text = text.strip()
    if text.startswith("\\boxed{") and text.endswith("}"):
        return text[7:-1]
    if len(text) > 2 and text[0] == text[-1] == "$":
        return text[1:-1]
    return text


def fraction(text: str) -> tuple[int, int] | None:
    """Numerator and positive denominator of an integer or fraction; None for anything else."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, under, top, bottom = match.groups()
    numerator, denominator = int(whole or top), int(under or bottom or 1)
    if denominator == 0:
        return None
    return (-numerator if sign else numerator), denominator
