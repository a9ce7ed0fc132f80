"""Options of the built-in evaluators; light, so that a help text needs no numpy."""

from __future__ import annotations

from dataclasses import dataclass


def _at_least_one_episode(episodes: int) -> None:
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}: expected 1 or more")


@dataclass(frozen=True, kw_only=True)
class ReturnConfig:
    """Options of the evaluator ``return``."""

    episodes: int = 100
    """fresh episodes to play"""
    greedy: bool = True
    """act as deployed, without exploration"""

    def __post_init__(self) -> None:
        _at_least_one_episode(self.episodes)


@dataclass(frozen=True, kw_only=True)
class ConstraintsConfig:
    """Options of the evaluator ``constraints``."""

    episodes: int = 100
    """fresh episodes to play where nothing exact is available"""
    greedy: bool = True
    """act as deployed, without exploration, in these episodes"""
    gamma: float | None = None
    """discount of discounted thresholds (default: the exact model's, else the run's own option gamma)"""
    oracle: bool | None = None
    """solve the linear program for the optimum (default: up to 8000 state-actions)"""

    def __post_init__(self) -> None:
        _at_least_one_episode(self.episodes)
        if self.gamma is not None and not 0.0 <= self.gamma < 1.0:
            raise ValueError(f"gamma is {self.gamma}: expected a number in [0, 1)")
