"""The exact optimal policy of a tabular source, extended to points between its states."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.tabular import TabularCMDP, policy_iteration
from zoo_tvd.source.base import SourcePolicy
from zoo_tvd.transport.solvers import squared_distances

Floats = NDArray[np.float64]


class ExactPolicy(SourcePolicy):
    """The optimal action of the nearest cell; with a bandwidth, of all cells, with weights that fall with distance.

    With bandwidth h > 0: pi(a | s) = sum_k w_k(s) pi_k(a), w = softmax(-|s - x_k|^2 / 2 h^2) over the cells x_k, and
    pi_k epsilon-greedy in cell k: a smooth policy, as the policy term needs.
    """

    def __init__(self, model: TabularCMDP, points: Floats, *, bandwidth: float = 0.0, epsilon: float = 0.1) -> None:
        """Compute the optimal policy.

        Args:
            model: the model of the source.
            points: coordinates of its states, float64 [S, d].
            bandwidth: h, in units of the coordinates; 0: only the nearest cell.
            epsilon: probability of a uniform action in the smooth policy.
        """
        self.points = points
        self._half = 0.5 * np.square(points).sum(axis=1)
        self.d = points.shape[1]
        self.greedy: NDArray[np.int64] = np.asarray(policy_iteration(model).policy)
        self.bandwidth = bandwidth
        A = model.num_actions
        self.table: Floats = (1 - epsilon) * np.eye(A)[self.greedy] + epsilon / A

    def act(self, states: Floats) -> NDArray[Any]:
        """The optimal action of the nearest cell, or, with a bandwidth, the most probable action; [B]."""
        if self.bandwidth:
            found = self.probabilities(states)
            return np.asarray(found.argmax(axis=1))
        # |s - x|^2 / 2 without the part |s|^2 / 2 that all cells share.
        return np.asarray(self.greedy[(self._half - states @ self.points.T).argmin(axis=1)])

    def probabilities(self, states: Floats) -> Floats:
        """Action probabilities [B, A] of the smooth policy; with bandwidth 0 those of the nearest cell."""
        return np.asarray(self._weights(states) @ self.table)

    def score(self, states: Floats, actions: NDArray[Any]) -> Floats | None:
        """The score of the smooth policy, [B, d]: sum_k w_k (x_k - mean x) pi_k(a) / (h^2 pi(a | s))."""
        if not self.bandwidth:
            return None
        w = self._weights(states)
        chosen = self.table[:, np.asarray(actions, dtype=np.int64)].T  # [B, S]
        probability = np.einsum("bk,bk->b", w, chosen)
        centred = np.einsum("bk,bk,kd->bd", w, chosen, self.points) - (w @ self.points) * probability[:, None]
        return np.asarray(centred / (self.bandwidth**2 * probability[:, None]))

    def _weights(self, states: Floats) -> Floats:
        distance = squared_distances(states, self.points)
        if not self.bandwidth:
            return np.asarray(np.eye(len(self.points))[distance.argmin(axis=1)])
        logits = -(distance - distance.min(axis=1, keepdims=True)) / (2 * self.bandwidth**2)
        w = np.exp(logits)
        return np.asarray(w / w.sum(axis=1, keepdims=True))

    def digest(self) -> str:
        """SHA-256 of the table of optimal actions."""
        return hashlib.sha256(self.greedy.tobytes()).hexdigest()
