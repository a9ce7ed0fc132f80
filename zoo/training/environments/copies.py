"""Copies of one environment stepped one by one, as gymnasium's ``SyncVectorEnv`` does, into arrays of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import concatenate, create_empty_array, iterate

from zoo.discovery.registration import describe
from zoo.training.environments.boundary import BadActionError, Boundary, FaultError, copied, number, outside, truth

_CHECKED_STEPS = 3
"""Steps after which the boundary around each copy is taken away: an interface is broken at once, or hardly ever."""


class Copies(gymnasium.vector.SyncVectorEnv):
    """A SAME_STEP ``SyncVectorEnv`` that says which copy failed; nothing that it returns is written into again.

    Args:
        makers: one for each copy; what they make may have a ``Boundary`` somewhere among its wrappers.

    Raises:
        FaultError: a copy raised, or returned what gymnasium's interface does not know.
        BadActionError: it raised because of an action outside its space.
    """

    def __init__(self, makers: Sequence[Callable[[], gymnasium.Env[Any, Any]]]) -> None:
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP)
        self._left = _CHECKED_STEPS
        space = self.single_observation_space
        self._arrays = isinstance(space, (Box, Discrete, MultiBinary, MultiDiscrete))
        self.faults: list[str] = []
        """what copies raised in ``close``"""

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """See ``SyncVectorEnv``."""
        if options is not None and "reset_mask" in options:
            return super().reset(seed=seed, options=options)
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed or [None] * self.num_envs
        infos: dict[str, Any] = {}
        batch = self._batch()
        for i, (env, own) in enumerate(zip(self.envs, seeds, strict=True)):
            obs, info = self._reset(i, env, seed=own, options=options)
            self._put(batch, i, obs, "reset()")
            infos = self._add_info(infos, info, i)
        return self._whole(batch), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """See ``SyncVectorEnv``."""
        infos: dict[str, Any] = {}
        batch, rewards = self._batch(), np.zeros(self.num_envs)
        terminations, truncations = np.zeros(self.num_envs, dtype=np.bool_), np.zeros(self.num_envs, dtype=np.bool_)
        own = actions.copy() if isinstance(actions, np.ndarray) else iterate(self.action_space, copied(actions))
        for i, (env, action) in enumerate(zip(self.envs, own, strict=True)):
            try:
                obs, reward, terminated, truncated, info = env.step(action)
            except (KeyboardInterrupt, FaultError, BadActionError):
                raise
            except BaseException as error:
                if outside(action, self.single_action_space):
                    raise BadActionError(f"the action {action!r} is outside {self.single_action_space}") from error
                raise FaultError(f"raised in step(): {describe(error)}", i) from error
            rewards[i] = reward if type(reward) is float else number(reward, i)
            if terminated is not False or truncated is not False:
                terminated, truncated = truth(terminated, "terminated", i), truth(truncated, "truncated", i)
                if terminated or truncated:
                    terminations[i], truncations[i] = terminated, truncated
                    infos = self._add_info(infos, {"final_obs": self._own(obs, i), "final_info": info}, i)
                    obs, info = self._reset(i, env)
            self._put(batch, i, obs, "step()")
            if info:
                infos = self._add_info(infos, info, i)
        if self._left:
            self._left -= 1
            if not self._left:
                self._release()
        return self._whole(batch), rewards, terminations, truncations, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Close every copy, whatever the others raise; ``faults`` has what they did."""
        for env in getattr(self, "envs", ()):
            try:
                env.close()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self.faults.append(f"raised in close(): {describe(error)}")

    def _reset(self, i: int, env: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        try:
            obs, info = env.reset(**kwargs)
        except (KeyboardInterrupt, FaultError):
            raise
        except BaseException as error:
            raise FaultError(f"raised in reset(): {describe(error)}", i) from error
        return obs, info

    def _batch(self) -> Any:
        """Where the observations of one step go: an array [B, ...], or a list where they are not arrays."""
        if not self._arrays:
            return [None] * self.num_envs
        return np.empty(self.observation_space.shape, self.observation_space.dtype)

    def _put(self, batch: Any, i: int, obs: Any, where: str) -> None:
        if not self._arrays:
            batch[i] = copied(obs)
        elif type(obs) is np.ndarray and obs.dtype == batch.dtype and obs.shape == batch.shape[1:]:
            batch[i] = obs
        else:
            row = np.asarray(obs)
            if row.shape != batch.shape[1:]:
                raise FaultError(
                    f"returned an observation of shape {row.shape} from {where}: expected {batch.shape[1:]}", i
                )
            if not np.can_cast(row.dtype, batch.dtype, "same_kind"):
                raise FaultError(f"returned an observation of {row.dtype} from {where}: expected {batch.dtype}", i)
            batch[i] = row

    def _own(self, obs: Any, i: int) -> Any:
        """The last observation of an episode; one of another shape is refused as any."""
        if self._arrays:
            self._put(self._batch(), i, obs, "step()")
        return copied(obs)

    def _whole(self, batch: Any) -> Any:
        """What ``_batch`` made, once it is full."""
        if self._arrays:
            return batch
        space = self.single_observation_space
        empty: Any = create_empty_array(space, n=self.num_envs, fn=np.zeros)
        return concatenate(space, batch, empty)

    def _release(self) -> None:
        """Take the boundaries away."""
        for i, env in enumerate(self.envs):
            outer, layer = None, env
            while isinstance(layer, gymnasium.Wrapper):
                if isinstance(layer, Boundary):
                    if outer is None:
                        self.envs[i] = layer.env
                    else:
                        outer.env = layer.env
                    break
                outer, layer = layer, layer.env
