"""Options of the control tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["CartPoleConfig", "ControlSuiteConfig", "EnvPoolConfig"]


@dataclass(frozen=True, kw_only=True)
class CartPoleConfig:
    """Options of ``zoo/CartPole-v0``."""

    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ControlSuiteConfig:
    """Options of the environments ``zoo/DMC-<domain>-<task>-<constraint>-v0``."""

    threshold: float | None = None
    """bound of the signal's average over all steps; required"""
    sense: Literal["<=", ">=", "=="] = "<="
    """relation that the average must have to the threshold"""
    max_episode_steps: int | None = 1000
    """control steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class EnvPoolConfig:
    """Options of ``zoo/EnvPool-v0``; the task is part of the name."""

    max_episode_steps: int | None = None
    """steps until an episode is truncated; None: the task's own"""
    options: Mapping[str, int | float | str] | None = None
    """further options of EnvPool for the task, such as frame_skip 5"""
