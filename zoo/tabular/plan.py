"""Unconstrained planning on one CSR matrix: value, modified policy and policy iteration, many rewards at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from zoo.errors import UsageError
from zoo.tabular.elimination import factorise
from zoo.tabular.evaluation import action_values, checked_rewards
from zoo.tabular.model import TabularCMDP

_log = logging.getLogger("zoo.tabular")

_CACHE_NUMBERS = 2**17
"""Rewards are swept together while ``S * A * R`` stays below this (1 MB), so that they stay in cache."""
_DENSE_NUMBERS = 2**23
"""The same for the stacked dense systems ``R * S * S`` of policy iteration (64 MB)."""
_FEW_STATES = 500
"""Up to so many, policy iteration is quick however the system is solved."""
_FIRST_SWEEPS, _MOST_SWEEPS = 30, 160
_SETTLED_FRACTION = 0.1
_ROUNDING = 1e-13
"""Relative to the largest reward: what one backup cannot resolve in double precision."""
_PRECISE = 1e-8
"""Error of the values, relative to the range of the reward, where no tolerance is given."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An optimal value function with its certificate. Values are normalised by ``1 - gamma``."""

    value: NDArray[np.float64]
    """``V``, ``[S]``, or ``[R, S]`` for several rewards."""
    policy: NDArray[np.int64]
    """Greedy action of ``q``, lowest index on ties, ``[S]`` or ``[R, S]``."""
    q: NDArray[np.float64]
    """``(1 - gamma) r + gamma P V``, ``[S, A]`` or ``[R, S, A]``."""
    residual: float
    """``max |max_a q - V|`` over states and rewards, from a fresh backup of the returned value."""
    error_bound: float
    """``residual / (1 - gamma)``: no entry of ``value`` is further than this from the optimum."""
    iterations: int
    """Backups over all actions (policy iteration: improvements)."""


def value_iteration(
    cmdp: TabularCMDP, reward: ArrayLike | None = None, *, tol: float | None = None, max_iterations: int = 1_000_000
) -> Plan:
    """Value iteration, stopped on the span of the update and corrected by its mid-point (Puterman 1994, 6.6.3).

    Args:
        cmdp: the process; its constraints play no part.
        reward: ``[S, A]``, or ``[R, S, A]`` for several at once; the task reward when not given.
        tol: bound on the error of the normalised value, in the unit of the reward; when not given, for each reward
            1e-8 of its own range, ``max r - min r``.
        max_iterations: backups after which the search gives up, with a warning; ``residual`` then says how far it got.

    Raises:
        UsageError: if ``reward`` does not fit or ``tol`` is not positive.
    """
    return _sweep(cmdp, reward, tol, max_iterations, hold_policy=False)


def modified_policy_iteration(
    cmdp: TabularCMDP, reward: ArrayLike | None = None, *, tol: float | None = None, max_iterations: int = 100_000
) -> Plan:
    """Modified policy iteration: between two backups, sweeps with the policy held fixed (Puterman 1994, 6.5).

    There are 30 sweeps while more than a tenth of the states change their action, then up to 160: a policy that has
    settled needs no maximum over actions.
    Arguments and errors are those of :func:`value_iteration`.
    """
    return _sweep(cmdp, reward, tol, max_iterations, hold_policy=True)


