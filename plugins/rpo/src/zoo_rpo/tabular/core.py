"""The mathematics of regularised policy optimisation on tables, for M members at once.

Per task k (Moskovitz et al., arXiv:2111.02994, eq. 1): maximise J(theta) = E[sum_t gamma^t r_t] - lambda E[sum_t
Omega(pi_theta(.|s_t), pi_0(.|s_t))]. REINFORCE with a baseline V, N episodes an update:

    G_t   = r_t + gamma G_{t+1}
    A_t   = G_t - V(s_t)
    loss  = mean_episodes sum_t [ -A_t log pi(a_t|s_t) + lambda Omega(s_t) + (G_t - V(s_t))^2 ]

The penalty's gradient is taken through pi(.|s) at the states visited, not through which states are visited. Steps after
the end of an episode count nowhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_rpo.task_model import Floats, Ints, Stacked

__all__ = ["Episodes", "Gradient", "exact_gradient", "exact_value", "returns", "sample", "sampled_gradient", "visits"]


@dataclass(frozen=True, eq=False)
class Episodes:
    """N episodes of each of M members, of at most H steps."""

    states: Ints
    """m * S + s, int64[H, M, N]"""
    rows: Ints
    """(m * S + s) * A + a, int64[H, M, N]"""
    rewards: Floats
    """float64[H, M, N]; 0 after the end"""
    active: NDArray[np.bool_]
    """whether the step was taken, bool[H, M, N]"""


@dataclass(frozen=True, eq=False)
class Gradient:
    """The gradient of the loss without the penalty, and the visits by which the penalty of each state is weighted."""

    theta: Floats
    """derivative by the logits, [M, S, A]"""
    value: Floats
    """derivative by the baseline, [M, S]"""
    visits: Floats
    """visits of each state, mean over episodes, [M, S]"""


def sample(tables: Stacked, p: Floats, u: Floats) -> Episodes:
    """Sample N episodes of each member.

    Args:
        tables: the models of the members' tasks.
        p: action probabilities [M, S, A].
        u: uniform random numbers [M, 2 H + 1, N]: for the first state, then for each action and each successor.
    """
    H, A = tables.horizon, tables.A
    cumulative = p.reshape(-1, A).cumsum(-1)[:, :-1]
    shape = (H, tables.M, u.shape[-1])
    states, rows = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
    active = np.empty(shape, dtype=bool)
    at = tables.begin(u[:, 0])
    going = ~tables.terminal.take(at)
    for t in range(H):
        drawn = u[:, 1 + 2 * t]
        action = drawn >= cumulative[:, 0].take(at) if A == 2 else (drawn[..., None] >= cumulative[at]).sum(-1)
        row = at * A + action
        states[t], rows[t], active[t] = at, row, going & (t < tables.steps)[:, None]
        at = tables.follow(row, u[:, 2 + 2 * t])
        going = active[t] & ~tables.terminal.take(at)
    return Episodes(states, rows, tables.reward.take(rows) * active, active)


def returns(rewards: Floats, gamma: float) -> Floats:
    """G_t = r_t + gamma G_{t+1} for rewards [H, ...]."""
    G = np.array(rewards)
    for t in range(len(G) - 2, -1, -1):
        G[t] += gamma * G[t + 1]
    return G


def sampled_gradient(tables: Stacked, p: Floats, V: Floats, episodes: Episodes, gamma: float) -> Gradient:
    """The gradient of the loss from episodes of the policy ``p`` [M, S, A] with baseline ``V`` [M, S]."""
    M, S, A = p.shape
    weight = episodes.active / episodes.active.shape[-1]
    error = returns(episodes.rewards, gamma) - V.reshape(-1).take(episodes.states)
    states, weighted = episodes.states.ravel(), (error * weight).ravel()
    # d log pi(a|s) / d theta(s, .) = onehot(a) - pi(.|s)
    by_row = _sums(episodes.rows.ravel(), weighted, (M, S, A))
    by_state = _sums(states, weighted, (M, S))
    visited = _sums(states, weight.ravel(), (M, S))
    return Gradient(p * by_state[..., None] - by_row, -2 * by_state, visited)


def exact_gradient(tables: Stacked, p: Floats, gamma: float) -> Gradient:
    """What ``sampled_gradient`` estimates: sum_t E[Q_t(s, .) - V_t(s)] pi(.|s); no baseline is learned.

    Args:
        tables: of the members' tasks.
        p: action probabilities [M, S, A].
        gamma: discount of the returns.
    """
    M, S, A = p.shape
    reward, alive = tables.reward.reshape(M, S, A), ~tables.terminal.reshape(M, S)
    value = np.zeros((M, S))
    q = np.empty((tables.horizon, M, S, A))
    for t in range(tables.horizon - 1, -1, -1):
        within = alive & (t < tables.steps)[:, None]
        q[t] = (reward + gamma * tables.expected(value.reshape(-1))) * within[..., None]
        value = (p * q[t]).sum(-1)
    occupancy = _occupancies(tables, p)
    advantage = q - (p * q).sum(-1)[..., None]
    theta = -p * (occupancy[..., None] * advantage).sum(0)
    return Gradient(theta, np.zeros((M, S)), occupancy.sum(0))


def visits(tables: Stacked, p: Floats) -> Floats:
    """Expected number of decisions in each state in an episode of the policies ``p`` [M, S, A]: [M, S]."""
    return np.asarray(_occupancies(tables, p).sum(0))


def _occupancies(tables: Stacked, p: Floats) -> Floats:
    """Probability of a decision in each state at each step, [H, M, S]."""
    M, S, _ = p.shape
    alive = ~tables.terminal.reshape(M, S)
    occupancy = np.empty((tables.horizon, M, S))
    at = tables.start * alive
    for t in range(tables.horizon):
        occupancy[t] = at * (t < tables.steps)[:, None]
        flow = (occupancy[t][..., None] * p).reshape(-1, 1) * tables.p
        at = _sums(tables.successors.ravel(), flow.ravel(), (M, S)) * alive
    return occupancy


def exact_value(tables: Stacked, p: Floats) -> Floats:
    """Expected undiscounted return of an episode of each member's policy ``p`` [M, S, A], by H backups: [M]."""
    M, S, A = p.shape
    reward = tables.reward.reshape(M, S, A)
    value = np.zeros((M, S))
    for t in range(tables.horizon - 1, -1, -1):
        # A terminal state has reward 0 and leads to itself, so its value stays 0.
        backup = (p * (reward + tables.expected(value.reshape(-1)))).sum(-1)
        value = np.where((t < tables.steps)[:, None], backup, 0.0)
    return np.asarray((tables.start * value).sum(-1))


def _sums(index: Ints, weights: Floats, shape: tuple[int, ...]) -> Floats:
    """The sums of the weights with equal ``index``, a flat index into an array of ``shape``."""
    return np.bincount(index, weights, math.prod(shape)).astype(np.float64, copy=False).reshape(shape)
