"""How soon a goal can be reached, and by which actions; in logarithms where a discount is too small for a double.

``U[s, g] = max_pi E[gamma^T]`` with T the first time at g satisfies ``U[g, g] = 1`` and
``U[s, g] = gamma max_a sum_t P[s, a, t] U[t, g]``. With gamma = 0.5 a goal 1,100 steps away has U = 0 in doubles: it is
reachable all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from zoo.tabular import TabularCMDP
from zoo_successor.learning.td import Floats, Ints

UNDERFLOW = 1e-290
"""Smaller numbers have lost digits, or soon will."""
CONVERGED = 1e-15
"""Relative change at which an iteration has ended."""
LOG_CONVERGED = 1e-14
"""The same of logarithms, whose own rounding is a few times that of one number near 1."""
TIE = 1e-12
"""Relative difference between discounts of arrival up to which they count as equal."""


def arrival_discounts(
    model: TabularCMDP, gamma: float, *, sweeps: int | None = None, goals: Sequence[int] | None = None
) -> Floats:
    """The largest expected discount of the time to each goal that any policy attains, ``[S, G]`` in [0, 1].

    Args:
        model: the dynamics.
        gamma: discount in [0, 1).
        sweeps: of value iteration from 1 at the goal and 0 elsewhere; None: until nothing changes.
        goals: states; None: all.
    """
    S, A = model.r.shape
    at = np.arange(S) if goals is None else np.asarray(goals)
    column = np.arange(len(at))
    U = np.zeros((S, len(at)))
    U[at, column] = 1.0
    count = 0
    while count != sweeps:
        updated = gamma * np.asarray(model.kernel @ U).reshape(S, A, -1).max(axis=1)
        updated[model.terminal] = 0.0
        updated[at, column] = 1.0
        settled = bool((np.abs(updated - U) <= CONVERGED * updated).all())
        U, count = updated, count + 1
        if sweeps is None and settled:
            break
    return U


def log_arrival_discounts(
    model: TabularCMDP, gamma: float, *, sweeps: int | None = None, goals: Sequence[int] | None = None
) -> Floats:
    """``ln arrival_discounts``, ``[S, G]``: -inf only where no policy ever reaches the goal (in so many sweeps)."""
    U = arrival_discounts(model, gamma, sweeps=sweeps, goals=goals)
    with np.errstate(divide="ignore"):
        L = np.log(U)
    at = np.arange(len(U)) if goals is None else np.asarray(goals)
    if not _underflowed(model, U, gamma, at, sweeps):
        return L
    column = np.arange(len(at))
    if sweeps is not None:
        L = np.full_like(L, -np.inf)
        L[at, column] = 0.0
    count = 0
    while count != sweeps:
        updated = np.log(gamma) + _log_expectation(model, L).max(axis=1)
        updated[model.terminal] = -np.inf
        updated[at, column] = 0.0
        known = updated > -np.inf
        gained = np.abs(np.where(known, updated, 0.0) - np.where(-np.inf < L, L, 0.0))
        settled = bool((gained <= LOG_CONVERGED * np.maximum(1.0, np.where(known, -updated, 1.0))).all())
        L, count = updated, count + 1
        if sweeps is None and settled:
            break
    return L


def actions_towards(model: TabularCMDP, gamma: float, goals: Sequence[int], *, sweeps: int | None = None) -> Ints:
    """The actions that reach each goal soonest, and stay there if they can, ``[G, S]``; lowest on ties."""
    U = arrival_discounts(model, gamma, sweeps=sweeps, goals=goals)
    if not _underflowed(model, U, gamma, np.asarray(goals), sweeps):
        ahead = np.asarray(model.kernel @ U).reshape(*model.r.shape, -1)
        good = ahead >= ahead.max(axis=1, keepdims=True) * (1 - TIE)
    else:
        ahead = _log_expectation(model, log_arrival_discounts(model, gamma, sweeps=sweeps, goals=goals))
        most = ahead.max(axis=1, keepdims=True)
        # A logarithm of -1,000 is rounded to 1e-13.
        good = ahead >= most - TIE * np.maximum(1.0, np.abs(np.where(most > -np.inf, most, 0.0)))
    actions: Ints = good.argmax(axis=1).T.astype(np.int64)
    return actions


def _underflowed(model: TabularCMDP, U: Floats, gamma: float, goals: Ints, sweeps: int | None) -> bool:
    """Whether a goal that can be reached (in so many sweeps) has a discount that lost its digits."""
    tiny = U < UNDERFLOW
    if gamma == 0 or not tiny.any():
        return False
    S, A = model.r.shape
    P = model.kernel
    going = (P.data > 0) & ~model.terminal.repeat(A).repeat(np.diff(P.indptr))
    origin = np.repeat(np.arange(S * A) // A, np.diff(P.indptr))
    backwards = sp.csr_array((np.ones(going.sum()), (P.indices[going], origin[going])), shape=(S, S))
    steps = dijkstra(backwards, indices=goals, unweighted=True).T
    return bool((tiny & (steps <= (S if sweeps is None else sweeps))).any())


def _log_expectation(model: TabularCMDP, L: Floats) -> Floats:
    """``ln sum_t P[s, a, t] exp L[t, g]``, ``[S, A, G]``."""
    P = model.kernel
    with np.errstate(divide="ignore"):
        terms = np.log(P.data)[:, None] + L[P.indices]
    most = np.maximum.reduceat(terms, P.indptr[:-1], axis=0)
    base = np.where(most > -np.inf, most, 0.0)
    # Beside the largest term of a row, what underflows is nothing.
    terms = np.exp(terms - base[np.repeat(np.arange(len(most)), np.diff(P.indptr))])
    total = np.asarray(sp.csr_array((np.ones(P.nnz), np.arange(P.nnz), P.indptr), shape=(len(most), P.nnz)) @ terms)
    with np.errstate(divide="ignore"):
        return np.asarray((base + np.log(total)).reshape(*model.r.shape, -1))
