"""The alternation: an optimal plan for the map, then an optimal map for the plan.

The objective of Gupta et al. 2022 (arXiv:2211.14469) is the optimal-transport distance between the target's samples,
seen through f, and the source's. For a fixed batch each half step is exact (with a map in closed form), so the
objective never rises. On policy the batch changes with f, and the objective may rise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.cost import Cost
from zoo_tvd.maps.base import Fit, Regression, UndoMap
from zoo_tvd.samples import Samples
from zoo_tvd.transport.solvers import EXACT, Coupling, Solver, sliced_barycentres, solve_exact, solve_sinkhorn

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Planned:
    """A transport plan between the samples of target and source, and the regression by which a map is fitted to it.

    Attributes:
        value: the objective: transport cost in units of the source.
        regression: the regression whose solution is the best map for this plan.
        coupling: the plan and its potentials; None from the sliced solver, which computes neither.
    """

    value: float
    regression: Regression
    coupling: Coupling | None


def choose(solver: Solver, n: int, m: int) -> Solver:
    """The solver for n and m points; "auto" is exact up to ``EXACT`` points on each side, else sliced."""
    if solver != "auto":
        return solver
    return "exact" if max(n, m) <= EXACT else "sliced"


def plan(
    f: UndoMap,
    target: Samples,
    source: Samples,
    cost: Cost,
    *,
    solver: Solver = "auto",
    rng: np.random.Generator | None = None,
    start: Coupling | None = None,
) -> Planned:
    """The transport plan between the samples under ``f``.

    Args:
        f: the map.
        target: samples of the target.
        source: samples of the source.
        cost: in units of the source.
        solver: see ``choose``.
        rng: draws the lines of the sliced solver.
        start: the coupling of the same samples under a similar map, whose potentials initialise the exact solver.
    """
    mapped = f(target.states)
    chosen = choose(solver, len(target), len(source))
    there = cost.features(source.states)
    if chosen == "sliced":
        value, targets = _sliced(cost.features(mapped), there, target, source, cost, rng or np.random.default_rng(0))
        return Planned(value, Regression(target.states, targets, target.weights, cost), None)
    matrix = cost.matrix(mapped, target, source)
    if chosen == "entropic":
        coupling = solve_sinkhorn(target.weights, source.weights, matrix)
    else:
        potentials = None if start is None else (start.potential, start.other_potential)
        coupling = solve_exact(target.weights, source.weights, matrix, potentials)
    regression = Regression(target.states, coupling.barycentres(there), target.weights, cost)
    return Planned(coupling.value, regression, coupling)


def _sliced(
    here: Floats, there: Floats, target: Samples, source: Samples, cost: Cost, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Sliced transport; where the cost has discrete actions, separately for each action."""
    n, B, d = here.shape
    x, y = here.reshape(n, -1), there.reshape(len(there), -1)
    if not cost.lam_a or cost.action_unit is not None or target.actions is None or source.actions is None:
        value, flat = sliced_barycentres(x, y, target.weights, source.weights, rng)
        return value, flat.reshape(n, B, d)
    a, b = target.actions[:, 0], source.actions[:, 0]
    total, found = 0.0, np.empty_like(x)
    for action in np.unique(a):
        mine, theirs = a == action, b == action
        if not theirs.any():
            theirs = np.ones(len(b), dtype=bool)
        mass = target.weights[mine].sum()
        shares = source.weights[theirs]
        value, found[mine] = sliced_barycentres(
            x[mine], y[theirs], target.weights[mine] / mass, shares / shares.sum(), rng
        )
        total += mass * value
    return total, found.reshape(n, B, d)


@dataclass(frozen=True, eq=False)
class Alternated:
    """The result of an alternation on a fixed batch.

    Attributes:
        f: the map after the last refit.
        objective: the objective before each refit, and after the last.
        fit: the rank of the last regression.
        planned: the last plan.
        converged: whether the objective changed by less than the tolerance.
    """

    f: UndoMap
    objective: tuple[float, ...]
    fit: Fit
    planned: Planned
    converged: bool


def alternate(
    f: UndoMap,
    target: Samples,
    source: Samples,
    cost: Cost,
    *,
    iterations: int,
    tol: float,
    solver: Solver = "auto",
    rng: np.random.Generator | None = None,
) -> Alternated:
    """Alternate plan and refit until the objective changes by at most the share ``tol``, or ``iterations`` times."""
    now = plan(f, target, source, cost, solver=solver, rng=rng)
    values = [now.value]
    fit, converged = Fit(0, 0), False
    for _ in range(iterations):
        f, fit = f.fitted(now.regression)
        now = plan(f, target, source, cost, solver=solver, rng=rng, start=now.coupling)
        values.append(now.value)
        if settled(values, tol):
            converged = True
            break
    return Alternated(f, tuple(values), fit, now, converged)


def settled(values: list[float], tol: float) -> bool:
    """Whether the last objective differs from the one before by at most the share ``tol``."""
    return len(values) > 1 and abs(values[-1] - values[-2]) <= tol * max(abs(values[-2]), np.finfo(float).tiny)
