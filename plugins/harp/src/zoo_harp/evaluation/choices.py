"""Choices as a model sees them: three layouts, and orders shuffled by seeded derangements (arXiv:2412.08819)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from functools import cache

from zoo import UsageError, stream
from zoo_harp.evaluation.data import LETTERS, Problem
from zoo_harp.names import LAYOUTS, Layout

IDENTITY = LETTERS
_FIXED = re.compile(r"none of|all of", re.IGNORECASE)


def stays_last(choices: Mapping[str, str]) -> bool:
    """Whether choice E refers to the others ("none of", "all of", in any case), and so stays last."""
    return _FIXED.search(choices["E"]) is not None


@cache
def derangements(letters: str) -> tuple[str, ...]:
    """All orders of ``letters`` in which none keeps its place: 44 of five letters, 9 of four."""
    orders = ("".join(order) for order in itertools.permutations(letters))
    return tuple(order for order in orders if all(a != b for a, b in zip(order, letters, strict=True)))


def permutation(problem: Problem, seed: int, shuffle: int) -> str:
    """The order in which a shuffled problem shows its choices.

    A uniformly drawn derangement of the letters, of A to D where E keeps its place. It depends on the seed, the
    identifier and the number of the shuffle alone.

    Args:
        problem: has choices.
        seed: at least 0.
        shuffle: number of the shuffle, from 1; 0 is the order as published.

    Returns:
        Five letters: the i-th is the published letter of the choice shown at the i-th place.
    """
    if shuffle == 0:
        return IDENTITY
    fixed = "E" if stays_last(_choices(problem)) else ""
    options = derangements(LETTERS.removesuffix(fixed))
    drawn = stream(seed, f"{problem.id}#{shuffle}").integers(len(options))
    return options[int(drawn)] + fixed


def is_permutation(order: str) -> bool:
    """Whether ``order`` holds each of the five letters once."""
    return "".join(sorted(order)) == LETTERS


def shown_letter(published: str, order: str) -> str:
    """The letter under which the choice with the published letter is shown."""
    return LETTERS[order.index(published)]


def layout_text(problem: Problem, layout: Layout, order: str = IDENTITY) -> str:
    r"""The choices as text, in the given order; empty for the layout "none".

    ``dot``: ``A. x`` a line; ``paren``: ``(A) x`` a line; ``original``: one line, as contest pages print them,
    ``$\textbf{(A)}$ x \qquad $\textbf{(B)}$ y``.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"no layout called {layout!r}: expected {', '.join(LAYOUTS)}.")
    if layout == "none":
        return ""
    choices = _choices(problem)
    shown = [(letter, choices[published].strip()) for letter, published in zip(LETTERS, order, strict=True)]
    if layout == "dot":
        return "\n".join(f"{letter}. {text}" for letter, text in shown)
    if layout == "paren":
        return "\n".join(f"({letter}) {text}" for letter, text in shown)
    return r" \qquad ".join(rf"$\textbf{{({letter})}}$ {text}" for letter, text in shown)


def _choices(problem: Problem) -> Mapping[str, str]:
    if problem.choices is None:
        raise UsageError(f"problem {problem.id} has no choices.")
    return problem.choices
