"""Answers in words: which words can be ignored."""

from __future__ import annotations

from itertools import permutations
from typing import Final

from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.tree import Listing, Node, Text, Tuple
from zoo_harp.checker.vocabulary import names
from zoo_harp.checker.words import CONDITIONS

NOTHING: Final = frozenset(
    (("no", "solution"), ("no", "solutions"), ("none",), ("no", "real", "solutions"), ("no", "real", "solution"),
     ("empty", "set"), ("no", "such", "x"))
)  # fmt: skip
_TRIANGLES: Final = frozenset(names("isosceles equilateral scalene right acute obtuse"))
_PROPERTIES: Final = frozenset(names("even odd prime positive negative"))
_LINKING: Final = frozenset(names("is are must be always all"))
_CLASSES: Final = (
    frozenset(names("monday tuesday wednesday thursday friday saturday sunday")),
    frozenset(names("january february march april may june july august september october november december")),
)
_BEFORE_NAMES: Final = ((), *((word,) for word in names("is was be on in")))
_LEADS: Final = tuple(
    tuple(lead.split()) for lead in ("so", "thus", "hence", "therefore", "it is", "that is", "there is", "there are")
)
_PERMUTED: Final = frozenset(names("all its their the any of these and permutations permutation thereof"))
_MAX_PERMUTED: Final = 5


def same_words(gold: tuple[str, ...], response: tuple[str, ...]) -> bool:
    """Whether both are the same but for an implied noun, a linking verb or the order of words."""
    gold, response = _without_lead(gold), _without_lead(response)
    if gold == response or (gold in NOTHING and response in NOTHING):
        return True
    return plain(gold) == plain(response) or _names_alone(gold, response)


def _without_lead(words: tuple[str, ...]) -> tuple[str, ...]:
    """``words`` without "so", "it is", "there are" before them and "exist" behind them."""
    while lead := next((lead for lead in _LEADS if words[: len(lead)] == lead and len(words) > len(lead)), ()):
        words = words[len(lead) :]
    return words[:-1] if words[:1] == ("no",) and words[-1] in ("exist", "exists") else words


def _names_alone(gold: tuple[str, ...], response: tuple[str, ...]) -> bool:
    """Whether the gold is the name of a day or month, and the one such name in an affirmative sentence."""
    if len(gold) != 1 or denies(response) or not CONDITIONS.isdisjoint(response):
        return False
    if response[-1:] != gold or response[-2:-1] not in _BEFORE_NAMES:
        return False
    return any({*gold} == kind.intersection(response) for kind in _CLASSES if gold[0] in kind)


def plain(words: tuple[str, ...]) -> tuple[str, ...]:
    """``words`` without those that can be ignored; a statement such as "n is even" in one order."""
    if len(words) == 2 and words[0] in _TRIANGLES and words[1] in ("triangle", "triangles"):
        return words[:1]
    kept = tuple(word for word in words if word not in _LINKING)
    if len(kept) == 2 and sum(word in _PROPERTIES for word in kept) == 1 and sum(len(word) == 1 for word in kept) == 1:
        return tuple(sorted(kept))
    return words


def is_permuted(node: Node) -> bool:
    """Whether words say "and its permutations"."""
    return (
        isinstance(node, Text)
        and _PERMUTED.issuperset(node.words)
        and bool({"permutations", "permutation"} & {*node.words})
    )


def with_permutations(node: Node) -> Node:
    """A list whose last item is "and permutations" with all of them; any other answer as it is."""
    if not isinstance(node, Listing) or not is_permuted(node.items[-1]) or len(node.items) < 2:
        return node
    items: list[Node] = []
    for item in node.items[:-1]:
        if not isinstance(item, Tuple) or len(item.items) > _MAX_PERMUTED:
            return node
        items.extend(Tuple(item.left, order, item.right) for order in permutations(item.items))
    return Listing(tuple(dict.fromkeys(items)), ",")
