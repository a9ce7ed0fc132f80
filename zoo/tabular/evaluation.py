"""Exact evaluation of one stochastic policy, from one factorisation of ``I - gamma P_pi``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack

from zoo.errors import UsageError
from zoo.tabular.elimination import factorise
from zoo.tabular.kernel import row_tolerance
from zoo.tabular.model import TabularCMDP

_POLICY_TOLERANCE = 1e-6


def policy_values(
    cmdp: TabularCMDP, policy: NDArray[np.float64], rewards: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Normalised state values of ``policy``.

    Solves ``(I - gamma P_pi) V = (1 - gamma) r_pi`` with one factorisation for all right-hand sides.

    Args:
        cmdp: the process.
        policy: action probabilities ``pi(a|s)``, ``[S, A]``.
        rewards: ``[S, A]`` or ``[R, S, A]``; without it the task reward and then the constraint signals.

    Returns:
        ``V``: ``[S]`` for one reward, ``[R, S]`` for several (``R = N + 1`` by default).

    Raises:
        UsageError: if a shape does not fit, or the rows of ``policy`` are no probabilities.
    """
    policy = checked_policy(cmdp, policy)
    rewards = cmdp.rewards if rewards is None else checked_rewards(cmdp, rewards)
    values = Resolvent(cmdp, policy).values(policy, rewards.reshape(-1, *cmdp.r.shape))
    return values if rewards.ndim == 3 else values[0]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a policy earns, normalised by ``1 - gamma``; index 0 is the reward, ``1..N`` the constraints."""

    V: NDArray[np.float64]
    """State values, ``[N+1, S]``."""
    Q: NDArray[np.float64]
    """Action values, ``[N+1, S, A]``."""
    J: NDArray[np.float64]
    """Constraint values ``J_i = <rho, V_i>``, ``[N]``."""
    J_r: float
    """Reward value ``<rho, V_0>``."""
    policy: NDArray[np.float64]
    """The policy evaluated, ``[S, A]``."""
    _resolvent: Resolvent

    @cached_property
    def occupancy(self) -> NDArray[np.float64]:
        """``d(s, a) = (1 - gamma) sum_t gamma^t Pr(s_t = s, a_t = a)``, ``[S, A]``, sums to 1."""
        return self._resolvent.visits()[:, None] * self.policy


def evaluate(cmdp: TabularCMDP, policy: NDArray[np.float64]) -> Evaluation:
    """Values, action values and occupancy of ``policy [S, A]`` for the reward and every constraint.

    The occupancy is computed when first asked for, from the same factorisation.

    Raises:
        UsageError: if the shape does not fit, or the rows of ``policy`` are no probabilities.
    """
    policy = checked_policy(cmdp, policy)
    resolvent = Resolvent(cmdp, policy)
    V = resolvent.values(policy, cmdp.rewards)
    Q = action_values(cmdp, cmdp.rewards, V)
    J = V @ cmdp.rho
    return Evaluation(V=V, Q=Q, J=J[1:], J_r=float(J[0]), policy=policy, _resolvent=resolvent)


def action_values(cmdp: TabularCMDP, rewards: NDArray[np.float64], V: NDArray[np.float64]) -> NDArray[np.float64]:
    """``Q = (1 - gamma) r + gamma P V`` for ``rewards [R, S, A]`` and ``V [R, S]``; normalised, ``[R, S, A]``."""
    expected = np.asarray(cmdp.kernel @ V.T)
    Q: NDArray[np.float64] = (1.0 - cmdp.gamma) * rewards + cmdp.gamma * expected.T.reshape(rewards.shape)
    return Q


class Resolvent:
    """The factorised matrix ``I - gamma P_pi`` of one policy.

    Args:
        cmdp: the process.
        policy: action probabilities, ``[S, A]``.
    """

    def __init__(self, cmdp: TabularCMDP, policy: NDArray[np.float64]) -> None:
        self._cmdp = cmdp
        self._solve: Callable[[NDArray[np.float64], bool], NDArray[np.float64]]
        S, A = policy.shape
        kernel = cmdp.kernel
        if cmdp.dense_elimination:
            rows = np.repeat(np.arange(S * A), np.diff(kernel.indptr))
            flat = (rows // A) * S + kernel.indices
            mixed = np.bincount(flat, weights=policy.reshape(-1)[rows] * kernel.data, minlength=S * S)
            matrix = np.eye(S) - cmdp.gamma * mixed.reshape(S, S)
            # LAPACK reads columns first: the transpose saves a copy, so (I - gamma P_pi)^T is what is factorised.
            lu, pivots, _ = lapack.dgetrf(matrix.T, overwrite_a=True)
            self._solve = lambda rhs, transposed: lapack.dgetrs(lu, pivots, rhs, trans=int(not transposed))[0]
        else:
            mixing = sp.csr_array((policy.reshape(-1), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A))
            sparse = factorise(mixing @ kernel, cmdp.gamma)
            self._solve = lambda rhs, transposed: sparse.solve(rhs, trans="T" if transposed else "N")

    def values(self, policy: NDArray[np.float64], rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normalised values ``[R, S]`` of ``policy`` for ``rewards [R, S, A]``."""
        rhs = (1.0 - self._cmdp.gamma) * np.einsum("rsa,sa->sr", rewards, policy)
        return np.ascontiguousarray(self._solve(rhs, False).T)

    def visits(self) -> NDArray[np.float64]:
        """Discounted state distribution ``(1 - gamma) (I - gamma P_pi)^-T rho``, ``[S]``."""
        return self._solve((1.0 - self._cmdp.gamma) * self._cmdp.rho, True)


def checked_policy(cmdp: TabularCMDP, policy: ArrayLike) -> NDArray[np.float64]:
    """``policy`` as float64 ``[S, A]``.

    Raises:
        UsageError: if the shape does not fit, or a row holds no probabilities.
    """
    probabilities = np.asarray(policy)
    array = probabilities.astype(np.float64, copy=False)
    if array.shape != cmdp.r.shape:
        raise UsageError(f"policy has shape {array.shape}: expected {cmdp.r.shape}, one row of probabilities a state.")
    sums = array.sum(axis=1)
    # Written so that a NaN fails it.
    low_precision = probabilities.dtype.kind == "f" and probabilities.dtype.itemsize < 8
    within = max(
        _POLICY_TOLERANCE,
        row_tolerance(float(np.finfo(probabilities.dtype).eps), array.shape[1]) if low_precision else 0.0,
    )
    good = (array.min(axis=1) >= 0.0) & (np.abs(sums - 1.0) <= within)
    if not good.all():
        s = int(np.argmin(good))
        raise UsageError(f"policy[{s}] = {array[s]}: expected probabilities that sum to 1.")
    return array / sums[:, None] if low_precision else array


def checked_rewards(cmdp: TabularCMDP, rewards: ArrayLike) -> NDArray[np.float64]:
    """``rewards`` as float64, ``[S, A]`` or ``[R, S, A]``.

    Raises:
        UsageError: if the shape does not fit or a number is not finite.
    """
    array = np.asarray(rewards, dtype=np.float64)
    S, A = cmdp.r.shape
    if array.ndim not in (2, 3) or array.shape[-2:] != (S, A) or len(array) == 0:
        raise UsageError(f"rewards have shape {array.shape}: expected ({S}, {A}), or (R, {S}, {A}) with R >= 1.")
    if not np.isfinite(array).all():
        raise UsageError("rewards hold a number that is not finite.")
    return array
