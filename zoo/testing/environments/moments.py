"""A vector form against the single one where no exact model says what to expect: by their averages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces.utils import flatten
from numpy.typing import NDArray

from zoo.testing.contract import Contract
from zoo.training.environments.make_env import Recorder

COPIES = 400
STEPS = 8
SIGMAS = 6.0
Floats = NDArray[np.float64]
Env = gymnasium.Env[Any, Any]


def check_moments(contract: Contract, make: Callable[[], Env], vector: Recorder) -> None:
    """Total reward and last observation after a few random steps have the same mean in both forms.

    Raises:
        AssertionError: a mean is off by more than 6 standard errors.
    """
    env = make()
    env.action_space.seed(23)
    with contract.during("comparing its forms"):
        single = np.stack([_play(env, 1000 + copy) for copy in range(COPIES)])
        many = _play_vector(vector, env.observation_space)
    env.close()
    vector.close()
    error = np.sqrt(single.var(axis=0) / len(single) + many.var(axis=0) / len(many))
    difference = np.abs(single.mean(axis=0) - many.mean(axis=0))
    # Where nothing is random the forms may still round differently.
    off = difference > SIGMAS * error + 1e-6 * np.abs(single).max(axis=0)
    if off.any():
        index = int(np.argmax(off))
        what = "total reward" if index == 0 else f"element {index - 1} of the observation"
        raise contract.fail(
            f"its vector form: {what} after {STEPS} random steps is {many[:, index].mean():.6g} on average, expected "
            f"{single[:, index].mean():.6g} as in the single form (standard error {error[index]:.2g})"
        )


def _play(env: Env, seed: int) -> Floats:
    obs, _ = env.reset(seed=seed)
    total = 0.0
    for _ in range(STEPS):
        obs, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        total += float(reward)
        if terminated or truncated:
            obs, _ = env.reset()
    return _row(total, env.observation_space, obs)


def _play_vector(vector: Recorder, space: gymnasium.Space[Any]) -> Floats:
    obs, _ = vector.reset(seed=1000)
    vector.action_space.seed(29)
    total = np.zeros(vector.num_envs)
    for _ in range(STEPS):
        obs, reward, *_ = vector.step(vector.action_space.sample())
        total += reward
    singles = gymnasium.vector.utils.iterate(vector.observation_space, obs)
    return np.stack([_row(sum_, space, single) for sum_, single in zip(total, singles, strict=True)])


def _row(total: float, space: gymnasium.Space[Any], obs: Any) -> Floats:
    return np.concatenate([[total], np.asarray(flatten(space, obs), dtype=np.float64).ravel()])
