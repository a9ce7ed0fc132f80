"""Rewards that the transition alone does not decide, because they depend on what happened before in the episode."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw", "RewardRule"]

Draw: TypeAlias = Callable[[NDArray[np.bool_]], NDArray[np.float64]]
"""Copies bool[n] to one uniform in [0,1) for each of them, each from the copy's own random stream."""


class RewardRule(ABC):
    """What a step pays on top of its outcome, and whether it ends the episode, for n copies at once.

    All that a rule remembers lies in `memory`, whose arrays are changed in place only: the memories of several
    environments can then be views into one array.

    Attributes:
        memory: name -> int64 [n, ...].
    """

    memory: dict[str, NDArray[np.int64]]

    def __init__(self) -> None:
        """Remember nothing yet; see `prepared`."""
        self.memory = {}

    def prepared(self, n: int) -> Self:
        """Return this rule with a memory of its own, for `n` copies."""
        rule = copy.copy(self)
        rule.memory = {name: np.zeros((n, *tail), dtype=np.int64) for name, (tail, _) in self.layout().items()}
        return rule

    def same(self, other: object) -> bool:
        """Return whether `other` is the same rule, whatever both remember."""
        if type(self) is not type(other):
            return False
        mine, its = ({k: v for k, v in vars(rule).items() if k != "memory"} for rule in (self, other))
        return mine.keys() == its.keys() and all(np.array_equal(mine[key], its[key]) for key in mine)

    def layout(self) -> Mapping[str, tuple[tuple[int, ...], int | None]]:
        """Return, for each array of `memory`, its shape without the copies and the number its entries stay below."""
        return {}

    def begin(self, where: NDArray[np.bool_], states: NDArray[np.int64]) -> None:
        """Forget the episode of the copies `where` bool[n]; all copies are in `states` int64[n]."""
        for array in self.memory.values():
            array[where] = 0

    @abstractmethod
    def arrive(self, states: NDArray[np.int64], draw: Draw) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Take note of one step of every copy, which led to `states` int64[n].

        Returns:
            Rewards to add float64[n], and bool[n], whose episode ends here.
        """

    def info(self) -> dict[str, NDArray[Any]]:
        """Return what the agent is told beside the observation, [n, ...] each; new arrays."""
        return {}

    def marked(self, index: int) -> list[int]:
        """Return the states worth showing to whoever watches copy `index`."""
        return []
