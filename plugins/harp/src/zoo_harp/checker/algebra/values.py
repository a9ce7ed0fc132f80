"""Are two expressions equal? Decided by exact forms, else by values at points, else by sympy."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, repeat
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import HALF, Poly, Value
from zoo_harp.checker.algebra.points import rational_point, step_points
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported, power
from zoo_harp.checker.tree import EXPRESSIONS, Apply, Constant, Node, Number, show, symbols, walk
from zoo_harp.checker.workers.symbolic import prove_equal

MIN_DIGITS: Final = 6
"""significant digits that a decimal needs to stand for an exact number"""
_POINTS: Final = 8
_TRIES: Final = 32
_PERIODIC: Final = frozenset(("mod", "gcd", "lcm"))
_DISCRETE: Final = frozenset(("factorial", "factorial2", "binom", "sum", "prod", "mod", "gcd", "lcm"))
_SEED: Final = 20_241_208


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of a comparison, the rule that decided, and the reason in words."""

    correct: bool
    rule: str
    reason: str

    @property
    def undecided(self) -> bool:
        """Whether neither right nor wrong was found."""
        return not self.correct and self.rule in UNDECIDED


UNDECIDED: Final = frozenset(("undecided", "timeout", "limit"))
"""rules that leave a comparison undecided"""


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal numeral: its value, the decimals and the significant digits written."""

    value: Fraction
    decimals: int
    digits: int


def as_decimal(node: Node) -> Decimal | None:
    """``node`` as a decimal numeral, perhaps with a sign or a percent sign; None if it is not one."""
    if isinstance(node, Number) and (node.decimals or node.cut):
        return Decimal(node.value, node.decimals or 0, node.digits)
    if isinstance(node, Apply) and node.op in ("neg", "percent", "deg"):
        inner = as_decimal(node.args[0])
        if inner is None:
            return None
        if node.op == "percent":
            return Decimal(inner.value / 100, inner.decimals + 2, inner.digits)
        return Decimal(-inner.value, inner.decimals, inner.digits) if node.op == "neg" else inner
    return None


def compare_values(gold: Node, response: Node, budget: Budget) -> Decision:
    """Compare two expressions by value.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    if (
        isinstance(gold, Number)
        and isinstance(response, Number)
        and gold.value == response.value
        and _whole(gold, response)
    ):
        return Decision(True, "number", "the same rational number")
    field = Evaluator(budget.half())
    try:
        left, right = field.value(gold), field.value(response)
    except Undefined as error:
        if not _bare(gold, response):
            return _symbolic(gold, response, budget)
        return Decision(False, "undefined", f"no value: {error}")
    except Unsupported:
        return (
            _points(gold, response, budget) if symbols(gold) | symbols(response) else _symbolic(gold, response, budget)
        )
    except LimitExceeded:
        if symbols(gold) | symbols(response):
            return _points(gold, response, budget)
        raise
    if isinstance(left, Fraction) and isinstance(right, Fraction) and left == right:
        bare = isinstance(gold, Number) and isinstance(response, Number)
        if not bare or _whole(gold, response):  # type: ignore[arg-type]
            return Decision(True, "number", "the same rational number")
    try:
        decimal = _by_digits(gold, response, left, right, field)
    except (Undefined, Unsupported):
        return _symbolic(gold, response, budget)
    if decimal is not None:
        return decimal
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return Decision(False, "number", "different rational numbers")
    try:
        zero = field.is_zero(field.add(left, right, -1))
    except LimitExceeded:
        if symbols(gold) | symbols(response):
            return _points(gold, response, budget)
        raise
    except Undefined as error:
        return Decision(False, "undefined", f"no value: {error}")
    except Unsupported:
        return _symbolic(gold, response, budget)
    if zero is None:
        return _points(gold, response, budget)
    variables = field.is_variable(left) or field.is_variable(right)
    rule = "expression" if variables else "exact"
    return Decision(zero, rule, "the difference is zero" if zero else "the difference is not zero")


def _whole(gold: Number, response: Number) -> bool:
    """Whether no dots stand behind the digits of one side only, as in "42..." beside 42."""
    return gold.cut == response.cut or bool(gold.decimals and response.decimals)


