"""How one kind of sequence is drawn, and a function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.batch import BURSTY, DISTRACTOR, QUERY, SequenceBatch
from zoo_envs.icl.class_distribution import RankDistribution
from zoo_envs.icl.labels import Labels
from zoo_envs.icl.sampler import Sampler

__all__ = ["SequenceSpec"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceSpec:
    """How one kind of sequence is drawn.

    Attributes:
        features: float32[C,E,D].
        classes: (first, end) of the classes.
        exemplars: (first, end) of the exemplars.
        samplers: which classes make a sequence; one is picked for each sequence.
        probabilities: of the samplers.
        labels: the rule that labels them.
        zipf_alpha: skew of the classes.
        match: one exemplar for all slots of the query's class, the query included, and one for the distractor's.
        noise: standard deviation of normal noise, fresh in every slot.
        name: of this kind of sequence, for messages.

    Raises:
        ValueError: there are too few classes or exemplars, or the probabilities do not sum to 1.
    """

    features: NDArray[np.float32]
    classes: tuple[int, int]
    exemplars: tuple[int, int]
    samplers: tuple[Sampler, ...]
    probabilities: tuple[float, ...] = (1.0,)
    labels: Labels
    zipf_alpha: float = 0.0
    match: bool = False
    noise: float = 0.0
    name: str = "training"

    def __post_init__(self) -> None:
        """Check that a sequence can be drawn."""
        if (
            len(self.probabilities) != len(self.samplers)
            or min(self.probabilities) < 0
            or abs(sum(self.probabilities) - 1) > 1e-9
        ):
            raise ValueError(
                f"probabilities {self.probabilities} must be one probability for each of {len(self.samplers)} samplers"
            )
        for name, (first, end) in (("classes", self.classes), ("exemplars", self.exemplars)):
            if end <= first:
                raise ValueError(f"{self.name} has no {name}: its share of the split is empty")
        for sampler in self.samplers:
            sampler.check(RankDistribution(self.classes[1] - self.classes[0]), self.name)

    def sampler(self) -> Callable[[int, np.random.Generator], SequenceBatch]:
        """Return a function (size, rng) that draws batches."""
        law = RankDistribution(self.classes[1] - self.classes[0], self.zipf_alpha)
        threshold = np.cumsum(self.probabilities)[:-1]
        slots = self.samplers[0].context + 1

        def draw(size: int, rng: np.random.Generator) -> SequenceBatch:
            if len(self.samplers) == 1:
                classes, kinds = self.samplers[0].draw(law, size, rng)
            else:
                which = np.searchsorted(threshold, rng.random(size), side="right")
                classes, kinds = np.empty((size, slots), np.int64), np.empty((size, slots), np.int8)
                for index, each in enumerate(self.samplers):
                    rows = which == index
                    classes[rows], kinds[rows] = each.draw(law, int(rows.sum()), rng)
            classes += self.classes[0]
            exemplars = self._exemplars(kinds, rng)
            x = self.features[classes, exemplars]
            if self.noise:
                x += np.float32(self.noise) * rng.standard_normal(x.shape, dtype=np.float32)
            return SequenceBatch(x, self.labels.label(classes, kinds, rng), classes, exemplars, kinds)

        return draw

    def _exemplars(self, kinds: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int64]:
        first, end = self.exemplars
        if end - first == 1:
            return np.full(kinds.shape, first, dtype=np.int64)
        drawn = rng.integers(first, end, kinds.shape)
        if self.match:
            distractor = np.take_along_axis(drawn, np.argmax(kinds == DISTRACTOR, axis=1)[:, None], axis=1)
            drawn = np.where((kinds == BURSTY) | (kinds == QUERY), drawn[:, -1:], drawn)
            drawn = np.where(kinds == DISTRACTOR, distractor, drawn)
        return drawn
