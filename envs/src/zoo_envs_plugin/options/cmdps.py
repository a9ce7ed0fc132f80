"""Options of the constrained tabular environments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "TwoStateConfig",
    "ThreeStateConfig",
    "GarnetConfig",
    "HazardGridConfig",
    "ConstrainedCatchConfig",
    "TabularConfig",
]


@dataclass(frozen=True, kw_only=True)
class TwoStateConfig:
    """Options of ``zoo/TwoState-v0``."""

    theta: float = 0.5
    """least normalised utility J_u, in [0, 1]"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ThreeStateConfig:
    """Options of ``zoo/ThreeState-v0``."""

    heat: float = 0.2
    """largest normalised heat per step"""
    energy: float = 0.3
    """largest normalised energy per step"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class GarnetConfig:
    """Options of ``zoo/Garnet-v0``."""

    S: int = 20
    """number of states, at least 1"""
    A: int = 4
    """number of actions, at least 1"""
    branching: int = 3
    """distinct successors of each state and action (b in the literature), in [1, S]"""
    N: int = 2
    """number of constraints, at least 0"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    seed: int = 1
    """which random instance is drawn (not the seed of the sampled episodes), at least 0"""
    tight: float = 0.5
    """thresholds from the cheapest policy (0) to the unconstrained optimum (1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class HazardGridConfig:
    """Options of ``zoo/HazardGrid-v0``."""

    n: int = 8
    """side of the square grid, at least 2"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    slip: float = 0.1
    """probability that the direction is drawn uniformly instead, in [0, 1]"""
    limit: float = 0.001
    """largest normalised share of steps spent in hazard cells, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ConstrainedCatchConfig:
    """Options of ``zoo/ConstrainedCatch-v0``."""

    rows: int = 10
    """height R of the board, at least 2"""
    columns: int = 5
    """width C of the board, at least 2"""
    gamma: float = 0.97
    """discount, in [0, 1)"""
    theta: float = 0.6
    """least normalised share of time with the paddle in column 0, in [0, 1]"""
    observation: Literal["state", "grid"] = "state"
    """"state": the state's index; "grid": float32 planes [rows, columns, 2] of ball and paddle"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TabularConfig:
    """Options of ``zoo/Tabular-v0``."""

    path: str = field(default="", metadata={"file": True})
    """model file, .npz or .json, with the keys P, r, c, b, sense, eq, rho, gamma and perhaps names"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""
