"""A default policy at a chosen distance from each task's optimum, to measure the effect of a default's quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array, InterfaceError
from zoo_rpo.defaults import DefaultPolicy
from zoo_rpo.distributions import Categorical, Distribution
from zoo_rpo.task_model import TaskModel

__all__ = ["OptimalMixture"]


class OptimalMixture(DefaultPolicy):
    """pi_0 = (1 - d) pi* + d w, with pi* uniform over tied optimal actions.

    The total variation to pi* is d (1 - 1 / A) with w uniform (no ties), and d with w uniform over the actions of
    least value; where all actions are tied, pi_0 is uniform.

    Args:
        states: S, the number of states.
        actions: A, the number of actions.
        distance: d, in [0, 1].
        worst: whether w is uniform over the actions of least value instead of over all.
    """

    def __init__(self, states: int, actions: int, distance: float, *, worst: bool) -> None:
        self._distance, self._worst = distance, worst
        self._p: NDArray[np.float64] = np.full((states, actions), 1 / actions)

    def begin_task(self, task: Any) -> None:
        """Compute the mixture for this task.

        Raises:
            InterfaceError: the task has no exact model.
        """
        if not isinstance(task, TaskModel):
            raise InterfaceError("optimal-mixture needs the exact model of each task.")
        best, worst = task.optimal_actions, task.worst_actions
        uniform = np.full(best.shape, 1 / best.shape[1])
        other = worst / worst.sum(-1, keepdims=True) if self._worst else uniform
        self._p = (1 - self._distance) * best / best.sum(-1, keepdims=True) + self._distance * other

    def distribution(self, obs: Array) -> Distribution:
        """The mixture, with probabilities of at least ``FLOOR``."""
        return Categorical.of(self._p[obs])

    def state(self) -> Mapping[str, Any]:
        """The mixture of the running task."""
        return {"p": self._p.copy()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self._p = np.array(state["p"])
