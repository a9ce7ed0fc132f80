"""Problems that another collection has too, such as the training problems of MATH: by runs of words they share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zoo_harp.evaluation.data import Problem

RUN = 8
"""words in a row"""
SHARE = 0.5
"""of the runs of a problem that have to be found in one other problem"""
_WORD = re.compile(r"[a-z]+|\d+")
_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Overlap:
    """A problem, the place (from 0) of the most similar text in the other collection, and the share of runs there."""

    problem: str
    place: int
    share: float


def overlaps(problems: Sequence[Problem], others: Sequence[str], *, share: float = SHARE) -> list[Overlap]:
    """The problems of which at least ``share`` of the runs of words stand in one of the other texts.

    Drawings and signs are left out, so that another typesetting changes nothing; a text shorter than a run is one run.
    """
    found_in: dict[tuple[str, ...], list[int]] = {}
    for place, text in enumerate(others):
        for run in set(_runs(text)):
            found_in.setdefault(run, []).append(place)
    found = []
    for problem in problems:
        runs = set(_runs(problem.problem))
        counts: dict[int, int] = {}
        for run in runs:
            for place in found_in.get(run, ()):
                counts[place] = counts.get(place, 0) + 1
        if counts:
            place = max(counts, key=lambda k: (counts[k], -k))
            if counts[place] >= share * len(runs):
                found.append(Overlap(problem.id, place, counts[place] / len(runs)))
    return found


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(_DRAWING.sub(" ", text).lower())
    yield from (tuple(words[k : k + RUN]) for k in range(max(1, len(words) - RUN + 1)))
