"""Goal families: the dynamics of n copies as functions of arrays, the goals, and a task for each goal."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from zoo_envs.goals.features import IrrelevantFeatures
from zoo_envs.tasks import FiniteTasks, Task
from zoo_envs.validation import integer

__all__ = ["GoalFamily", "GoalTask", "GoalTasks"]

Floats = NDArray[np.float64]


class GoalFamily(ABC):
    """Everything about an environment with a goal but its random streams; options are those of its config.

    A state is one row: P numbers of physics, the goal, the cue (which goal the observation names), and irrelevant
    features.

    Attributes:
        config: the options; families of equal options are equal.
        goals: names of the G goals, all different.
        weights: probability of each goal, or None: uniform.
        num_physics: P.
        action_space: of one copy.
        observation_space: of one copy.
        feature_groups: slices of an observation by the kind of feature.
        noise: the irrelevant features.
        limit: steps until truncation.
    """

    goals: tuple[str, ...]
    weights: Floats | None = None
    num_physics: int
    action_space: spaces.Space[Any]
    observation_space: spaces.Space[Any]
    feature_groups: Mapping[str, slice]

    def __init__(self, config: Any, features: int) -> None:
        self.config = config
        self.noise = IrrelevantFeatures(features)
        steps = config.max_episode_steps
        self.limit = math.inf if steps is None else integer("max_episode_steps", steps, 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoalFamily) and type(self) is type(other) and self.config == other.config

    def __hash__(self) -> int:
        return hash((type(self), self.config))

    @cached_property
    def tasks(self) -> GoalTasks:
        """All tasks: each goal, with the observation naming it."""
        return GoalTasks(tuple(GoalTask(goal, goal, self) for goal in range(len(self.goals))), self.weights)

    @abstractmethod
    def single(self, task: GoalTask) -> gymnasium.Env[Any, Any]:
        """Return an environment of one copy that poses `task`."""

    @abstractmethod
    def begin(self, rng: np.random.Generator, goals: NDArray[np.int64]) -> Floats:
        """Draw first states [n, P] for `goals` [n]."""

    @abstractmethod
    def move(self, physics: Floats, goals: NDArray[np.int64], actions: Any) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return the states arrived in [n, P], rewards [n] and what is terminal bool[n]; draws nothing."""

    @abstractmethod
    def observe(self, physics: Floats, cues: NDArray[np.int64], noise: Floats) -> NDArray[Any]:
        """Return observations [n, ...] of states [n, P], the goals that they name [n], and features [n, k]."""

    def optimal_value(self, goal: int, gamma: float) -> float | None:
        """Return the largest discounted return of an episode, averaged over first states; None: not known exactly."""
        return None

    def first_rows(self, rng: np.random.Generator, goals: NDArray[np.int64], cues: NDArray[np.int64]) -> Floats:
        """Draw first rows for goals and cues, each [n]."""
        return self.rows(self.begin(rng, goals), goals, cues, self.noise.draw(rng, len(goals)))

    def rows(self, physics: Floats, goals: NDArray[np.int64], cues: NDArray[np.int64], noise: Floats) -> Floats:
        """Return states as rows [n, P + 2 + k]."""
        return np.concatenate([physics, goals[:, None], cues[:, None], noise], axis=1)

    @property
    def width(self) -> int:
        """Length P + 2 + k of a row."""
        return self.num_physics + 2 + self.noise.k

    def goals_of(self, rows: Floats) -> NDArray[np.int64]:
        """Return the goals [n] of rows."""
        return rows[:, self.num_physics].astype(np.int64)

    def cues_of(self, rows: Floats) -> NDArray[np.int64]:
        """Return the cues [n] of rows."""
        return rows[:, self.num_physics + 1].astype(np.int64)

    def observe_rows(self, rows: Floats) -> NDArray[Any]:
        """Return the observations [n, ...] of rows."""
        return self.observe(rows[:, : self.num_physics], self.cues_of(rows), rows[:, self.num_physics + 2 :])


@dataclass(frozen=True)
class GoalTask(Task):
    """Reach one goal, while the observation names it, or another where the rule has changed.

    Attributes:
        goal: index of the goal among the family's goals.
        cue: index of the goal that the observation names.
        family: dynamics, goals and observations, which the tasks share.
    """

    goal: int
    cue: int
    family: GoalFamily = field(repr=False)

    @property
    def id(self) -> str:
        """The task's name, such as "goal-17", or "goal-17-named-20"."""
        names = self.family.goals
        return f"goal-{names[self.goal]}" + (f"-named-{names[self.cue]}" if self.cue != self.goal else "")

    def to_dict(self) -> dict[str, Any]:
        """Return both indices; the family is that of the distribution."""
        return {"goal": self.goal, "cue": self.cue}

    def make(self) -> gymnasium.Env[Any, Any]:
        """Return an environment that poses this task alone."""
        return self.family.single(self)


class GoalTasks(FiniteTasks[GoalTask]):
    """Some goals of a family, with their probabilities."""

    def __init__(self, tasks: tuple[GoalTask, ...], weights: Floats | None = None) -> None:
        """See FiniteTasks."""
        super().__init__(tasks, weights)
        self._tasks, self._weights = tasks, weights

    @property
    def family(self) -> GoalFamily:
        """Dynamics, goals and observations, which the tasks share."""
        return self._tasks[0].family

    @cached_property
    def changed(self) -> GoalTasks | None:
        """The same goals after the rule has changed: each is called by the next one's name; None of a single goal."""
        count = len(self._tasks)
        if count < 2:
            return None
        names = [self._tasks[(index + 1) % count].cue for index in range(count)]
        pairs = zip(self._tasks, names, strict=True)
        return GoalTasks(tuple(GoalTask(task.goal, cue, self.family) for task, cue in pairs), self._weights)

    def from_dict(self, data: Mapping[str, Any]) -> GoalTask:
        """Return the task with this goal and this cue.

        Raises:
            ValueError: there is no such task.
        """
        last = len(self.family.goals) - 1
        goal, cue = (integer(key, data.get(key), 0, last) for key in ("goal", "cue"))
        return GoalTask(goal, cue, self.family)
