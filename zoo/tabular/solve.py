"""One linear program, three independent routes: HiGHS directly, Clarabel, and anything that cvxpy reaches."""

from __future__ import annotations

import logging
import time
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse as sp

from zoo.errors import UsageError, ZooError, nearest
from zoo.tabular.model import TabularCMDP
from zoo.tabular.program import OccupancyProgram, smallest_violation
from zoo.tabular.solution import CMDPSolution, read_out
from zoo.tabular.units import Scaling

_log = logging.getLogger("zoo.tabular")

LARGE = 8000
"""State-action pairs above which the program is announced as slow."""
_SECONDS_AT_LARGE, _GROWTH = 5.0, 2.7
_TIGHT: dict[str, dict[str, float]] = {
    "CLARABEL": {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11},
    "SCS": {"eps_abs": 1e-10, "eps_rel": 1e-10},
}
_INTERIOR_NO_MASS = 1e-9


def solve_lp(cmdp: TabularCMDP, solver: str = "highs") -> CMDPSolution:
    """Solve the occupancy-measure program of ``cmdp`` exactly.

    Args:
        cmdp: the process.
        solver: ``"highs"`` (simplex from a dynamic-programming basis), ``"clarabel"`` (interior point, through
            cvxpy), or ``"cvxpy:NAME"`` for any solver installed for cvxpy.

    Raises:
        InfeasibleCMDPError: if no policy satisfies the constraints.
        UsageError: if the solver is unknown or not installed.
        ZooError: if the solver gives up.
    """
    if cmdp.r.size > LARGE:
        estimate = _SECONDS_AT_LARGE * (cmdp.r.size / LARGE) ** _GROWTH
        _log.warning(
            "linear program with %d state-action pairs: about %.0f s of one core when successors are random, less "
            "on local transitions; first-order methods answer sooner",
            cmdp.r.size,
            estimate,
        )
    if solver == "highs":
        return OccupancyProgram(cmdp).solve()
    if solver == "clarabel":
        return _solve_cvxpy(cmdp, "CLARABEL")
    kind, _, name = solver.partition(":")
    if kind == "cvxpy" and name:
        return _solve_cvxpy(cmdp, name.upper())
    near = nearest(solver, ("highs", "clarabel", "cvxpy"), 1)
    raise UsageError(
        f"no solver called {solver!r}: expected 'highs', 'clarabel' or 'cvxpy:NAME'.",
        f"Did you mean {near[0]!r}?" if near and near[0] != "cvxpy" else "",
    )


def _solve_cvxpy(cmdp: TabularCMDP, name: str) -> CMDPSolution:
    started = time.perf_counter()
    try:
        cvxpy: Any = import_module("cvxpy")
    except ImportError as error:
        raise UsageError("this solver needs cvxpy, which is not installed.", "pip install cvxpy") from error
    installed = cvxpy.installed_solvers()
    if name not in installed:
        raise UsageError(f"cvxpy has no solver {name!r} here: there are {', '.join(installed)}.")
    S, A, N = cmdp.num_states, cmdp.num_actions, cmdp.num_constraints
    # Written apart from program.py on purpose: this route is the check of that one.
    scaling = Scaling.of(cmdp)
    original, cmdp = cmdp, scaling.scaled(cmdp)
    outflow = sp.kron(sp.eye_array(S), np.ones((1, A)), format="csr")
    d = cvxpy.Variable(S * A, nonneg=True)
    flow = (outflow - cmdp.gamma * cmdp.kernel.T) @ d == (1.0 - cmdp.gamma) * cmdp.rho
    limits = []
    for i in range(N):
        signal = cmdp.signs[i] * cmdp.c[i].reshape(-1) @ d
        bound = cmdp.signs[i] * cmdp.b[i]
        limits.append(signal == bound if cmdp.equality[i] else signal <= bound)
    problem = cvxpy.Problem(cvxpy.Maximize(cmdp.r.reshape(-1) @ d), [flow, *limits])
    try:
        problem.solve(solver=name, **_TIGHT.get(name, {}))
    except cvxpy.SolverError as error:
        raise ZooError(f"cvxpy's solver {name} gave up: {error}.") from error
    if problem.status in ("infeasible", "infeasible_inaccurate", "infeasible_or_unbounded"):
        raise smallest_violation(original)[1]
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise ZooError(f"cvxpy's solver {name} stopped with {problem.status!r}: expected 'optimal'.")
    mu = np.array([float(limit.dual_value) for limit in limits])
    return read_out(
        original,
        cmdp,
        scaling,
        np.asarray(d.value),
        np.asarray(flow.dual_value),
        mu,
        status=str(problem.status),
        started=started,
        no_mass=_INTERIOR_NO_MASS,
    )
