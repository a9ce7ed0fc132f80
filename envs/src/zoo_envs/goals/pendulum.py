"""Pendulum with a goal for each task: swing up, and hold an angle; the physics is gymnasium's Pendulum-v1."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_envs_plugin.options.goals import PendulumGoalsConfig

from zoo_envs.goals.env import GoalEnv, GoalVectorEnv
from zoo_envs.goals.family import Floats, GoalFamily, GoalTask
from zoo_envs.goals.features import GoalFeatures
from zoo_envs.validation import real

__all__ = ["Pendulum", "PendulumGoals", "PendulumGoalsVector"]

GRAVITY, MASS, LENGTH = 10.0, 1.0, 1.0
"""m/s^2, kg, m"""
TAU = 0.05
"""seconds between states"""
MAX_VELOCITY, MAX_TORQUE = 8.0, 2.0
"""bounds of the angular velocity in rad/s and of the torque in N m"""


class Pendulum(GoalFamily):
    """A state is angle rad, 0 being upright, and angular velocity rad/s; an action is a torque."""

    num_physics = 2

    def __init__(self, config: PendulumGoalsConfig) -> None:
        """Check the options.

        Raises:
            ValueError: an option is outside its range.
        """
        super().__init__(config, config.features)
        self.angles = np.array([real("a goal", angle, -math.pi, math.pi) for angle in config.goals])
        if len(set(config.goals)) != len(config.goals) or not config.goals:
            raise ValueError(f"goals must be at least one angle, each once, got {list(config.goals)}")
        self.goals = tuple(f"{angle:g}" for angle in config.goals)
        self.action_space = spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,), np.float32)
        goal_width = len(config.goals) * config.observe_goal
        groups = {"position": slice(0, 3), "goal": slice(3, 3 + goal_width)}
        groups["noise"] = slice(3 + goal_width, 3 + goal_width + config.features)
        self.feature_groups = {name: group for name, group in groups.items() if group.start < group.stop}
        high = np.ones(groups["noise"].stop, np.float32)
        high[2] = MAX_VELOCITY
        self.observation_space = spaces.Box(-high, high, dtype=np.float32)

    def single(self, task: GoalTask) -> gymnasium.Env[Any, Any]:
        """See GoalFamily."""
        return PendulumGoals.for_task(task)

    def begin(self, rng: np.random.Generator, goals: NDArray[np.int64]) -> Floats:
        """Draw first states, uniform on [-pi, pi) x [-1, 1)."""
        drawn: Floats = rng.uniform(-1, 1, (len(goals), 2)) * np.array([math.pi, 1.0])
        return drawn

    def move(
        self, physics: Floats, goals: NDArray[np.int64], actions: NDArray[Any]
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return one step of Euler's method; the reward is of the state before, its angle measured from the goal."""
        angle, velocity = physics.T
        torque = np.clip(actions[:, 0].astype(np.float64), -MAX_TORQUE, MAX_TORQUE)
        error = np.mod(angle - self.angles[goals] + math.pi, 2 * math.pi) - math.pi
        rewards = -(error**2 + 0.1 * velocity**2 + 0.001 * torque**2)
        acceleration = 3 * GRAVITY / (2 * LENGTH) * np.sin(angle) + 3.0 / (MASS * LENGTH**2) * torque
        faster = np.clip(velocity + acceleration * TAU, -MAX_VELOCITY, MAX_VELOCITY)
        return np.stack([angle + faster * TAU, faster], axis=1), rewards, np.zeros(len(angle), dtype=np.bool_)

    def observe(self, physics: Floats, cues: NDArray[np.int64], noise: Floats) -> NDArray[np.float32]:
        """Return cosine, sine, angular velocity, the goal's one-hot code, and irrelevant features."""
        angle, velocity = physics.T
        parts = [np.stack([np.cos(angle), np.sin(angle), velocity], axis=1)]
        if self.config.observe_goal:
            parts.append(GoalFeatures(len(self.goals)).encode(cues))
        return np.concatenate([*parts, noise], axis=1, dtype=np.float32)


class PendulumGoals(GoalEnv, config=PendulumGoalsConfig, family=Pendulum):
    """``zoo/PendulumGoals-v0``: pendulum with a goal for each task: swing up, and hold an angle.

    Actions: float32[1], a torque in [-2, 2] N m. Observations float32: cosine, sine, angular velocity rad/s, the
    one-hot code of the goal if `observe_goal`, then irrelevant `features` of +-1. Rewards: as gymnasium's Pendulum-v1,
    with the angle measured from the goal; at most 0. Ends: truncated after `max_episode_steps`. Tasks: `goals`, angles
    in rad, 0 being upright. Options: see `PendulumGoalsConfig`. No optimum is known in closed form.
    """


class PendulumGoalsVector(GoalVectorEnv, config=PendulumGoalsConfig, family=Pendulum):
    """``zoo/PendulumGoals-v0``, `num_envs` copies."""
