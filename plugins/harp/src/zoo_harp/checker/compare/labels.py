"""Labels such as ``x =``, and plus-minus signs: removed and expanded before answers are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.tree import (
    Apply,
    Builder,
    Listing,
    Node,
    Number,
    Quantity,
    Ratio,
    Relation,
    Set,
    SetOp,
    Symbol,
    Text,
    Tuple,
    number,
    symbols,
    walk,
)
from zoo_harp.checker.words import MULTIPLES

_MAX_SIGNS: Final = 4
_CONTRARY: Final = (
    ("min", "max"), ("minimum", "maximum"), ("least", "greatest"), ("smallest", "largest"), ("lower", "upper"),
    ("minimal", "maximal"), ("least", "largest"), ("shortest", "longest"),
)  # fmt: skip
"""words of labels that name different things"""
COUNTED: Final = Symbol("any integer")
"""the parameter of the numbers that a congruence names"""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer with names: ``x = 5`` has one, ``x = 2, y = 3`` two."""

    names: tuple[Node, ...]
    values: tuple[Node, ...]
    whole: Node
    """the value, list or tuple without the names"""
    same: tuple[Node, ...] = ()
    """further values in a chain of equations"""
    repeated: bool = False
    """whether one value was given to all names, as in x = y = 2"""


def is_label(node: Node) -> bool:
    """Whether ``node`` can be a name before an equality sign: x, f(x), (x, y), or words."""
    if isinstance(node, Tuple):
        return all(isinstance(item, Symbol) for item in node.items)
    if isinstance(node, Apply):
        if node.op == "call":
            arguments = node.args[1].items if isinstance(node.args[1], Tuple) else node.args[1:]
            return all(
                isinstance(argument, Symbol | Number | SetOp) or node.args[0] == Symbol("P") for argument in arguments
            )
        return _is_length(node)
    if isinstance(node, Ratio):
        return all(map(is_label, node.parts))
    if isinstance(node, Text):
        return (
            not denies(node.words) and MULTIPLES.isdisjoint(node.words) and node.words[:1] not in (("for",), ("let",))
        )
    return isinstance(node, Symbol)


def _is_combination(node: Node) -> bool:
    """Sums, products and the like of variables and nothing else, such as m + n: what many problems ask for."""
    arithmetic = ("add", "sub", "mul", "div", "abs")
    plain = all(isinstance(n, Symbol) or (isinstance(n, Apply) and n.op in arithmetic) for n in walk(node))
    return plain and len(symbols(node)) > 1


def _is_length(node: Node) -> bool:
    """A product of capital letters, such as the segment AB, also between bars."""
    if isinstance(node, Apply) and (node.op in ("mul", "abs", "div") or _is_vector(node)):
        return all(map(_is_length, node.args))
    return isinstance(node, Symbol) and node.name.isupper()


def _is_vector(node: Apply) -> bool:
    """Whether it is a vector between two points."""
    return node.op == "sub" and all(isinstance(arg, Symbol) and arg.name.startswith("→") for arg in node.args)


def exchangeable(gold: Labelled, response: Labelled) -> bool:
    """Whether the names may differ: words, ``f(x)`` for ``y``, or ``x(t)`` for ``x``."""
    if any(all(isinstance(name, Text) for name in answer.names) for answer in (gold, response)):
        return not _are_contrary(*(_words(answer.names) for answer in (gold, response)))
    if len(gold.names) != len(response.names):
        return False
    alike = []
    for name, other in zip(gold.names, response.names, strict=True):
        called = [one.args[0] for one in (name, other) if isinstance(one, Apply) and one.op == "call"]
        plain = {one for one in (name, other) if isinstance(one, Symbol)}
        alike.append(name == other or (bool(called) and not plain.isdisjoint({Symbol("y"), *called})))
    return all(alike)


def _words(names: tuple[Node, ...]) -> set[str]:
    return {word for name in names if isinstance(name, Text) for word in name.words}


def _are_contrary(gold: set[str], response: set[str]) -> bool:
    """Whether one says maximum where the other says minimum, and the like."""
    return any(
        (low in gold - response and high in response - gold) or (high in gold - response and low in response - gold)
        for low, high in _CONTRARY
    )


def is_ordered(answer: Labelled) -> bool:
    """Whether values belong to different unknowns, so that their order counts; x_1 and x_2 are two values of one."""
    kinds = {name.name.partition("_")[0] if isinstance(name, Symbol) else name for name in answer.names}
    return len(kinds) == len(answer.names) > 1


def are_of_different(node: Node) -> bool:
    """Whether a list has values of different unknowns."""
    items = [_one(item) for item in node.items if isinstance(item, Relation)] if isinstance(node, Listing) else []
    return len({item.names for item in items if item is not None and is_unknown(item)}) > 1


