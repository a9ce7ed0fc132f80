"""Quantities in several units, such as 4 hours 30 minutes: one value in any of the units that they name."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import TypeAlias

from zoo_harp.checker.tree import EXPRESSIONS, Apply, Listing, Node, Number, Quantity
from zoo_harp.checker.units import SIZES

Compound: TypeAlias = tuple[tuple[str, Node], ...]
"""base names of units, the largest first, each with its value"""


def compound(node: Node) -> Compound | None:
    """The parts of a list of quantities that add up to one: units of one kind, each smaller than the one before."""
    if not isinstance(node, Listing) or node.joiner == "or" or not all(map(_has_one_unit, node.items)):
        return None
    parts = tuple((item.unit[0][0], item.value) for item in node.items if isinstance(item, Quantity) and item.unit)
    kinds, sizes = zip(*(SIZES[base] for base, _ in parts), strict=True)
    decreasing = all(larger > smaller for larger, smaller in pairwise(sizes))
    return parts if decreasing and len(set(kinds)) == 1 else None


def _has_one_unit(node: Node) -> bool:
    """Whether it is an expression with one unit of known size, to the first power."""
    if not isinstance(node, Quantity) or not node.unit or not isinstance(node.value, EXPRESSIONS):
        return False
    return len(node.unit) == 1 and node.unit[0][1] == 1 and node.unit[0][0] in SIZES


def as_single_quantities(gold: Node, response: Node) -> list[tuple[Node, Node]] | None:
    """Pairs of expressions of which one has to be equal, where either side is a sum of units; None where neither is.

    A single quantity is measured in its own unit if the sum names it, and in each of them if it has none.
    """
    gold_parts, response_parts = compound(gold), compound(response)
    if gold_parts and response_parts:
        if SIZES[gold_parts[0][0]][0] != SIZES[response_parts[0][0]][0]:
            return []
        smallest = min(gold_parts[-1][0], response_parts[-1][0], key=lambda base: SIZES[base][1])
        return [(_total(gold_parts, smallest), _total(response_parts, smallest))]
    single = response if gold_parts else gold
    parts = gold_parts or response_parts
    unit = single.unit if isinstance(single, Quantity) else None
    value = single.value if isinstance(single, Quantity) else single
    if not parts or not isinstance(value, EXPRESSIONS):
        return None
    totals = [_total(parts, base) for base, _ in parts if not unit or unit == ((base, 1),)]
    return [(total, value) if gold_parts else (value, total) for total in totals]


def _total(parts: Compound, base: str) -> Node:
    """The sum of the parts in the unit ``base``, which is of their kind."""
    scaled = [Apply("mul", (value, Number(SIZES[name][1] / SIZES[base][1]))) for name, value in parts]
    return reduce(lambda left, right: Apply("add", (left, right)), scaled)


def unit_name(unit: tuple[tuple[str, int], ...]) -> str:
    """A unit as it is written, such as m*s^-1."""
    return "*".join(base if power == 1 else f"{base}^{power}" for base, power in unit)
