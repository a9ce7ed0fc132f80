"""Problems that are also in another collection, such as the training problems of MATH: by shared word n-grams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zoo_harp.evaluation.data import Problem

NGRAM = 8
"""n: words of an n-gram"""
SHARE = 0.5
"""fraction of a problem's n-grams that must occur in one other problem"""
_WORD = re.compile(r"[a-z]+|\d+")
_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Overlap:
    """A problem, the index of the most similar text in the other collection, and the fraction of shared n-grams."""

    problem: str
    place: int
    share: float


def overlaps(problems: Sequence[Problem], others: Sequence[str], *, share: float = SHARE) -> list[Overlap]:
    """The problems of which at least ``share`` of the n-grams occur in one of the other texts.

    Drawings and punctuation are ignored, as typesetting differs; a text shorter than an n-gram is one n-gram.
    """
    found_in: dict[tuple[str, ...], list[int]] = {}
    for place, text in enumerate(others):
        for ngram in set(_ngrams(text)):
            found_in.setdefault(ngram, []).append(place)
    overlapping = []
    for problem in problems:
        ngrams = set(_ngrams(problem.problem))
        counts: dict[int, int] = {}
        for ngram in ngrams:
            for place in found_in.get(ngram, ()):
                counts[place] = counts.get(place, 0) + 1
        if counts:
            place = max(counts, key=lambda k: (counts[k], -k))
            if counts[place] >= share * len(ngrams):
                overlapping.append(Overlap(problem.id, place, counts[place] / len(ngrams)))
    return overlapping


def _ngrams(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(_DRAWING.sub(" ", text).lower())
    yield from (tuple(words[k : k + NGRAM]) for k in range(max(1, len(words) - NGRAM + 1)))
