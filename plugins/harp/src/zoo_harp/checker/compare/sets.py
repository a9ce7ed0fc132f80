"""Lists, sets and their unions: every item has a partner on the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zoo_harp.checker.algebra.values import Decision
from zoo_harp.checker.compare import labels
from zoo_harp.checker.compare.sequences import compare_sequences
from zoo_harp.checker.compare.wording import NOTHING
from zoo_harp.checker.latex import dots
from zoo_harp.checker.latex.sets import SET_NOUNS
from zoo_harp.checker.lexicon import is_negation
from zoo_harp.checker.tree import (
    Builder,
    Listing,
    Named,
    Node,
    Relation,
    Set,
    SetOp,
    Symbol,
    Text,
    Tuple,
)

Same = Callable[[Node, Node], bool]
_JOINERS = {"and": "and", "land": "and", "or": "or", "lor": "or"}


def is_collection(node: Node) -> bool:
    """Whether ``node`` is several answers: a list, a set, or values with a plus-minus sign."""
    named = isinstance(node, Named) or (isinstance(node, Text) and node.words in NOTHING)
    return isinstance(node, Listing | Set | SetOp | Builder) or named or labels.has_signs(node)


def compare_collections(gold: Node, response: Node, same: Same) -> Decision:
    """Compare two answers of which one is a collection; ``same`` compares items."""
    if isinstance(gold, Tuple) or isinstance(response, Tuple):
        if labels.has_signs(gold, response):
            return _items_alike(items_of(gold), items_of(response), same, strict=True)
        alone = [side.items[0] if isinstance(side, Set) and len(side.items) == 1 else side for side in (gold, response)]
        if all(isinstance(side, Tuple) for side in alone):
            return _items_alike(alone[:1], alone[1:], same, strict=True)
        return Decision(False, "set", "a tuple and a set or list")
    empty = [(isinstance(s, Text) and s.words in NOTHING) or s == Named("empty") for s in (gold, response)]
    if any(empty):
        return Decision(all(empty), "set", "both empty" if all(empty) else "one is empty")
    sequences = compare_sequences(gold, response, same)
    if sequences is not None:
        return sequences
    if any(_is_in_words(*pair) for pair in ((gold, response), (response, gold))):
        return Decision(False, "undecided", "a set in words that is not read")
    if any(isinstance(side, Named | SetOp | Builder) for side in (gold, response)):
        return _set_expressions(gold, response, same)
    lists = isinstance(gold, Listing) and isinstance(response, Listing) and not labels.has_signs(gold, response)

    def alike(one: Node, other: Node) -> bool:
        return isinstance(one, Set) == isinstance(other, Set) and same(one, other)  # {1} is no member of {1}

    return _items_alike(items_of(gold), items_of(response), alike, strict=lists)


def _is_in_words(words: Node, other: Node) -> bool:
    """Whether words name a set of numbers in an unknown form, and the other side is an endless set."""
    if not isinstance(words, Text) or SET_NOUNS.isdisjoint(words.words) or any(map(is_negation, words.words)):
        return False
    return isinstance(other, Named | Builder) or (isinstance(other, Set | Listing) and other.items[-1] == dots.DOTS)


def differently_joined(gold: Node, response: Node) -> bool:
    """Whether one side joins statements by "and", and the other by "or" or not at all."""
    if not isinstance(gold, Listing) or not isinstance(response, Listing):
        return False
    joined = _JOINERS.get(gold.joiner), _JOINERS.get(response.joiner)
    if joined[0] == joined[1] or not _are_statements(gold):
        return False
    return None not in joined or {"land", "lor"} & {gold.joiner, response.joiner} != set()


def _are_statements(node: Listing) -> bool:
    """Whether the items are statements, of which "and" and "or" make different ones; not values of one unknown."""
    if node.joiner in ("land", "lor") or all(isinstance(item, Symbol | Text) for item in node.items):
        return True
    if not all(isinstance(item, Relation) for item in node.items):
        return False
    named = {item.terms[0] if item.ops == ("=",) else item for item in node.items if isinstance(item, Relation)}
    return len(named) > 1


def _set_expressions(gold: Node, response: Node, same: Same) -> Decision:
    if isinstance(gold, SetOp) and isinstance(response, SetOp) and gold.op == response.op:
        parts, others = _parts(gold.op, gold), _parts(gold.op, response)
        if gold.op == "difference":
            alike = all(same(a, b) for a, b in zip(parts, others, strict=False))
            return Decision(alike, "set", "the same parts" if alike else "different parts")
        return _items_alike(parts, others, same, strict=True)
    if isinstance(gold, Builder) and isinstance(response, Builder):
        alike = same(gold.variable, response.variable) and same(gold.conditions, response.conditions)
        return Decision(alike, "set", "the same condition" if alike else "different conditions")
    return Decision(False, "set", "different sets")


def _parts(op: str, node: Node) -> list[Node]:
    """The sets that a union or intersection joins, however it is bracketed."""
    if not isinstance(node, SetOp) or node.op != op:
        return [node]
    if op == "difference":
        return [node.left, node.right]
    return [*_parts(op, node.left), *_parts(op, node.right)]


def _items_alike(gold: Sequence[Node], response: Sequence[Node], same: Same, *, strict: bool) -> Decision:
    """Every item has a partner on the other side; with ``strict`` one of its own."""
    ends = [bool(side) and side[-1] == dots.DOTS for side in (gold, response)]
    if any(ends):
        count = len(gold) + len(response)
        values, others = dots.continued(gold, count), dots.continued(response, count)
        alike = all(ends) and values is not None and values == others
        return Decision(alike, "set", "the same endless list" if alike else "an endless list and another")
    if strict and len(response) > len(gold) == len(set(gold)) and all(isinstance(item, Tuple) for item in response):
        response = list(dict.fromkeys(response))  # a solution that is named twice
    if strict and len(gold) != len(response):
        return Decision(False, "set", f"{len(gold)} items and {len(response)}")
    free = list(range(len(response)))
    met: set[int] = set()
    for member in gold:
        partner = next((k for k in free if same(member, response[k])), None)
        if partner is None and not strict:
            partner = next((k for k in met if same(member, response[k])), None)
        if partner is None:
            return Decision(False, "set", "an item of the gold is missing")
        met.add(partner)
        if partner in free:
            free.remove(partner)
    for k in free:
        if strict or not any(same(member, response[k]) for member in gold):
            return Decision(False, "set", "an item too many")
    return Decision(True, "set", "the same items in some order")


def items_of(node: Node) -> list[Node]:
    """Items of a list or set with signs expanded; the node alone otherwise."""
    items = node.items if isinstance(node, Listing | Set) else (node,)
    return [value for item in items for value in labels.expand(item)]
