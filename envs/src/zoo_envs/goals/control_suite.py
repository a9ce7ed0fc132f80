"""Several tasks of one domain of DeepMind's control suite as one environment; needs the extra ``dmc``.

The suite is that of Tassa et al. 2018, arXiv:1801.00690. Tasks of a domain share the physics and both spaces; they
differ in their rewards, and in how an episode begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from zoo_envs.control.dmc import SuiteTask
from zoo_envs.tabular.lookup import metadata, restored_generator, snapshot_entry
from zoo_envs.tasks import FiniteTasks, MultitaskEnv, Task
from zoo_envs.validation import integer

__all__ = ["CartpoleFamily", "ControlFamily", "ControlTask", "WalkerFamily"]


@dataclass(frozen=True)
class ControlTask(Task):
    """One task of the suite, as part of a family.

    Attributes:
        domain: such as "walker".
        task: such as "walk".
        family: names of all tasks of the family, in the order of the observation's one-hot code.
        observe_task: whether observations end with the one-hot code of the task.
        action_repeat: control steps that one action lasts.
        max_episode_steps: control steps until an episode is truncated; None: never.
    """

    domain: str
    task: str
    family: tuple[str, ...]
    observe_task: bool
    action_repeat: int
    max_episode_steps: int | None

    @property
    def id(self) -> str:
        """The task's name."""
        return self.task

    def make(self) -> gymnasium.Env[Any, Any]:
        """Return an environment that poses this task alone."""
        return _FAMILIES[self.domain].for_task(self)


class ControlFamily(MultitaskEnv[ControlTask]):
    """Several tasks of one domain as one environment; a subclass names the ``domain`` and the ``names`` of its tasks.

    Observations are the suite's and then the one-hot code of the task; a step's reward is the mean over the control
    steps that its action lasts.
    """

    domain: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    metadata = metadata()

    def __init__(
        self,
        *,
        tasks: tuple[str, ...] | str | None = None,
        observe_task: bool = True,
        action_repeat: int = 1,
        max_episode_steps: int | None = 1000,
    ) -> None:
        """Load the tasks.

        Args:
            tasks: names of tasks of the family, or one name; None: all of them.
            observe_task: whether observations end with the one-hot code of the task.
            action_repeat: control steps that one action lasts, at least 1.
            max_episode_steps: control steps until an episode is truncated; None: never.

        Raises:
            ImportError: dm_control is not installed.
            ValueError: an argument is outside its range.
        """
        names = self.names if tasks is None else (tasks,) if isinstance(tasks, str) else tuple(tasks)
        if not names or len(set(names)) != len(names) or not set(names) <= set(self.names):
            raise ValueError(f"tasks must be some of {', '.join(self.names)}, each once, got {list(names)}")
        repeat = integer("action_repeat", action_repeat, 1)
        options = (bool(observe_task), repeat, max_episode_steps)
        self._use_family(names, tuple(ControlTask(self.domain, name, names, *options) for name in names))

    @classmethod
    def for_task(cls, task: ControlTask) -> ControlFamily:
        """Return an environment that poses `task` alone, so that no task is drawn."""
        env = cls.__new__(cls)
        env._use_family(task.family, (task,))
        env.task, env._posed = task, True
        return env

    def _use_family(self, names: tuple[str, ...], posed: tuple[ControlTask, ...]) -> None:
        first = posed[0]
        self.tasks = FiniteTasks(posed)
        steps = first.max_episode_steps
        self._limit = math.inf if steps is None else integer("max_episode_steps", steps, 1)
        self._repeat, self._observe_task = first.action_repeat, first.observe_task
        self._simulations = {task.task: SuiteTask(self.domain, task.task) for task in posed}
        simulation = self._simulations[first.task]
        self.action_space = simulation.action_space
        size = simulation.observation_space.shape[0]
        self._names = names
        self.feature_groups = {"position": slice(0, size)}
        if self._observe_task:
            self.feature_groups["goal"] = slice(size, size + len(names))
        width = size + len(names) * self._observe_task
        self.observation_space = spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self._elapsed = -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode of a task as the suite does; see `zoo_envs.tasks.MultitaskEnv` for `options`."""
        super().reset(seed=seed)
        info = self.next_task(options)
        self._elapsed = 0
        # The suite's tasks have a random stream each: ours seeds it anew in every episode.
        return self._observe(self._simulation.begin(self.np_random)), info

    def step(self, action: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Take the control steps of one action.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` does not have the shape of the action space, or is not finite.
        """
        self._check_reset()
        total, repeated, over = 0.0, 0, False
        while repeated < self._repeat and self._elapsed < self._limit and not over:
            obs, reward, over = self._simulation.step(action)
            total += reward
            repeated += 1
            self._elapsed += 1
        return self._observe(obs), total / repeated, over, self._elapsed >= self._limit and not over, {}

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        self._check_reset()
        state = {"elapsed": self._elapsed, "rng": self.np_random.bit_generator.state, **self.task_state()}
        return {"simulation": self._simulation.capture(), **state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        elapsed, rng = snapshot_entry(state, "elapsed", ()).item(), restored_generator(state)
        self.set_task_state(state)
        self._simulation.restore(state["simulation"])
        self.np_random, self._elapsed = rng, elapsed

    @property
    def _simulation(self) -> SuiteTask:
        if self.task is None or self.task.task not in self._simulations:
            raise ValueError(f"task {self.task} is not one of this environment's tasks: {', '.join(self._simulations)}")
        return self._simulations[self.task.task]

    def _observe(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self._observe_task:
            return obs
        posed = "" if self.task is None else self.task.task
        code = np.array([name == posed for name in self._names], dtype=np.float32)
        return np.concatenate([obs, code])

    def _check_reset(self) -> None:
        if self._elapsed < 0:
            raise ResetNeeded("call reset() first: the environment has no state yet")


class CartpoleFamily(ControlFamily):
    """``zoo/DMC-cartpole-family-v0``: balance a pole, and swing it up first.

    Actions: Box [1]. Observations: see `ControlFamily`. Rewards: the suite's, in [0, 1] a step. Ends: truncated after
    `max_episode_steps` control steps. Tasks: `tasks`. Options: see `ControlFamilyConfig`. Return at most 1000.
    """

    domain, names = "cartpole", ("balance", "swingup")


class WalkerFamily(ControlFamily):
    """``zoo/DMC-walker-family-v0``: stand, walk at 1 m/s, run at 8 m/s.

    Actions: Box [6]. Observations: see `ControlFamily`. Rewards: the suite's, in [0, 1] a step. Ends: truncated after
    `max_episode_steps` control steps. Tasks: `tasks`. Options: see `ControlFamilyConfig`. Return at most 1000.
    """

    domain, names = "walker", ("stand", "walk", "run")


_FAMILIES: Mapping[str, type[ControlFamily]] = {cls.domain: cls for cls in (CartpoleFamily, WalkerFamily)}
