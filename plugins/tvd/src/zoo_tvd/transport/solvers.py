"""Couplings of two weighted sets for a cost matrix: the exact plan, the entropic one, and the sliced one.

The exact solver is POT's network simplex. Measured on one core with unit-variance clouds in 8 dimensions (see
``benchmarks/speed/tvd.py``), it is the quickest of the three up to ``EXACT`` points a side. The time of the entropic
solver grows as n^2 for each iteration, that of the sliced one as n log n.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from zoo_tvd.transport.arrays import real
from zoo_tvd.transport.pot import pot

Floats = NDArray[np.float64]
Solver: TypeAlias = Literal["auto", "exact", "entropic", "sliced"]
EXACT = 2000
"""points a side up to which "auto" solves exactly"""
SIZE = 40
"""the largest cost is brought to about 2^40 for the network simplex, whose tolerance is absolute, some 1e-14"""
DIRECTIONS = 64
"""random directions of the sliced solver"""
REGULARISATION = 0.05
"""of the entropic solver, relative to the median cost"""


@dataclass(frozen=True, eq=False)
class Coupling:
    """A transport plan between n and m weighted points, with its dual potentials.

    Attributes:
        value: the transport cost: sum_ij P_ij C_ij of the plan.
        plan: P, [n, m], with row sums u and column sums v.
        potential: the dual potential phi_i of each of the n points, centred: sum_i u_i phi_i = 0; [n].
        other_potential: the dual potential of each of the m points, [m].
    """

    value: float
    plan: Floats
    potential: Floats
    other_potential: Floats

    def barycentres(self, y: Floats) -> Floats:
        """The mean of the points to which each point's mass goes, sum_j P_ij y_j / u_i, [n, ...]."""
        mass = self.plan.sum(axis=1)
        flat = self.plan @ y.reshape(len(y), -1)
        return np.asarray((flat / mass[:, None]).reshape(len(mass), *y.shape[1:]))


def squared_distances(x: Floats, y: Floats) -> Floats:
    """|x_i - y_j|^2 for rows x [n, D] and y [m, D], float64 [n, m], at least 0."""
    centre = y.mean(axis=0)  # far from the origin the squares would cancel
    x, y = x - centre, y - centre
    cost = x @ y.T
    cost *= -2.0
    cost += np.einsum("ij,ij->i", x, x)[:, None]
    cost += np.einsum("ij,ij->i", y, y)
    return np.asarray(np.maximum(cost, 0.0, out=cost))


def solve_exact(u: Floats, v: Floats, cost: Floats, start: tuple[Floats, Floats] | None = None) -> Coupling:
    """The plan of least cost, by the network simplex.

    Args:
        u: weights [n], positive, summing to 1.
        v: weights [m], likewise.
        cost: cost matrix [n, m].
        start: dual potentials of a similar problem, with which the solver is initialised.
    """
    size = float(np.abs(cost).max())
    unit = 2.0 ** min(SIZE - math.frexp(size)[1], 1000)  # a power of two rounds nothing
    begin = None if start is None else (start[0] * unit, start[1] * unit)
    plan, log = pot().lp.emd(
        u, v, cost * unit, numItermax=2_000_000, log=True, potentials_init=begin, check_marginals=False
    )
    if log["warning"]:
        warnings.warn(f"the network simplex did not converge: {log['warning']}", RuntimeWarning, stacklevel=2)
    phi, psi = log["u"] / unit, log["v"] / unit
    shift = float(u @ phi)
    return Coupling(float(log["cost"]) / unit, np.asarray(plan), phi - shift, psi + shift)


def solve_assignment(cost: Floats) -> tuple[float, NDArray[np.int64]]:
    """The optimal assignment of n points to n points of equal weight: its mean cost, and the column of each row [n]."""
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean()), columns


def solve_sinkhorn(u: Floats, v: Floats, cost: Floats, regularisation: float = REGULARISATION) -> Coupling:
    """The plan of least cost minus entropy, by Sinkhorn's iterations in the logarithm (Cuturi 2013).

    ``regularisation`` is relative to the median cost, or to the mean where that is 0. ``value`` is the cost of the plan
    alone, at least the exact one up to the error of its column sums (which warns beyond 1e-4).
    """
    scale = float(np.median(cost)) or float(cost.mean()) or 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # POT's own words; ours follow
        plan, log = pot().bregman.sinkhorn_log(
            u, v, cost, regularisation * scale, numItermax=2000, stopThr=1e-7, log=True
        )
    if not log["err"] or log["err"][-1] > 1e-4:
        warnings.warn("Sinkhorn's iterations did not converge", RuntimeWarning, stacklevel=2)
    # Row sums are set to u exactly: their error would bias the barycentres.
    plan *= (u / plan.sum(axis=1))[:, None]
    phi = regularisation * scale * np.asarray(log["log_u"])
    shift = float(u @ phi)
    return Coupling(
        float((plan * cost).sum()), plan, phi - shift, regularisation * scale * np.asarray(log["log_v"]) + shift
    )


def sliced_barycentres(
    x: Floats, y: Floats, u: Floats, v: Floats, rng: np.random.Generator, directions: int = DIRECTIONS
) -> tuple[float, Floats]:
    """Targets of sliced transport (Bonneel et al. 2015): on each of many lines, the monotone coupling.

    With t_i(theta) the mean of theta.y over the part of y that x_i is coupled with on the line theta, the squared
    deviation averaged over lines is quadratic in x with minimum at D mean_theta theta t_i(theta).

    Args:
        x: [n, D].
        y: [m, D].
        u: weights [n].
        v: weights [m].
        rng: draws the lines.
        directions: how many; they come in orthogonal frames.

    Returns:
        D times the mean squared distance on the lines (an unbiased |x - y|^2 for two single points), and targets [n,
        D].
    """
    D = x.shape[1]
    frames = [np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(-(-directions // D))]
    lines = np.concatenate(frames, axis=1)  # whole frames: then the mean of theta theta^T is exactly I / D
    mine, theirs = x @ lines, y @ lines
    at, other = np.argsort(mine, axis=0), np.argsort(theirs, axis=0)
    shares = np.cumsum(u[at], axis=0)  # [n, lines]
    moved, value = np.zeros_like(mine), 0.0
    for k in range(lines.shape[1]):
        edges = np.concatenate([[0.0], np.cumsum(v[other[:, k]])])
        edges[-1] = 1.0
        heights = theirs[other[:, k], k]
        # Integral of the quantile function of y up to each share; a difference of two is the mass-weighted mean.
        below = np.concatenate([[0.0], np.cumsum(heights * np.diff(edges))])
        ends = np.interp(np.minimum(shares[:, k], 1.0), edges, below)
        targets = np.diff(ends, prepend=0.0) / u[at[:, k]]
        moved[at[:, k], k] = targets
        value += float(u[at[:, k]] @ (mine[at[:, k], k] - targets) ** 2)
    return D * value / lines.shape[1], D * (moved @ lines.T) / lines.shape[1]


def checked_weights(weights: Any, count: int, name: str) -> Floats:
    """Weights as float64 [count]; None: equal weights.

    Raises:
        ValueError: ``count`` is 0, the length differs, or a weight is negative or not finite.
    """
    if count == 0:
        raise ValueError(f"{name} is empty: expected at least one point")
    if weights is None:
        return np.full(count, 1.0 / count)
    found = real(weights, f"the weights of {name}")
    if found.shape != (count,):
        raise ValueError(f"the weights of {name} have shape {list(found.shape)}: expected [{count}]")
    if not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise ValueError(f"the weights of {name} must be finite, at least 0 and not all 0")
    return found
