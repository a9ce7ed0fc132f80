"""Options of the chains and bandits of exploration and foraging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RiverSwimConfig", "SixArmsConfig", "ForagingPatchesConfig"]


@dataclass(frozen=True, kw_only=True)
class RiverSwimConfig:
    """Options of ``zoo/RiverSwim-v0``."""

    variant: Literal["standard", "published"] = "standard"
    """"published": the chain of the public code of the first-occupancy paper, which differs in states 2 and 5"""
    left_reward: float = 5.0
    """reward for swimming left in state 0"""
    right_reward: float = 10000.0
    """reward for swimming right in the last state and staying there"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 5000
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class SixArmsConfig:
    """Options of ``zoo/SixArms-v0``."""

    probabilities: tuple[float, ...] = (1.0, 0.15, 0.1, 0.05, 0.03, 0.01)
    """probabilities of entering arms 1 to 6 by their actions, each in [0, 1]"""
    rewards: tuple[float, ...] = (50.0, 133.0, 300.0, 800.0, 1666.0, 6000.0)
    """reward for each step that stays in arms 1 to 6; some implementations pay 1660 in arm 5"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 5000
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ForagingPatchesConfig:
    """Options of ``zoo/ForagingPatches-v0``."""

    reward: float = 1.0
    """reward of the first harvest of a fresh patch"""
    lam: float = 0.7
    """factor per harvest, in [0, 1]"""
    travel: int = 5
    """steps from leaving a patch to being in the next one, at least 1"""
    max_harvests: int = 30
    """harvests until a patch gives nothing more, at least 1"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""
