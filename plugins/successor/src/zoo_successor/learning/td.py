"""Temporal-difference learning of successor, first-occupancy and diminishing-reward tables, all seeds at once.

A table is ``X [N, S, S]``, or ``[N, S, A, S]`` with actions: N independent learners (seeds), each with K copies of the
environment that take a step together. One call learns from all ``N * K`` transitions with array operations only.

**Several copies in one state.** Several copies of one learner may leave the same row in the same step. All targets are
computed from the table as it was before the step. A row that is left k times is updated towards the *mean* of its k
targets, with the step ``1 - (1 - alpha_1) ... (1 - alpha_k)`` that k updates one after the other would have had: the
result does not depend on the order of the copies, and with k = 1 it is ordinary TD(0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["StepSize", "blend", "features_target", "greedy", "learn_actions", "learn_states"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class StepSize:
    """Step size of a row's n-th update: ``alpha * n**-power``; power 0: constant, 1/2 < power <= 1: Robbins-Monro."""

    alpha: float
    power: float = 0.0

    def retained(self, visits: Ints, starts: Ints, counts: Ints) -> Floats:
        """The part of each row that its updates retain: ``prod (1 - alpha_i)``, ``[G]``, in [0, 1].

        Args:
            visits: earlier updates of each group's row, ``[G]``.
            starts: where each group begins among all updates, ``[G]``.
            counts: updates of each group, ``[G]``.
        """
        if self.power == 0.0:
            return np.asarray((1.0 - self.alpha) ** counts, dtype=np.float64)
        ordinal = np.arange(1, int(counts.sum()) + 1) - np.repeat(starts, counts)
        steps = self.alpha * (np.repeat(visits, counts) + ordinal) ** -self.power
        return np.asarray(np.multiply.reduceat(1.0 - steps, starts), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Groups:
    """The N * K transitions of a step, grouped by the row that they update.

    Attributes:
        order: the transitions group by group, ``[N * K]``; in a group as they came.
        starts: where each group begins in ``order``, ``[G]``.
        counts: its length, ``[G]``.
        rows: its row in the flat table ``[N * R]``, ``[G]``.
    """

    order: Ints
    starts: Ints
    counts: Ints
    rows: Ints

    @classmethod
    def of(cls, rows: Ints, size: int) -> _Groups:
        """Group ``rows [N, K]`` of tables with ``size`` rows each."""
        flat = (np.arange(len(rows))[:, None] * size + rows).reshape(-1)
        if rows.shape[1] == 1:
            each = np.arange(flat.size)
            return cls(each, each, np.ones_like(each), flat)
        order = np.argsort(flat, kind="stable")
        flat = flat.take(order)
        starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
        counts = np.concatenate([starts[1:], [flat.size]]) - starts
        return cls(order, starts, counts, flat[starts])

    def mean(self, values: Floats, before: int) -> Floats:
        """Mean of each group's values; the last axis stays, the axes before it, ``before`` long, are flattened."""
        sums: Floats = np.add.reduceat(values.reshape(before, -1)[self.order], self.starts, axis=0)
        return sums / self.counts[:, None]


def blend(table: Floats, visits: Ints, rows: Ints, values: Floats, step: StepSize) -> None:
    """Update rows of ``table`` towards ``values``, in place, and count the updates in ``visits``.

    Args:
        table: ``[N, R, D]``, contiguous.
        visits: how often each row has been updated, ``[N, R]``, contiguous; grows.
        rows: which row each of the K transitions of each learner updates, ``[N, K]``.
        values: targets, ``[N, K, D]``.
        step: step sizes; the module says what happens to a row that appears several times.
    """
    groups = _Groups.of(rows, table.shape[1])
    flat, counts = table.reshape(-1, table.shape[-1]), visits.reshape(-1)
    retained = step.retained(counts[groups.rows], groups.starts, groups.counts)[:, None]
    flat[groups.rows] = retained * flat[groups.rows] + (1.0 - retained) * groups.mean(values, rows.size)
    counts[groups.rows] += groups.counts


def learn_states(
    table: Floats,
    visits: Ints,
    state: Ints,
    next_state: Ints,
    terminated: Bools,
    *,
    gamma: float,
    lam: Floats | float,
    step: StepSize,
) -> None:
    """TD(0) of ``X [N, S, S]`` from transitions ``s -> s'``, in place (docs/methods/successor.md, equation 9).

    The target of row s is ``gamma X[s']``, but ``1 + lam_s gamma X[s', s]`` at s itself. lam = 1: successor
    representation, lam = 0: first occupancy. On-policy: what is learned is of the policy that acted.

    Args:
        table: ``[N, S, S]``, contiguous.
        visits: updates of each row, ``[N, S]``, contiguous; grows.
        state: states s, ``[N, K]``.
        next_state: states s', before any reset, ``[N, K]``.
        terminated: whether s' is terminal, ``[N, K]``: it counts its one visit and nothing after it, whatever the
            table says. A time limit is not a terminal state.
        gamma: discount in [0, 1].
        lam: factor per visit, one number or ``[S]``.
        step: step sizes.
    """
    _learn(table, visits, state, state, next_state, terminated, next_state[..., None], None, gamma, lam, step)


def learn_actions(
    table: Floats,
    visits: Ints,
    state: Ints,
    action: Ints,
    next_state: Ints,
    terminated: Bools,
    *,
    policy: Floats | None = None,
    next_action: Ints | None = None,
    gamma: float,
    lam: Floats | float,
    step: StepSize,
) -> None:
    """TD(0) of ``X [N, S, A, S]``, in place, with the target of ``learn_states`` at ``X[s', .]``.

    The next action is averaged over ``policy`` (expected: off-policy for any target policy), or it is ``next_action``
    (on-policy: the one that was taken; control: ``greedy``).

    Args:
        table: ``[N, S, A, S]``, contiguous.
        visits: updates of each row, ``[N, S, A]``, contiguous; grows.
        state: states s, ``[N, K]``.
        action: actions taken there, ``[N, K]``.
        next_state: states s', before any reset, ``[N, K]``.
        terminated: whether s' is terminal, ``[N, K]``; as in ``learn_states``.
        policy: probabilities of the next action, ``[N, K, A]``.
        next_action: the next action, ``[N, K]``; one of the two is given.
        gamma: discount in [0, 1].
        lam: factor per visit, one number or ``[S]``.
        step: step sizes.

    Raises:
        ValueError: neither or both of ``policy`` and ``next_action`` are given.
    """
    N, S, A = table.shape[:3]
    if (policy is None) == (next_action is None):
        raise ValueError("learn_actions needs either the policy of the next action or the action itself.")
    after = next_state[..., None] * A + (np.arange(A) if next_action is None else next_action[..., None])
    flat, counts = table.reshape(N, S * A, S), visits.reshape(N, S * A)
    _learn(flat, counts, state * A + action, state, next_state, terminated, after, policy, gamma, lam, step)


def _learn(
    table: Floats,
    visits: Ints,
    rows: Ints,
    state: Ints,
    next_state: Ints,
    terminated: Bools,
    after: Ints,
    weights: Floats | None,
    gamma: float,
    lam: Floats | float,
    step: StepSize,
) -> None:
    """Update ``rows [N, K]`` of ``table [N, R, S]``; what follows are the rows ``after [N, K, B]`` with ``weights``.

    What is retained of a row, the mean over a group and the step are folded into the weights of one sparse product, so
    that the table is passed over as few times as can be.
    """
    N, R, S = table.shape
    groups = _Groups.of(rows, R)
    G, B = groups.rows.size, after.shape[-1]
    flat, counts = table.reshape(-1, S), visits.reshape(-1)
    retained = step.retained(counts[groups.rows], groups.starts, groups.counts)
    each = np.repeat(gamma * (1.0 - retained) / groups.counts, groups.counts)
    ended = terminated.reshape(-1).take(groups.order)
    data = np.where(ended, 0.0, each)
    if weights is not None:
        data = data[:, None] * weights.reshape(-1, B)[groups.order]
    columns = (np.arange(N)[:, None, None] * R + after).reshape(-1, B).take(groups.order, axis=0)
    if rows.shape[1] == 1 and B == 1:
        moved = flat.take(columns[:, 0], axis=0) * data[:, None] + flat.take(groups.rows, axis=0) * retained[:, None]
    else:
        moved = _combined(groups, flat, retained, data.reshape(-1, B), columns)
    if ended.any():
        group = np.repeat(np.arange(G), groups.counts)[ended]
        np.add.at(moved, (group, next_state.reshape(-1).take(groups.order)[ended]), each[ended])
    column = state.reshape(-1)[groups.order[groups.starts]]
    at, row_at = np.arange(G) * S + column, groups.rows * S + column
    total = moved.reshape(-1)[at]
    learned = total - retained * flat.reshape(-1)[row_at]
    moved.reshape(-1)[at] = (
        total + (1.0 - retained) + ((lam[column] if isinstance(lam, np.ndarray) else lam) - 1) * learned
    )
    flat[groups.rows] = moved
    counts[groups.rows] += groups.counts


def _combined(groups: _Groups, flat: Floats, retained: Floats, data: Floats, columns: Ints) -> Floats:
    """For each group ``kept`` of its own row and ``data [N * K, B]`` of the rows ``columns``, as one sparse product."""
    G, (count, B) = groups.rows.size, data.shape
    own = groups.starts * B + np.arange(G)
    others = (np.arange(count * B).reshape(count, B) + np.repeat(np.arange(G), groups.counts)[:, None] + 1).reshape(-1)
    # Indices of 32 bits are taken as they are, wider ones looked through and copied.
    weights, indices = np.empty(count * B + G), np.empty(count * B + G, dtype=np.int32)
    weights[own], indices[own] = retained, groups.rows
    weights[others], indices[others] = data.reshape(-1), columns.reshape(-1)
    pointers = np.append(own, weights.size).astype(np.int32)
    sums: Floats = sp.csr_array((weights, indices, pointers), shape=(G, len(flat))) @ flat
    return sums


def greedy(table: Floats, states: Ints, w: Floats) -> Ints:
    """The action with the largest ``X(s, a) @ w``, lowest index on ties.

    Args:
        table: ``[N, S, A, S]``.
        states: ``[N, K]``.
        w: rewards, ``[S]``, or ``[N, K, S]`` where they differ.

    Returns:
        actions, ``[N, K]``.
    """
    rows = table[np.arange(len(table))[:, None], states]
    return np.asarray((rows @ w[..., None])[..., 0].argmax(-1))


def features_target(after: Floats, phi: Floats, gamma: float, lam: Floats | float) -> Floats:
    """Targets ``phi (1 + lam gamma f') + gamma (1 - phi) f'`` of lambda features
    (docs/methods/successor.md, equation 8).

    To be used with ``blend``; one-hot ``phi`` gives the targets of ``learn_states``.

    Args:
        after: ``f(s')``, ``[..., D]``; where the episode ended in s', the base features of s' themselves.
        phi: base features of the state that is left, ``[..., D]``, in [0, 1]: beyond it TD need not contract.
        gamma: discount in [0, 1].
        lam: factor per unit of feature, one number or ``[D]``.

    Raises:
        ValueError: a feature lies outside [0, 1].
    """
    low, high = float(phi.min(initial=0.0)), float(phi.max(initial=0.0))
    if not (low >= 0.0 and high <= 1.0):
        raise ValueError(f"base features lie in [{low:g}, {high:g}]: expected [0, 1].")
    discounted = gamma * after
    return np.asarray(phi * (1.0 + lam * discounted) + (1.0 - phi) * discounted)
