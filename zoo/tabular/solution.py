"""Solutions of the occupancy-measure program, and how a solver's raw vectors become a policy."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.tabular.model import TabularCMDP
from zoo.tabular.plan import policy_iteration
from zoo.tabular.units import Scaling


@dataclass(frozen=True, eq=False)
class CMDPSolution:
    """An optimal solution of the occupancy-measure linear program; values are normalised by ``1 - gamma``."""

    value: float
    """``J*_r``."""
    costs: NDArray[np.float64]
    """``J_i`` at the optimum, ``[N]``."""
    multipliers: NDArray[np.float64]
    """``mu*_i``, ``[N]``: ``J*_r`` changes by ``-mu_i`` per unit of tightening ``g_i <= 0``; >= 0 for inequalities."""
    occupancy: NDArray[np.float64]
    """``d(s, a)``, ``[S, A]``, sums to 1."""
    policy: NDArray[np.float64]
    """``pi(a|s)``, ``[S, A]``; where the state has no mass, the greedy action of the Lagrangian reward."""
    status: str
    """``"optimal"``, or ``"optimal_inaccurate"`` from an interior-point or first-order solver that stopped early."""
    duality_gap: float
    """Upper bound of the dual on ``J*_r``, minus ``value``: certified, whatever the solver's tolerances."""
    seconds: float
    """Wall time of building, solving and reading out."""


def policy_of(
    cmdp: TabularCMDP, occupancy: NDArray[np.float64], mu: NDArray[np.float64], no_mass: float
) -> NDArray[np.float64]:
    """``d(s, a) / sum_a d(s, a)``; where the mass is at most ``no_mass``, greedy for ``r - sum mu_i s_i c_i``."""
    mass = occupancy.sum(axis=1)
    empty = mass <= no_mass
    policy = occupancy / np.where(empty, 1.0, mass)[:, None]
    if empty.any():
        start = occupancy.argmax(axis=1)
        greedy = policy_iteration(cmdp, cmdp.lagrangian_reward(mu), policy=start).policy
        policy[empty] = np.eye(cmdp.num_actions)[greedy[empty]]
    return policy


def dual_bound(cmdp: TabularCMDP, prices: NDArray[np.float64], mu: NDArray[np.float64]) -> float:
    """An upper bound on ``J*_r`` from any state prices ``y [S]`` and multipliers ``mu [N]``.

    For every occupancy ``<r, d> <= (1 - gamma) <rho, y> + sum_i mu_i s_i b_i + max_sa z(s, a)`` with the
    reduced rewards ``z = r - sum_i mu_i s_i c_i - y + gamma P y``, because ``d`` is not negative and sums to 1.
    Any ``y`` therefore certifies.
    """
    expected = np.asarray(cmdp.kernel @ prices).reshape(cmdp.r.shape)
    reduced = cmdp.lagrangian_reward(mu) - prices[:, None] + cmdp.gamma * expected
    fixed = (1.0 - cmdp.gamma) * (cmdp.rho @ prices) + (mu * cmdp.signs) @ cmdp.b
    return float(fixed + reduced.max())


def read_out(
    cmdp: TabularCMDP,
    scaled: TabularCMDP,
    scaling: Scaling,
    raw: NDArray[np.float64],
    prices: NDArray[np.float64],
    mu: NDArray[np.float64],
    *,
    status: str,
    started: float,
    no_mass: float,
) -> CMDPSolution:
    """Turn a solver's occupancy ``raw [S*A]``, flow prices ``[S]`` and multipliers ``[N]`` into a solution of ``cmdp``.

    The solver saw ``scaled``, which is ``scaling.scaled(cmdp)``. ``started`` is the ``time.perf_counter()`` of the
    start; states with a mass up to ``no_mass`` count as empty.
    """
    occupancy = np.maximum(raw, 0.0).reshape(cmdp.r.shape)
    mu = np.where(cmdp.equality, mu, np.maximum(mu, 0.0)) + 0.0
    scaled_values = np.concatenate([[(scaled.r * occupancy).sum()], np.tensordot(scaled.c, occupancy, axes=2)])
    values = scaling.unscaled(scaled_values)
    multipliers = scaling.units.original(mu)
    return CMDPSolution(
        value=float(values[0]),
        costs=values[1:],
        multipliers=multipliers,
        occupancy=occupancy,
        policy=policy_of(cmdp, occupancy, multipliers, no_mass),
        status=status,
        duality_gap=(dual_bound(scaled, prices, mu) - float(scaled_values[0])) * scaling.units.reward,
        seconds=time.perf_counter() - started,
    )
