"""Reward model ``ngram``: the F-score of the n-grams that a text shares with the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.samples import RewardModel, Sample

__all__ = ["NGram", "f_score"]

_ORDERS = (1, 2)


class NGram(RewardModel):
    """The mean over words and pairs of words of the F-score of their overlap with the reference, in [0, 1]."""

    # The local reference has .17 where it samples, and .25 where it always says the most probable word.
    threshold: ClassVar[float | None] = 0.21
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    grammar: ClassVar[bool] = True

    def __init__(self, argument: str, seed: int) -> None:
        """See RewardModel."""
        if argument:
            raise ValueError(f"the reward model 'ngram' takes no argument, got {argument!r}")

    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """See RewardModel."""
        return np.array([_overlap(sample.text.split(), sample.reference.split()) for sample in samples])


def _overlap(written: Sequence[str], expected: Sequence[str]) -> float:
    scores = []
    for order in _ORDERS:
        mine, its = _grams(written, order), _grams(expected, order)
        scores.append(f_score((mine & its).total(), mine.total(), its.total()))
    return sum(scores) / len(scores)


def _grams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def f_score(shared: float, written: float, expected: float) -> float:
    """Return the harmonic mean of shared / written and shared / expected; 0 where nothing is shared."""
    return 2 * shared / (written + expected) if shared else 0.0