def _by_digits(gold: Node, response: Node, left: Value, right: Value, field: Evaluator) -> Decision | None:
    """The rule for a decimal against an exact number; None where it does not apply."""
    gold_decimal, response_decimal = as_decimal(gold), as_decimal(response)
    if (gold_decimal is None) == (response_decimal is None):
        return None
    decimal, exact = (gold_decimal, right) if gold_decimal is not None else (response_decimal, left)
    if decimal is None or field.is_variable(exact) or not field.is_real(exact):
        return None
    if isinstance(exact, Fraction) and exact.denominator == 1:
        return Decision(False, "decimal", "a decimal that is not the integer")
    if decimal.digits < MIN_DIGITS:
        return Decision(False, "decimal", f"a decimal with fewer than {MIN_DIGITS} significant digits")
    if field.sign(exact) * decimal.value <= 0:
        return Decision(False, "decimal", "a decimal of the other sign")
    written = abs(decimal.value) * 10**decimal.decimals
    scaled = field.mul(field.absolute(exact), power(Fraction(10), decimal.decimals))
    if written in (field.floor(scaled), field.floor(field.add(scaled, HALF))):
        return Decision(True, "decimal", f"the exact value to {decimal.digits} significant digits")
    return Decision(False, "decimal", "not the exact value rounded or truncated to the digits written")


def _points(gold: Node, response: Node, budget: Budget) -> Decision:
    """Values at random rational points, compared exactly; the points are the same in every run.

    Points where either side has no real value are skipped.
    """
    names = sorted(symbols(gold) | symbols(response))
    draw = random.Random(_SEED)  # noqa: S311
    point: dict[str, Value]
    discrete = {n.op for side in (gold, response) for n in walk(side) if isinstance(n, Apply)} & _DISCRETE
    whole, large = bool(discrete), bool(discrete) and discrete <= _PERIODIC
    agreed = 0
    steps = step_points((gold, response), names, budget.half())
    for attempt, step in enumerate(chain(steps, repeat(None, _TRIES))):
        if step is not None:
            point = step
        elif whole:
            most = 60 if large and attempt % 2 else 4 + attempt
            point = {name: Fraction(draw.randint(1, most)) for name in names}
        else:
            point = rational_point(draw, names, attempt)
        field = Evaluator(budget, point)
        try:
            left, right = field.value(gold), field.value(response)
            real = field.is_real(left), field.is_real(right)
            if not all(real):
                continue
            same = field.is_zero(field.add(left, right, -1))
        except Undefined:
            continue
        except LimitExceeded:
            if step is None:
                raise
            continue
        except Unsupported:
            break
        if same is False:
            where = ", ".join(f"{name} = {value}" for name, value in point.items())
            return Decision(False, "points", f"different values at {where}")
        agreed += bool(same) and step is None
        if agreed >= _POINTS:
            return Decision(True, "points", f"equal values at {agreed} random points")
    return _symbolic(gold, response, budget)


def _symbolic(gold: Node, response: Node, budget: Budget) -> Decision:
    """By sympy, in a process of its own."""
    if not all(isinstance(node, EXPRESSIONS) for side in (gold, response) for node in walk(side)):
        return Decision(False, "structure", "not both expressions")
    if any(node == Constant("oo") and _bare(gold, response) for node in (gold, response)):
        return Decision(gold == response, "infinity", "infinite or not")
    proved = prove_equal(gold, response, budget)
    if proved is None:
        return Decision(
            False, "undecided", f"neither proved equal nor different: {show(gold)[:80]} and {show(response)[:80]}"
        )
    return Decision(proved, "symbolic", "proved equal by sympy" if proved else "proved different by sympy")


def _bare(gold: Node, response: Node) -> bool:
    return not any(
        isinstance(n, Apply) and n.op in ("sum", "prod", "int", "lim") for side in (gold, response) for n in walk(side)
    )


def is_multiple(numerator: Value, base: Value, field: Evaluator) -> Value | None:
    """The constant k with ``numerator = k * base`` for numerators that are not zero, or None if there is none."""
    left, right = _by_variables(numerator, field), _by_variables(base, field)
    if not left or left.keys() != right.keys():
        return None
    lead = next(iter(left))
    if lead == () and len(left) > 1:
        lead = next(mono for mono in left if mono)
    for mono in left:
        cross = field.add(field.mul(left[mono], right[lead]), field.mul(right[mono], left[lead]), -1)
        if not field.is_zero(cross):
            return None
    return field.div(left[lead], right[lead])


def _by_variables(value: Value, field: Evaluator) -> dict[object, Value]:
    """Constant coefficients of the monomials in variables of a numerator."""
    top = field.lift(value).num
    low: dict[str, Fraction] = {}
    for mono in top:
        for name, exponent in mono:
            if exponent < 0 and field.has_variable(name):
                low[name] = min(exponent, low.get(name, exponent))
    if low:  # a negative power of a variable is a denominator
        top = field.times(top, {tuple(sorted((name, -exponent) for name, exponent in low.items())): Fraction(1)})
    groups: dict[object, Poly] = {}
    for mono, coefficient in top.items():
        free = tuple(f for f in mono if field.has_variable(f[0]))
        groups.setdefault(free, {})[tuple(f for f in mono if not field.has_variable(f[0]))] = coefficient
    return {free: field.settle(poly, {(): Fraction(1)}) for free, poly in groups.items()}
