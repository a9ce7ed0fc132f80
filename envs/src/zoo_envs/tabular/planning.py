"""Exact policy iteration by dense linear solves, for thresholds defined by an optimum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["optimal_policy", "policy_averages"]


def policy_averages(
    P: NDArray[np.float64],
    x: NDArray[np.float64],
    gamma: float,
    rho: NDArray[np.float64],
    policy: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the normalised averages J [K] of signals `x` [K,S,A] under a deterministic `policy` [S]."""
    S = rho.size
    states = np.arange(S)
    d = (1 - gamma) * np.linalg.solve((np.eye(S) - gamma * P[states, policy]).T, rho)
    return np.asarray(x[:, states, policy] @ d, dtype=np.float64)


def optimal_policy(P: NDArray[np.float64], r: NDArray[np.float64], gamma: float) -> NDArray[np.int64]:
    """Return a deterministic policy int64[S], optimal for `r` [S,A] from every state (Howard, 1960)."""
    S = r.shape[0]
    states = np.arange(S)
    policy: NDArray[np.int64] = np.argmax(r, axis=1).astype(np.int64)
    # Rounding must not make two equally good actions alternate forever: change only for a real gain.
    least_gain = 1e-10 * float(np.abs(r).max()) / (1 - gamma)
    while True:
        V = np.linalg.solve(np.eye(S) - gamma * P[states, policy], r[states, policy])
        Q = r + gamma * P @ V
        better = Q.max(axis=1) > Q[states, policy] + least_gain
        if not better.any():
            return policy
        policy = np.where(better, Q.argmax(axis=1), policy).astype(np.int64)
