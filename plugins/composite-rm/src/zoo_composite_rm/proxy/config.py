"""The options of ``nm-ppo``: those of ``xi-ppo``, and how thresholds are searched."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from zoo import UsageError
from zoo_composite_rm.config import XiConfig


@dataclass(frozen=True, kw_only=True)
class NMConfig(XiConfig):
    """Options of ``nm-ppo``: xi-ppo while Nelder and Mead's simplex search moves its thresholds."""

    thresholds: dict[str, float] = field(default_factory=dict)
    """must stay empty: this algorithm finds the thresholds"""
    highest: dict[str, float] = field(default_factory=dict)
    """reward model name to the largest threshold to try; those not named: the largest score in the first rollout"""
    reach: float = 0.05
    """a proposal is reached when every mean score is within this fraction of its threshold"""
    share: float = 0.125
    """largest part of the budget for one proposal, and the part at the end that is left to the best one"""
    stop_sd: float = 0.01
    """the search ends when the vertices' evaluations have a smaller standard deviation than this"""
    cache_tol: float = 0.005
    """a proposal within this fraction of what was measured with the very same policy is not measured again"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.thresholds:
            raise UsageError("nm-ppo searches for the thresholds: expected none to be given; xi-ppo takes given ones.")
        for name, number in self.highest.items():
            _check(f"highest[{name!r}]", number, math.isfinite(number), "a finite number")
        _check("reach", self.reach, 0 < self.reach < 1, "a number between 0 and 1")
        _check("share", self.share, 0 < self.share <= 0.5, "more than 0 and at most 0.5")
        _check("stop_sd", self.stop_sd, 0 <= self.stop_sd < math.inf, "at least 0")
        _check("cache_tol", self.cache_tol, 0 <= self.cache_tol < 1, "at least 0 and less than 1")


def _check(name: str, number: float, inside: bool, expected: str) -> None:
    if not inside:
        raise UsageError(f"{name} = {number}: expected {expected}.")
