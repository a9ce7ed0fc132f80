"""Monte Carlo values of reward and constraints from the episodes that end in a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats


class Episodes:
    """Adds up the signals of running episodes, of H signals in B copies for each of S members, across rollouts.

    What the value of a signal is follows the thresholds' definition:

    * per step, discounted: (1 - gamma) sum_t gamma^t c_t. An episode of length T cut by a time limit has seen the
      share 1 - gamma^T of the weights, so its sum is divided by that; after a terminal state nothing is missing.
    * per step, not discounted: all signals over all steps, long episodes having more of them.
    * per episode: sum_t c_t, or sum_t gamma^t c_t, as it was observed.

    Args:
        members: S.
        signals: H.
        copies: B.
        unit: "step" or "episode".
        gamma: the thresholds' discount, in [0, 1); None: not discounted.
    """

    def __init__(self, members: int, signals: int, copies: int, unit: str, gamma: float | None) -> None:
        self._per_step, self._gamma = unit == "step", gamma
        self._sums = np.zeros((members, signals, copies))
        self._lengths = np.zeros((members, copies), dtype=np.int64)

    def add(
        self, signals: NDArray[np.float32], terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Count one rollout of T steps.

        Args:
            signals: [S, H, T, B].
            terminated: where an episode ended in a terminal state, [S, T, B].
            truncated: where a time limit ended it, [S, T, B].

        Returns:
            The mean values [S, H] over the episodes that ended, 0 where none did, and their numbers [S].
        """
        done = terminated | truncated
        total, weight = np.zeros(self._sums.shape[:2]), np.zeros(len(self._sums))
        for t in range(signals.shape[2]):
            discount = 1.0 if self._gamma is None else self._gamma ** self._lengths[:, None]
            self._sums += discount * signals[:, :, t]
            self._lengths += 1
            ended = done[:, t]
            if ended.any():
                scale, count = self._scales(terminated[:, t])
                total += (self._sums * (scale * ended)[:, None]).sum(axis=-1)
                weight += (count * ended).sum(axis=-1)
                self._sums *= ~ended[:, None]
                self._lengths *= ~ended
        number: NDArray[np.int64] = done.sum(axis=(1, 2))
        return total / np.where(number > 0, weight, 1.0)[:, None], number

    def _scales(self, terminated: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Factor of the sums, and weight of the episodes, of copies that end now; each [S, B]."""
        ones = np.ones(terminated.shape)
        if not self._per_step:
            return ones, ones
        if self._gamma is None:
            return ones, self._lengths.astype(np.float64)
        seen = np.where(terminated, 1.0, 1 - self._gamma**self._lengths)
        return (1 - self._gamma) / seen, ones

    def forget(self, member: int) -> None:
        """The environment of ``member`` begins fresh episodes."""
        self._sums[member], self._lengths[member] = 0.0, 0

    def state(self, member: int) -> Mapping[str, Any]:
        """Of one member."""
        return {"sums": self._sums[member].copy(), "lengths": self._lengths[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self._sums[member], self._lengths[member] = state["sums"], state["lengths"]
