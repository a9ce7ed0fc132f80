"""Subsets of the real line as truth values on the cells between breakpoints.

``points[0] < points[1] < ...`` divide the line; ``at_points[k]`` says whether the k-th point belongs to the set,
``gaps[k]`` whether the open interval before it does (the last gap is the one after all points). Union, intersection and
difference are then logic on common cells, and equality needs no normal form.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import HALF, ONE, Poly, Value
from zoo_harp.checker.limits import LimitExceeded, Unsupported
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
    Tuple,
    rebuilt,
    symbols,
    walk,
)

_MAX_POINTS: Final = 60
_SIGNS: Final[dict[str, tuple[int, ...]]] = {
    "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "!=": (-1, 1), "=": (0,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """A subset of the reals; ``variable`` is its name where it was given by a condition."""

    points: tuple[Value, ...]
    at_points: tuple[bool, ...]
    gaps: tuple[bool, ...]
    variable: str | None = None


EMPTY: Final = Cells((), (), (False,))
LINE: Final = Cells((), (), (True,))
_NAMED: Final = {"empty": EMPTY, "R": LINE}


def is_set_of_reals(node: Node) -> bool:
    """Whether ``node`` has intervals or inequalities, so that it is compared as a set."""
    if isinstance(node, Relation):
        return any(op in ("<", "<=", ">", ">=", "!=") for op in node.ops) or (
            node.ops == ("in",) and (isinstance(node.terms[1], Tuple) or is_set_of_reals(node.terms[1]))
        )
    if isinstance(node, Tuple):
        mixed = {node.left, node.right} in ({"(", "]"}, {"[", ")"})
        return len(node.items) == 2 and (mixed or any(_infinite(item) for item in node.items))
    if isinstance(node, Listing):
        return any(is_set_of_reals(item) for item in node.items)
    return isinstance(node, SetOp | Builder) or (isinstance(node, Named) and node.name in _NAMED)


def _infinite(node: Node) -> bool:
    return _sign_of_infinity(node) != 0


def _sign_of_infinity(node: Node) -> int:
    if node == Constant("oo"):
        return 1
    if isinstance(node, Apply) and node.op == "neg":
        return -_sign_of_infinity(node.args[0])
    return 0


class Line:
    """Builds and compares subsets of the real line; numbers are those of one evaluator."""

    def __init__(self, field: Evaluator) -> None:
        self.field = field

    def cells(self, node: Node) -> Cells:
        """The set that ``node`` describes.

        Raises:
            Unsupported: it does not describe a set of a known form.
        """
        if isinstance(node, Tuple):
            return self._interval(node)
        if isinstance(node, Named) and node.name in _NAMED:
            return _NAMED[node.name]
        if isinstance(node, Set):
            return self._points([self.field.value(item) for item in node.items])
        if isinstance(node, SetOp):
            logic = {"union": operator.or_, "intersection": operator.and_, "difference": lambda a, b: a and not b}
            return self.combine(self.cells(node.left), self.cells(node.right), logic[node.op])
        if isinstance(node, Builder):
            return self._builder(node)
        if isinstance(node, Listing):
            return self._listing(node)
        if isinstance(node, Relation):
            return self._relation(node)
        raise Unsupported("no set of reals")

    def equal(self, left: Cells, right: Cells) -> bool:
        """Whether both are the same set, of the same variable where both name one."""
        if left.variable and right.variable and left.variable != right.variable:
            return False
        common = self.merged(left.points, right.points)
        return self.spread(left, common) == self.spread(right, common)

    def combine(self, left: Cells, right: Cells, logic: Callable[[bool, bool], bool]) -> Cells:
        """The set of x for which ``logic(x in left, x in right)``."""
        common = self.merged(left.points, right.points)
        (at1, gaps1), (at2, gaps2) = self.spread(left, common), self.spread(right, common)
        return Cells(
            common,
            tuple(map(logic, at1, at2)),
            tuple(map(logic, gaps1, gaps2)),
            left.variable or right.variable,
        )

    def _order(self, left: Value, right: Value) -> int:
        return self.field.sign(self.field.add(left, right, -1))

    def merged(self, left: Sequence[Value], right: Sequence[Value]) -> tuple[Value, ...]:
        """The points of both in order."""
        points = list(left)
        for value in right:
            place = 0
            while place < len(points) and self._order(points[place], value) < 0:
                place += 1
            if place == len(points) or self._order(points[place], value) != 0:
                points.insert(place, value)
        if len(points) > _MAX_POINTS:
            raise LimitExceeded("a set of many pieces")
        return tuple(points)

    def spread(self, cells: Cells, common: Sequence[Value]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        """Truth values of ``cells`` on the finer ``common`` breakpoints."""
        at_points, gaps, k = [], [cells.gaps[0]], 0
        for value in common:
            if k < len(cells.points) and self._order(cells.points[k], value) == 0:
                at_points.append(cells.at_points[k])
                k += 1
            else:
                at_points.append(cells.gaps[k])
            gaps.append(cells.gaps[k])
        return tuple(at_points), tuple(gaps)

    def _points(self, values: Sequence[Value]) -> Cells:
        points: tuple[Value, ...] = ()
        for value in values:
            points = self.merged(points, (value,))
        return Cells(points, (True,) * len(points), (False,) * (len(points) + 1))

    def _interval(self, node: Tuple) -> Cells:
        if len(node.items) != 2:
            raise Unsupported("no interval")
        result = LINE
        for item, bracket, side in ((node.items[0], node.left, 1), (node.items[1], node.right, -1)):
            infinite = _sign_of_infinity(item)
            if infinite and bracket in "[]":
                raise Unsupported("an interval closed at infinity")
            if infinite == -side:
                continue
            if infinite:
                return EMPTY
            half = Cells((self.field.value(item),), (bracket in "[]",), (side < 0, side > 0))
            result = self.combine(result, half, operator.and_)
        return result

    def _builder(self, node: Builder) -> Cells:
        inside = self.cells(node.conditions)
        if isinstance(node.variable, Relation):
            inside = self.combine(self._relation(node.variable), inside, operator.and_)
        elif not isinstance(node.variable, Symbol):
            raise Unsupported("a set of expressions")
        # A bound variable has no meaning outside of the set.
        return Cells(inside.points, inside.at_points, inside.gaps)

    def _listing(self, node: Listing) -> Cells:
        parts = [self.cells(item) for item in node.items]
        if len({part.variable for part in parts} - {None}) > 1:
            raise Unsupported("conditions on several variables")
        logic = operator.or_ if node.joiner == "or" else operator.and_
        result = parts[0]
        for part in parts[1:]:
            result = self.combine(result, part, logic)
        if node.joiner == "," and not any(result.at_points) and not any(result.gaps):
            result = parts[0]
            for part in parts[1:]:
                result = self.combine(result, part, operator.or_)
        return result

    def _relation(self, node: Relation) -> Cells:
        if node.ops == ("in",) and isinstance(node.terms[0], Symbol):
            cells = self.cells(node.terms[1])
            return Cells(cells.points, cells.at_points, cells.gaps, node.terms[0].name)
        called = {part for part in walk(node) if isinstance(part, Apply) and part.op == "call"}
        if len(called) == 1:
            node = rebuilt(node, lambda part: Symbol("value") if part in called else None)
        names = symbols(node)
        if len(names) != 1 or any(op not in _SIGNS for op in node.ops):
            raise Unsupported("no condition on one variable")
        name = next(iter(names))
        result = LINE
        for op, left, right in zip(node.ops, node.terms, node.terms[1:], strict=False):
            low, high = _sign_of_infinity(left), _sign_of_infinity(right)
            if low or high:  # the other side is finite, or infinite as well
                part = LINE if (low > high) - (low < high) in _SIGNS[op] else EMPTY
            else:
                part = self._condition(op, left, right, name)
            result = self.combine(result, part, operator.and_)
        return Cells(result.points, result.at_points, result.gaps, name)

    def _condition(self, op: str, left: Node, right: Node, name: str) -> Cells:
        for side, opposite in ((left, right), (right, left)):
            if any(isinstance(n, Apply) and n.op == "abs" for n in walk(side)):
                return self._absolute(op if side is left else {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op),
                                      side, opposite, name)  # fmt: skip
        return self._solve(op, self.field.add(self.field.value(left), self.field.value(right), -1), name)

    def _absolute(self, op: str, size: Node, bound: Node, name: str) -> Cells:
        """|f| against a constant, by squares."""
        if not (isinstance(size, Apply) and size.op == "abs") or symbols(bound):
            raise Unsupported("absolute values in a sum")
        limit, inner = self.field.value(bound), self.field.value(size.args[0])
        if self.field.sign(limit) < 0:
            return LINE if op in (">", ">=", "!=") else EMPTY
        squares = self.field.add(self.field.mul(inner, inner), self.field.mul(limit, limit), -1)
        return self._solve(op, squares, name)

    def _solve(self, op: str, difference: Value, name: str) -> Cells:
        """Where the sign of ``difference`` is one of those that ``op`` allows."""
        signs = _SIGNS[op]
        if isinstance(difference, Fraction) or not self.field.is_variable(difference):
            return LINE if self.field.sign(difference) in signs else EMPTY
        top, bottom = self._coefficients(difference.num, name), self._coefficients(difference.den, name)
        poles = self._roots(bottom)
        points = self.merged(self.merged((), self._roots(top)), poles)

        def sample(x: Value) -> int:
            return self._sign_at(top, x) * self._sign_at(bottom, x)

        pole = [any(self._order(x, p) == 0 for p in poles) for x in points]
        at_points = tuple(not bad and sample(x) in signs for x, bad in zip(points, pole, strict=True))
        return Cells(points, at_points, tuple(sample(x) in signs for x in self._between(points)), name)

    def _between(self, points: Sequence[Value]) -> list[Value]:
        if not points:
            return [Fraction(0)]
        middle = [self.field.mul(HALF, self.field.add(a, b)) for a, b in pairwise(points)]
        return [self.field.add(points[0], ONE, -1), *middle, self.field.add(points[-1], ONE)]

    def _coefficients(self, poly: Poly, name: str) -> list[Value]:
        """Coefficients of 1, x, x^2.

        Raises:
            Unsupported: not a polynomial of degree at most 2 in the one variable.
        """
        by_degree: list[Poly] = [{}, {}, {}]
        for mono, coefficient in poly.items():
            degree = 0
            rest = []
            for factor in mono:
                if factor[0] == "v" + name:
                    if factor[1] not in (1, 2):
                        raise Unsupported("a condition of a degree above 2")
                    degree = int(factor[1])
                elif self.field.has_variable(factor[0]):
                    raise Unsupported("a condition with a function of the variable")
                else:
                    rest.append(factor)
            by_degree[degree][tuple(rest)] = coefficient
        return [self.field.settle(part, {(): ONE}) for part in by_degree]

    def _roots(self, coefficients: list[Value]) -> list[Value]:
        c, b, a = coefficients
        add, mul, div = self.field.add, self.field.mul, self.field.div
        if self.field.is_zero(a):
            return [] if self.field.is_zero(b) else [div(mul(Fraction(-1), c), b)]
        square = add(mul(b, b), mul(Fraction(4), mul(a, c)), -1)
        if self.field.sign(square) < 0:
            return []
        root = self.field.power(square, HALF)
        two_a, minus_b = mul(Fraction(2), a), mul(Fraction(-1), b)
        return [div(add(minus_b, root, sign), two_a) for sign in (1, -1)]

    def _sign_at(self, coefficients: list[Value], x: Value) -> int:
        c, b, a = coefficients
        add, mul = self.field.add, self.field.mul
        return self.field.sign(add(c, mul(x, add(b, mul(a, x)))))
