"""A gymnasium vector environment behind SB3's interface: merged ``dones``, one info dictionary for each copy."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from zoo import InterfaceError


class GymnasiumVecEnv(VecEnv):
    """Adapts ``env`` (SAME_STEP autoreset) to SB3's interface, without a Monitor or a Python loop at every step.

    Observations are copied once, rewards become float32[B] as in SB3's own DummyVecEnv, and where an
    episode ended the info has ``terminal_observation`` and ``TimeLimit.truncated``.

    Raises:
        InterfaceError: autoreset is not SAME_STEP, or SB3 cannot encode the observation space.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any]) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise InterfaceError(f"the environment's autoreset mode is {mode}: expected SAME_STEP.")
        check_observations(env.single_observation_space)
        self.env = env
        self._actions: NDArray[Any] | None = None
        self._empty_infos: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        # SB3 seeds and samples its action space, so it gets one of its own.
        super().__init__(env.num_envs, env.single_observation_space, deepcopy(env.single_action_space))

    def reset(self) -> VecEnvObs:
        """First observations of fresh episodes."""
        obs, _ = self.env.reset()
        first: VecEnvObs = _copied(obs)
        return first

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step all copies."""
        obs, rewards, terminated, truncated, info = self.env.step(self._actions)
        dones = np.logical_or(terminated, truncated)
        infos = self._empty_infos
        if dones.any():
            infos = [{} for _ in range(self.num_envs)]
            for index in np.flatnonzero(dones):
                infos[index] = {
                    "terminal_observation": info["final_obs"][index],
                    "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
                }
        # astype copies: SB3 adds the bootstrap of truncated episodes to the rewards in place.
        return _copied(obs), np.asarray(rewards).astype(np.float32), dones, infos

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Do nothing: the run has seeded the environment."""
        return [None] * self.num_envs

    def close(self) -> None:
        """Do nothing: the run owns the environment."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The vector environment's attribute, once for each index."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Not supported: the environment belongs to the run."""
        raise NotImplementedError(f"the attribute {attr_name} of the run's environment cannot be set from here")

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """Not supported: the copies cannot be called one by one."""
        raise NotImplementedError(f"the method {method_name} of a single environment cannot be called from here")

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """False for each index: no copy has any of SB3's wrappers."""
        return [False] * len(list(self._get_indices(indices)))


def _copied(obs: Any) -> Any:
    """A copy of the observations: the environment may reuse its arrays, and SB3 keeps the last ones over a step."""
    return {key: np.array(part) for key, part in obs.items()} if isinstance(obs, dict) else np.array(obs)


def check_observations(space: spaces.Space[Any]) -> None:
    """Check that SB3 can encode observations of ``space``.

    Raises:
        InterfaceError: SB3 cannot.
    """
    parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    for name, part in parts.items():
        subject = f"the observation {name!r} is" if name else "the observations are"
        if not isinstance(part, (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)):
            raise InterfaceError(
                f"{subject} {part}: expected Box, Discrete, MultiDiscrete, MultiBinary or one Dict of these."
            )
        if isinstance(part, spaces.Discrete) and part.start != 0:
            raise InterfaceError(f"{subject} {part}: expected a Discrete space that starts at 0.")
