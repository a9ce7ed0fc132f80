r"""Bound variables: ``f(x)=x^2`` is ``f(t)=t^2``, ``a_n=2n`` is ``a_k=2k``, and so are sets and quantified statements.

The letters that a statement binds are renamed to those of the gold, in the order in which its head names them, unless
the gold's letter means something else in the response.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from zoo_harp.checker.answers import Answer
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


def same_letters(gold: Answer, response: Answer) -> tuple[Node, Node]:
    """Both trees with the bound variables of sums, integrals and limits numbered by their depth."""
    one, other = (_numbered(side.tree) if _binds(side) else side.tree for side in (gold, response))
    return one, other


def heads(node: Node) -> list[str]:
    """The letters that a definition of a function or sequence binds; none of another statement."""
    return _bound(node) if isinstance(node, Relation) else []


def _binds(answer: Answer) -> bool:
    return any(kind == "cmd" and value in _BINDING for kind, value, _ in answer.tokens)


def _numbered(node: Node) -> Node:
    def change(part: Node, depth: int = 0) -> Node | None:
        variable = part.args[0] if isinstance(part, Apply) and part.op in _BINDING and len(part.args) > 2 else None
        if not isinstance(part, Apply) or not isinstance(variable, Symbol) or depth >= len(_NUMBERS):
            return None
        below = partial(change, depth=depth + 1)
        *limits, body = part.args[1:]
        name = _NUMBERS[depth]
        inner = rebuilt(renamed(body, {variable.name: name}), below)
        return Apply(
            part.op, (Symbol(name), *(rebuilt(limit, partial(change, depth=depth)) for limit in limits), inner)
        )

    numbered: Node = rebuilt(node, change)
    return numbered


def _response_renamed(gold: Node, response: Node) -> Node:
    new, old = _bound(gold), _bound(response)
    if new == old or len(new) != len(old):
        return response
    names = dict(zip(old, new, strict=True))
    if any(name in _names(response) for name in new if name not in names):
        return response  # the name means something else there
    return renamed(response, names)


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
    """Names of variables in the order of their first occurrence, those in an index too; without recursion."""
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Symbol):
            letters = _index(part.name)
            found.update(dict.fromkeys([*letters, part.name.partition("_")[0]] if letters else [part.name]))
        waiting.extend(reversed(list(children(part))))
    return list(found)


def _index(name: str) -> list[str]:
    """Letters in the index of a name, such as n in a_n+1."""
    index = name.partition("_")[2]
    return list(dict.fromkeys(_LETTER.findall(index))) if index and _INDEX.fullmatch(index) else []


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """``node`` with other names for its variables, in their indices too."""

    def change(part: Node) -> Node | None:
        if not isinstance(part, Symbol):
            return None
        base, mark, index = part.name.partition("_")
        if _index(part.name):
            index = _LETTER.sub(lambda letter: names.get(letter[0], letter[0]), index)
        return Symbol(names.get(base, base) + mark + index)

    changed: Node = rebuilt(node, change)
    return changed
