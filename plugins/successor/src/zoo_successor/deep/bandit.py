"""Choosing lambda by exponential weights (docs/methods/successor.md, section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARMS = (0.0, 0.5, 1.0)
"""the values of lambda that are tried"""
SMALLEST_SCALE = 1e-4
"""least divisor of the feedback, relative to the largest return or feedback, for windows of nearly equal feedback"""


class ExponentialWeights:
    """A bandit over a few arms, each round judged by how much better it did than the round before.

    The feedback g of a round is its return minus that of the previous round (0 in the first), less the mean
    of the last ``window`` feedbacks and divided by their standard deviation. Then, with p = softmax(w)::

        w[arm] = decay w[arm] + lr g / p[arm]

    The division by p[arm] makes the step unbiased although one arm is seen at a time (EXP3: Auer et al. 2002).

    Args:
        arms: the values to choose from, at least one.
        rng: draws the arms, one number for each round.
        lr: step size of the weights, above 0.
        decay: factor of the old weight of the chosen arm, in [0, 1].
        window: feedbacks kept for the normalisation, at least 1.
    """

    def __init__(
        self,
        arms: Sequence[float],
        rng: np.random.Generator,
        *,
        lr: float = 0.1,
        decay: float = 0.9,
        window: int = 5,
    ) -> None:
        self.arms = tuple(arms)
        self.lr, self.decay, self.window = lr, decay, window
        self.weights: NDArray[np.float64] = np.zeros(len(self.arms))
        self._rng = rng
        self._feedbacks: list[float] = []
        self._previous: float | None = None
        self._arm = self._draw()

    @property
    def value(self) -> float:
        """The arm of this round."""
        return self.arms[self._arm]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the weights, float64[arms]."""
        exponentials = np.exp(self.weights - self.weights.max())
        return np.asarray(exponentials / exponentials.sum())

    def end_round(self, total: float) -> None:
        """Learn from the return ``total`` of this round, and draw the arm of the next."""
        feedback = 0.0 if self._previous is None else total - self._previous
        self._previous = total
        self._feedbacks = [*self._feedbacks, feedback][-self.window :]
        largest = float(np.abs([total, *self._feedbacks]).max())
        scale = max(float(np.std(self._feedbacks)), SMALLEST_SCALE * largest)
        gain = (feedback - float(np.mean(self._feedbacks))) / scale if scale > 0 else 0.0
        arm = self._arm
        self.weights[arm] = self.decay * self.weights[arm] + self.lr * gain / self.probabilities[arm]
        self._arm = self._draw()

    def _draw(self) -> int:
        return int((self._rng.random() > np.cumsum(self.probabilities)[:-1]).sum())

    def state(self) -> dict[str, Any]:
        """Everything the next round depends on."""
        return {
            "weights": self.weights.copy(),
            "arm": self._arm,
            "feedbacks": list(self._feedbacks),
            "previous": self._previous,
            "rng": self._rng.bit_generator.state,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.weights = np.array(state["weights"], dtype=np.float64)
        self._arm = int(state["arm"])
        self._feedbacks = [float(value) for value in state["feedbacks"]]
        self._previous = None if state["previous"] is None else float(state["previous"])
        self._rng.bit_generator.state = state["rng"]


class EpisodeRounds:
    """Returns of the episodes of B copies in rounds: a round ends when every copy has finished an episode in it.

    With one copy a round is an episode. An episode counts for the round in which it ends.
    """

    def __init__(self, copies: int) -> None:
        self._running: NDArray[np.float64] = np.zeros(copies)
        self._ended: NDArray[np.bool_] = np.zeros(copies, dtype=bool)
        self._total = 0.0
        self._episodes = 0

    def add(self, rewards: NDArray[Any], dones: NDArray[np.bool_]) -> float | None:
        """Take one step of all copies.

        Args:
            rewards: [B], of this step.
            dones: bool[B], whether the episode ended with it.

        Returns:
            The mean return of the episodes that ended in this round, if it is complete.
        """
        self._running = self._running + rewards
        if not dones.any():
            return None
        self._total += float(self._running[dones].sum())
        self._episodes += int(dones.sum())
        self._running[dones] = 0.0
        self._ended = self._ended | dones
        if not self._ended.all():
            return None
        mean = self._total / self._episodes
        self._total, self._episodes = 0.0, 0
        self._ended[:] = False
        return mean

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        return {
            "running": self._running.copy(),
            "ended": self._ended.copy(),
            "total": self._total,
            "episodes": self._episodes,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self._running = np.array(state["running"], dtype=np.float64)
        self._ended = np.array(state["ended"], dtype=bool)
        self._total, self._episodes = float(state["total"]), int(state["episodes"])
