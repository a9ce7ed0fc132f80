"""Tasks of DeepMind's control suite with one constraint each, read from the physics; needs the extra ``dmc``.

The suite is that of Tassa et al. 2018, arXiv:1801.00690. Which quantity is bounded follows the domain
(docs/methods/reload.md, section 7.7). Thresholds have no default, because none is known from a paper.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from zoo_envs.tabular.constraints import SENSES, ConstraintSpec
from zoo_envs.tabular.lookup import metadata, snapshot_entry
from zoo_envs.validation import integer, real
from zoo_envs.wrapping.parts import columns

__all__ = [
    "ControlSuite",
    "HumanoidWalkHeight",
    "QuadrupedWalkEffort",
    "ReacherEasySpeed",
    "SuiteTask",
    "WalkerWalkHeight",
]

SIGNALS: Mapping[str, tuple[str, Callable[[Any], float]]] = MappingProxyType(
    {
        "walker": ("height", lambda physics: physics.torso_height()),
        "reacher": ("speed", lambda physics: np.abs(physics.data.qvel).max()),
        "quadruped": ("effort", lambda physics: np.abs(physics.data.ctrl).mean()),
        "humanoid": ("height", lambda physics: physics.head_height()),
    }
)
"""domain to its signal: torso's height m, fastest joint's speed rad/s, mean size of the controls, head's height m"""


