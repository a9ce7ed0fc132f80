"""The options that put any environment into a wrapper: ``zoo_envs_plugin`` registers each function by its name.

Those but ``constraint`` are gymnasium's own wrappers (Towers et al. 2024, arXiv:2407.17032).
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import FlattenObservation, FrameStackObservation, RescaleAction, TimeLimit

from zoo_envs.validation import integer, real
from zoo_envs.wrapping.constraint import Constrained, ConstrainedVector, RestorableConstrainedVector

__all__ = ["constraint", "constraint_vector", "flatten_observation", "frame_stack", "rescale_action", "time_limit"]

_Env = gymnasium.Env[Any, Any]


def constraint(env: _Env, rules: str | list[str]) -> _Env:
    """Return `env` with constraints by rules, such as ``abs(action[0]) <= 0.5``.

    Raises:
        ValueError: see ``Constrained``.
    """
    return Constrained(env, rules)


def constraint_vector(env: VectorEnv[Any, Any, Any], rules: str | list[str]) -> VectorEnv[Any, Any, Any]:
    """As ``constraint``, for many copies at once."""
    restorable = hasattr(env, "get_state") and hasattr(env, "set_state")
    return (RestorableConstrainedVector if restorable else ConstrainedVector)(env, rules)


def flatten_observation(env: _Env, on: bool) -> _Env:
    """Return `env` with its observation as one array; discrete parts one-hot, mappings in the order of their space."""
    return FlattenObservation(env) if on else env


class _FrameStack(FrameStackObservation[Any, Any, Any]):
    """gymnasium's, its queue a list, so that it is saved and restored with the environment."""

    obs_queue: Any

    def __init__(self, env: _Env, frames: int) -> None:
        super().__init__(env, frames)
        self.obs_queue = list(self.obs_queue)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        del self.obs_queue[0]
        return super().step(action)

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        self.obs_queue.clear()
        return super().reset(**kwargs)


def frame_stack(env: _Env, frames: int) -> _Env:
    """Return `env` whose observation is its last `frames` ones, [frames, ...]; at the start, the first one repeated.

    Raises:
        ValueError: `frames` is below 1.
    """
    return _FrameStack(env, integer("frames", frames, 1))


def rescale_action(env: _Env, bound: float) -> _Env:
    """Return `env` whose actions lie in [-bound, bound], mapped affinely to its own bounds.

    Raises:
        ValueError: the bound is not positive, or the actions are no Box with finite bounds.
    """
    space = env.action_space
    if not isinstance(space, spaces.Box) or not np.isfinite([space.low, space.high]).all():
        raise ValueError(f"its actions are {space}, and only those of a Box with finite bounds can be rescaled")
    if real("bound", bound, 0) == 0:
        raise ValueError("bound must be above 0")
    return RescaleAction(env, np.float32(-bound), np.float32(bound))


def time_limit(env: _Env, steps: int) -> _Env:
    """Return `env` whose episodes are truncated after `steps`.

    Raises:
        ValueError: `steps` is below 1.
    """
    return TimeLimit(env, integer("steps", steps, 1))
