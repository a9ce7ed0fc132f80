"""The exact model of a task as arrays, and the models of M members stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import InterfaceError, Task, UsageError
from zoo.tabular import TabularCMDP

__all__ = ["Floats", "Ints", "Stacked", "TaskModel"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_TIED = 1e-9
"""relative difference of action values that counts as rounding"""


@dataclass(frozen=True, eq=False)
class TaskModel:
    """One task with S states, A actions and up to K successors of each.

    Attributes:
        name: the task's id.
        successors: successor states, int64[S, A, K].
        p: their probabilities, float64[S, A, K].
        reward: expected reward, float64[S, A].
        start: distribution of the first state, float64[S].
        terminal: which states end an episode, bool[S].
        horizon: H, the largest number of steps of an episode.
    """

    name: str
    successors: Ints
    p: Floats
    reward: Floats
    start: Floats
    terminal: NDArray[np.bool_]
    horizon: int

    @classmethod
    def of(cls, task: Task, horizon: int | None = None) -> TaskModel:
        """The model of the environment that ``task`` makes.

        Args:
            task: the task.
            horizon: largest number of steps of an episode; None: the length of the longest path.

        Raises:
            InterfaceError: the observations are not the model's states.
            UsageError: the environment has no exact model, or ``horizon`` is None, and some path is endless.
        """
        env = task.make()
        try:
            model = TabularCMDP.from_model(env.get_wrapper_attr("model")())
        except AttributeError:
            raise UsageError(
                f"task {task.id} makes an environment without an exact model; rpo-ppo learns from samples alone."
            ) from None
        space: Any = env.observation_space
        if getattr(space, "n", None) != model.num_states or getattr(space, "start", 0) != 0:
            raise InterfaceError(
                f"the observations of task {task.id} are {space}: expected Discrete({model.num_states}), the states of "
                "its exact model."
            )
        S, A = model.r.shape
        successors, p = _padded(model)
        tables = successors.reshape(S, A, -1), p.reshape(S, A, -1)
        longest = _longest_path(*tables, model.rho, model.terminal)
        if horizon is None and longest is None:
            raise UsageError(
                f"episodes of task {task.id} may never end: expected --horizon, the steps after which they are cut."
            )
        steps = min(h for h in (horizon, longest) if h is not None)
        return cls(task.id, *tables, np.asarray(model.r), np.asarray(model.rho), np.asarray(model.terminal), steps)

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.reward)

    @cached_property
    def decisions(self) -> Ints:
        """The states that can be reached and do not end the episode, increasing."""
        reached = np.zeros(self.num_states, dtype=bool)
        new = self.start > 0
        while new.any():
            reached |= new
            following = np.zeros_like(reached)
            following[self.successors[new & ~self.terminal][self.p[new & ~self.terminal] > 0]] = True
            new = following & ~reached
        return np.flatnonzero(reached & ~self.terminal)

    @cached_property
    def _best(self) -> tuple[float, Floats]:
        value = np.zeros(self.num_states)
        q = np.zeros_like(self.reward)
        for _ in range(self.horizon):
            q = self.reward + (self.p * value[self.successors]).sum(-1)
            value = np.where(self.terminal, 0.0, q.max(-1))
        return float(self.start @ value), q

    @property
    def optimum(self) -> float:
        """Largest expected undiscounted return of an episode of H steps."""
        return self._best[0]

    @property
    def optimal_actions(self) -> NDArray[np.bool_]:
        """Which actions are optimal with H steps remaining, bool[S, A]; all of several tied ones."""
        q = self._best[1]
        return np.asarray(q >= q.max(-1, keepdims=True) - _TIED * max(1.0, float(np.abs(q).max())))

    @property
    def worst_actions(self) -> NDArray[np.bool_]:
        """Which actions have the least value if optimal ones follow, bool[S, A]."""
        q = self._best[1]
        return np.asarray(q <= q.min(-1, keepdims=True) + _TIED * max(1.0, float(np.abs(q).max())))


def _padded(model: TabularCMDP) -> tuple[Ints, Floats]:
    """Successors and probabilities [S*A, K]; rows with fewer successors are padded with ones of probability 0."""
    kernel = model.kernel
    counts = np.diff(kernel.indptr)
    filled = np.arange(int(counts.max())) < counts[:, None]
    successors, p = np.zeros(filled.shape, dtype=np.int64), np.zeros(filled.shape)
    successors[filled], p[filled] = kernel.indices, kernel.data
    return successors, p


def _longest_path(successors: Ints, p: Floats, start: Floats, terminal: NDArray[np.bool_]) -> int | None:
    """Steps of the longest episode; None if there is no bound."""
    at = (start > 0) & ~terminal
    for steps in range(len(start) + 1):
        if not at.any():
            return steps
        following = np.zeros_like(at)
        following[successors[at][p[at] > 0]] = True
        at = following & ~terminal
    return None


class Stacked:
    """The tables of M tasks with equal S and A, flattened: state m * S + s, row (m * S + s) * A + a.

    Args:
        models: one for each member.
    """

    def __init__(self, models: Sequence[TaskModel]) -> None:
        self.models = tuple(models)
        self.M, (self.S, self.A) = len(models), models[0].reward.shape
        self.horizon = max(model.horizon for model in models)
        K = max(model.p.shape[-1] for model in models)
        rows = self.M * self.S * self.A
        successors = np.zeros((self.M, self.S, self.A, K), dtype=np.int64)
        p = np.zeros(successors.shape)
        for m, model in enumerate(models):
            k = model.p.shape[-1]
            successors[m, ..., :k], p[m, ..., :k] = model.successors + m * self.S, model.p
            successors[m, ..., k:] = m * self.S
        self.certain = K == 1
        """whether every action has one successor"""
        self.successors, self.p = successors.reshape(rows, K), p.reshape(rows, K)
        self.cumulative = self.p.cumsum(-1)[:, :-1]
        self.reward = np.stack([model.reward for model in models]).reshape(rows)
        self.terminal = np.stack([model.terminal for model in models]).reshape(-1)
        self.start = np.stack([model.start for model in models])
        self._first = self.start.cumsum(-1)[:, None, :-1]
        self._offset = np.arange(self.M)[:, None] * self.S
        self.steps = np.array([model.horizon for model in models])
        """H of each member, int64[M]"""

    def begin(self, u: Floats) -> Ints:
        """First states int64[M, N] for uniform numbers [M, N]."""
        return np.asarray((u[..., None] >= self._first).sum(-1) + self._offset)

    def follow(self, rows: Ints, u: Floats) -> Ints:
        """Successors int64[M, N] of rows [M, N] for uniform numbers [M, N]."""
        if self.certain:
            return self.successors[:, 0].take(rows)
        chosen = (u[..., None] >= self.cumulative[rows]).sum(-1)
        return np.asarray(self.successors[rows, chosen])

    def expected(self, value: Floats) -> Floats:
        """Sum over successors of p * value, for values [M * S]: [M, S, A]."""
        following = value.take(self.successors[:, 0]) if self.certain else (self.p * value[self.successors]).sum(-1)
        return np.asarray(following.reshape(self.M, self.S, self.A))
