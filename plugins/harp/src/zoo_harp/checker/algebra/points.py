r"""Points at which two expressions are compared: random ones, and those at which a step such as a floor may differ.

Random rationals hit no integer, where the floor and the ceiling of a number differ by something else than between two
integers. Where such a step occurs, its argument is made an integer, a half and their neighbours, by solving for each
variable where the argument is linear in it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import Apply, Node, symbols, walk

STEPS: Final = frozenset(("floor", "ceil", "round", "sgn"))
"""operations that jump; others that do, such as remainders, are compared at integers"""
_TARGETS: Final = (Fraction(0), Fraction(1), Fraction(-1), Fraction(2), Fraction(5), Fraction(-7, 2), Fraction(1, 2))
_BESIDE: Final = Fraction(1, 100_003)
_INTEGERS: Final = (0, 1, -1, 2, 3, 4, -5, 8, 9, 10, 16)
_MAX_ARGUMENTS: Final = 4


def rational_point(draw: random.Random, names: Sequence[str], attempt: int) -> dict[str, Value]:
    """A random rational value for each name; every fourth point is positive."""
    spread = 60 if attempt % 2 else 9
    point = {name: Fraction(draw.randint(-spread * 7, spread * 7) or 1, draw.randint(2, 7)) for name in names}
    return {name: abs(value) + 2 if attempt % 4 == 3 else value for name, value in point.items()}


def step_points(sides: Sequence[Node], names: Sequence[str], budget: Budget) -> Iterator[dict[str, Value]]:
    """Points at which the argument of a step is a small integer or a half, and those points' neighbours."""
    arguments = {part.args[0] for side in sides for part in walk(side) if isinstance(part, Apply) and part.op in STEPS}
    if not arguments or not names:
        return
    draw = random.Random(len(names))  # noqa: S311
    for whole in _INTEGERS:
        yield dict.fromkeys(names, Fraction(whole))
    if len(names) > 1:
        for _ in _TARGETS:
            yield {name: Fraction(draw.randint(-6, 12)) for name in names}
            yield {name: Fraction(draw.randint(-12, 24), 2) for name in names}
    for argument in sorted(arguments, key=str)[:_MAX_ARGUMENTS]:
        for name in sorted(symbols(argument)):
            others: dict[str, Value] = {other: Fraction(draw.randint(-3, 9)) for other in names if other != name}
            line = _line(argument, name, others, budget)
            if line is None:
                continue
            slope, start = line
            for target in _TARGETS:
                place = (target - start) / slope
                for shift in (Fraction(0), _BESIDE, -_BESIDE):
                    yield {**others, name: place + shift}


def _line(node: Node, name: str, others: dict[str, Value], budget: Budget) -> tuple[Fraction, Fraction] | None:
    """Slope and start of an expression that is linear in ``name`` for rational values of the others, else None."""
    values = []
    for place in range(3):
        try:
            value = Evaluator(budget, {**others, name: Fraction(place)}).value(node)
        except (Unsupported, Undefined, LimitExceeded):
            return None
        if not isinstance(value, Fraction):
            return None
        values.append(value)
    slope = values[1] - values[0]
    return (slope, values[0]) if slope and values[2] - values[1] == slope else None