def policy_iteration(
    cmdp: TabularCMDP,
    reward: ArrayLike | None = None,
    *,
    policy: NDArray[np.int64] | None = None,
    tol: float = _ROUNDING,
    max_iterations: int = 1000,
) -> Plan:
    """Howard's policy iteration with exact evaluation: dense where its factors fill up, for
    several rewards at once; else sparse LU.

    Args:
        cmdp: the process; its constraints play no part.
        reward: ``[S, A]``, or ``[R, S, A]`` for several at once; the task reward when not given.
        policy: actions to start from, ``[S]`` or ``[R, S]``; a few cheap sweeps find a start when not given.
        tol: an action replaces another only if it gains more than ``tol * max|reward|``, of each reward for itself;
            prevents cycling on ties.
        max_iterations: improvements after which the search gives up, with a warning.

    Raises:
        UsageError: if ``reward`` or ``policy`` does not fit or ``tol`` is not positive.
    """
    r, single = _prepare(cmdp, reward, tol)
    if policy is None:
        start = _sweep(cmdp, r, None, _FIRST_SWEEPS, hold_policy=True, precision=1e-3, warn=False).policy
    else:
        start = _checked_start(cmdp, policy, len(r))
    batch_size = max(1, _DENSE_NUMBERS // cmdp.num_states**2) if cmdp.dense_elimination else 1
    parts = [
        _improve(cmdp, r[i : i + batch_size], start[i : i + batch_size], tol, max_iterations)
        for i in range(0, len(r), batch_size)
    ]
    value = np.concatenate([part[0] for part in parts])
    return _plan(cmdp, r, value, max(part[1] for part in parts), single)


def policy_iteration_pays(cmdp: TabularCMDP) -> bool:
    """Whether a few exact evaluations take less than the sweeps of modified policy iteration."""
    return cmdp.num_states <= _FEW_STATES or cmdp.dense_elimination


def greedy(q: NDArray[np.float64], slack: NDArray[np.float64]) -> NDArray[np.int64]:
    """The lowest action whose ``q [..., A]`` is within ``slack [..., 1]`` of the largest, ``[...]``."""
    first: NDArray[np.int64] = np.argmax(q >= q.max(axis=-1, keepdims=True) - slack, axis=-1)
    return first


def _prepare(cmdp: TabularCMDP, reward: ArrayLike | None, tol: float | None) -> tuple[NDArray[np.float64], bool]:
    if tol is not None and not tol > 0.0:
        raise UsageError(f"tol = {tol}: expected a positive number.")
    r = cmdp.r if reward is None else checked_rewards(cmdp, reward)
    return r.reshape(-1, *cmdp.r.shape), r.ndim == 2


def _plan(cmdp: TabularCMDP, r: NDArray[np.float64], V: NDArray[np.float64], iterations: int, single: bool) -> Plan:
    q = action_values(cmdp, r, V)
    policy = greedy(q, _ROUNDING * _magnitude(r)[:, None, None])
    residual = float(np.abs(q.max(axis=2) - V).max(initial=0.0))
    value = V
    if single:
        value, policy, q = V[0], policy[0], q[0]
    return Plan(value, policy, q, residual, residual / (1.0 - cmdp.gamma), iterations)


def _magnitude(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest magnitude of each reward of ``r [R, S, A]``, ``[R]``: they may have units of their own."""
    size: NDArray[np.float64] = np.abs(r).max(axis=(1, 2), initial=0.0)
    return size


def _sweep(
    cmdp: TabularCMDP,
    reward: ArrayLike | None,
    tol: float | None,
    max_iterations: int,
    *,
    hold_policy: bool,
    precision: float = _PRECISE,
    warn: bool = True,
) -> Plan:
    r, single = _prepare(cmdp, reward, tol)
    within = precision * np.ptp(r, axis=(1, 2)) if tol is None else np.full(len(r), tol)
    batch_size = max(1, _CACHE_NUMBERS // cmdp.r.size)
    chunks = [slice(i, i + batch_size) for i in range(0, len(r), batch_size)]
    parts = [_sweep_chunk(cmdp, r[chunk], within[chunk], max_iterations, hold_policy) for chunk in chunks]
    V = np.concatenate([part[0] for part in parts])
    plan = _plan(cmdp, r, V, max(part[1] for part in parts), single)
    if warn and plan.iterations >= max_iterations and (_errors(cmdp, plan, V) > within).any():
        _log.warning("planning stopped after %d backups with an error of up to %.3g", max_iterations, plan.error_bound)
    return plan


def _errors(cmdp: TabularCMDP, plan: Plan, V: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ``error_bound`` of each reward on its own, ``[R]``."""
    bound: NDArray[np.float64] = np.abs(plan.q.reshape(*V.shape, -1).max(axis=2) - V).max(axis=1) / (1.0 - cmdp.gamma)
    return bound


def _sweep_chunk(
    cmdp: TabularCMDP, r: NDArray[np.float64], tol: NDArray[np.float64], max_iterations: int, hold_policy: bool
) -> tuple[NDArray[np.float64], int]:
    gamma, S = cmdp.gamma, cmdp.num_states
    horizon = gamma / (1.0 - gamma)
    # Below this the span of an update is rounding noise and would never shrink further.
    floor = 4.0 * float(np.finfo(np.float64).eps) * _magnitude(r)
    solved = np.empty(r.shape[:2])
    active = np.arange(len(r))
    V = np.zeros((len(r), S))
    policy = np.full((len(r), S), -1)
    sweeps = _FIRST_SWEEPS
    fixed_policies: _FixedPolicies | None = None
    for iteration in range(1, max_iterations + 1):
        q = _backup(cmdp, r[active], V)
        greedy_now = q.argmax(axis=2)
        TV = np.take_along_axis(q, greedy_now[..., None], axis=2)[..., 0]
        delta = TV - V
        low, high = delta.min(axis=1), delta.max(axis=1)
        done = (high - low <= floor[active]) | (horizon * (high - low) / 2.0 <= tol[active])
        if iteration == max_iterations:
            done[:] = True
        solved[active[done]] = TV[done] + horizon * (high + low)[done, None] / 2.0
        keep = ~done
        changed = np.count_nonzero(greedy_now != policy) / max(policy.size, 1)
        active, V, policy = active[keep], TV[keep], greedy_now[keep]
        if not active.size:
            return solved, iteration
        if hold_policy:
            if changed or done.any() or fixed_policies is None:
                fixed_policies = _FixedPolicies(cmdp, r[active], policy)
            sweeps = min(2 * sweeps, _MOST_SWEEPS) if changed < _SETTLED_FRACTION else _FIRST_SWEEPS
            V = fixed_policies.run(V, sweeps)
    return solved, max_iterations


def _backup(cmdp: TabularCMDP, r: NDArray[np.float64], V: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(V) > 1:
        return action_values(cmdp, r, V)
    # One vector takes scipy's faster matrix-vector path.
    q: NDArray[np.float64] = np.asarray(cmdp.kernel @ V[0]).reshape(r.shape)
    q *= cmdp.gamma
    q += (1.0 - cmdp.gamma) * r
    return q


class _FixedPolicies:
    """Sweeps ``V <- (1 - gamma) r_pi + gamma P_pi V`` for R fixed policies, as one block-diagonal CSR matrix."""

    def __init__(self, cmdp: TabularCMDP, r: NDArray[np.float64], policy: NDArray[np.int64]) -> None:
        R, S = policy.shape
        chosen = _chosen_rows(cmdp, policy)
        blocks = np.repeat(np.arange(R, dtype=chosen.indices.dtype) * S, np.diff(chosen.indptr[::S]))
        parts = (cmdp.gamma * chosen.data, chosen.indices + blocks, chosen.indptr)
        self._matrix = sp.csr_array(parts, shape=(R * S, R * S))
        self._reward = (1.0 - cmdp.gamma) * np.take_along_axis(r, policy[..., None], axis=2).reshape(-1)

    def run(self, V: NDArray[np.float64], sweeps: int) -> NDArray[np.float64]:
        flat = V.reshape(-1)
        for _ in range(sweeps):
            flat = self._matrix @ flat
            flat += self._reward
        return flat.reshape(V.shape)


def _chosen_rows(cmdp: TabularCMDP, policy: NDArray[np.int64]) -> sp.csr_array:
    """The rows ``P(. | s, policy(s))`` for ``policy [R, S]``, stacked: ``[R*S, S]``."""
    rows = (np.arange(cmdp.num_states) * cmdp.num_actions + policy).reshape(-1)
    if cmdp.padded_kernel is None:
        return sp.csr_array(cmdp.kernel[rows])
    data, columns = (part.take(rows, axis=0) for part in cmdp.padded_kernel)
    starts = np.arange(len(rows) + 1, dtype=np.int32) * data.shape[1]
    return sp.csr_array((data.reshape(-1), columns.reshape(-1), starts), shape=(len(rows), cmdp.num_states))


def _improve(
    cmdp: TabularCMDP, r: NDArray[np.float64], policy: NDArray[np.int64], tol: float, max_iterations: int
) -> tuple[NDArray[np.float64], int]:
    """Policy iteration on ``r [R, S, A]`` from ``policy [R, S]``: values ``[R, S]`` and the number of improvements."""
    slack = tol * _magnitude(r)[:, None]
    V = np.empty(r.shape[:2])
    active = np.arange(len(r))
    best = np.full(len(r), -np.inf)
    for iteration in range(1, max_iterations + 1):
        V[active] = _fixed_policy_values(cmdp, r[active], policy)
        q = action_values(cmdp, r[active], V[active])
        current = np.take_along_axis(q, policy[..., None], axis=2)[..., 0]
        improves = q.max(axis=2) > current + slack[active]
        total = V[active].mean(axis=1)
        # Exact improvement raises the value; where it does not, what is left to gain is rounding.
        unfinished = improves.any(axis=1) & (total > best[active])
        best[active] = total
        policy = np.where(improves, q.argmax(axis=2), policy)[unfinished]
        active = active[unfinished]
        if not active.size:
            return V, iteration
    _log.warning("policy iteration stopped after %d improvements before the policy settled", max_iterations)
    return V, max_iterations


def _fixed_policy_values(cmdp: TabularCMDP, r: NDArray[np.float64], policy: NDArray[np.int64]) -> NDArray[np.float64]:
    """Normalised values ``[R, S]`` of the deterministic policies ``[R, S]``."""
    R, S = policy.shape
    rhs = (1.0 - cmdp.gamma) * np.take_along_axis(r, policy[..., None], axis=2)
    chosen = _chosen_rows(cmdp, policy)
    if cmdp.dense_elimination:
        matrices = np.eye(S) - cmdp.gamma * chosen.toarray().reshape(R, S, S)
        return np.linalg.solve(matrices, rhs)[..., 0]
    solved = [factorise(chosen[i * S : (i + 1) * S], cmdp.gamma).solve(rhs[i, :, 0]) for i in range(R)]
    return np.stack(solved)


def _checked_start(cmdp: TabularCMDP, policy: ArrayLike, R: int) -> NDArray[np.int64]:
    array = np.atleast_2d(np.asarray(policy))
    if array.shape != (R, cmdp.num_states) or array.dtype.kind not in "iu":
        raise UsageError(
            f"policy has shape {array.shape}, type {array.dtype}: expected actions, ({R}, {cmdp.num_states})."
        )
    if array.min() < 0 or array.max() >= cmdp.num_actions:
        raise UsageError(f"policy holds an action outside 0..{cmdp.num_actions - 1}.")
    return array.astype(np.int64)
