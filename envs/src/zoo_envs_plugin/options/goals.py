"""Options of the goal families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CartPoleGoalsConfig", "ControlFamilyConfig", "FourRoomsGoalsConfig", "PendulumGoalsConfig"]


@dataclass(frozen=True, kw_only=True)
class FourRoomsGoalsConfig:
    """Options of ``zoo/FourRoomsGoals-v0``. A cell is 11*row + column."""

    goals: tuple[int, ...] = (17, 18, 19, 20, 28, 29, 30, 31, 39, 40, 41, 42, 50, 51, 52, 53)
    """cells that a task may have as its goal; by default those of the room at the top right"""
    common: float | None = None
    """probability of the first goal, in [0, 1]; the others share the rest; None: uniform"""
    start_rooms: tuple[int, ...] = (0, 1)
    """rooms in which episodes begin, uniform over cells: 0 bottom left, 1 top left, 2 top right, 3 bottom right"""
    reward: Literal["unit", "published"] = "unit"
    """"unit": 1 at the goal; "published": 50 there, and -1 for moving against a wall"""
    observation: Literal["features", "coordinates", "cell"] = "features"
    """one-hot of the cell and of the goal's; row, column and one-hot of the goal; or the number of the cell alone"""
    features: int = 20
    """irrelevant features, +-1 at random in every step, at least 0; none where the cell alone is observed"""
    observe_goal: bool = True
    """whether the goal is observed, too, where features are"""
    max_episode_steps: int | None = 50
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class PendulumGoalsConfig:
    """Options of ``zoo/PendulumGoals-v0``."""

    goals: tuple[float, ...] = (-0.3, -0.15, 0.0, 0.15, 0.3)
    """angles in rad, 0 being upright, that a task may ask for; beyond 0.41 the motor cannot hold the pendulum"""
    features: int = 0
    """irrelevant features, +-1 at random in every step, at least 0"""
    observe_goal: bool = True
    """whether the one-hot code of the goal is observed"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class CartPoleGoalsConfig:
    """Options of ``zoo/CartPoleGoals-v0``."""

    goals: tuple[float, ...] = (-1.0, -0.5, 0.0, 0.5, 1.0)
    """positions of the cart in m, each in [-2.4, 2.4], that a task may ask for"""
    features: int = 0
    """irrelevant features, +-1 at random in every step, at least 0"""
    observe_goal: bool = True
    """whether the one-hot code of the goal is observed"""
    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ControlFamilyConfig:
    """Options of ``zoo/DMC-cartpole-family-v0`` and ``zoo/DMC-walker-family-v0``."""

    tasks: tuple[str, ...] | None = None
    """tasks of the domain; None: balance and swingup of cartpole, stand, walk and run of walker"""
    observe_task: bool = True
    """whether the one-hot code of the task is observed"""
    action_repeat: int = 1
    """control steps that one action lasts, at least 1"""
    max_episode_steps: int | None = 1000
    """control steps until an episode is truncated; None: never"""
