"""Solutions with an integer parameter, such as ``pi/4 + k pi``: sets of numbers, whatever the parameter is called.

A side is one or several families, as joined by "or", as a union of sets, or as signs that alternate with the parameter.
Two sides are the same where their starts are the same modulo a common multiple of all steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.compare.labels import COUNTED, expand, has_signs
from zoo_harp.checker.latex.dots import DOTS
from zoo_harp.checker.limits import LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import (
    Apply,
    Builder,
    Constant,
    Listing,
    Named,
    Node,
    Relation,
    Set,
    SetOp,
    Symbol,
    number,
    rebuilt,
    symbols,
    walk,
)

PARAMETERS: Final = frozenset("klmnjt") | {COUNTED.name}
"""letters that may run through the integers"""
_NAMED: Final = {"odd": (1, 2), "even": (0, 2), "Z": (0, 1)}
_MAX_FAMILIES: Final = 24
_MAX_STARTS: Final = 200
_MINUS_ONE: Final = Apply("neg", (number(1),))


@dataclass(frozen=True, slots=True)
class Family:
    """The numbers ``start + step * k`` for all integers k."""

    start: Value
    step: Value
    parameter: str
    """the parameter's letter; empty where it is no letter of the answer: for a named set, and in a set in braces"""


def families(node: Node, field: Evaluator) -> list[Family]:
    """The families that an answer is the union of; none where a part of it is no family."""
    found: list[Family] = []
    for part in _parts(node):
        one = _family(part, field)
        if one is None or len(found) >= _MAX_FAMILIES:
            return []
        found.append(one)
    return found


def _parts(node: Node) -> list[Node]:
    """The answers that a list, set or union joins, with one sign each, also where it alternates."""
    if isinstance(node, SetOp) and node.op == "union":
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, Set | Listing) and DOTS in node.items:
        return [node]
    if isinstance(node, Set | Listing) and len(node.items) <= _MAX_FAMILIES:
        return [part for item in node.items for part in _parts(_value(item))]
    if isinstance(node, Builder):
        return [Builder(part, node.conditions) for part in _parts(node.variable)]
    if has_signs(node):
        signs = expand(node)
        return [part for item in signs for part in _parts(item)] if len(signs) > 1 else signs
    return _by_parity(node)


def _value(item: Node) -> Node:
    """An item of a set without a name, as in {x = k pi}."""
    named = isinstance(item, Relation) and item.ops == ("=",) and isinstance(item.terms[0], Symbol)
    return item.terms[1] if named and isinstance(item, Relation) else item


def _by_parity(node: Node) -> list[Node]:
    """``node`` for even and for odd values of the parameter, where a power of -1 depends on it; else as it is."""
    applied = [part for part in walk(node) if isinstance(part, Apply)]
    powers = [part for part in applied if part.op == "pow" and part.args[0] == _MINUS_ONE]
    names = {name for part in powers for name in symbols(part)}
    if len(names) != 1:
        return [node]
    (name,) = names

    def doubled(odd: int) -> Node:
        twice = Apply("mul", (number(2), Symbol(name)))
        place = Apply("add", (twice, number(1))) if odd else twice

        def change(part: Node) -> Node | None:
            if part in powers and isinstance(part, Apply):
                places = _integers(part.args[1], name, (odd, odd + 2))
                if len(places) == 2 and (places[0] - places[1]) % 2 == 0:
                    return number(-1 if places[0] % 2 else 1)
            return place if part == Symbol(name) else None

        changed: Node = rebuilt(node, change)
        return changed

    linear = all(_is_linear(part.args[1], name) for part in powers)
    return [doubled(0), doubled(1)] if linear else [node]


def _integers(node: Node, name: str, places: Sequence[int]) -> list[int]:
    """The whole values of a sum or product of whole numbers and the parameter at ``places``."""
    operations: dict[str, Callable[..., int]] = {
        "add": int.__add__, "sub": int.__sub__, "mul": int.__mul__, "neg": int.__neg__,
    }  # fmt: skip

    def value(part: Node, place: int) -> int:
        if part == Symbol(name):
            return place
        if isinstance(part, Apply) and part.op in operations:
            return operations[part.op](*(value(arg, place) for arg in part.args))
        whole = getattr(part, "value", None)
        if isinstance(whole, Fraction) and whole.denominator == 1:
            return int(whole)
        raise Unsupported("no whole number")

    try:
        return [value(node, place) for place in places]
    except Unsupported:
        return []


def _family(node: Node, field: Evaluator) -> Family | None:
    """The family that an expression in one parameter, or a named set, describes; None if it is none."""
    if isinstance(node, Named):
        step = node.name.removeprefix("multiples of ")
        bounds = (0, int(step)) if step != node.name and step.isdigit() and int(step) else _NAMED.get(node.name)
        return Family(Fraction(bounds[0]), Fraction(bounds[1]), "") if bounds else None
    if isinstance(node, Set | Listing):
        return _dotted(node.items, field)
    if isinstance(node, Builder):
        condition = node.conditions
        if not isinstance(condition, Relation) or condition.ops != ("in",) or condition.terms[1] != Named("Z"):
            return None
        letter = condition.terms[0]
        one = linear(node.variable, letter.name, field) if isinstance(letter, Symbol) else None
        return None if one is None else Family(one.start, one.step, "")
    names = symbols(node)
    if len(names) != 1 or not isinstance(node, Apply | Symbol) or not names <= PARAMETERS:
        return None
    (name,) = names
    return linear(node, name, field)


