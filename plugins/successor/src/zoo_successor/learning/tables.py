"""The registered representations ``sr``, ``fr`` and ``lambda``: one table, learned by TD(0) or solved exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from zoo import (
    Array,
    Context,
    InterfaceError,
    Metrics,
    Representation,
    RepresentationBatch,
    State,
    Transitions,
    UsageError,
)
from zoo.tabular import TabularCMDP
from zoo_successor.config import LambdaConfig, SRConfig
from zoo_successor.exact import representations as exact
from zoo_successor.learning.problem import dense_kernel, discount, factor, num_states, states
from zoo_successor.learning.td import Bools, Floats, Ints, StepSize, learn_actions, learn_states

ConfigT = TypeVar("ConfigT", bound=SRConfig)


@dataclass(frozen=True, eq=False)
class TableLearner:
    """N tables that learn together, each from K copies of the environment.

    Attributes:
        table: ``[N, S, S]``, or ``[N, S, A, S]``; changed in place.
        visits: updates of each row, ``[N, S]`` or ``[N, S, A]``; changed in place.
        gamma: discount.
        lam: factor per visit, ``[S]``.
        step: step sizes.
        copies: K.
    """

    table: Floats
    visits: Ints
    gamma: float
    lam: Floats
    step: StepSize
    copies: int

    def member(self, index: int) -> Self:
        """One of the N as a learner of its own that shares its memory."""
        one = slice(index, index + 1)
        return type(self)(self.table[one], self.visits[one], self.gamma, self.lam, self.step, self.copies)

    def learn(self, batch: Transitions) -> list[Metrics]:
        """TD(0) on ``[N, T * K]`` transitions, K at a time in their order; other numbers count as one step.

        Returns:
            For each member ``visited``, the share of rows that have been updated, and ``change``, the largest entry's.
        """
        N, S = len(self.table), self.table.shape[-1]
        before = self.table.copy()
        s, next_state = states(batch.obs, S), states(batch.next_obs, S)
        a, ended = np.asarray(batch.action), np.asarray(batch.terminated, dtype=bool)
        size = s.shape[1]
        width = self.copies if size % self.copies == 0 else size
        for first in range(0, size, width):
            now = slice(first, first + width)
            self._step(s[:, now], a[:, now], next_state[:, now], ended[:, now])
        visited = (self.visits.reshape(N, -1) > 0).mean(axis=1)
        change = np.abs(self.table - before).reshape(N, -1).max(axis=1)
        return [{"visited": float(visited[n]), "change": float(change[n])} for n in range(N)]

    def _step(self, s: Ints, a: Ints, next_state: Ints, ended: Bools) -> None:
        rule: Any = {"gamma": self.gamma, "lam": self.lam, "step": self.step}
        if self.table.ndim == 3:
            learn_states(self.table, self.visits, s, next_state, ended, **rule)
        else:
            policy = self.observed(next_state)
            learn_actions(self.table, self.visits, s, a, next_state, ended, policy=policy, **rule)

    def observed(self, at: Ints) -> Floats:
        """How often each action was taken in the states ``at [N, K]``, as probabilities ``[N, K, A]``."""
        counts = self.visits[np.arange(len(self.visits))[:, None], at].astype(np.float64)
        total = counts.sum(axis=-1, keepdims=True)
        return np.asarray(np.where(total > 0, counts, 1.0) / np.where(total > 0, total, counts.shape[-1]))


class SuccessorTable(Representation[ConfigT]):
    """What the three have in common (docs/methods/successor.md, sections 2, 3 and 5): they differ in
    lambda alone.

    Row = where you are, column = the state that is predicted; being in a state now counts as a visit.

    Raises:
        InterfaceError: the observations are no states.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({"tabular", "td", "features"})

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        super().__init__(ctx, config)
        self.dim = num_states(ctx)
        # A terminal state is never left, so nothing would teach its row: it has its one visit from the start.
        unit = self._terminal() if config.init == "zero" else np.ones(self.dim, dtype=bool)
        start = np.diag(unit.astype(np.float64))
        if config.action_values:
            start = start[:, None, :].repeat(ctx.num_actions, axis=1)
        self._learner = TableLearner(
            table=start[None],
            visits=np.zeros((1, *start.shape[:-1]), dtype=np.int64),
            gamma=discount(ctx.problem, config.gamma),
            lam=self._lambda(),
            step=StepSize(alpha=config.alpha, power=config.power),
            copies=ctx.env.num_envs,
        )

    def _lambda(self) -> Floats:
        raise NotImplementedError

    def _terminal(self) -> Bools:
        problem = self.ctx.problem
        return np.zeros(self.dim, dtype=bool) if problem.model is None else problem.tabular.terminal

    @property
    def gamma(self) -> float:
        """The discount."""
        return self._learner.gamma

    @property
    def lam(self) -> Floats:
        """The factor per visit of each state, ``[S]``."""
        return self._learner.lam

    @property
    def visits(self) -> Ints:
        """How often each row has been learned, ``[S]`` or ``[S, A]``; where it is 0 the row is still its start."""
        return np.asarray(self._learner.visits[0])

    def table(self) -> Floats:
        """``X [S, S]`` or ``[S, A, S]``: what has been learned so far."""
        return np.asarray(self._learner.table[0])

    def set_table(self, table: Floats) -> None:
        """Replace what has been learned.

        Raises:
            UsageError: the shape does not fit.
        """
        if np.shape(table) != self.table().shape:
            raise UsageError(f"the table has shape {np.shape(table)}: expected {self.table().shape}.")
        self._learner.table[0] = table

    def solve(self, model: TabularCMDP, policy: Floats) -> Floats:
        """The exact table of ``policy [S, A]`` at this representation's discount and lambda; as ``table()``."""
        chain = exact.policy_chain(dense_kernel(model), policy)
        X = exact.diminishing(chain, self.gamma, self.lam, model.terminal)
        return np.asarray(self._with_actions(model, X) if self.config.action_values else X)

    def _with_actions(self, model: TabularCMDP, X: Floats) -> Floats:
        return np.asarray(exact.backup(dense_kernel(model), X, self.gamma, self.lam, model.terminal))

    def update(self, batch: Transitions) -> Metrics:
        """TD(0); transitions come in their order, one for each copy at a time."""
        names = ("obs", "action", "reward", "next_obs", "terminated", "truncated")
        return self._learner.learn(Transitions(**{name: np.asarray(getattr(batch, name))[None] for name in names}))[0]

    def features(self, obs: Array, action: Array | None = None) -> Floats:
        """Rows of the table for states ``[B]`` (and actions ``[B]``), ``[B, S]``.

        Without actions a table that has them is averaged over the observed ones, or all alike where there are none.
        """
        s = states(obs, self.dim)
        if not self.config.action_values:
            return self.table()[s]
        if action is not None:
            return self.table()[s, states(action, self.table().shape[1])]
        return np.asarray((self._learner.observed(s[None])[0][:, None, :] @ self.table()[s])[:, 0, :])

    def value(self, w: Floats, counts: Ints | None = None) -> Floats:
        """Values ``[S]`` of the rewards ``w [S]``, each already visited ``counts [S]`` times (equation 4)."""
        return np.asarray(self.features(np.arange(self.dim)) @ self._remaining(w, counts))

    def q(self, s: Array, w: Floats, counts: Ints | None = None) -> Floats:
        """Action values ``[B, A]`` at states ``[B]`` for rewards ``w [S]``; through the model if need be.

        Raises:
            InterfaceError: the table has no actions and the environment no model.
        """
        at, left = states(s, self.dim), self._remaining(w, counts)
        if self.config.action_values:
            return np.asarray(self.table()[at] @ left)
        if self.ctx.problem.model is None:
            raise InterfaceError("this table has no actions and there is no model: learn it with --action-values.")
        return np.asarray(self._with_actions(self.ctx.problem.tabular, self.table())[at] @ left)

    def _remaining(self, w: Floats, counts: Ints | None) -> Floats:
        return np.asarray(w, dtype=np.float64) * (1.0 if counts is None else self.lam ** np.asarray(counts))

    def columns(self, goals: Sequence[int]) -> Floats:
        """Columns of the table: how each state predicts the states ``goals``, ``[S, G]`` or ``[S, A, G]``."""
        return self.table()[..., states(goals, self.dim)]

    def state(self) -> State:
        """Table and visits."""
        return {"table": self.table(), "visits": self.visits}

    def load_state(self, state: State) -> None:
        """Continue from ``state``, in place."""
        self._learner.table[0] = state["table"]
        self._learner.visits[0] = state["visits"]

    @classmethod
    def batch(cls, contexts: Sequence[Context], config: ConfigT) -> TableBatch:
        """Many seeds whose tables are one array."""
        return TableBatch([cls(ctx, config) for ctx in contexts])


