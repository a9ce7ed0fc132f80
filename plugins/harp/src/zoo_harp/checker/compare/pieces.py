"""Values by cases: on each interval between breakpoints both sides must have the same expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.algebra.intervals import LINE, Cells, Line
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import EXPRESSIONS, Apply, Cases, Listing, Node, Relation, number, rebuilt, symbols, walk

_MAX_SIZES: Final = 3
"""absolute values in an expression that is taken apart"""


def by_cases(node: Node) -> Cases | None:
    """An expression as values by cases, one for each choice of signs in its absolute values; None of anything else."""
    if isinstance(node, Cases):
        return node
    pieces = _by_signs(node, ()) if isinstance(node, EXPRESSIONS) else []
    return (
        Cases(tuple((value, Listing(signs, "and") if signs else None) for value, signs in pieces)) if pieces else None
    )


def _by_signs(node: Node, signs: tuple[Relation, ...]) -> list[tuple[Node, tuple[Relation, ...]]]:
    """The expression without absolute values under each choice of signs, the innermost chosen first."""
    sizes = [part for part in walk(node) if isinstance(part, Apply) and part.op == "abs"]
    if not sizes:
        return [(node, signs)]
    if len(signs) >= _MAX_SIZES:
        return []
    innermost = sizes[-1]
    inner = innermost.args[0]
    chosen = [
        _by_signs(_with(node, innermost, value), (*signs, Relation((sign,), (inner, number(0)))))
        for sign, value in ((">=", inner), ("<", Apply("neg", (inner,))))
    ]
    return [piece for pieces in chosen for piece in pieces] if all(chosen) else []


def _with(node: Node, old: Node, new: Node) -> Node:
    replaced: Node = rebuilt(node, lambda part: new if part == old else None)
    return replaced


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
        gold_cells, response_cells = _domains(gold, line), _domains(response, line)
        if len({cells.variable for cells in (*gold_cells, *response_cells)} - {None}) > 1:
            return False
        points: tuple[Value, ...] = ()
        for cells in (*gold_cells, *response_cells):
            points = line.merged(points, cells.points)
        (gold_at, gold_gaps), (response_at, response_gaps) = (
            _active(cells, points, line) for cells in (gold_cells, response_cells)
        )
    except (Unsupported, Undefined):
        return None
    for k, k2 in {*zip(gold_gaps, response_gaps, strict=True)}:
        if (k is None) != (k2 is None):
            return False
        if k is not None and k2 is not None and not equal(gold.pieces[k][0], response.pieces[k2][0]):
            return False
    for point, k, k2 in zip(points, gold_at, response_at, strict=True):
        k, k2 = (_defined(side, piece, point, field) for side, piece in ((gold, k), (response, k2)))
        if (k is None) != (k2 is None):
            return False
        if k is not None and k2 is not None and not _equal_at(gold.pieces[k], response.pieces[k2], point, field, equal):
            return False
    return True


def _defined(side: Cases, piece: int | None, point: Value, field: Evaluator) -> int | None:
    """The piece of a point, or None where its value does not exist there, as that of |x|/x at 0."""
    if piece is None:
        return None
    names = symbols(side.pieces[piece][0])
    if len(names) != 1:
        return piece
    try:
        Evaluator(field.budget, dict.fromkeys(names, point)).value(side.pieces[piece][0])
    except Undefined:
        return None
    except (Unsupported, LimitExceeded):
        return piece
    return piece


def _equal_at(
    gold_piece: tuple[Node, Node | None], response_piece: tuple[Node, Node | None], point: Value, field: Evaluator,
    equal: Callable[[Node, Node], bool],
) -> bool:  # fmt: skip
    if gold_piece == response_piece or equal(gold_piece[0], response_piece[0]):
        return True
    names = symbols(gold_piece[0]) | symbols(response_piece[0])
    if len(names) > 1:
        return False
    evaluator = Evaluator(field.budget, dict.fromkeys(names, point))
    try:
        return (
            evaluator.is_zero(evaluator.add(evaluator.value(gold_piece[0]), evaluator.value(response_piece[0]), -1))
            is True
        )
    except (Unsupported, Undefined, LimitExceeded):
        return False


def _domains(cases: Cases, line: Line) -> list[Cells]:
    """Where each piece applies: where its condition holds and none before does."""
    free, cells_of_pieces = LINE, []
    for _, condition in cases.pieces:
        cells = LINE if condition is None else line.cells(condition)
        cells_of_pieces.append(line.combine(free, cells, lambda a, b: a and b))
        free = line.combine(free, cells, lambda a, b: a and not b)
    return cells_of_pieces


def _active(domains: list[Cells], points: tuple[Value, ...], line: Line) -> tuple[list[int | None], list[int | None]]:
    """The piece at each point, and on the interval before it."""
    spread = [line.spread(cells, points) for cells in domains]
    at_points = [next((k for k, (here, _) in enumerate(spread) if here[p]), None) for p in range(len(points))]
    gaps = [next((k for k, (_, there) in enumerate(spread) if there[p]), None) for p in range(len(points) + 1)]
    return at_points, gaps
