"""``zoo_tvd.ot_distance``: the optimal-transport distance of two weighted point clouds, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from zoo_tvd.transport.arrays import real
from zoo_tvd.transport.solvers import checked_weights, solve_assignment, solve_exact, solve_sinkhorn, squared_distances

Floats = NDArray[np.float64]
Metric: TypeAlias = str | Callable[[Floats, Floats], Floats]
MASS_RTOL = 1e-6
"""largest difference of total masses, relative to the larger"""


def ot_distance(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    metric: Metric = "sqeuclidean",
    *,
    solver: str = "exact",
) -> tuple[float, Floats]:
    """The least total cost of moving the masses ``a`` at the points ``x`` to the masses ``b`` at the points ``y``.

    The value is that of the linear program min_P sum_ij P_ij c(x_i, y_j) over P >= 0 with row sums a and column sums b,
    solved exactly (Peyre & Cuturi 2019, "Computational Optimal Transport", eq. 2.11). With the default cost it is the
    squared 2-Wasserstein distance.

    Example:
        >>> value, plan = ot_distance([[0.0], [1.0]], [[1.0], [3.0]])
        >>> value
        2.5

    Args:
        x: points [n, d], or [n] for numbers.
        y: points [m, d].
        a: masses [n]; None: 1/n each.
        b: masses [m]; None: 1/m each.
        metric: a metric of ``scipy.spatial.distance.cdist``, or a function of (x, y) that returns costs [n, m].
        solver: "exact", or "entropic": Sinkhorn's iterations, whose plan costs a little more.

    Returns:
        The cost and the plan [n, m].

    Raises:
        ValueError: a set is empty, a number is not finite, dimensions, costs or masses do not fit (by more than a
            millionth), or there is no such metric or solver.
    """
    points, others = _points(x, "x"), _points(y, "y")
    n, m = len(points), len(others)
    u, v = checked_weights(a, n, "x"), checked_weights(b, m, "y")
    mass, other = float(u.sum()), float(v.sum())
    if abs(mass - other) > MASS_RTOL * max(mass, other):
        raise ValueError(f"the masses differ: {mass:.9g} at x and {other:.9g} at y")
    cost = _cost(points, others, metric)
    if solver == "exact" and n == m and a is None and b is None:  # an assignment: twice as quick as the simplex
        value, column = solve_assignment(cost)
        plan = np.zeros((n, m))
        plan[np.arange(n), column] = 1.0 / n
        return value, plan
    if solver not in ("exact", "entropic"):
        raise ValueError(f"solver must be 'exact' or 'entropic', got {solver!r}")
    rows, columns = np.flatnonzero(u), np.flatnonzero(v)  # points without mass have no part in the plan
    solve = solve_exact if solver == "exact" else solve_sinkhorn
    found = solve(u[rows] / mass, v[columns] / other, np.ascontiguousarray(cost[np.ix_(rows, columns)]))
    plan = np.zeros((n, m))
    plan[np.ix_(rows, columns)] = mass * found.plan
    return mass * found.value, plan


def gradient(plan: ArrayLike, x: ArrayLike, y: ArrayLike) -> Floats:
    """Derivative of the squared 2-Wasserstein distance with respect to the points ``x``, the plan held fixed, [n, d].

    By the envelope theorem this is the derivative of the distance itself wherever the optimal plan is unique:
    2 (a_i x_i - sum_j P_ij y_j).

    Raises:
        ValueError: a number is not finite, or the shapes do not fit.
    """
    P, points, others = real(plan, "the plan"), _points(x, "x"), _points(y, "y")
    _same_dimension(points, others)
    if P.shape != (len(points), len(others)):
        raise ValueError(f"the plan has shape {list(P.shape)}: expected [{len(points)}, {len(others)}]")
    if not np.isfinite(P).all():
        raise ValueError("the plan is not finite")
    return np.asarray(2.0 * (P.sum(axis=1)[:, None] * points - P @ others))


def _points(x: ArrayLike, name: str) -> Floats:
    points = real(x, name)
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2:
        raise ValueError(f"{name} has shape {list(points.shape)}: expected points [n, d]")
    if not points.size:
        raise ValueError(f"{name} is empty: expected at least one point")
    if not np.isfinite(points).all():
        raise ValueError(f"{name}{np.argwhere(~np.isfinite(points))[0].tolist()} is not finite")
    return points


def _cost(x: Floats, y: Floats, metric: Metric) -> Floats:
    if callable(metric):
        cost = real(metric(x, y), "what the metric returns")
        if cost.shape != (len(x), len(y)):
            raise ValueError(f"the metric must return {len(x)} x {len(y)} finite costs, got shape {list(cost.shape)}")
    elif not isinstance(metric, str):
        raise ValueError(f"metric must be a name or a function, got {metric!r}")
    else:
        _same_dimension(x, y)
        cost = _named(x, y, metric)
    if not np.isfinite(cost).all():
        i, j = np.argwhere(~np.isfinite(cost))[0].tolist()
        raise ValueError(f"the metric's cost between x[{i}] and y[{j}] is {cost[i, j]}: expected finite costs")
    return np.ascontiguousarray(cost)


def _same_dimension(x: Floats, y: Floats) -> None:
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} coordinates and y has {y.shape[1]}: expected as many")


def _named(x: Floats, y: Floats, metric: str) -> Floats:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # _cost raises on costs that are not finite
        if metric == "sqeuclidean":
            return squared_distances(x, y)
        try:
            return np.asarray(cdist(x, y, metric))
        except ValueError as error:
            raise ValueError(f"there is no metric {metric!r} for these points: {error}") from None
