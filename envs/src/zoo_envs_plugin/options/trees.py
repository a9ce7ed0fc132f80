"""Options of the trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RandomTreeConfig", "TreeConfig"]


@dataclass(frozen=True, kw_only=True)
class TreeConfig:
    """Options of ``zoo/Tree-v0``."""

    kind: Literal["type1", "type2"] = "type1"
    """"type1": the goals vary, behind one door; "type2": the doors vary, before one goal"""
    observation: Literal["state", "one-hot"] = "state"
    """"state": the node's number less 1; "one-hot": float32[24]"""
    gamma: float = 0.99
    """discount of the exact model, in [0, 1)"""


@dataclass(frozen=True, kw_only=True)
class RandomTreeConfig:
    """Options of ``zoo/RandomTree-v0``."""

    depth: int = 4
    """depth of the deepest leaves, in [1, 12]"""
    sparsity: float = 0.25
    """probability that a child is missing, in [0, 1]"""
    reverse: bool = False
    """whether every leaf that was grown pays max_reward, instead of its depth"""
    max_reward: float = 1.0
    """reward of every leaf that was grown, where reverse is true"""
    observation: Literal["state", "one-hot"] = "state"
    """"state": the node's number; "one-hot": float32[2^(depth+1) - 1]"""
    gamma: float = 0.99
    """discount of the exact model, in [0, 1)"""
