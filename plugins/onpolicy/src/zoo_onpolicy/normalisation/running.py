"""Running means and variances of S members, and what is normalised by them.

Statistics and bounds are those of stable-baselines3's VecNormalize, with two differences. While a rollout is collected
the statistics stand still, so that the policy which is improved is the one that acted; in the first rollout, which has
none to start from, they move with every step, as there. And nothing is added to a count or a variance, so that no unit
matters: a number that has not varied is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import State
from zoo_onpolicy.gae import Bools, Floats

__all__ = ["Moments", "ObservationNorm", "ReturnScale"]

BOUND = np.float32(10)
"""largest size of what is normalised"""
ROUNDING = 1e-6
"""a deviation that is smaller than this share of the mean is none in single precision"""


class Moments:
    """Mean and variance of all values so far, by member (Chan, Golub and LeVeque 1983, eq. 1.5).

    Attributes:
        count: float64[S].
        mean: float64[S, D].
        variance: float64[S, D], of a population.
    """

    def __init__(self, members: int, size: int) -> None:
        self.count = np.zeros(members)
        self.mean, self.variance = np.zeros((members, size)), np.zeros((members, size))

    @property
    def inverse(self) -> NDArray[np.float64]:
        """One over the standard deviation, float64[S, D]; 0 where there is none."""
        deviation = np.sqrt(self.variance)
        varies = deviation > ROUNDING * np.abs(self.mean)
        return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)

    def update(self, values: NDArray[Any]) -> None:
        """Count values [S, N, D]."""
        added = values.shape[1]
        mean = values.mean(axis=1, dtype=np.float64)
        variance = np.square(values - mean[:, None]).mean(axis=1, dtype=np.float64)
        before, delta = self.count[:, None], mean - self.mean
        total = before + added
        self.mean = self.mean + delta * (added / total)
        within = self.variance * before + variance * added
        self.variance = (within + np.square(delta) * (before * added / total)) / total
        self.count = self.count + added

    def state(self, member: int) -> State:
        """What one member needs to go on."""
        return {
            "count": float(self.count[member]), "mean": self.mean[member].copy(),
            "variance": self.variance[member].copy(),
        }  # fmt: skip

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Put one member back."""
        self.count[member], self.mean[member] = state["count"], state["mean"]
        self.variance[member] = state["variance"]


class ObservationNorm:
    """Observations with mean 0 and variance 1, within ``BOUND``; what acts and is judged uses the frozen statistics.

    Args:
        members: S.
        size: D, the length of an encoded observation.
    """

    def __init__(self, members: int, size: int) -> None:
        self.moments = Moments(members, size)
        self.mean = np.zeros((members, size), np.float32)
        """frozen, [S, D]"""
        self.scale = np.ones((members, size), np.float32)
        """one over the standard deviation, or 0, frozen, [S, D]"""

    @property
    def untried(self) -> bool:
        """Whether some member has not seen a whole rollout."""
        return bool((self.moments.count < 1).any())

    def freeze(self) -> None:
        """Use what was counted so far from now on."""
        self.mean = self.moments.mean.astype(np.float32)
        self.scale = self.moments.inverse.astype(np.float32)

    def __call__(self, obs: Floats, members: slice = slice(None)) -> Floats:
        """Normalise observations [S, B, D] of these members."""
        values: Floats = obs - self.mean[members, None]
        values *= self.scale[members, None]
        return _bounded(values)

    def rows(self, obs: Floats, member: NDArray[np.integer[Any]]) -> Floats:
        """Normalise observations [F, D], each of the member int[F]."""
        return _bounded((obs - self.mean[member]) * self.scale[member])

    def state(self, member: int) -> State:
        """What one member needs to go on."""
        return {
            **self.moments.state(member), "frozen_mean": self.mean[member].copy(),
            "frozen_scale": self.scale[member].copy(),
        }  # fmt: skip

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Put one member back."""
        self.moments.load_state(member, state)
        self.mean[member], self.scale[member] = state["frozen_mean"], state["frozen_scale"]


class ReturnScale:
    """Rewards in units of the standard deviation of the discounted return so far, within ``BOUND``.

    Args:
        members: S.
        copies: B.
        gamma: discount.
    """

    def __init__(self, members: int, copies: int, gamma: float) -> None:
        self.moments = Moments(members, 1)
        self.returns = np.zeros((members, copies))
        """discounted sum of the rewards of the episode under way"""
        self._gamma = gamma

    def __call__(self, rewards: Floats, done: Bools) -> Floats:
        """Count the rewards [S, T, B] of a rollout, and return them scaled; ``done`` says where an episode ended."""
        sums = np.empty(rewards.shape)
        for t in range(rewards.shape[1]):
            self.returns = self._gamma * self.returns + rewards[:, t]
            sums[:, t] = self.returns
            self.returns[done[:, t]] = 0.0
        self.moments.update(sums.reshape(len(sums), -1, 1))
        inverse = self.moments.inverse[:, None]
        return _bounded((rewards * np.where(inverse > 0, inverse, 1.0)).astype(np.float32))

    def forget(self, member: int) -> None:
        """Drop the episodes under way of one member."""
        self.returns[member] = 0.0

    def state(self, member: int) -> State:
        """What one member needs to go on."""
        return {**self.moments.state(member), "returns": self.returns[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Put one member back."""
        self.moments.load_state(member, state)
        self.returns[member] = state["returns"]


def _bounded(values: Floats) -> Floats:
    np.minimum(values, BOUND, out=values)
    np.maximum(values, -BOUND, out=values)
    return values
