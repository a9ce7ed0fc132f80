"""Learning to act with tables: one state machine for every rule and for any number of seeds together.

A rule says which arrays a seed has and what one step does to them; arrays have a leading axis of N seeds. A single run
is N = 1, a batch stacks the arrays of its members and leaves each of them a view, so that all go through the same
operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoo import Algorithm, Batch, Context, Metrics, Stack, State, stack
from zoo_successor.learning.td import Bools, Floats, Ints

Arrays = dict[str, NDArray[Any]]


class StepsPerUpdate(Protocol):
    """What every configuration here has."""

    @property
    def steps_per_update(self) -> int:
        """Steps of each copy in one update."""


ConfigT = TypeVar("ConfigT", bound=StepsPerUpdate)


class Rule(ABC):
    """A learning rule on stacked arrays; B is the number of copies of each seed."""

    draws: int
    """uniform numbers that one copy needs for one step"""

    @abstractmethod
    def initial_arrays(self, obs: Ints, rng: np.random.Generator) -> Arrays:
        """The arrays of one seed before learning, in episodes that begin at ``obs [B]``; no leading axis."""

    @abstractmethod
    def restart_episodes(self, arrays: Arrays, obs: Ints) -> None:
        """Begin fresh episodes of one seed (N = 1) at ``obs [1, B]``, in place."""

    @abstractmethod
    def step(self, arrays: Arrays, envs: Stack, u: Floats) -> None:
        """One step in every copy of every seed, and what is learned from it, in place; ``u [N, B, draws]``."""

    @abstractmethod
    def metrics(self, arrays: Arrays, index: int, steps: int) -> Metrics:
        """What to log of one seed after an update of that many steps; sums over the update begin anew."""


class TabularControl(Algorithm[ConfigT]):
    """One seed of a rule; ``env_steps`` counts transitions."""

    rule: Rule
    arrays: Arrays
    """leading axis 1; in a batch, views"""

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        super().__init__(ctx, config)
        self.rule = self.make_rule(ctx, config)
        obs, _ = ctx.env.reset()
        self.arrays = {name: array[None] for name, array in self.rule.initial_arrays(np.asarray(obs), ctx.rng).items()}
        self._envs: Stack | None = None

    @staticmethod
    @abstractmethod
    def make_rule(ctx: Context, config: Any) -> Rule:
        """The rule that ``config`` asks for."""

    def steps_of_next_update(self) -> int:
        """Steps of each copy in the next update: fewer where the budget ends."""
        copies = self.ctx.env.num_envs
        left = -(-(self.ctx.budget - self.env_steps) // copies)
        # A caller who goes on past the budget, or gave none, gets whole updates.
        return min(self.config.steps_per_update, left) if left > 0 else self.config.steps_per_update

    def draw(self, steps: int) -> Floats:
        """The random numbers of that many steps, ``[steps, B, draws]``."""
        return self.ctx.rng.random((steps, self.ctx.env.num_envs, self.rule.draws))

    def count_steps(self, steps: int) -> None:
        """Count ``steps`` of each copy."""
        self.env_steps += steps * self.ctx.env.num_envs

    def update(self) -> Metrics:
        """``steps_per_update`` steps of each copy."""
        if self._envs is None:
            self._envs = stack([self.ctx.env])
        steps = self.steps_of_next_update()
        advance(self.rule, self.arrays, self._envs, self.draw(steps)[:, None])
        self.count_steps(steps)
        return self.rule.metrics(self.arrays, 0, steps)

    def restart(self) -> None:
        """Begin fresh episodes."""
        self.rule.restart_episodes(self.arrays, np.asarray(self.ctx.env.reset()[0])[None])

    def state(self) -> State:
        """Everything needed to continue bit for bit."""
        return {name: array[0] for name, array in self.arrays.items()}

    def load_state(self, state: State) -> None:
        """Continue from ``state``, in place."""
        for name, array in self.arrays.items():
            array[0] = state[name]

    @classmethod
    def batch(cls, contexts: Sequence[Context], config: ConfigT) -> ControlBatch:
        """Many seeds that step and learn in one array operation."""
        return ControlBatch([cls(ctx, config) for ctx in contexts])


class ControlBatch(Batch):
    """Members whose arrays are views of stacked ones.

    Args:
        members: runs of one class with one configuration, at least one.
    """

    def __init__(self, members: Sequence[TabularControl[Any]]) -> None:
        self._members = tuple(members)
        self._envs = stack([member.ctx.env for member in members])
        self._arrays = {name: np.concatenate([member.arrays[name] for member in members]) for name in members[0].arrays}
        for index, member in enumerate(members):
            member.arrays = {name: array[index : index + 1] for name, array in self._arrays.items()}

    def __len__(self) -> int:
        return len(self._members)

    def member(self, index: int) -> TabularControl[Any]:
        """Run ``index``, to inspect, save or restore."""
        return self._members[index]

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""
        first = self._members[0]
        steps = first.steps_of_next_update()
        advance(first.rule, self._arrays, self._envs, np.stack([one.draw(steps) for one in self._members], axis=1))
        for member in self._members:
            member.count_steps(steps)
        return [first.rule.metrics(self._arrays, index, steps) for index in range(len(self._members))]


def advance(rule: Rule, arrays: Arrays, envs: Stack, u: Floats) -> None:
    """As many steps as ``u [steps, N, B, draws]`` has."""
    for now in u:
        rule.step(arrays, envs, now)


def choose(q: Floats, u: Floats, epsilon: float) -> Ints:
    """Epsilon-greedy actions ``[...]`` for values ``q [..., A]`` and uniform numbers ``u [..., 2]``; ties at random."""
    best = q == q.max(axis=-1, keepdims=True)
    pick = np.floor(u[..., 1] * best.sum(axis=-1)).astype(np.int64)
    greedy = (np.cumsum(best, axis=-1) > pick[..., None]).argmax(axis=-1)
    anything = np.floor(u[..., 1] * q.shape[-1]).astype(np.int64)
    return np.asarray(np.where(u[..., 0] < epsilon, anything, greedy))


def arrive(counts: Ints, idle: Ints, at: Ints, recovery: int | None) -> None:
    """Count one arrival in every copy, in place.

    Args:
        counts: visits that are remembered, ``[..., S]``.
        idle: steps that count towards forgetting the next one, ``[..., S]``; read only with ``recovery``.
        at: the states arrived in, ``[...]``.
        recovery: steps without an arrival in which one visit is forgotten; None: none ever is.
    """
    where = (*np.indices(at.shape), at)
    counts[where] += 1
    if recovery is not None:
        idle += 1
        idle[where] = 0
        forgotten = idle == recovery
        idle[forgotten] = 0
        counts -= forgotten & (counts > 0)


class Remaining:
    """The rewards that are left to each copy of an environment where they diminish, as an agent can know them.

    It counts visits from the observations alone (docs/methods/successor.md, section 1): the first one after an
    episode's start counts only if ``count_start``, every later one is an arrival.

    Args:
        base: reward of the first counted visit, ``[S]``.
        lam: factor per visit, ``[S]``.
        count_start: whether being at the start counts.
        recovery: see ``arrive``.
    """

    def __init__(self, base: Floats, lam: Floats, *, count_start: bool, recovery: int | None = None) -> None:
        self.base, self.lam, self.count_start, self.recovery = base, lam, count_start, recovery
        self._counts: Ints = np.zeros((0, len(base)), dtype=np.int64)
        self._idle: Ints = np.zeros((0, len(base)), dtype=np.int64)
        self._began: Bools = np.zeros(0, dtype=bool)

    def unseen(self) -> Remaining:
        """One with the same rewards and no visits."""
        return Remaining(self.base, self.lam, count_start=self.count_start, recovery=self.recovery)

    def read(self, states: Ints) -> Floats:
        """Count the states ``[B]`` just observed, and return what remains, ``[B, S]``.

        Another number of copies than before begins anew.
        """
        if len(states) != len(self._counts):
            self._counts, self._idle = np.zeros((2, len(states), len(self.base)), dtype=np.int64)
            self._began = np.zeros(len(states), dtype=bool)
        fresh, continuing = np.flatnonzero(~self._began), np.flatnonzero(self._began)
        self._counts[fresh, states[fresh]] += self.count_start
        counts, idle = self._counts[continuing], self._idle[continuing]
        arrive(counts, idle, states[continuing], self.recovery)
        self._counts[continuing], self._idle[continuing] = counts, idle
        self._began[:] = True
        return self.after(self._counts)

    def after(self, counts: Ints) -> Floats:
        """What remains after ``counts [..., S]`` visits."""
        return np.asarray(self.base * self.lam**counts)

    def forget(self, ended: Bools | None = None) -> None:
        """Begin anew in the copies ``ended [B]``, or in all."""
        if ended is None:
            self._counts, self._idle = self._counts[:0], self._idle[:0]
            self._began = self._began[:0]
        elif len(ended) == len(self._counts):
            self._counts[ended] = self._idle[ended] = 0
            self._began[ended] = False
