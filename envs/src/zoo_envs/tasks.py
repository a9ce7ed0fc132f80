"""Several tasks in one environment: each reset poses a task, given or drawn.

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
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

__all__ = ["ComposedEnv", "FiniteTasks", "MultitaskEnv", "Task", "Tasks"]

_MAX_ENVIRONMENTS = 64
"""most environments that are kept for later episodes of their tasks"""


@dataclass(frozen=True)
class Task(ABC):
    """A base for tasks whose fields are plain data (numbers, text, tuples of them); nothing need derive from it."""

    @property
    @abstractmethod
    def id(self) -> str:
        """A short name, unique within the distribution."""

    @abstractmethod
    def make(self) -> gymnasium.Env[Any, Any]:
        """Return an environment of this task alone."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON data."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the task with these fields.

        Raises:
            ValueError: there is no such task.
        """
        try:
            return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})
        except TypeError as error:
            raise ValueError(f"this is not a {cls.__name__}: {error}") from None


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
        """Return an iterator over all tasks, or None where there are infinitely many."""
        return None

    def index(self, task: TaskT) -> int:
        """Return the position of `task` in `tasks()`; -1 where there is none."""
        return -1

    def from_dict(self, data: Mapping[str, Any]) -> TaskT:
        """Return the task that `to_dict` described.

        Raises:
            ValueError: there is no such task.
        """
        return self.kind.from_dict(data)


class FiniteTasks(Tasks[TaskT]):
    """Finitely many tasks with their probabilities."""

    def __init__(self, tasks: tuple[TaskT, ...], weights: NDArray[np.float64] | None = None) -> None:
        """Keep the tasks and their probabilities.

        Args:
            tasks: at least one, all different.
            weights: float64[n], non-negative, not all zero; None: uniform.

        Raises:
            ValueError: there is no task, one is named twice, or the weights do not fit.
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
        """Return an iterator over all tasks."""
        return iter(self._tasks)

    def index(self, task: TaskT) -> int:
        """Return the position of `task` in `tasks()`; -1 where there is none."""
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
        """Set `self.task` for the episode that begins, and return its entries in the `info` of `reset`.

        Raises:
            ValueError: `options["task"]` is not a task of this environment.
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
        """Return the entries of `get_state` about the task."""
        return {"task": None if self.task is None else self.task.to_dict(), "posed": self._posed}

    def set_task_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `task_state`.

        Raises:
            ValueError: there is no such task.
        """
        task = state["task"]
        self.task = None if task is None else self.tasks.from_dict(task)
        self._posed = bool(state["posed"])


class ComposedEnv(MultitaskEnv[TaskT]):
    """Poses each task by stepping the environment that the task makes, on this environment's one random stream.

    The environments made offer `get_state` and `set_state`, and all have the same two spaces.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012  gymnasium's
    _inner: Any = None

    def __init__(self, tasks: Tasks[TaskT], first: TaskT, render_mode: str | None = None) -> None:
        """Pose `tasks`.

        Args:
            tasks: their distribution.
            first: any one of them, to read the spaces from.
            render_mode: None or one of ``metadata["render_modes"]``.

        Raises:
            ValueError: the rendering mode is unknown.
        """
        self.tasks, self.render_mode = tasks, render_mode
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            known = ", ".join(self.metadata["render_modes"])
            raise ValueError(f"render_mode must be None or one of {known}, got {render_mode!r}")
        self._environments: dict[TaskT, Any] = {}
        env = self._env_of(first)
        self.observation_space, self.action_space = env.observation_space, env.action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode of the task given, of the one given before, or of one drawn."""
        super().reset(seed=seed)
        task_info = self.next_task(options)
        self._begin()
        obs, info = self._inner.reset()
        return obs, {**info, **task_info}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step the task's environment.

        Raises:
            ResetNeeded: `reset` was never called.
        """
        result: tuple[Any, float, bool, bool, dict[str, Any]] = self._current().step(action)
        return result

    def render(self) -> Any:
        """Render the task's environment."""
        return self._current().render()

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit."""
        return {**self._current().get_state(), "task": self.task_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        self.set_task_state(state["task"])
        self._begin()
        self._inner.set_state({key: value for key, value in state.items() if key != "task"})
        self.np_random = self._inner.np_random

    def _begin(self) -> None:
        if self.task is None:
            raise ValueError("a snapshot must name the task of its episode")
        self._inner = self._env_of(self.task)
        self._inner.np_random = self.np_random

    def _env_of(self, task: TaskT) -> Any:
        """Return the environment of a task; the last few are kept."""
        if task not in self._environments:
            if len(self._environments) >= _MAX_ENVIRONMENTS:
                self._environments.pop(next(iter(self._environments)))
            self._environments[task] = task.make()
            self._environments[task].unwrapped.render_mode = self.render_mode
        return self._environments[task]

    def _current(self) -> Any:
        if self._inner is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._inner
