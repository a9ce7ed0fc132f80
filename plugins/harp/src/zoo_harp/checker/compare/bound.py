r"""Bound variables: ``f(x)=x^2`` is ``f(t)=t^2``, ``a_n=2n`` is ``a_k=2k``, and so are sets and quantified statements.

The letters that a statement binds are renamed to those of the gold, in the order in which its head names them, unless
the gold's letter means something else in the response.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Final

from zoo_harp.checker.tree import (
    Apply,
    Builder,
    Constant,
    Listing,
    Node,
    Quantified,
    Relation,
    Symbol,
    children,
    rebuilt,
    walk,
)

_VARIABLES: Final = frozenset("xyztuvwnkmjrs") | {"theta"}
"""letters that bind also where the value does not have them: f(x)=2 is a definition, f(a)=2 need not be one"""
_INDEX: Final = re.compile(r"[a-zA-Z①-⑩]?(?:[-+,*\d]*[a-zA-Z①-⑩])?[-+,*\d]*")
"""what stands in the index of a sequence: at most two letters"""
_LETTER: Final = re.compile("[a-zA-Z①-⑩]")
_NUMBERS: Final = "①②③④⑤⑥⑦⑧⑨⑩"
"""names of numbered variables, which no answer has"""
_BINDING: Final = frozenset(("sum", "prod", "int", "lim"))


def with_bound_names(gold: Node, response: Node) -> tuple[Node, Node]:
    """Both, ``response`` with the bound variables of ``gold`` where both bind as many in statements of one form."""
    if isinstance(gold, Listing) and isinstance(response, Listing) and len(gold.items) == len(response.items):
        pairs = [with_bound_names(*pair) for pair in zip(gold.items, response.items, strict=True)]
        one, other = zip(*pairs, strict=True)
        return replace(gold, items=one), replace(response, items=other)
    if type(gold) is not type(response) or _head(gold) != _head(response):
        return gold, response
    gold, response = _with_index_i(gold), _with_index_i(response)
    return gold, _response_renamed(gold, response)


def with_parameter(response: Node, old: Set[str], new: Set[str]) -> Node:
    """``response`` with the one parameter that the gold declares instead of its own."""
    if len(old) != 1 or len(new) != 1 or old == new or not new.isdisjoint(_names(response)):
        return response
    return _renamed(response, dict(zip(old, new, strict=True)))


def with_numbered_names(node: Node) -> Node:
    """``node`` with the bound variables of sums, products, definite integrals and limits numbered by their depth."""

    def numbered(part: Node, depth: int) -> Node:
        if not isinstance(part, Apply):
            return part
        variable = part.args[0] if part.op in _BINDING and len(part.args) > 2 else None
        if isinstance(variable, Symbol) and depth < len(_NUMBERS):
            *limits, body = part.args[1:]
            name = _NUMBERS[depth]
            inner = numbered(_renamed(body, {variable.name: name}), depth + 1)
            return Apply(part.op, (Symbol(name), *(numbered(limit, depth) for limit in limits), inner))
        return Apply(part.op, tuple(numbered(arg, depth) for arg in part.args))

    return numbered(node, 0) if any(isinstance(part, Apply) and part.op in _BINDING for part in walk(node)) else node


def _response_renamed(gold: Node, response: Node) -> Node:
    new, old = _bound(gold), _bound(response)
    if new == old or len(new) != len(old):
        return response
    names = dict(zip(old, new, strict=True))
    if any(name in _names(response) for name in new if name not in names):
        return response  # the name means something else there
    return _renamed(response, names)


def _with_index_i(node: Node) -> Node:
    """A definition of a sequence in whose index i, or e, is a letter, with that letter instead of the constant."""
    first = node.terms[0] if isinstance(node, Relation) else None
    letters = _index(first.name) if isinstance(first, Symbol) else []

    def change(part: Node) -> Node | None:
        return Symbol(part.name) if isinstance(part, Constant) and part.name in letters else None

    return rebuilt(node, change) if {"i", "e"} & {*letters} else node


def _head(node: Node) -> object:
    """What has to be the same but for bound variables: the name of the function or sequence that is defined."""
    if isinstance(node, Relation) and node.ops[0] == "=":
        first = node.terms[0]
        if isinstance(first, Apply) and first.op == "call":
            return first.args[0]
        return first.name.partition("_")[0] if isinstance(first, Symbol) and "_" in first.name else first
    return node.quantifier if isinstance(node, Quantified) else type(node)


def _bound(node: Node) -> list[str]:
    """The letters that a statement or set binds, in the order of its head."""
    if isinstance(node, Relation) and node.ops[0] == "=":
        first, *rest = node.terms
        if isinstance(first, Apply) and first.op == "call":
            names = _names(first.args[1])
        elif isinstance(first, Symbol) and "_" in first.name:
            names = _index(first.name)
        else:
            return []
        inside = {name for term in rest for name in _names(term)}
        return names if all(name in inside or name in _VARIABLES for name in names) else []
    if isinstance(node, Builder):
        named = _names(node.variable)
        declared = [name for name in _declared(node.conditions) if name in named]
        return [name for name in named if name in declared] or named
    return _names(node.domain)[:1] if isinstance(node, Quantified) else []


def _declared(node: Node) -> list[str]:
    """Variables whose range a condition names, as in k in Z."""
    items = node.items if isinstance(node, Listing) else (node,)
    ranges = [item.terms[0] for item in items if isinstance(item, Relation) and item.ops[:1] == ("in",)]
    return [name for variable in ranges for name in _names(variable)]


def _names(node: Node) -> list[str]:
    """Names of variables in the order of their first occurrence, those in an index too."""
    found = _index(node.name) or [node.name] if isinstance(node, Symbol) else []
    if isinstance(node, Symbol) and "_" in node.name:
        found = [*found, node.name.partition("_")[0]]
    for child in children(node):
        found += _names(child)
    return list(dict.fromkeys(found))


def _index(name: str) -> list[str]:
    """Letters in the index of a name, such as n in a_n+1."""
    index = name.partition("_")[2]
    return list(dict.fromkeys(_LETTER.findall(index))) if index and _INDEX.fullmatch(index) else []


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    def change(part: Node) -> Node | None:
        if not isinstance(part, Symbol):
            return None
        base, mark, index = part.name.partition("_")
        if _index(part.name):
            index = _LETTER.sub(lambda letter: names.get(letter[0], letter[0]), index)
        return Symbol(names.get(base, base) + mark + index)

    renamed: Node = rebuilt(node, change)
    return renamed