class TableBatch(RepresentationBatch):
    """Members whose tables are parts of one array.

    Args:
        members: representations of one class with one configuration, at least one.
    """

    def __init__(self, members: Sequence[SuccessorTable[Any]]) -> None:
        self._members = tuple(members)
        alone = [member._learner for member in members]
        first = alone[0]
        self._learner = TableLearner(
            np.concatenate([learner.table for learner in alone]),
            np.concatenate([learner.visits for learner in alone]),
            first.gamma, first.lam, first.step, first.copies,
        )  # fmt: skip
        for index, member in enumerate(members):
            member._learner = self._learner.member(index)

    def __len__(self) -> int:
        return len(self._members)

    def member(self, index: int) -> SuccessorTable[Any]:
        """Representation ``index``, to inspect, save or restore."""
        return self._members[index]

    def update(self, batch: Transitions) -> Sequence[Metrics]:
        """TD(0) in all members at once."""
        return self._learner.learn(batch)


class SR(SuccessorTable[SRConfig]):
    """Successor representation (Dayan 1993): discounted visits."""

    def _lambda(self) -> Floats:
        return np.ones(self.dim)


class FR(SuccessorTable[SRConfig]):
    """First-occupancy representation (Moskovitz et al. 2022): discount of the first visit, in [0, 1]."""

    def _lambda(self) -> Floats:
        return np.zeros(self.dim)


class Lambda(SuccessorTable[LambdaConfig]):
    """Representation for diminishing rewards (Moskovitz et al. 2023): the k-th visit counts lambda^k."""

    def _lambda(self) -> Floats:
        return factor(self.ctx.problem, self.config.lam, self.dim, default=0.5)
