"""Numbers with a mark or a colon: percent, degrees, ratios and times of day."""

from __future__ import annotations

from zoo_harp.checker.algebra.antiderivatives import compare_antiderivatives
from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.values import Decision, compare_values
from zoo_harp.checker.compare.times import as_time, is_clock_only, same_time
from zoo_harp.checker.limits import Budget, Undefined, Unsupported
from zoo_harp.checker.tree import EXPRESSIONS, Apply, Clock, Constant, Node, Number, Ratio, number


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
