"""Monte Carlo values of reward and constraints from the episodes that end in a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats


class Episodes:
    """Sums the H signals of running episodes across rollouts, in B environment copies for each of S members.

    The value of a signal is defined as its threshold is:

    * per step, discounted: (1 - gamma) sum_t gamma^t c_t. The weights of an episode of length T that a time limit cut
      sum to 1 - gamma^T, by which its sum is divided; after a terminal state all further signals are 0.
    * per step, not discounted: the mean over all steps, so that long episodes have more weight.
    * per episode: sum_t c_t, or sum_t gamma^t c_t.

    Args:
        members: S, the number of members.
        signals: H, the number of signals.
        copies: B, the environment copies of each member.
        unit: "step" or "episode".
        gamma: discount of the thresholds, in [0, 1); None: not discounted.
    """

    def __init__(self, members: int, signals: int, copies: int, unit: str, gamma: float | None) -> None:
        self._per_step, self._gamma = unit == "step", gamma
        self._sums = np.zeros((members, signals, copies))
        self._lengths = np.zeros((members, copies), dtype=np.int64)

    def add(
        self, signals: NDArray[np.float32], terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.int64], Floats]:
        """Add one rollout of T steps.

        Args:
            signals: reward and constraint signals, [S, H, T, B].
            terminated: where an episode ended in a terminal state, [S, T, B].
            truncated: where a time limit ended an episode, [S, T, B].

        Returns:
            The mean values [S, H] over the episodes that ended, 0 where none did; how many ended, int64[S]; and how
            many steps' worth a value is, [S]: 1 if it is per step, else the mean of sum_t gamma^t over the episodes.
        """
        done = terminated | truncated
        total, weight, steps = np.zeros(self._sums.shape[:2]), np.zeros(len(self._sums)), np.zeros(len(self._sums))
        for t in range(signals.shape[2]):
            discount = 1.0 if self._gamma is None else self._gamma ** self._lengths[:, None]
            self._sums += discount * signals[:, :, t]
            self._lengths += 1
            ended = done[:, t]
            if ended.any():
                scale, count = self._scales(terminated[:, t])
                total += (self._sums * (scale * ended)[:, None]).sum(axis=-1)
                weight += (count * ended).sum(axis=-1)
                steps += (self._total_weight() * ended).sum(axis=-1)
                self._sums *= ~ended[:, None]
                self._lengths *= ~ended
        count_ended: NDArray[np.int64] = done.sum(axis=(1, 2))
        mean = total / np.where(count_ended > 0, weight, 1.0)[:, None]
        per_step = self._per_step | (count_ended == 0)
        return mean, count_ended, np.where(per_step, 1.0, steps / np.maximum(count_ended, 1))

    def _scales(self, terminated: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """For episodes that end now, the factor of their sums and their weight in the mean; each [S, B]."""
        ones = np.ones(terminated.shape)
        if not self._per_step:
            return ones, ones
        if self._gamma is None:
            return ones, self._lengths.astype(np.float64)
        total_weight = np.where(terminated, 1.0, 1 - self._gamma**self._lengths)
        return (1 - self._gamma) / total_weight, ones

    def _total_weight(self) -> Floats:
        """sum_t gamma^t over each running episode so far, [S, B]."""
        if self._gamma is None:
            return self._lengths.astype(np.float64)
        return np.asarray((1 - self._gamma**self._lengths) / (1 - self._gamma))

    def forget(self, member: int) -> None:
        """Discard the running episodes of ``member``, whose environment is reset."""
        self._sums[member], self._lengths[member] = 0.0, 0

    def state(self, member: int) -> Mapping[str, Any]:
        """The sums and lengths of one member's running episodes."""
        return {"sums": self._sums[member].copy(), "lengths": self._lengths[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self._sums[member], self._lengths[member] = state["sums"], state["lengths"]
