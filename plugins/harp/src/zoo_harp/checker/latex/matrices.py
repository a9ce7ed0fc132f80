"""Arithmetic of matrices, entry by entry, while an answer is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import islice
from typing import Final

from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.limits import LimitExceeded
from zoo_harp.checker.tree import EXPRESSIONS, Apply, Matrix, Node, Number, number, walk

_MAX_SIZE: Final = 6
"""rows and columns of a matrix that is multiplied, inverted or has its determinant taken"""
_MAX_POWER: Final = 64
_MAX_NODES: Final = 3_000
"""of the entries of a product together"""


def combined(op: str, left: Node, right: Node) -> Node | None:
    """``left op right`` for "add", "sub" or "mul" where at least one is a matrix; None where neither is.

    A product of one row and one column is a number.

    Raises:
        ParseError: the shapes do not fit, or one of them is neither a matrix nor an expression.
    """
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        if op == "mul":
            result = _product(left, right)
            return result.rows[0][0] if _shape(result) == (1, 1) else result
        if _shape(left) != _shape(right):
            raise ParseError("a sum of matrices of different shapes")
        return _each(lambda a, b: Apply(op, (a, b)), left, right)
    for matrix, factor in ((left, right), (right, left)):
        if isinstance(matrix, Matrix):
            if op != "mul" or not isinstance(factor, EXPRESSIONS):
                raise ParseError("a matrix and something else")
            return _each(lambda entry: Apply("mul", (factor, entry)), matrix)  # noqa: B023
    return None


def raised(base: Matrix, exponent: Node) -> Matrix:
    """A power, an inverse or, with the exponent T, the transpose.

    Raises:
        ParseError: the exponent is something else, or the matrix is not square.
    """
    name = getattr(exponent, "name", "")
    if name in ("T", "t", "top"):
        return Matrix(tuple(zip(*base.rows, strict=True)))
    sign, size = 1, exponent
    if isinstance(exponent, Apply) and exponent.op == "neg":
        sign, size = -1, exponent.args[0]
    if not isinstance(size, Number) or size.value.denominator != 1 or not 1 <= size.value <= _MAX_POWER:
        raise ParseError("a power of a matrix")
    _square(base)
    return reduce(_product, [base if sign > 0 else inverse(base)] * int(size.value))


def determinant(matrix: Matrix) -> Node:
    """By the first row.

    Raises:
        ParseError: the matrix is not square, or too large.
    """
    _square(matrix)
    return _determinant(matrix.rows)


def _determinant(rows: Sequence[tuple[Node, ...]]) -> Node:
    if len(rows) == 1:
        return rows[0][0]
    terms = [Apply("mul", (entry, _determinant(_minor(rows, 0, k)))) for k, entry in enumerate(rows[0])]
    return reduce(lambda total, k: Apply("sub" if k % 2 else "add", (total, terms[k])), range(1, len(terms)), terms[0])


def trace(matrix: Matrix) -> Node:
    """The sum of the diagonal.

    Raises:
        ParseError: the matrix is not square, or too large.
    """
    _square(matrix)
    diagonal = [row[k] for k, row in enumerate(matrix.rows)]
    return reduce(lambda a, b: Apply("add", (a, b)), diagonal)


def inverse(matrix: Matrix) -> Matrix:
    """The adjugate over the determinant.

    Raises:
        ParseError: the matrix is not square, or too large.
    """
    whole, rows = determinant(matrix), matrix.rows
    if len(rows) == 1:
        return Matrix(((Apply("div", (number(1), whole)),),))

    def entry(i: int, j: int) -> Node:
        cofactor = _determinant(_minor(rows, j, i))
        return Apply("div", (Apply("neg", (cofactor,)) if (i + j) % 2 else cofactor, whole))

    return Matrix(tuple(tuple(entry(i, j) for j in range(len(rows))) for i in range(len(rows))))


def _minor(rows: Sequence[tuple[Node, ...]], row: int, column: int) -> list[tuple[Node, ...]]:
    return [line[:column] + line[column + 1 :] for k, line in enumerate(rows) if k != row]


def _product(left: Matrix, right: Matrix) -> Matrix:
    (rows, inner), (inner_right, columns) = _shape(left), _shape(right)
    if inner != inner_right or max(rows, inner, columns) > _MAX_SIZE:
        raise ParseError("a product of matrices that do not fit")

    def entry(i: int, j: int) -> Node:
        return reduce(_sum, [_times(left.rows[i][k], right.rows[k][j]) for k in range(inner)])

    result = Matrix(tuple(tuple(entry(i, j) for j in range(columns)) for i in range(rows)))
    if sum(1 for _ in islice(walk(result), _MAX_NODES)) == _MAX_NODES:
        raise LimitExceeded("a product of matrices with long entries")
    return result


def _sum(left: Node, right: Node) -> Node:
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value + right.value)
    return Apply("add", (left, right))


def _times(left: Node, right: Node) -> Node:
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value * right.value)
    return Apply("mul", (left, right))


def _each(function: Callable[..., Node], *matrices: Matrix) -> Matrix:
    rows = zip(*(matrix.rows for matrix in matrices), strict=True)
    return Matrix(tuple(tuple(map(function, *lines)) for lines in rows))


def _shape(matrix: Matrix) -> tuple[int, int]:
    return len(matrix.rows), len(matrix.rows[0])


def _square(matrix: Matrix) -> None:
    rows, columns = _shape(matrix)
    if rows != columns or rows > _MAX_SIZE:
        raise ParseError("a matrix that is not square, or too large")
