"""Tasks of EnvPool (Weng et al. 2022, arXiv:2206.10558), copies stepped by a pool of threads; the extra ``envpool``.

EnvPool begins the next episode in the step after the last one, and has no final observation. Here copies whose episode
has ended are reset in the same step, as everywhere in this package, so that no step is lost or made up. Its simulators
cannot be put back where they were.
"""

from __future__ import annotations

import difflib
import math
import os
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from zoo_envs.tabular.lookup import batched_metadata, metadata
from zoo_envs.validation import integer
from zoo_envs.wrapping.parts import columns

__all__ = ["EnvPool", "EnvPoolVector"]

_HIDDEN = ("env_id", "players")
"""infos of EnvPool's own"""


class _Pool:
    """n copies of one task; none is built before the first reset, which brings the seed.

    Attributes:
        observation_space: of one copy; a mapping becomes one array, part after part, float32.
        action_space: of one copy.
        parts: first column, and that after the last, of each part of a mapping.
    """

    def __init__(
        self, task: str, n: int, max_episode_steps: int | None, options: Mapping[str, int | float | str] | None
    ) -> None:
        self._library = _import()
        known = self._library.list_all_envs()
        if task not in known:
            near = difflib.get_close_matches(task, known, n=3)
            there = f"the nearest: {', '.join(near)}" if near else f"there are {len(known)}, such as WalkerWalk-v1"
            raise ValueError(f"EnvPool has no task called {task!r}; {there}")
        self._task, self.n = task, n
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._options = {**(options or {}), "num_envs": n, "num_threads": min(n, cores)}
        if max_episode_steps is not None:
            self._options["max_episode_steps"] = integer("max_episode_steps", max_episode_steps, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the bounds that are repaired here
            try:
                spec = self._library.make_spec(task, **self._options)
            except (AssertionError, RuntimeError, TypeError, ValueError) as error:
                raise ValueError(f"EnvPool refuses the options of {task}: {str(error).splitlines()[0]}") from error
            observation_space, action_space = spec.gymnasium_observation_space, spec.gymnasium_action_space
        self._leaves = dict(_leaves(observation_space))
        self.action_space = _repaired(action_space)
        if "" in self._leaves:
            self.observation_space, self.parts = _repaired(self._leaves[""]), {}
        else:
            sizes = {name: math.prod(leaf.shape or ()) for name, leaf in self._leaves.items()}
            self.parts = columns(sizes)
            self.observation_space = spaces.Box(-np.inf, np.inf, (sum(sizes.values()),), np.float32)
        self._envs: Any = None

    def seed(self, rng: np.random.Generator) -> None:
        """Build the copies anew, each with a seed of its own."""
        seeds = rng.integers(2**31, size=self.n).tolist()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above; its spaces are built once
            self._envs = self._library.make(self._task, env_type="gymnasium", seed=seeds, **self._options)
            _ = self._envs.observation_space, self._envs.action_space

    @property
    def built(self) -> bool:
        """Whether there are copies."""
        return self._envs is not None

    def reset(self, copies: NDArray[np.int64] | None = None) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Begin an episode in these copies, all if None; observations and infos [n, ...] of them."""
        obs, info = self._envs.reset() if copies is None else self._envs.reset(copies.astype(np.int32))
        return self._array(obs), _shown(info)

    def step(self, actions: Any) -> tuple[NDArray[Any], Any, Any, Any, dict[str, NDArray[Any]]]:
        """Step all copies, without any reset."""
        obs, reward, terminated, truncated, info = self._envs.step(np.asarray(actions))
        return self._array(obs), reward.astype(np.float64), terminated, truncated, _shown(info)

    def _array(self, obs: Any) -> NDArray[Any]:
        if not self.parts:
            return np.asarray(obs, dtype=self.observation_space.dtype)
        found = dict(_leaves_of(obs))
        rows = [np.asarray(found[name]).reshape(len(found[name]), -1) for name in self._leaves]
        return np.concatenate(rows, axis=1).astype(np.float32)


class EnvPool(gymnasium.Env[Any, Any]):
    """``zoo/EnvPool-v0``: a task of EnvPool, such as WalkerWalk-v1 of the control suite; in `zoo`, ``envpool:TASK``.

    Actions, rewards and ends of episodes are the task's, and so are observations, but that a mapping is one array
    float32[D], whose parts `observation_parts` names; bounds that EnvPool gives as the smallest and largest float are
    infinite. Infos have "elapsed_step" and what the task tells. Options: see `EnvPoolConfig`. No optimum is known here.
    """

    metadata = metadata()

    def __init__(
        self,
        *,
        task: str,
        max_episode_steps: int | None = None,
        options: Mapping[str, int | float | str] | None = None,
    ) -> None:
        """See `EnvPoolVector`."""
        self._pool = _Pool(task, 1, max_episode_steps, options)
        self.observation_space, self.action_space = self._pool.observation_space, self._pool.action_space
        self.observation_parts = self._pool.parts

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; `seed` begins the random streams anew."""
        super().reset(seed=seed)
        if seed is not None or not self._pool.built:
            self._pool.seed(self.np_random)
        obs, info = self._pool.reset()
        return obs[0], {key: value[0] for key, value in info.items()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step.

        Raises:
            ResetNeeded: there is no episode yet.
        """
        if not self._pool.built:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        obs, reward, terminated, truncated, info = self._pool.step(np.asarray(action)[None])
        ends = bool(terminated[0]), bool(truncated[0])
        return obs[0], float(reward[0]), *ends, {key: value[0] for key, value in info.items()}


class EnvPoolVector(VectorEnv[Any, Any, Any]):
    """``zoo/EnvPool-v0``, `num_envs` copies, stepped by a pool of threads; see `EnvPool`."""

    metadata = batched_metadata()

    def __init__(
        self,
        num_envs: int = 1,
        *,
        task: str,
        max_episode_steps: int | None = None,
        options: Mapping[str, int | float | str] | None = None,
    ) -> None:
        """Find the task; copies are built at the first reset.

        Args:
            num_envs: n.
            task: as EnvPool calls it.
            max_episode_steps: steps until an episode is truncated; None: the task's own.
            options: further options of EnvPool for this task, such as frame_skip.

        Raises:
            ImportError: EnvPool is not installed.
            ValueError: there is no such task, or it refuses an option.
        """
        self.num_envs = integer("num_envs", num_envs, 1)
        self._pool = _Pool(task, self.num_envs, max_episode_steps, options)
        self.observation_parts = self._pool.parts
        self.single_observation_space, self.single_action_space = self._pool.observation_space, self._pool.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every copy; `seed` begins the random streams anew."""
        super().reset(seed=seed)
        if seed is not None or not self._pool.built:
            self._pool.seed(self.np_random)
        obs, info = self._pool.reset()
        return obs, self._masked(info)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take a step in every copy, and begin anew those whose episode ended.

        Raises:
            ResetNeeded: there is no episode yet.
            ValueError: the actions have another shape.
        """
        if not self._pool.built:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        expected = (self.num_envs, *(self.single_action_space.shape or ()))
        if np.shape(actions) != expected:
            raise ValueError(f"actions must have shape {expected}, got {np.shape(actions)}")
        obs, reward, terminated, truncated, info = self._pool.step(actions)
        ended = np.flatnonzero(terminated | truncated)
        if not ended.size:
            return obs, reward, terminated, truncated, self._masked(info)
        first, first_info = self._pool.reset(ended)
        mask = terminated | truncated
        final_obs = np.full(self.num_envs, None, dtype=object)
        final_info: dict[str, Any] = {}
        for row, copy in enumerate(ended):
            final_obs[copy] = obs[copy].copy()
            obs[copy] = first[row]
        for key, value in info.items():
            last = np.zeros_like(value)
            last[ended] = value[ended]
            final_info[key], final_info[f"_{key}"] = last, mask.copy()
            value[ended] = first_info[key]
        infos = {**self._masked(info), "final_obs": final_obs, "final_info": final_info}
        return obs, reward, terminated, truncated, {**infos, "_final_obs": mask, "_final_info": mask.copy()}

    def _masked(self, info: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Return `info` with its masks: every copy has all of it."""
        every = {f"_{key}": np.ones(self.num_envs, dtype=np.bool_) for key in info}
        return {**info, **every}


def _import() -> Any:
    try:
        return import_module("envpool")
    except ImportError as error:
        raise ImportError(
            f"envpool cannot be imported ({error}): install it with pip install 'zoo-envs[envpool]'"
        ) from error


def _leaves(space: spaces.Space[Any], name: str = "") -> list[tuple[str, spaces.Space[Any]]]:
    """Return the spaces of a mapping of mappings by dotted names; one that is no mapping has none."""
    if not isinstance(space, spaces.Dict):
        return [(name, space)]
    return [leaf for key, inner in space.items() for leaf in _leaves(inner, f"{name}.{key}" if name else key)]


def _leaves_of(obs: Any, name: str = "") -> list[tuple[str, Any]]:
    """As ``_leaves``, for an observation."""
    if not isinstance(obs, Mapping):
        return [(name, obs)]
    return [leaf for key, inner in obs.items() for leaf in _leaves_of(inner, f"{name}.{key}" if name else key)]


def _repaired(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Return a Box of floats in single precision, with infinite bounds where they are the extremes of its numbers."""
    if not isinstance(space, spaces.Box) or space.dtype.kind != "f":
        return space
    number = np.finfo(space.dtype)
    low = np.where((space.low == number.tiny) | (space.low <= number.min), -np.inf, space.low)
    high = np.where(space.high >= number.max, np.inf, space.high)
    return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


def _shown(info: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the infos that are arrays of the copies, writable."""
    return {
        key: np.array(value) for key, value in info.items() if key not in _HIDDEN and not isinstance(value, Mapping)
    }