class SuiteTask:
    """One task of the suite without a time limit, which the environments of this package share.

    Attributes:
        action_space: Box [A].
        observation_space: Box float32[D], the suite's parts one after another.
    """

    def __init__(self, domain: str, task: str) -> None:
        """Load the task.

        Raises:
            ImportError: dm_control is not installed.
            ValueError: there is no such task.
        """
        suite, self._mujoco = _import_suite()
        # Seeded by begin; 0 only keeps the suite from asking the operating system for a seed.
        self._env = suite.load(domain, task, task_kwargs={"random": 0, "time_limit": math.inf})
        action, observed = self._env.action_spec(), self._env.observation_spec()
        self.action_space = spaces.Box(
            action.minimum.astype(np.float32), action.maximum.astype(np.float32), dtype=np.float32
        )
        size = sum(math.prod(part.shape) for part in observed.values())
        self.observation_parts = columns({name: math.prod(part.shape) for name, part in observed.items()})
        """first column, and that after the last, of each of the suite's parts"""
        self.observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float32)

    @property
    def physics(self) -> Any:
        """The suite's physics."""
        return self._env.physics

    def begin(self, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """Begin an episode as the suite does; `rng` starts its random stream anew."""
        if rng is not None:
            self._env.task.random.seed(int(rng.integers(2**31)))
        return _flatten(self._env.reset().observation)

    def step(self, action: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float32], float, bool]:
        """One control step: observation, reward, and whether the task has ended by itself.

        Raises:
            ValueError: `action` does not have the shape of the action space, or is not finite.
        """
        control = np.asarray(action, dtype=np.float64)
        if control.shape != self.action_space.shape or not np.isfinite(control).all():
            raise ValueError(f"action must be {self.action_space.shape} finite numbers, got {action!r}")
        arrived = self._env.step(control)
        return _flatten(arrived.observation), float(arrived.reward), bool(arrived.last())

    def capture(self) -> dict[str, Any]:
        """Return {"physics": float64[n], "geometry": float64[g, 3], "rng"}: see `ControlSuite.get_state`."""
        physics, kind = self._env.physics, self._mujoco.mjtState.mjSTATE_INTEGRATION
        integration_state = np.empty(self._mujoco.mj_stateSize(physics.model.ptr, kind))
        self._mujoco.mj_getState(physics.model.ptr, physics.data.ptr, integration_state, kind)
        geometry, rng = np.array(physics.model.geom_pos), self._env.task.random.get_state(legacy=False)
        return {"physics": integration_state, "geometry": geometry, "rng": rng}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `capture` returned.

        Raises:
            ValueError: `state` is not a snapshot of this task.
        """
        physics, random, kind = self._env.physics, self._env.task.random, self._mujoco.mjtState.mjSTATE_INTEGRATION
        size = self._mujoco.mj_stateSize(physics.model.ptr, kind)
        integration_state, geometry = (
            _numbers(state, "physics", (size,)),
            _numbers(state, "geometry", physics.model.geom_pos.shape),
        )
        try:
            random.set_state(state["rng"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"snapshot entry 'rng' must be the state of a RandomState ({error})") from None
        self._env.reset()  # so that the suite is within an episode; draws, so the stream is restored once more
        random.set_state(state["rng"])
        physics.model.geom_pos[:] = geometry
        self._mujoco.mj_setState(physics.model.ptr, physics.data.ptr, integration_state, kind)
        # The suite's steps end with positions and velocities evaluated; forces belong to the step to come.
        self._mujoco.mj_step1(physics.model.ptr, physics.data.ptr)


class ControlSuite(gymnasium.Env[Any, Any]):
    """One task of the suite; a subclass names ``domain`` and ``task``.

    Observations are the suite's, one after another, float32[D]; actions are Box. An episode has ``max_episode_steps``
    control steps and is truncated; each step's info has "constraints" float32[1], the signal of the state arrived in,
    and its alias "cost" where the sense is "<=". The constraint is on the signal's average over all steps.
    """

    domain: ClassVar[str]
    task: ClassVar[str]
    metadata = metadata()

    def __init__(
        self,
        *,
        threshold: float | None = None,
        sense: Literal["<=", ">=", "=="] = "<=",
        max_episode_steps: int | None = 1000,
    ) -> None:
        """Load the task.

        Args:
            threshold: bound of the signal's average over steps, in its unit; required.
            sense: how the average must stand to it.
            max_episode_steps: control steps until an episode is truncated; None: never.

        Raises:
            ImportError: dm_control is not installed.
            ValueError: an argument is missing or outside its range.
        """
        simulation = SuiteTask(self.domain, self.task)
        name, self._signal = SIGNALS[self.domain]
        if threshold is None:
            raise ValueError(
                f"threshold must be given, the bound of the average {name}: there is no default, because none is known"
            )
        if sense not in SENSES:
            raise ValueError(f"sense must be one of {', '.join(SENSES)}, got {sense!r}")
        bound = real("threshold", threshold, -math.inf)
        self.constraint_spec = ConstraintSpec.of((name,), [bound], (sense,), unit="step", discounted=False)
        steps = math.inf if max_episode_steps is None else integer("max_episode_steps", max_episode_steps, 1)
        self._limit: float = steps
        self._simulation = simulation
        self.action_space, self.observation_space = simulation.action_space, simulation.observation_space
        self.observation_parts = simulation.observation_parts
        self._elapsed = -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode as the suite does; `seed` starts its random stream anew."""
        super().reset(seed=seed)
        reseed = seed is not None or self._elapsed < 0
        self._elapsed = 0
        return self._simulation.begin(self.np_random if reseed else None), {}

    def step(self, action: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One control step.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` does not have the shape of the action space, or is not finite.
        """
        self._check_reset()
        obs, reward, terminated = self._simulation.step(action)
        self._elapsed += 1
        signal = float(self._signal(self._simulation.physics))
        info: dict[str, Any] = {"constraints": np.array([signal], dtype=np.float32)}
        if self.constraint_spec.has_cost:
            info["cost"] = float(info["constraints"][0])
        truncated = self._elapsed >= self._limit and not terminated
        return obs, reward, terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit.

        That is {"physics": float64[n], "geometry": float64[g, 3], "elapsed": int, "rng": the state of the suite's
        random stream}: MuJoCo's integration state, and the positions of bodies that a task moves about.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        self._check_reset()
        return {**self._simulation.capture(), "elapsed": self._elapsed}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        elapsed = snapshot_entry(state, "elapsed", ()).item()
        self._simulation.restore(state)
        self._elapsed = elapsed

    def _check_reset(self) -> None:
        if self._elapsed < 0:
            raise ResetNeeded("call reset() first: the environment has no state yet")


class WalkerWalkHeight(ControlSuite):
    """``zoo/DMC-walker-walk-height-v0``: walk at 1 m/s; the height of the torso in m is bounded.

    Actions: Box [6]. Observations, rewards (in [0, 1] a step), ends and the constraint: see `ControlSuite`. Options:
    see `ControlSuiteConfig`. Return at most 1000; no constrained optimum is known.
    """

    domain, task = "walker", "walk"


class ReacherEasySpeed(ControlSuite):
    """``zoo/DMC-reacher-easy-speed-v0``: touch a large target; the faster joint's speed in rad/s is bounded.

    Actions: Box [2]. Observations, rewards (in [0, 1] a step), ends and the constraint: see `ControlSuite`. Options:
    see `ControlSuiteConfig`. Return at most 1000; no constrained optimum is known.
    """

    domain, task = "reacher", "easy"


class QuadrupedWalkEffort(ControlSuite):
    """``zoo/DMC-quadruped-walk-effort-v0``: walk at 0.5 m/s; the mean size of the 12 controls is bounded.

    Actions: Box [12]. Observations, rewards (in [0, 1] a step), ends and the constraint: see `ControlSuite`. Options:
    see `ControlSuiteConfig`. Return at most 1000; no constrained optimum is known.
    """

    domain, task = "quadruped", "walk"


class HumanoidWalkHeight(ControlSuite):
    """``zoo/DMC-humanoid-walk-height-v0``: walk at 1 m/s; the height of the head in m is bounded.

    Actions: Box [21]. Observations, rewards (in [0, 1] a step), ends and the constraint: see `ControlSuite`. Options:
    see `ControlSuiteConfig`. Return at most 1000; no constrained optimum is known.
    """

    domain, task = "humanoid", "walk"


def _import_suite() -> tuple[Any, Any]:
    """Return dm_control's suite and mujoco."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a missing display: nothing is rendered here
            return import_module("dm_control.suite"), import_module("mujoco")
    except ImportError as error:
        raise ImportError(
            f"dm_control cannot be imported ({error}): install it with pip install 'zoo-envs[dmc]'"
        ) from error


def _flatten(observation: Mapping[str, Any]) -> NDArray[np.float32]:
    return np.concatenate([np.ravel(part) for part in observation.values()]).astype(np.float32)


def _numbers(snapshot: Mapping[str, Any], key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.array(snapshot.get(key))
    if array.dtype.kind not in "iuf" or array.shape != shape:
        raise ValueError(f"snapshot entry {key!r} must hold numbers of shape {shape}, got {array.dtype} {array.shape}")
    return array.astype(np.float64)
