"""Further ways to read an answer: letters as units, a mixed number, without the letter of a choice, as words."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.answers import Answer, parse
from zoo_harp.checker.latex import forms
from zoo_harp.checker.latex.normalise import wide_number
from zoo_harp.checker.tree import Apply, Listing, Node, Number, Quantity, Set, Symbol, Text, rebuilt, symbols, walk
from zoo_harp.checker.words import words_of

_LABELLED: Final = re.compile(
    r"^\s*(?:\\(?:text\w*|mathrm|mathbf|bf)\s*\{?\s*)?(?:\(\s*[A-E]\s*\)|[A-E]\s*[).:])\s*\}?"
    r"(?:\\[ ,;]|\\quad|[\s~:])*(?=\S)"
)
_CHOICE: Final = re.compile(r"\(?[A-E]\)?")
_AMOUNTS: Final = frozenset("hFGHPQ")
"""names of functions that are as often names of quantities"""
_DECIMAL_COMMA: Final = re.compile(r"[-−]?(?:\d+,\d{2}|\d{4,},\d|0,\d{3,})")
"""digits that are neither groups of thousands nor likely to be a list"""
_ORDINAL: Final = re.compile(r"\d(?:st|nd|rd|th)\b")
_LOST: Final = re.compile(r"[\[\]()-]")
"""signs that ``words_of`` drops"""


def other_readings(gold: Answer, response: Answer) -> list[tuple[Node, Node]]:
    """Pairs of trees for the gold and the response, to compare where the first reading finds them different."""
    pairs: list[tuple[Node, Node]] = []
    digits = wide_number(response.text) if isinstance(gold.tree, Number) else None
    if digits is not None:
        pairs.append((gold.tree, parse(digits).tree))
    for answer, counterpart, swap in ((gold, response, False), (response, gold, True)):
        if isinstance(answer.tree, Number) and answer.tree.decimals and _DECIMAL_COMMA.fullmatch(counterpart.text):
            read = parse(counterpart.text.replace(",", ".")).tree
            pairs.append((read, answer.tree) if swap else (answer.tree, read))
    for answer, counterpart, swap in ((gold, response, False), (response, gold, True)):
        product = _as_product(answer.tree, counterpart.tree)
        if product is not None:
            pairs.append((counterpart.tree, product) if swap else (product, counterpart.tree))
    for answer, counterpart, swap in ((gold, response, False), (response, gold, True)):
        if symbols(counterpart.tree) - symbols(answer.tree) and not symbols(answer.tree):
            read = parse(counterpart.text, letters_as_units=True).tree
            if isinstance(read, Quantity) and read.unit is not None:
                pairs.append((read, answer.tree) if swap else (answer.tree, read))
    for answer, counterpart, swap in ((gold, response, False), (response, gold, True)):
        joined = _mixed(counterpart.tree)
        if joined is not None:
            pairs.append((joined, answer.tree) if swap else (answer.tree, joined))
    for answer, counterpart, swap in ((gold, response, False), (response, gold, True)):
        inner = counterpart.tree.items if isinstance(counterpart.tree, Set) else ()
        if len(inner) == 1 and symbols(inner[0]) and _has_floor(answer.tree):  # braces are a fractional part
            part_of = Apply("sub", (inner[0], Apply("floor", inner)))
            pairs.append((part_of, answer.tree) if swap else (answer.tree, part_of))
    bare = _LABELLED.match(response.text)
    if bare and not _CHOICE.fullmatch(response.text[bare.end() :].strip()):
        pairs.append((gold.tree, parse(response.text[bare.end() :]).tree))
    bare = _LABELLED.match(gold.text)
    if bare:
        pairs.append((parse(gold.text[bare.end() :]).tree, response.tree))
    if any(isinstance(node, Text) for node in walk(gold.tree)) or _ORDINAL.search(gold.text):
        words = _as_words(gold.text)
        in_words = any(len(word) > 1 and word.isalpha() for word in words.words)
        if in_words or not _LOST.search(gold.text + response.text):
            pairs.append((words, _as_words(response.text)))
    return pairs


def _has_floor(node: Node) -> bool:
    return any(isinstance(part, Apply) and part.op == "floor" for part in walk(node))


def _as_product(node: Node, counterpart: Node) -> Node | None:
    """``node`` with P(1+r) as a product, where P stands alone on the other side and is not a function; else None."""
    if not any(isinstance(part, Apply) and part.op == "call" for part in walk(node)):
        return None

    def change(part: Node) -> Node | None:
        if not isinstance(part, Apply) or part.op != "call":
            return None
        function, argument = part.args
        alone = isinstance(function, Symbol) and function.name in _AMOUNTS and function in free
        is_sum = isinstance(argument, Apply) and argument.op in ("add", "sub")
        return Apply("mul", (function, argument)) if alone and is_sum else None

    free = {part for part in walk(counterpart) if isinstance(part, Symbol)}
    free -= {part.args[0] for part in walk(counterpart) if isinstance(part, Apply) and part.op == "call"}
    product: Node = rebuilt(node, change)
    return product if product != node else None


def _mixed(node: Node) -> Node | None:
    """The mixed number that "3 and 1/4" may be; None if it is none."""
    if not isinstance(node, Listing) or node.joiner != "and" or len(node.items) != 2:
        return None
    whole, part = node.items
    fraction = part.args if isinstance(part, Apply) and part.op == "div" else ()
    return forms.mixed(whole, *fraction) if isinstance(whole, Number) and whole.decimals is None else None


def _as_words(text: str) -> Text:
    return Text(tuple(word for word in words_of(text) if word != "and"))
