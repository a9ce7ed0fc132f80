"""Rewards that the transition alone does not decide, because they depend on what happened before in the episode."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_envs.validation import integer, real

__all__ = ["Diminishing", "Draw", "RewardRule"]

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
        """Record one step of every copy, which led to `states` int64[n].

        Returns:
            Rewards to add float64[n], and which episodes end here, bool[n].
        """

    def info(self) -> dict[str, NDArray[Any]]:
        """Return what the infos hold beside the observation, [n, ...] each; new arrays."""
        return {}

    def marked(self, index: int) -> list[int]:
        """Return the states drawn as goals when copy `index` is rendered."""
        return []


class Diminishing(RewardRule):
    """Arriving in s pays ``base[s] * lam[s]**n``, where n counts the earlier visits to s in this episode.

    The visit is counted after it paid. The state at t = 0 is never paid, and counted only with `count_start`
    (as in the published code of arXiv:2309.03710, which does not count it). With `recovery` one visit to a state is
    forgotten whenever that many steps have passed since the last arrival there or the last that was forgotten.

    Attributes:
        base: float64 [S], read only, reward of the first visit.
        lam: float64 [S], read only, factor per visit, in [0, 1], with 0**0 = 1.
        count_start: whether the state at t = 0 counts as a visit.
        end_below: the episode ends when every reward still to be had is below this; None: it does not end so.
        recovery: steps in which one visit is forgotten, at least 1; None: rewards do not come back.
        memory: "visits" int64 [n,S], and with `recovery` "idle" int64 [n,S], the steps that count towards it.
    """

    def __init__(
        self,
        base: NDArray[np.float64],
        lam: ArrayLike,
        *,
        count_start: bool = False,
        end_below: float | None = None,
        recovery: int | None = None,
    ) -> None:
        """Keep the parameters; `lam` is one number for all states or [S].

        Raises:
            ValueError: `lam`, `end_below` or `recovery` is outside its range.
        """
        super().__init__()
        self.base = np.array(base, dtype=np.float64)
        self.lam = np.broadcast_to(np.asarray(lam, dtype=np.float64), self.base.shape).copy()
        bad = ~((self.lam >= 0) & (self.lam <= 1))
        if bad.any():
            raise ValueError(f"lam must be a number in [0, 1], got {self.lam[bad][0]}")
        for array in (self.base, self.lam):
            array.flags.writeable = False
        self.count_start = bool(count_start)
        self.end_below = None if end_below is None else real("end_below", end_below, 0)
        self.recovery = None if recovery is None else integer("recovery", recovery, 1)
        self._paying = np.flatnonzero(self.base)

    def layout(self) -> Mapping[str, tuple[tuple[int, ...], int | None]]:
        """Return the layout of `memory`."""
        idle = {} if self.recovery is None else {"idle": (self.base.shape, self.recovery)}
        return {"visits": (self.base.shape, None), **idle}

    def begin(self, where: NDArray[np.bool_], states: NDArray[np.int64]) -> None:
        """Forget the visits of the copies `where` bool[n], which are in `states` int64[n] now."""
        super().begin(where, states)
        if self.count_start:
            self.memory["visits"][where, states[where]] = 1

    def arrive(self, states: NDArray[np.int64], draw: Draw) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Pay and count the arrival of every copy in `states` int64[n]."""
        visits, copies = self.memory["visits"], np.arange(states.size)
        rewards = self.base[states] * self.lam[states] ** visits[copies, states]
        visits[copies, states] += 1
        if self.recovery is not None:
            idle = self.memory["idle"]
            idle += 1
            idle[copies, states] = 0
            forgotten = idle == self.recovery
            idle[forgotten] = 0
            visits -= forgotten & (visits > 0)
        over = np.zeros(states.size, dtype=np.bool_)
        if self.end_below is not None:
            np.all(self._remaining_of(self._paying) < self.end_below, axis=1, out=over)
        return rewards, over

    def remaining(self) -> NDArray[np.float64]:
        """Return what the next arrival in each state would pay, float64 [n,S]."""
        remaining = np.zeros(self.memory["visits"].shape)
        remaining[:, self._paying] = self._remaining_of(self._paying)
        return remaining

    def info(self) -> dict[str, NDArray[Any]]:
        """Return {"remaining": float64 [n,S]}."""
        return {"remaining": self.remaining()}

    def marked(self, index: int) -> list[int]:
        """Return the states whose next visit pays a reward of at least `end_below`."""
        remaining = self.remaining()[index]
        threshold = 0.0 if self.end_below is None else self.end_below
        return [int(s) for s in self._paying if remaining[s] != 0 and remaining[s] >= threshold]

    def _remaining_of(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        remaining: NDArray[np.float64] = self.base[states] * self.lam[states] ** self.memory["visits"][:, states]
        return remaining
