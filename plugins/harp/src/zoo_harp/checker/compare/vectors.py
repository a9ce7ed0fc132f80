"""Vectors: rows, columns, tuples, angle brackets and sums of unit vectors are one kind of answer."""

from __future__ import annotations

from typing import Final

from zoo_harp.checker.tree import EXPRESSIONS, Apply, Matrix, Node, Symbol, Tuple, number, rebuilt, symbols

_UNITS: Final = ("unit i", "unit j", "unit k")


def components(node: Node, count: int) -> tuple[Node, ...] | None:
    """The ``count`` components of what may be a vector; None if it is none."""
    if isinstance(node, Tuple):
        return node.items if (node.left, node.right) in (("(", ")"), ("<", ">")) else None
    if isinstance(node, Matrix):
        if len(node.rows[0]) == 1:
            return tuple(row[0] for row in node.rows)
        return node.rows[0] if len(node.rows) == 1 else None
    if isinstance(node, EXPRESSIONS) and not symbols(node).isdisjoint(_UNITS) and count in (2, 3) and _linear(node):
        return tuple(_along(node, unit) for unit in _UNITS[:count])
    return None


def is_vector(node: Node) -> bool:
    """Whether ``node`` is written as a vector and not as a list of numbers in brackets."""
    if isinstance(node, Tuple):
        return node.left == "<"
    if isinstance(node, Matrix):
        return 1 in (len(node.rows), len(node.rows[0]))
    return isinstance(node, EXPRESSIONS) and not symbols(node).isdisjoint(_UNITS)


def in_units(node: Node) -> int:
    """How many components a sum of unit vectors needs at least; 0 if it is none."""
    names = symbols(node)
    return 3 if "unit k" in names else 2 if not names.isdisjoint(_UNITS) else 0


def _linear(node: Node) -> bool:
    """Whether every term has exactly one unit vector as a factor."""
    if isinstance(node, Symbol):
        return node.name in _UNITS
    if not isinstance(node, Apply):
        return False
    if node.op in ("add", "sub"):
        return all(map(_linear, node.args))
    if node.op == "neg":
        return _linear(node.args[0])
    if node.op in ("mul", "div"):
        scalars = [symbols(arg).isdisjoint(_UNITS) for arg in node.args]
        if node.op == "div":
            return scalars == [False, True] and _linear(node.args[0])
        return sum(scalars) == 1 and _linear(node.args[scalars.index(False)])
    return False


def _along(node: Node, unit: str) -> Node:
    def change(part: Node) -> Node | None:
        return number(int(part.name == unit)) if isinstance(part, Symbol) and part.name in _UNITS else None

    replaced: Node = rebuilt(node, change)
    return replaced


def rows_of(node: Node) -> tuple[tuple[Node, ...], ...] | None:
    """The rows of a matrix, also of a list of lists; None of anything else."""
    if isinstance(node, Matrix):
        return node.rows
    brackets = (
        {(item.left, item.right) for item in node.items if isinstance(item, Tuple)} if isinstance(node, Tuple) else ()
    )
    if isinstance(node, Tuple) and brackets == {("[", "]")} and all(isinstance(item, Tuple) for item in node.items):
        return tuple(item.items for item in node.items if isinstance(item, Tuple))
    return None