def _dotted(items: Sequence[Node], field: Evaluator) -> Family | None:
    """The family of a list with dots at both ends, or of numbers with both signs and dots behind them."""
    inner = items[1 if items[0] == DOTS else 0 : -1]
    sizes = [item.args[1] for item in inner if isinstance(item, Apply) and item.op == "pm"]
    if sizes:
        inner = [*(Apply("neg", (size,)) for size in reversed(sizes)), *inner[: -len(sizes)], *sizes]
    if items[-1] != DOTS or DOTS in inner or len(inner) < 3 or (items[0] == DOTS) == bool(sizes):
        return None
    try:
        values = [field.value(item) for item in inner]
    except (Unsupported, Undefined, LimitExceeded):
        return None
    steps = {field.add(b, a, -1) for a, b in pairwise(values) if isinstance(b, Fraction)}
    step = steps.pop() if len(steps) == 1 else None
    return Family(values[0], step, "") if isinstance(step, Fraction) and step else None


def linear(node: Node, name: str, field: Evaluator) -> Family | None:
    """The family of an expression that is linear in the parameter ``name``; None if it is not."""
    # Three points show a line only if the expression is a polynomial of a low degree in the parameter.
    if not _is_linear(node, name):
        return None
    try:
        starts = [field.value(replaced(node, name, number(place))) for place in (0, 1, 2)]
        first, second = field.add(starts[1], starts[0], -1), field.add(starts[2], starts[1], -1)
        if field.is_zero(field.add(first, second, -1)) is not True or field.is_zero(first) is not False:
            return None
    except (Unsupported, Undefined, LimitExceeded):
        return None
    return Family(starts[0], first, "" if name == COUNTED.name else name)


def replaced(node: Node, name: str, value: Node) -> Node:
    """``node`` with ``value`` for the letter ``name``."""
    changed: Node = rebuilt(node, lambda part: value if part == Symbol(name) else None)
    return changed


def _is_linear(node: Node, name: str) -> bool:
    """Whether the parameter is a plain term or factor: in no power, function or denominator."""
    if name not in symbols(node) or node == Symbol(name):
        return True
    if not isinstance(node, Apply) or node.op not in ("add", "sub", "mul", "div", "neg", "deg"):
        return False
    if node.op == "mul" and all(name in symbols(arg) for arg in node.args):
        return False
    if node.op == "div" and name in symbols(node.args[1]):
        return False
    return all(_is_linear(arg, name) for arg in node.args)


def same_families(gold: Sequence[Family], response: Sequence[Family], field: Evaluator) -> bool:
    """Whether both have the same numbers: the same starts modulo a common multiple of the steps."""
    try:
        unit = gold[0].step
        sizes = [[field.div(one.step, unit) for one in side] for side in (gold, response)]
        known = [[abs(size) for size in side if isinstance(size, Fraction)] for side in sizes]
        if [len(side) for side in known] != [len(gold), len(response)]:
            return False
        ratios = [size for side in known for size in side]
        period = Fraction(math.lcm(*(r.numerator for r in ratios)), math.gcd(*(r.denominator for r in ratios)))
        if any(period / size > _MAX_STARTS for size in ratios):
            return False
        starts = [_starts(side, steps, period, field) for side, steps in zip((gold, response), known, strict=True)]
        whole = field.mul(period, unit)
        left, right = starts

        def met(one: Value, others: Sequence[Value]) -> bool:
            apart = (field.div(field.add(one, other, -1), whole) for other in others)
            return any(isinstance(gap, Fraction) and gap.denominator == 1 for gap in apart)

        return all(met(one, right) for one in left) and all(met(other, left) for other in right)
    except (Unsupported, Undefined, LimitExceeded):
        return False


def _starts(side: Sequence[Family], sizes: Sequence[Fraction], period: Fraction, field: Evaluator) -> list[Value]:
    """The numbers of all families within one period."""
    return [
        field.add(one.start, field.mul(Fraction(k), one.step))
        for one, size in zip(side, sizes, strict=True)
        for k in range(int(period / size))
    ]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the letters of two answers beside the answers themselves."""

    gold: frozenset[str] = frozenset()
    """letters that the gold lets run through the integers"""
    response: frozenset[str] = frozenset()
    """the same for the response"""
    arguments: frozenset[str] = frozenset()
    """letters that a definition binds, which are no parameters"""
    solved: bool = False
    """whether the answers are solutions for an unknown"""


def are_parameters(
    gold: Sequence[Family], response: Sequence[Family], known: Evidence, field: Evaluator, *, angles: bool
) -> bool:
    """Whether the letters run through the integers, and are no variables of the problem.

    A gold that says so is believed, and so is a named set or one in braces with its condition, but for a response that
    is a letter alone. Else the gold's letter is a parameter where it counts in pi or degrees, ``angles``, and the gold
    is solved for an unknown or no multiple of the step; or where it is solved, and the response has another letter.
    """
    letters, others = ({one.parameter for one in side} for side in (gold, response))
    if (letters | others) & known.arguments:
        return False
    if letters <= {"", *known.gold}:
        alone = others != {""} and all(one.step == 1 and not _is_shifted(one, field) for one in response)
        return letters != {""} or not alone or others <= known.response
    shifted = any(_is_shifted(one, field) for one in gold)
    if angles:
        return known.solved or shifted
    several = len(gold) + len(response) > 2
    return known.solved and letters != others and (shifted or (not several and gold[0].step not in (1, -1)))


def _is_shifted(one: Family, field: Evaluator) -> bool:
    """Whether its numbers are no multiples of the step."""
    steps = field.div(one.start, one.step)
    return not (isinstance(steps, Fraction) and steps.denominator == 1)


def count_angles(*sides: Node) -> bool:
    """Whether all sides have pi or degrees."""
    return all(
        any(n == Constant("pi") or (isinstance(n, Apply) and n.op == "deg") for n in walk(side)) for side in sides
    )