def is_unknown(answer: Labelled) -> bool:
    """Whether the answer is solved for one unknown, a small letter without an index."""
    name = answer.names[0] if len(answer.names) == 1 else None
    return isinstance(name, Symbol) and "_" not in name.name and name.name[0].islower()


def exact_part(node: Node) -> Node:
    """``node`` without approximations: ``a ~ b`` is a."""
    if isinstance(node, Relation) and "~" in node.ops:
        first = node.ops.index("~")
        if any(isinstance(part, Text) for term in node.terms[first + 1 :] for part in walk(term)):
            return node  # 5/9 is about "0.556 (no)"
        if node.ops == ("~",) and isinstance(node.terms[0], Symbol):
            return Relation(("=",), node.terms)  # x is about 11: the value is what is written
        if first == 0:
            return node.terms[0]
        return Relation(node.ops[:first], node.terms[: first + 1])
    return node


def labelled(node: Node, *, combinations: bool = False) -> Labelled | None:
    """The names and values of an answer; None if it has no names.

    With ``combinations`` also a sum or product of variables is a name, what a response writes as m + n = 7, and a chain
    of equal expressions has its last one as value.
    """
    if isinstance(node, Relation):
        answer = _one(node)
        if answer is None and combinations and set(node.ops) == {"="}:
            named = _is_combination(node.terms[0])
            return Labelled((), (node.terms[-1],), node.terms[-1], node.terms[1:-1] if named else node.terms[:-1])
        return answer
    if isinstance(node, Listing):
        return _several(node)
    return None


def _one(node: Relation) -> Labelled | None:
    if node.ops == ("in",) and isinstance(node.terms[0], Symbol) and isinstance(node.terms[1], Set | Builder):
        return Labelled((node.terms[0],), (node.terms[1],), node.terms[1])
    if node.ops == ("in",) and isinstance(node.terms[0], Tuple) and isinstance(node.terms[1], Set):
        names, points = node.terms[0].items, node.terms[1].items
        if all(isinstance(name, Symbol) for name in names) and all(isinstance(point, Tuple) for point in points):
            label = Relation(("=",), (node.terms[0], points[0]))
            ordered = tuple(_in_order(point, label) for point in points)
            return Labelled((Tuple("(", names, ")"),), ordered, Set(ordered))
    if node.ops == ("mod",):
        return _congruence(*node.terms)
    if any(op != "=" for op in node.ops):
        return None
    first, *rest = node.terms
    if len(rest) > 1 and all(isinstance(term, Symbol) for term in node.terms[:-1]) and not symbols(rest[-1]):
        values = (rest[-1],) * len(rest)
        if len({*node.terms[:-1]}) == len(rest):
            return Labelled(node.terms[:-1], values, Tuple("(", values, ")"), repeated=True)
    if is_label(first):
        value = rest[-1]
    elif len(rest) == 1 and is_label(rest[0]) and not symbols(first):
        first, value, rest = rest[0], first, [first]
    elif not symbols(node) and not isinstance(first, Text):
        return Labelled((), (node.terms[-1],), node.terms[-1], node.terms[:-1])
    else:
        return None
    if isinstance(first, Ratio) and isinstance(value, Ratio):
        value = replace(value, time=False)
    if isinstance(first, Tuple) and isinstance(value, Tuple) and len(first.items) == len(value.items):
        order = _order(first.items)
        value = replace(value, items=tuple(value.items[k] for k in order))
        return Labelled(tuple(first.items[k] for k in order), value.items, value)
    if isinstance(first, Symbol) and first.name in symbols(value):
        return None
    return Labelled((first,), (value,), value, tuple(rest[:-1]))


def _congruence(unknown: Node, residue: Node, *modulus: Node) -> Labelled | None:
    """The numbers 5k + 2 that n = 2 (mod 5) names; None where the residue or the modulus is no number."""
    if not isinstance(unknown, Symbol) or not all(isinstance(part, Number) for part in (residue, *modulus)):
        return None
    value = Apply("add", (Apply("mul", (*modulus, COUNTED)), residue))
    return Labelled((unknown,), (value,), value) if len(modulus) == 1 else None


def _residues(node: Listing) -> list[Node]:
    """The items of a list; of n = 1, 3 (mod 4), whose modulus stands at the end, the congruences that it means."""
    first, last = node.items[0], node.items[-1]
    if not (isinstance(first, Relation) and first.ops == ("mod",) and len(first.terms) == 2):
        return [*node.items]
    if not isinstance(last, Apply) or last.op != "mod":
        return [*node.items]
    residues = [first.terms[1], *node.items[1:-1], last.args[0]]
    return [Relation(("mod",), (first.terms[0], residue, last.args[1])) for residue in residues]


