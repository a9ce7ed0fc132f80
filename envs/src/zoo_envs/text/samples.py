"""Samples to be scored, and the interface of a scorer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RewardModel", "Sample"]


class Sample(NamedTuple):
    """One finished episode.

    Attributes:
        context: the utterances before, the oldest first.
        text: what the policy wrote.
        reference: the grammar's utterance in its place.
        intent: intent of the reference.
    """

    context: tuple[str, ...]
    text: str
    reference: str
    intent: str


class RewardModel(ABC):
    """Scores samples, each by itself: the score of one never depends on what else is in the batch.

    A class is registered by an entry point in the group ``zoo_envs.reward_models``; its name is that of the reward
    model and of its constraint. It is built as ``cls(argument, seed)``: `argument` is what follows a colon after
    the name, or "", and `seed` that of the grammar.

    Attributes:
        threshold: default threshold of its constraint; None: one must be given.
        range: lowest and highest possible score.
    """

    threshold: ClassVar[float | None] = None
    range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @abstractmethod
    def __init__(self, argument: str, seed: int) -> None:
        """Make ready to score.

        Raises:
            ValueError: `argument` is not understood.
        """

    @abstractmethod
    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """Return float64[n] for n samples, n >= 1."""
