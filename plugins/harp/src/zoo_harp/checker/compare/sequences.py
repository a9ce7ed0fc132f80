r"""Endless sets of integers: by a name, by a rule for k = 1, 2, 3, ..., or by their first elements and dots.

Each is the values of a term for k = 0, 1, 2, ...; two are one set where the terms are equal as expressions in k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from zoo_harp.checker.algebra.integers import SMALL_PRIMES
from zoo_harp.checker.algebra.values import Decision
from zoo_harp.checker.latex import dots
from zoo_harp.checker.tree import (
    Apply,
    Builder,
    Listing,
    Named,
    Node,
    Number,
    Relation,
    Set,
    Symbol,
    number,
    rebuilt,
    symbols,
)

_PLACE: Final = Symbol("⓪")
_STARTS: Final = {"Z>0": (1,), "Z>=0": (0,), "N>0": (1,), "N!=0": (1,), "N>=0": (0,), "N": (1, 0)}
"""where a set of integers begins; the natural numbers may begin with either"""
_COMPARED: Final = 12
"""terms of a list with dots from which its rule is told"""
_KNOWN_PRIMES: Final = 4
"""primes that a list without another rule has to begin with"""


def compare_sequences(gold: Node, response: Node, same: Callable[[Node, Node], bool]) -> Decision | None:
    """Compare endless sets of which at least one is given by a name or rule; None where either is no such set."""
    if all(isinstance(side, Set | Listing) for side in (gold, response)):
        return None
    for one, other in ((gold, response), (response, gold)):
        if isinstance(one, Named) and one.name in ("primes", "odd primes") and isinstance(other, Set | Listing):
            return _primes(other, odd=one.name == "odd primes")
    terms, others = _terms(gold), _terms(response)
    if not terms or not others:
        return None
    alike = any(same(term, other) for term in terms for other in others)
    return Decision(alike, "set", "the same endless set" if alike else "different endless sets")


def _primes(listed: Set | Listing, *, odd: bool) -> Decision | None:
    """Whether a list with dots begins with the primes and has no other rule, as 3, 5, 7, ... has."""
    if listed.items[-1] != dots.DOTS:
        return None
    values = [dots.value_of(item) for item in listed.items[:-1]]
    first = [Fraction(prime) for prime in SMALL_PRIMES[int(odd) :][: len(values)]]
    known = len(values) >= _KNOWN_PRIMES and dots.continued(listed.items, _COMPARED) is None
    alike = known and values == first
    return Decision(alike, "set", "the primes" if alike else "not surely the primes")


def _terms(node: Node) -> list[Node]:
    """The term for k = 0, 1, 2, ... of an endless set, or the terms that it may have; none where it is no such set."""
    if isinstance(node, Named):
        return _named(node.name)
    if isinstance(node, Builder):
        return _ruled(node)
    return _listed(node.items) if isinstance(node, Set | Listing) else []


def _named(name: str) -> list[Node]:
    if name in _STARTS:
        return [_at(_PLACE, start) for start in _STARTS[name]]
    kind, sign, _ = name.partition(next((sign for sign in (">=", "<=", ">", "<") if sign in name), "!"))
    above = _at(_PLACE, 0 if "=" in sign else 1)
    if sign[:1] == "<":
        above = Apply("neg", (above,))
    whole, _, step = kind.partition(" of ")
    if kind in ("squares", "cubes") and sign[:1] != "<":
        power = number(2 if kind == "squares" else 3)
        return [
            Apply("pow", (_at(_PLACE, start), power))
            for start in ((1, 0) if not sign else (1,) if sign == ">" else (0,))
        ]
    if whole == "powers" and not sign:
        return [Apply("pow", (number(int(step)), _at(_PLACE, start))) for start in (0, 1)]
    if not sign:
        return []
    if kind == "Z":
        return [above]
    if kind == "even" or whole == "multiples":
        return [Apply("mul", (number(int(step or 2)), above))]
    if kind == "odd":
        odd = Apply("add", (Apply("mul", (number(2), _PLACE)), number(1)))
        return [Apply("neg", (odd,)) if sign[0] == "<" else odd]
    return []


def _ruled(node: Builder) -> list[Node]:
    """The values of an expression in a letter that runs through integers from a first one on."""
    variable, conditions = node.variable, node.conditions
    if isinstance(variable, Relation) and variable.ops == ("in",):  # {n in Z : n >= 1}
        variable, conditions = variable.terms[0], Listing((variable, conditions), ",")
    found = _range(conditions)
    if found is None or found[0].name not in symbols(variable):
        return []
    letter, starts = found
    return [_replaced(variable, letter, _at(_PLACE, start)) for start in starts]


def _replaced(node: Node, letter: Symbol, place: Node) -> Node:
    replaced: Node = rebuilt(node, lambda part: place if part == letter else None)
    return replaced


def _range(conditions: Node) -> tuple[Symbol, Sequence[int]] | None:
    """The letter that conditions range over the integers from a first one on, and that one, or those it may be."""
    items = list(conditions.items) if isinstance(conditions, Listing) else [conditions]
    items.sort(key=lambda item: not (isinstance(item, Relation) and item.ops == ("in",)))
    first = items[0]
    if not isinstance(first, Relation) or not isinstance(first.terms[0], Symbol):
        return None
    letter = first.terms[0]
    if first.ops == ("=",):  # k = 1, 2, 3, ...
        values = [first.terms[1], *items[1:]]
        counted = [value for item in values[:-1] if (value := dots.value_of(item)) is not None]
        if values[-1] != dots.DOTS or len(counted) != len(values) - 1 or {b - a for a, b in pairwise(counted)} != {1}:
            return None
        return (letter, (int(counted[0]),)) if counted[0].denominator == 1 else None
    if first.ops != ("in",) or not isinstance(first.terms[1], Named):
        return None
    domain = first.terms[1].name
    if len(items) == 1:
        return (letter, _STARTS[domain]) if domain in _STARTS else None
    bound = items[1]
    if len(items) > 2 or domain not in (*_STARTS, "Z") or not isinstance(bound, Relation) or len(bound.ops) != 1:
        return None
    low = dots.value_of(bound.terms[1])
    if bound.terms[0] != letter or bound.ops[0] not in (">", ">=") or low is None:
        return None
    start = int(low // 1) + 1 if bound.ops[0] == ">" else -int(-low // 1)
    return (letter, (start,)) if domain == "Z" or start >= max(_STARTS[domain]) else None


def _listed(items: Sequence[Node]) -> list[Node]:
    """The rule of a list that ends in dots: with equal steps, one quotient, or steps with equal steps."""
    values = dots.continued(items, _COMPARED)
    if values is None:
        return []
    steps = [b - a for a, b in pairwise(values)]
    if len(set(steps)) == 1:
        return [Apply("add", (Number(values[0]), Apply("mul", (Number(steps[0]), _PLACE))))]
    bends = {b - a for a, b in pairwise(steps)}
    if len(bends) == 1:
        bend = Apply("mul", (Number(bends.pop() / 2), Apply("mul", (_PLACE, Apply("sub", (_PLACE, number(1)))))))
        return [Apply("add", (Apply("add", (Number(values[0]), Apply("mul", (Number(steps[0]), _PLACE)))), bend))]
    return [Apply("mul", (Number(values[0]), Apply("pow", (Number(values[1] / values[0]), _PLACE))))]


def _at(letter: Node, start: int) -> Node:
    return Apply("add", (letter, number(start))) if start else letter
