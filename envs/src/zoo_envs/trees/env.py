"""Environments of trees: observations are nodes, actions are left and right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_envs.tabular.env import Observation, SampledEnv
from zoo_envs.tabular.lookup import metadata
from zoo_envs.tasks import ComposedEnv, TaskT
from zoo_envs.trees.model import TreeModel
from zoo_envs.trees.view import TreeView

__all__ = ["OBSERVATIONS", "TreeEnv", "TreesEnv"]

OBSERVATIONS = ("state", "one-hot")


class TreeEnv(SampledEnv):
    """One tree. Observation: the node, `Discrete(S)`, or its one-hot code float32[S]. Action: 0 left, 1 right.

    An episode begins at the root and ends at the first leaf; there is no time limit.
    """

    metadata = metadata("ansi", "rgb_array")

    def __init__(self, tree: TreeModel, *, gamma: float, observation: str, render_mode: str | None = None) -> None:
        """Sample `tree`.

        Raises:
            ValueError: `gamma` is outside [0, 1), or the kind of observation or the rendering mode is unknown.
        """
        if observation not in OBSERVATIONS:
            raise ValueError(f"observation must be one of {', '.join(OBSERVATIONS)}, got {observation!r}")
        self.tree = tree
        super().__init__(
            tree.tabular(gamma),
            max_episode_steps=None,
            render_mode=render_mode,
            observations=np.eye(len(tree.children), dtype=np.float32) if observation == "one-hot" else None,
            view=TreeView(len(tree.children), tree),
        )

    def step(self, action: int | np.integer[Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Go left or right.

        Raises:
            ResetNeeded: `reset` was never called.
            RuntimeError: the episode is over.
            ValueError: `action` is neither 0 nor 1.
        """
        if self.tree.leaf[self._current()]:
            raise RuntimeError("the episode is over: call reset() before the next step()")
        return super().step(action)

    def exact_value(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Return the expected undiscounted return of softmax policies with `logits` [..., S, 2], float64[...].

        Raises:
            ValueError: the logits have another shape, or are not finite.
        """
        return self.tree.exact_value(logits)

    def optimal_value(self, gamma: float = 1.0) -> float:
        """Return the largest expected return of any policy, discounted by `gamma` in [0, 1]."""
        return self.tree.optimal_value(gamma)


class TreesEnv(ComposedEnv[TaskT]):
    """Tasks that are trees, with exact values of the task that is posed, or of any other."""

    def exact_value(self, logits: ArrayLike, task: TaskT | None = None) -> NDArray[np.float64]:
        """Return the expected undiscounted return of softmax policies, as of `TreeEnv`, on `task`.

        Args:
            logits: [..., S, 2].
            task: None: the one that is posed.

        Raises:
            ResetNeeded: no task is given, and none is posed before `reset`.
            ValueError: the logits have another shape, or are not finite.
        """
        return self._tree(task).exact_value(logits)

    def optimal_value(self, task: TaskT | None = None, gamma: float = 1.0) -> float:
        """Return the largest expected return of any policy on `task`, discounted by `gamma` in [0, 1].

        Raises:
            ResetNeeded: no task is given, and none is posed before `reset`.
        """
        return self._tree(task).optimal_value(gamma)

    def _tree(self, task: TaskT | None) -> TreeEnv:
        tree: TreeEnv = self._current() if task is None else self._env_of(task)
        return tree
