"""The options of ``rpo`` and ``tvpo``; symbols as in Moskovitz et al., arXiv:2111.02994."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from zoo import UsageError
from zoo_rpo import pieces


@dataclass(frozen=True, kw_only=True)
class Regularisation:
    """What a policy is regularised towards, and how strongly."""

    regulariser: str = "kl-forward"
    """none, maxent, log-barrier, kl-forward, kl-reverse, distral, tv, or one that another package registers"""
    regulariser_options: tuple[str, ...] = ()
    """options of the regulariser, each name=value: eta_h of distral"""
    lam: float = field(default=0.1, metadata={"flag": "lambda"})
    """lambda: weight of the regulariser, at least 0"""
    default: str = "auto"
    """default policy: uniform, frozen, majority-vote, distilled, masked-input, optimal-mixture, or one that another
    package registers; auto: the one that goes with the regulariser"""
    default_options: tuple[str, ...] = ()
    """options of the default policy, each name=value, such as tau=20 of majority-vote"""

    def __post_init__(self) -> None:
        """Check names and ranges."""
        pieces.check_name("regulariser", self.regulariser)
        if self.default != "auto":
            pieces.check_name("default", self.default)
        if self.default == "frozen":
            from zoo_rpo.source import pinned  # imports numpy

            object.__setattr__(self, "default_options", pinned(self.default_options))
        at_least("lambda", self.lam, 0)


@dataclass(frozen=True, kw_only=True)
class RPOConfig(Regularisation):
    """Options of REINFORCE on tables."""

    learning_rate: float = 1.0
    """step size of the logits, plain gradient descent"""
    value_learning_rate: float = 0.3
    """step size of the baseline V"""
    gamma: float = 0.99
    """discount of the returns that are learned from, in [0, 1]"""
    updates: int = 100
    """of each task; then logits and baseline begin anew, and the default policy is kept"""
    episodes: int = 10
    """of each update; the budget counts episodes, so the tasks are steps / (updates * episodes)"""
    gradient: Literal["sampled", "exact"] = "sampled"
    """"exact": the expected gradient from the model, as of infinitely many episodes"""
    log_every: int = 10
    """gradient steps of which the means are logged together"""
    horizon: int | None = None
    """steps after which an episode is cut; none: where the model has no endless path, the longest one"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        at_least("learning_rate", self.learning_rate, 0)
        at_least("value_learning_rate", self.value_learning_rate, 0)
        at_least("gamma", self.gamma, 0)
        if self.gamma > 1:
            raise UsageError(f"gamma = {self.gamma}: expected a number between 0 and 1.")
        at_least("updates", self.updates, 1)
        at_least("episodes", self.episodes, 1)
        at_least("log_every", self.log_every, 1)
        if self.horizon is not None:
            at_least("horizon", self.horizon, 1)


@dataclass(frozen=True, kw_only=True)
class TVPOConfig(RPOConfig):
    """Options of TVPO: the majority vote as default policy."""

    regulariser: str = "tv"
    """none, maxent, log-barrier, kl-forward, kl-reverse, distral, tv, or one that another package registers"""


def at_least(name: str, number: float, least: float) -> None:
    """Check that an option is finite and at least ``least``.

    Raises:
        UsageError: it is not; the message has the name and the range.
    """
    if not (math.isfinite(number) and number >= least):
        raise UsageError(f"{name} = {number}: expected a number of at least {least}.")


@dataclass(frozen=True, kw_only=True)
class DefaultPolicyConfig:
    """Options of the evaluator ``default-policy``."""

    limit: int = 2**20
    """largest number of deterministic default policies that may be enumerated"""

    def __post_init__(self) -> None:
        """Check the range."""
        at_least("limit", self.limit, 1)
