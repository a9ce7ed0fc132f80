"""Times of day and ratios: the gold answer determines what a colon means."""

from __future__ import annotations

from math import gcd
from typing import TypeAlias

from zoo_harp.checker.tree import Clock, Node, Number, Ratio

Seconds: TypeAlias = tuple[int, bool]
"""seconds after midnight, and whether "am" or "pm" is known"""
_NOON = 12 * 3600


def is_clock_only(ratio: Ratio) -> bool:
    """Whether a colon between the numbers is that of a time: a digit is zero, or as a ratio it would be shorter."""
    values = [int(part.value) for part in ratio.parts if isinstance(part, Number)]
    return ratio.time and len(values) == len(ratio.parts) and (min(values[1:]) < 10 or 0 in values or gcd(*values) > 1)


def as_time(node: Node) -> Seconds | None:
    """The time of day that ``node`` may be; None if it is none."""
    if isinstance(node, Clock):
        if node.half is None or not 1 <= node.hours <= 12:
            return _seconds(node.hours, node.minutes), node.half is not None or not 1 <= node.hours <= 12
        return _seconds(node.hours % 12, node.minutes) + (_NOON if node.half == "pm" else 0), True
    if isinstance(node, Ratio) and node.time:
        values = [int(part.value) for part in node.parts if isinstance(part, Number)]
        if len(values) != len(node.parts):
            return None
        hours, minutes, *rest = values
        return _seconds(hours, minutes) + sum(rest), not 1 <= hours <= 12
    if isinstance(node, Number) and node.value.denominator == 1 and 0 <= node.value <= 24:
        return _seconds(int(node.value), 0), not 1 <= node.value <= 12
    return None


def same_time(gold: Seconds, response: Seconds) -> bool:
    """Whether both may be the same; a time without "am" or "pm" can be either."""
    if gold[1] and response[1]:
        return gold[0] % (2 * _NOON) == response[0] % (2 * _NOON)
    return gold[0] % _NOON == response[0] % _NOON if gold[1] != response[1] else gold[0] == response[0]


def _seconds(hours: int, minutes: int) -> int:
    return hours * 3600 + minutes * 60