def _several(node: Listing) -> Labelled | None:
    """``x = 2, y = 3``, or ``x = 2, x = 3``, or ``x = 2, 3``."""
    node = replace(node, items=tuple(_residues(node)))
    labelled_items = [_one(item) if isinstance(item, Relation) else None for item in node.items]
    first = labelled_items[0]
    if first is None:
        return None
    if len(first.names) > 1:
        rest = [part.whole if part is not None and part.names == first.names else _in_order(item, node.items[0])
                for item, part in zip(node.items, labelled_items, strict=True)]  # fmt: skip
        points = all(isinstance(value, Tuple) and len(value.items) == len(first.names) for value in rest)
        return (
            Labelled((Tuple("(", first.names, ")"),), tuple(rest), replace(node, items=tuple(rest))) if points else None
        )
    if len(first.names) != 1:
        return None
    names, values = [], []
    for item, part in zip(node.items, labelled_items, strict=True):
        if part is None and isinstance(item, Relation):
            return None
        if part is not None and len(part.names) != 1:
            return None
        names.append(part.names[0] if part else None)
        values.append(part.whole if part else item)
    given = {name for name in names if name is not None}
    if node.joiner in ("or", "lor") and len(given) == len(names):
        return None
    if len(given) == 1:
        return Labelled((names[0] or first.names[0],), tuple(values), replace(node, items=tuple(values)))
    if len(given) == len(names):
        pairs = [(name, value) for name, value in zip(names, values, strict=True) if name is not None]
        if _are_neighbours(given):
            pairs.sort(key=lambda pair: str(pair[0]))
        ordered = tuple(value for _, value in pairs)
        return Labelled(tuple(name for name, _ in pairs), ordered, Listing(ordered, ","))
    size = len(given)
    groups = [dict(zip(names[k : k + size], values[k : k + size], strict=True)) for k in range(0, len(names), size)]
    if None in names or any(group.keys() != given for group in groups):
        return None
    order = sorted(given, key=str) if _are_neighbours({n for n in given if n is not None}) else names[:size]
    found_points = tuple(Tuple("(", tuple(group[name] for name in order), ")") for group in groups)
    names_in_order = Tuple("(", tuple(n for n in order if n is not None), ")")
    return Labelled((names_in_order,), found_points, Listing(found_points, ","))


def _order(names: tuple[Node, ...]) -> list[int]:
    """The order in which coordinates are given: the alphabet's for letters in a row, else that of their names."""
    if len(set(names)) == len(names) and _are_neighbours(set(names)):
        return sorted(range(len(names)), key=lambda k: str(names[k]))
    return list(range(len(names)))


def _in_order(item: Node, first: Node) -> Node:
    """A point without names, its coordinates in the order that the names before the first point stand for."""
    names = first.terms[0] if isinstance(first, Relation) else None
    if not isinstance(item, Tuple) or not isinstance(names, Tuple) or len(names.items) != len(item.items):
        return item
    return replace(item, items=tuple(item.items[k] for k in _order(names.items)))


def _are_neighbours(given: set[Node]) -> bool:
    """Whether the names are letters in a row, such as x, y, z: their order is that of a point's coordinates."""
    letters = sorted(name.name for name in given if isinstance(name, Symbol) and len(name.name) == 1)
    return len(letters) == len(given) and ord(letters[-1]) - ord(letters[0]) == len(letters) - 1


def has_signs(*nodes: Node) -> bool:
    """Whether a plus-minus sign occurs."""
    return any(isinstance(part, Apply) and part.op in ("pm", "mp") for node in nodes for part in walk(node))


def expand(node: Node) -> list[Node]:
    """The values that plus-minus signs stand for: signs vary alone, but with a minus-plus all together."""
    kinds = [part.op for part in walk(node) if isinstance(part, Apply) and part.op in ("pm", "mp")]
    if not kinds or len(kinds) > _MAX_SIGNS:
        return [node]
    if "mp" in kinds:
        return [_signed(node, [up] * len(kinds)) for up in (True, False)]
    return [_signed(node, list(signs)) for signs in product((True, False), repeat=len(kinds))]


def _signed(node: Node, ups: list[bool]) -> Node:
    """``node`` with one choice of signs; the signs are taken from the front of ``ups``."""
    if isinstance(node, Apply):
        if node.op in ("pm", "mp"):
            plus = ups.pop(0) == (node.op == "pm")
            left, right = (_signed(arg, ups) for arg in node.args)
            if left == number(0):
                return right if plus else Apply("neg", (right,))
            return Apply("add" if plus else "sub", (left, right))
        return Apply(node.op, tuple(_signed(arg, ups) for arg in node.args))
    if isinstance(node, Tuple | Set | Listing):
        return replace(node, items=tuple(_signed(item, ups) for item in node.items))
    if isinstance(node, Quantity):
        return replace(node, value=_signed(node.value, ups))
    return node
