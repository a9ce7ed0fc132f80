"""CartPole with a goal for each task: balance the pole with the cart near a given place."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_envs_plugin.options.goals import CartPoleGoalsConfig

from zoo_envs.control.cart_pole import MAX_ANGLE, MAX_POSITION, START_RANGE, next_state, out_of_bounds
from zoo_envs.goals.env import GoalEnv, GoalVectorEnv
from zoo_envs.goals.family import Floats, GoalFamily, GoalTask
from zoo_envs.goals.features import GoalFeatures
from zoo_envs.validation import real

__all__ = ["CartPole", "CartPoleGoals", "CartPoleGoalsVector"]


class CartPole(GoalFamily):
    """CartPole (`zoo_envs.control.cart_pole`), except that the reward is higher near the goal."""

    num_physics = 4

    def __init__(self, config: CartPoleGoalsConfig) -> None:
        """Check the options.

        Raises:
            ValueError: an option is outside its range.
        """
        super().__init__(config, config.features)
        self.places = np.array([real("a goal", place, -MAX_POSITION, MAX_POSITION) for place in config.goals])
        if len(set(config.goals)) != len(config.goals) or not config.goals:
            raise ValueError(f"goals must be at least one place, each once, got {list(config.goals)}")
        self.goals = tuple(f"{place:g}" for place in config.goals)
        self.action_space = spaces.Discrete(2)
        goal_width = len(config.goals) * config.observe_goal
        groups = {"position": slice(0, 4), "goal": slice(4, 4 + goal_width)}
        groups["noise"] = slice(4 + goal_width, 4 + goal_width + config.features)
        self.feature_groups = {name: group for name, group in groups.items() if group.start < group.stop}
        high = np.ones(groups["noise"].stop, np.float32)
        high[:4] = 2 * MAX_POSITION, np.inf, 2 * MAX_ANGLE, np.inf
        self.observation_space = spaces.Box(-high, high, dtype=np.float32)

    def single(self, task: GoalTask) -> gymnasium.Env[Any, Any]:
        """See GoalFamily."""
        return CartPoleGoals.for_task(task)

    def begin(self, rng: np.random.Generator, goals: NDArray[np.int64]) -> Floats:
        """Draw first states near the middle, whatever the goal."""
        return rng.uniform(-START_RANGE, START_RANGE, (len(goals), 4))

    def move(
        self, physics: Floats, goals: NDArray[np.int64], actions: NDArray[np.int64]
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return the states arrived in, the rewards (1 at the goal, falling linearly to 0 at 2.4 m), and terminations.

        Raises:
            ValueError: an action is neither 0 nor 1.
        """
        if actions.dtype.kind not in "iu" or ((actions < 0) | (actions > 1)).any():
            raise ValueError(f"actions must lie in [0, 1], got {actions.tolist()}")
        arrived = next_state(physics, actions)
        rewards = np.maximum(0.0, 1.0 - np.abs(arrived[:, 0] - self.places[goals]) / MAX_POSITION)
        return arrived, rewards, out_of_bounds(arrived)

    def observe(self, physics: Floats, cues: NDArray[np.int64], noise: Floats) -> NDArray[np.float32]:
        """Return position, velocity, angle, angular velocity, the goal's one-hot code, and irrelevant features."""
        parts: list[NDArray[Any]] = [physics]
        if self.config.observe_goal:
            parts.append(GoalFeatures(len(self.goals)).encode(cues))
        return np.concatenate([*parts, noise], axis=1, dtype=np.float32)


class CartPoleGoals(GoalEnv, config=CartPoleGoalsConfig, family=CartPole):
    """``zoo/CartPoleGoals-v0``: CartPole with a goal for each task: balance the pole with the cart near a given place.

    Actions: 0 pushes left, 1 right. Observations float32: position m, velocity m/s, angle rad, angular velocity rad/s,
    the one-hot code of the goal if `observe_goal`, then irrelevant `features` of +-1. Rewards: 1 at the goal, falling
    linearly to 0 at a distance of 2.4 m. Ends: terminated as CartPole, truncated after `max_episode_steps`. Tasks:
    `goals`, places in m. Options: see `CartPoleGoalsConfig`. The return is at most `max_episode_steps`.
    """


class CartPoleGoalsVector(GoalVectorEnv, config=CartPoleGoalsConfig, family=CartPole):
    """``zoo/CartPoleGoals-v0``, `num_envs` copies."""
