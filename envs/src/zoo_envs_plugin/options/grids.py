"""Options of the grids with rewards at goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FourRoomsConfig", "BasicGridConfig", "TwoRoomsConfig", "EscapeConfig"]


@dataclass(frozen=True, kw_only=True)
class FourRoomsConfig:
    """Options of ``zoo/FourRooms-v0``. A cell is 11*row + column."""

    task: Literal["goal", "goals", "diminishing"] = "goal"
    """"goal": one goal ends the episode; "goals": hidden goals; "diminishing": rewards that shrink"""
    goal: int = 20
    """cell of the goal, of the first one in "goals"; by default the corner far from the start"""
    goal_reward: float | None = None
    """what arriving at the goal pays; None: 1 in "goal", 50 in "goals" """
    num_goals: int = 5
    """goals until an episode of "goals" ends, at least 1"""
    reset_goal: bool = True
    """whether in "goals" a goal that was found moves to another cell, uniformly; else it stays"""
    goals: tuple[int, ...] = (80, 24, 41)
    """cells that pay in "diminishing" """
    goal_rewards: tuple[float, ...] = (5.0, 10.0, 5.0)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit in "diminishing", in [0, 1]"""
    count_start: bool = False
    """whether in "diminishing" beginning in a cell counts as a visit"""
    end_below: float | None = 0.1
    """an episode of "diminishing" ends when every remaining reward is below this; None: it does not end so"""
    gamma: float | None = None
    """discount, in [0, 1); None: 0.97 in "diminishing", else 0.95"""
    start: int | None = 100
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = False
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float | None = None
    """what moving against a wall costs, at least 0; None: 1 in "goals", else 0"""
    max_episode_steps: int | Literal["auto"] | None = "auto"
    """steps until an episode is truncated; "auto": 40 in "diminishing", else 75; None: never"""


@dataclass(frozen=True, kw_only=True)
class BasicGridConfig:
    """Options of ``zoo/BasicGrid-v0``. A cell is size*row + column."""

    size: int = 6
    """side of the grid, the walls at the border included, at least 3"""
    goals: tuple[int, ...] = (15,)
    """cells that pay"""
    goal_rewards: tuple[float, ...] = (1.0,)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit, in [0, 1]"""
    count_start: bool = False
    """whether beginning in a cell counts as a visit"""
    end_below: float | None = None
    """the episode ends when every remaining reward is below this; None: it does not end so"""
    recovery: int | None = None
    """steps after which one visit is forgotten, so that rewards come back, at least 1; None: they do not"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    start: int | None = 25
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = False
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TwoRoomsConfig:
    """Options of ``zoo/TwoRooms-v0``. A cell is 11*row + column."""

    goals: tuple[int, ...] = (12, 20, 67)
    """cells that pay"""
    goal_rewards: tuple[float, ...] = (10.0, 5.0, 5.0)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit, in [0, 1]"""
    count_start: bool = False
    """whether beginning in a cell counts as a visit"""
    end_below: float | None = None
    """the episode ends when every remaining reward is below this; None: it does not end so"""
    recovery: int | None = None
    """steps after which one visit is forgotten, so that rewards come back, at least 1; None: they do not"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    start: int | None = 108
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = True
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 100
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class EscapeConfig:
    """Options of ``zoo/Escape-v0``."""

    size: int = 21
    """side of the square, the walls at the border included, at least 8, or 4 without a barrier"""
    barrier: bool = True
    """whether a wall stands halfway between the start and the shelter"""
    moves: Literal[4, 8] = 8
    """directions: up, right, down, left, and with 8 up-right, down-right, down-left, up-left"""
    goal_reward: float = 20.0
    """what arriving at the shelter pays"""
    reward_noise: float = 0.0
    """standard deviation of a normal number that is added to every reward, at least 0"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""
