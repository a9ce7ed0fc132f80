"""Collecting samples of an environment with a policy or with uniform actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

import zoo
from zoo_tvd.samples import Samples

Floats = NDArray[np.float64]
Choose = Callable[[NDArray[Any]], NDArray[Any]]


def uniform(space: Any, copies: int, rng: np.random.Generator) -> NDArray[Any]:
    """Uniform actions [B, ...] of one action space.

    Raises:
        UsageError: the actions are neither discrete nor bounded.
    """
    if isinstance(space, Discrete):
        return np.asarray(space.start + rng.integers(space.n, size=copies))
    if isinstance(space, Box) and space.is_bounded():
        return rng.uniform(space.low, space.high, (copies, *space.shape)).astype(space.dtype)
    raise zoo.UsageError(f"the actions are {space}: expected discrete or bounded ones.")


def exploring(choose: Choose, epsilon: float, space: Any, rng: np.random.Generator) -> Choose:
    """The policy that takes a uniform action with probability ``epsilon``."""

    def chosen(obs: NDArray[Any]) -> NDArray[Any]:
        actions = np.array(choose(obs))
        explores = rng.random(len(actions)) < epsilon
        actions[explores] = uniform(space, len(actions), rng)[explores]
        return actions

    return chosen


def drawn(probabilities: Callable[[NDArray[Any]], Floats], space: Any, rng: np.random.Generator) -> Choose:
    """The policy that samples actions from ``probabilities`` [B, A]."""

    def chosen(obs: NDArray[Any]) -> NDArray[Any]:
        below = probabilities(obs).cumsum(axis=1)
        return np.asarray(space.start + (rng.random((len(obs), 1)) * below[:, -1:] >= below[:, :-1]).sum(axis=1))

    return chosen


def trajectories(env: Any, choose: Choose, episodes: int, horizon: int) -> Samples:
    """The first ``horizon`` steps of episodes, padded with the last state where one ended: T = horizon + 1 states.

    The number of ``episodes`` is rounded up to a multiple of the environment's copies. After the end of an episode the
    actions are -1 (NaN where they are continuous).
    """
    stack = zoo.stack([env])
    parts = []
    for _ in range(-(-episodes // stack.num_envs)):
        obs = np.asarray(stack.reset()[0])
        running = np.ones(stack.num_envs, dtype=bool)
        states, actions = [obs], []
        for _ in range(horizon):
            action = np.asarray(choose(obs))
            next_obs, _, terminated, truncated, infos = stack.step(action[None])
            taken = np.array(action, copy=True)
            taken[~running] = np.nan if taken.dtype.kind == "f" else -1
            actions.append(taken)
            states.append(_where(running, infos["arrived"][0], states[-1]))
            running &= ~(terminated[0] | truncated[0])
            obs = np.asarray(next_obs[0])
        parts.append((np.stack(states, axis=1), np.stack(actions, axis=1)))
    all_states, all_actions = (np.concatenate([part[index] for part in parts]) for index in (0, 1))
    return Samples.of(all_states, all_actions, "the trajectories")


def transitions(env: Any, choose: Choose, episodes: int, horizon: int) -> Samples:
    """Single transitions, T = 2, from consecutive episodes: ``episodes * horizon``, rounded up as above."""
    stack = zoo.stack([env])
    states, actions = [], []
    for _ in range(-(-episodes // stack.num_envs)):
        obs = np.asarray(stack.reset()[0])
        for _ in range(horizon):
            action = np.asarray(choose(obs))
            next_obs, _, _, _, infos = stack.step(action[None])
            states.append(np.stack([obs, infos["arrived"][0]], axis=1))
            actions.append(action[:, None])
            obs = np.asarray(next_obs[0])
    return Samples.of(np.concatenate(states), np.concatenate(actions), "the transitions")


def _where(running: NDArray[np.bool_], new: Any, old: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.where(running[:, None], np.asarray(new), old))


def returns(env: Any, choose: Choose, episodes: int) -> Floats:
    """Undiscounted returns [E] of new episodes, the same number in each copy, so that E is rounded up."""
    found = []
    for _ in range(-(-episodes // env.num_envs)):
        obs, _ = env.reset()
        total, running = np.zeros(env.num_envs), np.ones(env.num_envs, dtype=bool)
        for _ in range(100_000):
            obs, reward, terminated, truncated, _ = env.step(choose(obs))
            total += np.where(running, reward, 0.0)
            running &= ~(terminated | truncated)
            if not running.any():
                break
        found.append(total)
    return np.concatenate(found)
