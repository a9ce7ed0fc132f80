"""Solutions with an integer parameter, such as ``pi/4 + k pi``: one set, whatever the parameter is called."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.limits import LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import Apply, Constant, Named, Node, Symbol, number, rebuilt, symbols, walk

PARAMETERS: Final = frozenset("klmnjt")
_NAMED: Final = {"odd": (1, 2), "even": (0, 2), "Z": (0, 1)}


@dataclass(frozen=True, slots=True)
class Family:
    """The numbers ``start + step * k`` for all integers k."""

    start: Value
    step: Value
    parameter: str
    """the parameter's letter; empty for a named set"""


def family(node: Node, field: Evaluator) -> Family | None:
    """The family that an expression in one parameter, or a named set, describes; None if it is none."""
    if isinstance(node, Named):
        step = node.name.removeprefix("multiples of ")
        bounds = (0, int(step)) if step != node.name and int(step) else _NAMED.get(node.name)
        return Family(Fraction(bounds[0]), Fraction(bounds[1]), "") if bounds else None
    names = symbols(node)
    if len(names) != 1 or not isinstance(node, Apply | Symbol) or not names <= PARAMETERS:
        return None
    (name,) = names
    try:
        starts = [field.value(_with(node, name, place)) for place in (0, 1, 2)]
        first, second = field.add(starts[1], starts[0], -1), field.add(starts[2], starts[1], -1)
        if field.is_zero(field.add(first, second, -1)) is not True or field.is_zero(first) is not False:
            return None
        # Three points show a line only if the expression is a polynomial of a low degree in the parameter.
        if not _is_linear(node, name):
            return None
    except (Unsupported, Undefined, LimitExceeded):
        return None
    return Family(starts[0], first, name)


def _with(node: Node, name: str, value: int) -> Node:
    replaced: Node = rebuilt(node, lambda part: number(value) if part == Symbol(name) else None)
    return replaced


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


def same_family(gold: Family, response: Family, field: Evaluator) -> bool:
    """Whether both have the same numbers: steps equal up to their sign, starts a whole number of steps apart."""
    try:
        ratio = field.div(gold.step, response.step)
        apart = field.div(field.add(gold.start, response.start, -1), gold.step)
    except (Unsupported, Undefined, LimitExceeded):
        return False
    if ratio not in (1, -1):
        return False
    return isinstance(apart, Fraction) and apart.denominator == 1


def may_be_family(gold: Node, response: Node, gold_family: Family, response_family: Family) -> bool:
    """Whether the letter is a parameter here and not a variable of the problem: named sets are, and so is
    the letter of multiples of pi or degrees.
    """
    if not gold_family.parameter or not response_family.parameter:
        return True
    has_angles = [
        any(n == Constant("pi") or (isinstance(n, Apply) and n.op == "deg") for n in walk(side))
        for side in (gold, response)
    ]
    return all(has_angles)
