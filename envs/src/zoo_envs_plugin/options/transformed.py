"""Options of the environments with transformed observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["CartPoleTransformedConfig", "TransformName", "TransformedConfig", "TvDGridConfig"]

TransformName: TypeAlias = Literal[
    "identity", "rot90", "rot180", "reflection", "swap", "shift", "scale", "shear", "affine", "permutation", "warp"
]


@dataclass(frozen=True, kw_only=True)
class TvDGridConfig:
    """Options of ``zoo/TvDGrid-v0``."""

    transform: TransformName = "identity"
    """what is done to the observations"""
    transform_seed: int = 0
    """which affine map or permutation is drawn, at least 0; the other transformations are fixed"""
    observation: Literal["coordinates", "one-hot"] = "coordinates"
    """"coordinates": row and column of the cell, each in [-1, 1]; "one-hot": one of the 44 free cells"""
    noise: float = 0.0
    """probability that the move is drawn uniformly instead, in [0, 1]"""
    gamma: float = 0.95
    """discount of the exact model, in [0, 1)"""
    max_episode_steps: int | None = 30
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class CartPoleTransformedConfig:
    """Options of ``zoo/CartPoleTransformed-v0``."""

    transform: TransformName = "affine"
    """what is done to the observations"""
    transform_seed: int = 0
    """which affine map or permutation is drawn, at least 0"""
    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TransformedConfig:
    """Options of ``zoo/Transformed-v0``."""

    base: str = "Acrobot-v1"
    """id of the environment that is observed through the transformation, as gymnasium.make takes it"""
    base_options: Mapping[str, int | float | str] | None = None
    """keyword arguments of that environment, such as "threshold 1.5" or "tasks balance observe_task 0" for the control
    suite's"""
    transform: TransformName = "affine"
    """what is done to the observations"""
    transform_seed: int = 0
    """which affine map or permutation is drawn, at least 0"""
