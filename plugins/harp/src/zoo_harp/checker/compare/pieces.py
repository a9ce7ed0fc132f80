"""Values by cases: on each interval between breakpoints both sides must have the same expression."""

from __future__ import annotations

from collections.abc import Callable

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.algebra.intervals import LINE, Cells, Line
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import Cases, Node, symbols


def same_pieces(gold: Cases, response: Cases, budget: Budget, equal: Callable[[Node, Node], bool]) -> bool | None:
    """Whether both are the same function of their one variable; None where the conditions cannot be read.

    Args:
        gold: values by cases.
        response: the same.
        budget: of the check.
        equal: the comparison of two expressions.
    """
    field = Evaluator(budget)
    line = Line(field)
    try:
        one, other = _places(gold, line), _places(response, line)
        points: tuple[Value, ...] = ()
        for cells in (*one, *other):
            points = line.merged(points, cells.points)
        (at, gaps), (at2, gaps2) = (_active(places, points, line) for places in (one, other))
    except (Unsupported, Undefined):
        return None
    for k, k2 in {*zip(gaps, gaps2, strict=True)}:
        if (k is None) != (k2 is None):
            return False
        if k is not None and k2 is not None and not equal(gold.pieces[k][0], response.pieces[k2][0]):
            return False
    for point, k, k2 in zip(points, at, at2, strict=True):
        if (k is None) != (k2 is None):
            return False
        if k is not None and k2 is not None and not _equal_at(gold.pieces[k], response.pieces[k2], point, field, equal):
            return False
    return True


def _equal_at(
    one: tuple[Node, Node | None], other: tuple[Node, Node | None], point: Value, field: Evaluator,
    equal: Callable[[Node, Node], bool],
) -> bool:  # fmt: skip
    if one == other or equal(one[0], other[0]):
        return True
    names = symbols(one[0]) | symbols(other[0])
    if len(names) > 1:
        return False
    at = Evaluator(field.budget, dict.fromkeys(names, point))
    try:
        return at.is_zero(at.add(at.value(one[0]), at.value(other[0]), -1)) is True
    except (Unsupported, Undefined, LimitExceeded):
        return False


def _places(cases: Cases, line: Line) -> list[Cells]:
    """Where each piece applies: where its condition holds and none before does."""
    free, found = LINE, []
    for _, condition in cases.pieces:
        cells = LINE if condition is None else line.cells(condition)
        found.append(line.combine(free, cells, lambda a, b: a and b))
        free = line.combine(free, cells, lambda a, b: a and not b)
    return found


def _active(places: list[Cells], points: tuple[Value, ...], line: Line) -> tuple[list[int | None], list[int | None]]:
    """The piece at each point, and on the interval before it."""
    spread = [line.spread(cells, points) for cells in places]
    at = [next((k for k, (here, _) in enumerate(spread) if here[p]), None) for p in range(len(points))]
    gaps = [next((k for k, (_, there) in enumerate(spread) if there[p]), None) for p in range(len(points) + 1)]
    return at, gaps
