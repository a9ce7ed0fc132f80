r"""The terms that an ellipsis stands for: ``1+2+\cdots+20``, ``1\cdot2\cdots5``, ``1, 2, \ldots, 10``.

The terms around the dots have to be alike but for their numbers, and each number has to grow by steps of one size, or
the terms are numbers with one quotient.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.limits import MAX_BITS, bits
from zoo_harp.checker.tree import Apply, Node, Number, Symbol, number

DOTS: Final = Symbol("...")
_PLACE: Final = "step"
_MAX_ITEMS: Final = 1_000
_MAX_COUNT: Final = 10_000


def has_dots(items: Sequence[Node]) -> bool:
    """Whether dots stand between or after items."""
    return DOTS in items


def series(op: str, terms: Sequence[Node]) -> Node:
    """The sum ("add") or product ("mul") of terms of which one is dots.

    Raises:
        ParseError: the omitted terms cannot be inferred.
    """
    position = list(terms).index(DOTS)
    before, after = terms[:position], terms[position + 1 :]
    if DOTS in after or len(before) < 2 or len(after) != 1:
        raise ParseError("an ellipsis with unclear terms")
    big = "sum" if op == "add" else "prod"
    grown = _grown(before, after[0])
    if grown is not None:
        body, last = grown
        return Apply(big, (Symbol(_PLACE), number(0), last, body))
    values = [value_of(term) for term in (*before, after[0])]
    quotient, count = _geometric([v for v in values[:-1] if v is not None], values[-1])
    if quotient is None or None in values:
        raise ParseError("an ellipsis with unclear terms")
    body = Apply("mul", (before[0], Apply("pow", (Number(quotient), Symbol(_PLACE)))))
    return Apply(big, (Symbol(_PLACE), number(0), number(count), body))


def listed(items: Sequence[Node]) -> tuple[Node, ...]:
    """The items with those that dots between them stand for; as they are where dots end the list.

    Raises:
        ParseError: the omitted terms cannot be inferred, or is too much to write out.
    """
    position = list(items).index(DOTS)
    before, after = items[:position], items[position + 1 :]
    if not before or not after:
        return tuple(items)
    values = [value_of(item) for item in (*before, after[0])]
    if None in values or DOTS in after:
        raise ParseError("an ellipsis with unclear terms")
    known = [value for value in values if value is not None]
    steps = {b - a for a, b in itertools.pairwise(known[:-1])} or {Fraction(1)}
    step = next(iter(steps))
    count = (known[-1] - known[-2]) / step if step else Fraction(-1)
    if len(steps) == 1 and count.denominator == 1 and 1 <= count <= _MAX_ITEMS:
        middle = [Number(known[-2] + step * k) for k in range(1, int(count))]
        return (*before, *middle, *after)
    quotient, left = _geometric(known[:-1], known[-1])
    if quotient is None:
        raise ParseError("an ellipsis with unclear terms")
    first = len(before)
    return (*before, *(Number(known[0] * quotient**k) for k in range(first, left)), *after)


def continued(items: Sequence[Node], count: int) -> list[Fraction] | None:
    """The first ``count`` values of an endless list that ends in dots; None if its rule cannot be told."""
    if not items or items[-1] != DOTS or DOTS in items[:-1]:
        return None
    values = [value_of(item) for item in items[:-1]]
    known = [value for value in values if value is not None]
    if len(known) < 2 or len(known) != len(values) or count > _MAX_ITEMS:
        return None
    steps = {b - a for a, b in itertools.pairwise(known)}
    if len(steps) == 1:
        return [known[0] + next(iter(steps)) * k for k in range(count)]
    quotients = {b / a for a, b in itertools.pairwise(known)} if 0 not in known else set()
    if len(quotients) == 1 and len(known) > 2:
        return [known[0] * next(iter(quotients)) ** k for k in range(count)]
    rise = _steps(known)
    second = set(_steps(rise))
    if len(known) > 3 and len(second) == 1:
        bend = next(iter(second))
        return [known[0] + rise[0] * k + bend * Fraction(k * (k - 1), 2) for k in range(count)]
    return None


def _steps(values: Sequence[Fraction]) -> list[Fraction]:
    return [b - a for a, b in itertools.pairwise(values)]


def value_of(node: Node) -> Fraction | None:
    """The value of a numeral, also with a sign, as a fraction or a power; None of anything else."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Apply):
        if node.op == "neg":
            inner = value_of(node.args[0])
            return None if inner is None else -inner
        if node.op == "div":
            top, bottom = map(value_of, node.args)
            return top / bottom if top is not None and bottom else None
        if node.op == "pow":
            base, exponent = map(value_of, node.args)
            if base is None or exponent is None or exponent.denominator != 1 or not 0 <= exponent <= 200:
                return None
            return base ** int(exponent) if bits(base) * exponent <= MAX_BITS else None
    return None


def _geometric(values: Sequence[Fraction], last: Fraction | None) -> tuple[Fraction | None, int]:
    """The quotient of at least three numbers, and the place of ``last`` counted from 0."""
    if len(values) < 3 or 0 in values or not last:
        return None, 0
    quotients = {b / a for a, b in itertools.pairwise(values)}
    quotient = next(iter(quotients))
    if len(quotients) != 1 or abs(quotient) == 1 or (last / values[0]).numerator.bit_length() > 4_000:
        return None, 0
    value, count = values[-1], len(values) - 1
    while count < _MAX_ITEMS and value != last:
        value, count = value * quotient, count + 1
    return (quotient, count) if value == last else (None, 0)


def _grown(before: Sequence[Node], last: Node) -> tuple[Node, Node] | None:
    """The term at the place ``step``, counted from 0, and the place of the last one; None if terms are not alike."""
    ends: list[Node] = []
    body = _body(list(before), last, ends)
    if body is None or not ends:
        return None
    if any(end != ends[0] for end in ends[1:]):
        return None
    end = ends[0]
    if isinstance(end, Number) and not (end.value.denominator == 1 and len(before) <= end.value <= _MAX_COUNT):
        return None
    return body, end


def _body(terms: list[Node], last: Node, ends: list[Node]) -> Node | None:
    first = terms[0]
    if all(isinstance(term, Number) for term in terms):
        values = [term.value for term in terms if isinstance(term, Number)]
        steps = set(_steps(values))
        if len(steps) != 1:
            return None
        step = next(iter(steps))
        if step == 0:
            return first if last == first else None
        if isinstance(last, Number):
            ends.append(Number((last.value - values[0]) / step))
        elif isinstance(last, Symbol | Apply):
            ends.append(Apply("div", (Apply("sub", (last, first)), Number(step))))
        else:
            return None
        return Apply("add", (first, Apply("mul", (Number(step), Symbol(_PLACE)))))
    if all(term == first for term in terms) and last == first:
        return first
    same = all(isinstance(t, Apply) and isinstance(first, Apply) and t.op == first.op for t in (*terms, last))
    if not same or not isinstance(first, Apply) or not isinstance(last, Apply):
        return None
    columns = zip(*(t.args for t in terms if isinstance(t, Apply)), strict=False)
    parts = [_body(list(column), end, ends) for column, end in zip(columns, last.args, strict=False)]
    known = tuple(part for part in parts if part is not None)
    return Apply(first.op, known) if len(known) == len(first.args) == len(last.args) else None
