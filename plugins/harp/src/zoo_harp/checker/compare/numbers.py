"""Numbers with a mark or a colon: percent, degrees, ratios and times of day."""

from __future__ import annotations

from math import gcd
from typing import TypeAlias

from zoo_harp.checker.algebra.antiderivatives import compare_antiderivatives
from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.values import Decision, compare_values
from zoo_harp.checker.limits import Budget, Undefined, Unsupported
from zoo_harp.checker.tree import EXPRESSIONS, Apply, Clock, Constant, Node, Number, Ratio, number

Seconds: TypeAlias = tuple[int, bool]
"""seconds after midnight, and whether "am" or "pm" is known"""
_NOON = 12 * 3600


def compare_expressions(gold: Node, response: Node, budget: Budget) -> Decision:
    """Two expressions, a percent or degree mark being optional (see docs/methods/harp.md)."""
    for mark in ("percent", "deg"):
        gold_part, response_part = inside(gold, mark), inside(response, mark)
        if gold_part is None and response_part is None:
            continue
        if gold_part is not None and response_part is not None:
            return compare_values(gold_part, response_part, budget)
        bare, marked = (gold, response_part) if gold_part is None else (response, gold_part)
        if marked is None:
            continue
        pairs = [Apply("percent", (marked,)), marked] if mark == "percent" else [marked, radians(marked)]
        if mark == "percent" and gold_part is None and _below_one(bare, budget):
            pairs.pop()
        for pair in pairs:
            decision = compare_values(*((bare, pair) if gold_part is None else (pair, bare)), budget)
            if decision.correct:
                return Decision(True, mark, decision.reason)
        return decision
    return compare_antiderivatives(gold, response, budget) or compare_values(gold, response, budget)


def radians(degrees: Node) -> Node:
    """The size in radians of an angle in degrees."""
    return Apply("mul", (degrees, Apply("div", (Constant("pi"), number(180)))))


def _below_one(node: Node, budget: Budget) -> bool:
    """Whether a number is between -1 and 1, so that the same digits with a percent mark are another number."""
    field = Evaluator(budget)
    try:
        value = field.value(node)
        return not field.is_variable(value) and field.floor(field.absolute(value)) == 0
    except (Unsupported, Undefined):
        return False


def compare_ratios(gold: Node, response: Node, budget: Budget) -> Decision:
    """Ratios by proportion, times of day by the clock; what a colon means is decided by what the gold is."""
    gold_part, response_part = as_time(gold), as_time(response)
    if (
        gold_part
        and response_part
        and any(isinstance(side, Clock) or (isinstance(side, Ratio) and side.time) for side in (gold, response))
    ):
        if same_time(gold_part, response_part):
            return Decision(True, "time", "the same time")
        if isinstance(gold, Clock) or (isinstance(gold, Ratio) and gold.time):
            return Decision(False, "time", "different times")
    if isinstance(gold, Clock) or isinstance(response, Clock) or (isinstance(gold, Ratio) and is_clock_only(gold)):
        return Decision(False, "time", "a time and something else")
    zero = [
        isinstance(s, Ratio) and any(isinstance(p, Number) and p.value == 0 for p in s.parts) for s in (gold, response)
    ]
    if any(zero):
        return Decision(False, "ratio", "a part of a ratio is zero")
    if isinstance(gold, Ratio) and isinstance(response, Ratio):
        if len(gold.parts) != len(response.parts):
            return Decision(False, "ratio", f"{len(gold.parts)} parts and {len(response.parts)}")
        for a, b in zip(gold.parts[1:], response.parts[1:], strict=True):
            left, right = Apply("mul", (gold.parts[0], b)), Apply("mul", (response.parts[0], a))
            decision = compare_expressions(left, right, budget)
            if not decision.correct:
                return decision if decision.undecided else Decision(False, "ratio", "not in proportion")
        return Decision(True, "ratio", "in proportion")
    one, other = (Apply("div", side.parts) if isinstance(side, Ratio) and len(side.parts) == 2 else side
                  for side in (gold, response))  # fmt: skip
    if isinstance(one, EXPRESSIONS) and isinstance(other, EXPRESSIONS):
        return compare_expressions(one, other, budget)
    return Decision(False, "structure", "a ratio and something else")


def inside(node: Node, mark: str) -> Node | None:
    """The argument of a percent or degree mark, also below a minus sign; None if there is no mark."""
    if isinstance(node, Apply) and node.op == mark:
        return node.args[0]
    if isinstance(node, Apply) and node.op in ("neg", "mixed"):
        inner = inside(node.args[-1], mark)
        return None if inner is None else Apply(node.op, (*node.args[:-1], inner))
    return None


# Times of day: the gold answer determines what a colon means.


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
