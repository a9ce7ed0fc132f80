"""Regret of a default policy: its loss on each task, compared with that of the best fixed default in hindsight.

The loss of task k is the mean over the states that its final policy visits of KL(pi_k, pi_0), where pi_0 is the default
as it was when the task began. The fixed default that minimises the sum over tasks is the visit-weighted mean policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_rpo.distributions import FLOOR

from zoo import State

__all__ = ["DefaultRegret"]

Floats = NDArray[np.float64]


def floored(policy: Floats) -> Floats:
    """Probabilities of at least 1e-6 before they are normalised, [..., A]."""
    raised = np.maximum(policy, FLOOR)
    return np.asarray(raised / raised.sum(-1, keepdims=True))


class DefaultRegret:
    """Sums over tasks, for S states and A actions."""

    def __init__(self, states: int, actions: int) -> None:
        self._mass = np.zeros(states)  # sum over tasks of the share of visits
        self._mean = np.zeros((states, actions))  # of that share times the policy
        self._negentropy = 0.0  # of that share times sum p log p
        self.loss = 0.0
        """sum over tasks so far"""

    def add(self, policy: Floats, visits: NDArray[np.int64], default: Floats) -> float:
        """Count a task.

        Args:
            policy: the task's final policy pi_k, [S, A].
            visits: visits of each state under pi_k, [S]; at least one in all.
            default: the default pi_0 before the task, [S, A].

        Returns:
            The loss of the task in nats.
        """
        p, q, share = floored(policy), floored(default), visits / visits.sum()
        loss = float((share * (p * np.log(p / q)).sum(-1)).sum())
        self.loss += loss
        self._mass += share
        self._mean += share[:, None] * p
        self._negentropy += float((share * (p * np.log(p)).sum(-1)).sum())
        return loss

    @property
    def best(self) -> float:
        """The loss of the best fixed default, summed over the tasks so far."""
        seen = self._mass > 0
        mean = self._mean[seen]
        best = mean / self._mass[seen, None]
        return self._negentropy - float((mean * np.log(best)).sum())

    @property
    def regret(self) -> float:
        """Loss minus ``best``, at least 0 for a default that never changed, up to rounding."""
        return self.loss - self.best

    def state(self) -> State:
        """All sums."""
        own = {"mass": self._mass.copy(), "mean": self._mean.copy()}
        return {**own, "negentropy": self._negentropy, "loss": self.loss}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self._mass[:], self._mean[:] = state["mass"], state["mean"]
        self._negentropy, self.loss = float(state["negentropy"]), float(state["loss"])
