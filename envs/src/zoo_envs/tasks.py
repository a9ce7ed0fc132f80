"""Several tasks in one environment: a task a reset, given or drawn.

A task is any hashable object with `id`, `to_dict()` and `make()`; a frozen dataclass is one in three lines. A
distribution over tasks has `sample(rng)`, `sample_many(rng, n)`, `tasks()` and `from_dict(data)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Generic, Self, TypeVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

__all__ = ["FiniteTasks", "MultitaskEnv", "Task", "Tasks"]


@dataclass(frozen=True)
class Task(ABC):
    """A base for tasks whose fields are plain data (numbers, text, tuples of them); nothing need derive from it."""

    @property
    @abstractmethod
    def id(self) -> str:
        """A short name, unique within the distribution."""

    @abstractmethod
    def make(self) -> gymnasium.Env[Any, Any]:
        """An environment of this task alone."""

    def to_dict(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The task with these fields.

        Raises:
            ValueError: there is no such task.
        """
        try:
            return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})
        except TypeError as error:
            raise ValueError(f"this is no {cls.__name__}: {error}") from None


TaskT = TypeVar("TaskT", bound=Task)


class Tasks(ABC, Generic[TaskT]):
    """A base for distributions over tasks of one class, finitely many or not."""

    kind: type[TaskT]
    """the class of the tasks"""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> TaskT:
        """Draw one task."""

    def sample_many(self, rng: np.random.Generator, n: int) -> list[TaskT]:
        """Draw n tasks, one after another."""
        return [self.sample(rng) for _ in range(n)]

    def tasks(self) -> Iterator[TaskT] | None:
        """Every task once, where there are finitely many."""
        return None

    def index(self, task: TaskT) -> int:
        """The position of `task` in `tasks()`; -1 where there is none."""
        return -1

    def from_dict(self, data: Mapping[str, Any]) -> TaskT:
        """The task that `to_dict` described.

        Raises:
            ValueError: there is no such task.
        """
        return self.kind.from_dict(data)


class FiniteTasks(Tasks[TaskT]):
    """Finitely many tasks with their probabilities."""

    def __init__(self, tasks: tuple[TaskT, ...], weights: NDArray[np.float64] | None = None) -> None:
        """Name the tasks.

        Args:
            tasks: at least one, all different.
            weights: float64[n], non-negative, not all zero; None: all alike.

        Raises:
            ValueError: there is no task, one is named twice, or the weights are no weights.
        """
        if not tasks or len(set(tasks)) != len(tasks):
            raise ValueError("tasks must be at least one, all different")
        shares = np.ones(len(tasks)) if weights is None else np.asarray(weights, dtype=np.float64)
        if shares.shape != (len(tasks),) or not np.isfinite(shares).all() or (shares < 0).any() or not shares.any():
            raise ValueError(f"weights must be {len(tasks)} non-negative numbers, not all zero")
        self.kind = type(tasks[0])
        self._tasks = tasks
        self._cumulative = np.cumsum(shares / shares.sum())

    def sample(self, rng: np.random.Generator) -> TaskT:
        """Draw one task, with one uniform number."""
        drawn = np.searchsorted(self._cumulative, rng.random(), side="right")
        return self._tasks[min(int(drawn), len(self._tasks) - 1)]

    def tasks(self) -> Iterator[TaskT]:
        """Every task once."""
        return iter(self._tasks)

    def index(self, task: TaskT) -> int:
        """The position of `task` in `tasks()`; -1 where there is none."""
        return self._positions.get(task, -1)

    @cached_property
    def _positions(self) -> dict[TaskT, int]:
        return {task: index for index, task in enumerate(self._tasks)}


class MultitaskEnv(gymnasium.Env[Any, Any], Generic[TaskT]):
    """A base for environments that pose tasks; a subclass calls `next_task` in `reset` and keeps what it returns.

    `reset(options={"task": task})` poses `task` in this episode and those that follow, until another is given;
    `{"task": None}` goes back to drawing a task for each episode, which is how the environment begins.
    """

    tasks: Tasks[TaskT]
    task: TaskT | None = None
    """the task of this episode"""
    _posed: bool = False

    def next_task(self, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Set `self.task` for the episode that begins, and return what `info` of `reset` says of it.

        Raises:
            ValueError: `options["task"]` is no task of this environment.
        """
        if options is not None and "task" in options:
            task = options["task"]
            if task is not None and not isinstance(task, self.tasks.kind):
                raise ValueError(f"options['task'] must be a {self.tasks.kind.__name__} or None, got {task!r}")
            self._posed = task is not None
            self.task = task
        if not self._posed or self.task is None:
            self.task = self.tasks.sample(self.np_random)
        return {"task": self.task.id, "task_index": self.tasks.index(self.task)}

    def task_state(self) -> dict[str, Any]:
        """What `get_state` has to hold of tasks."""
        return {"task": None if self.task is None else self.task.to_dict(), "posed": self._posed}

    def set_task_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `task_state`.

        Raises:
            ValueError: there is no such task.
        """
        task = state["task"]
        self.task = None if task is None else self.tasks.from_dict(task)
        self._posed = bool(state["posed"])
