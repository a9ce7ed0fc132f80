"""The occupancy-measure linear program as one persistent HiGHS model (docs/methods/reload.md, equation 4).

Variables ``d[S, A] >= 0``; maximise ``<r, d>`` subject to the flow equations
``sum_a d(s', a) - gamma sum_{s,a} P(s'|s,a) d(s,a) = (1 - gamma) rho(s')`` and ``s_i <c_i, d> <= s_i b_i`` (or ``=``).
A solver's tolerances are absolute, so that it is given reward and signals in units of their attainable range.
"""

from __future__ import annotations

import time
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from zoo.errors import UsageError, ZooError
from zoo.tabular.errors import InfeasibleCMDPError
from zoo.tabular.model import TabularCMDP
from zoo.tabular.plan import modified_policy_iteration, policy_iteration, policy_iteration_pays
from zoo.tabular.solution import CMDPSolution, policy_of, read_out
from zoo.tabular.units import Scaling, Units

ORACLE_LIMIT = 8000
"""State-actions up to which callers that were not asked for it solve a program beside their work."""
_TOLERANCE = 1e-10
"""Primal and dual feasibility in the program's units; HiGHS's own default, 1e-7, is visible in the values."""
_SMALLEST = 1e-12
"""Entries of the matrix below this are dropped; HiGHS's own default is 1e-9, and allows no less than this."""
_NO_MASS = 1e-12
_CONTRADICTION = 1e-8
"""A smaller least violation, relative to the range of the signal, is rounding of a threshold that sits exactly on the
attainable limit."""


class OccupancyProgram:
    """A model that stays in memory, so that a change of threshold re-solves from the last basis.

    The first basis is that of the unconstrained optimal policy, found by dynamic programming: it is dual
    feasible, so that the dual simplex method has only the constraints left to repair.

    Args:
        cmdp: the process; its thresholds and reward are the first to be solved.
    """

    def __init__(self, cmdp: TabularCMDP) -> None:
        self._cmdp = cmdp
        self._scaling = Scaling.of(cmdp)
        self._scaled = self._scaling.scaled(cmdp)
        self._highs = _silent_highs()
        S, A, N = cmdp.num_states, cmdp.num_actions, cmdp.num_constraints
        model = highspy.HighsLp()
        matrix = _flow_and_constraints(self._scaled)
        model.num_col_, model.num_row_ = S * A, S + N
        model.col_cost_ = -self._scaled.r.reshape(-1)
        model.col_lower_, model.col_upper_ = np.zeros(S * A), np.full(S * A, highspy.kHighsInf)
        lower, upper = self._bounds()
        inflow = (1.0 - cmdp.gamma) * cmdp.rho
        model.row_lower_, model.row_upper_ = np.concatenate([inflow, lower]), np.concatenate([inflow, upper])
        _set_columns(model, matrix)
        self._highs.passModel(model)
        self._set_first_basis()

    @property
    def cmdp(self) -> TabularCMDP:
        """The process with the present thresholds."""
        return self._cmdp

    def set_thresholds(self, b: ArrayLike) -> None:
        """Replace the thresholds, ``[N]``.

        Raises:
            InvalidCMDPError: if the shape does not fit or a number is not finite.
        """
        self._cmdp = self._cmdp.with_thresholds(b)
        self._scaled = self._scaled.with_thresholds(self._scaling.thresholds(self._cmdp.b))
        self._pass_bounds(0.0)

    def solve(self) -> CMDPSolution:
        """Solve for the present thresholds.

        Raises:
            InfeasibleCMDPError: if no policy satisfies the constraints.
            ZooError: if HiGHS gives up.
        """
        return self._solve("")

    def sweep(self, thresholds: ArrayLike) -> list[CMDPSolution]:
        """Solve for each row of ``thresholds [M, N]`` in turn, each from the basis of the one before.

        Raises:
            InfeasibleCMDPError: at the first infeasible row, whose index the message gives.
            UsageError: if the shape is not ``[M, N]``.
        """
        rows = np.asarray(thresholds, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._cmdp.num_constraints:
            raise UsageError(f"thresholds have shape {rows.shape}: expected (M, {self._cmdp.num_constraints}).")
        solutions = []
        for m, b in enumerate(rows):
            self.set_thresholds(b)
            solutions.append(self._solve(f"in row {m} of the thresholds "))
        return solutions

    def _solve(self, context: str) -> CMDPSolution:
        started = time.perf_counter()
        cmdp = self._cmdp
        status = self._run()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            smallest, contradiction = smallest_violation(cmdp, context)
            if smallest > _CONTRADICTION:
                raise contradiction
            self._pass_bounds(4.0 * smallest + _TOLERANCE)
            status = self._run()
            self._pass_bounds(0.0)
        if status != highspy.HighsModelStatus.kOptimal:
            raise ZooError(f"HiGHS stopped with {self._highs.modelStatusToString(status)!r}: expected 'Optimal'.")
        solution = self._highs.getSolution()
        S = cmdp.num_states
        # HiGHS minimises -r, so its duals have the opposite sign.
        duals = -np.asarray(solution.row_dual)
        return read_out(
            cmdp,
            self._scaled,
            self._scaling,
            np.asarray(solution.col_value),
            duals[:S],
            duals[S:],
            status="optimal",
            started=started,
            no_mass=_NO_MASS,
        )

    def _run(self) -> Any:
        self._highs.run()
        # Where the path from this basis meets rounding, one from none may not; interior points follow no such path.
        for solver in ("simplex", "ipm"):
            if self._highs.getModelStatus() != highspy.HighsModelStatus.kUnknown:
                break
            self._highs.clearSolver()
            self._highs.setOptionValue("solver", solver)
            self._highs.run()
        self._highs.setOptionValue("solver", "choose")
        return self._highs.getModelStatus()

    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        upper = self._scaled.signs * self._scaled.b
        return np.where(self._scaled.equality, upper, -highspy.kHighsInf), upper

    def _pass_bounds(self, relax: float) -> None:
        lower, upper = self._bounds()
        S, N = self._cmdp.num_states, self._cmdp.num_constraints
        self._highs.changeRowsBounds(N, np.arange(S, S + N, dtype=np.int32), lower - relax, upper + relax)

    def _set_first_basis(self) -> None:
        cmdp = self._cmdp
        S, A, N = cmdp.num_states, cmdp.num_actions, cmdp.num_constraints
        plan = policy_iteration(cmdp) if policy_iteration_pays(cmdp) else modified_policy_iteration(cmdp)
        basic = np.zeros((S, A), dtype=np.bool_)
        basic[np.arange(S), plan.policy] = True
        kind = highspy.HighsBasisStatus
        basis = highspy.HighsBasis()
        basis.valid = True
        basis.col_status = [kind.kBasic if chosen else kind.kLower for chosen in basic.reshape(-1)]
        basis.row_status = [kind.kLower] * S + [kind.kBasic] * N
        self._highs.setBasis(basis)


def smallest_violation(cmdp: TabularCMDP, context: str = "") -> tuple[float, InfeasibleCMDPError]:
    """Minimise ``t >= 0`` subject to the flow equations and ``violation_i <= t * range of J_i`` for every constraint.

    Returns:
        ``t``, and the error that tells of it, with ``context`` put before the sentence.
    """
    original, scaling = cmdp, Scaling.of(cmdp)
    units = Units.of(cmdp)
    cmdp = Scaling(units, scaling.shift).scaled(cmdp)
    S, A, N = cmdp.num_states, cmdp.num_actions, cmdp.num_constraints
    inf = highspy.kHighsInf
    # An equality is two inequalities, its second row coming after all the first ones.
    constraint_index = np.concatenate([np.arange(N), np.flatnonzero(cmdp.equality)])
    sign = np.concatenate([cmdp.signs, -np.ones(len(constraint_index) - N)])
    signals = sp.csr_array((sign[:, None] * cmdp.c.reshape(-1, S * A)[constraint_index]).T)
    slack = np.concatenate([np.zeros(S), -np.ones(len(constraint_index))])
    matrix = sp.vstack([sp.hstack([_flow(cmdp), signals]), sp.csr_array(slack[None])], format="csr")
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = S * A + 1, S + len(constraint_index)
    model.col_cost_ = np.concatenate([np.zeros(S * A), [1.0]])
    model.col_lower_, model.col_upper_ = np.zeros(S * A + 1), np.full(S * A + 1, inf)
    inflow = (1.0 - cmdp.gamma) * cmdp.rho
    model.row_lower_ = np.concatenate([inflow, np.full(len(constraint_index), -inf)])
    model.row_upper_ = np.concatenate([inflow, sign * cmdp.b[constraint_index]])
    _set_columns(model, matrix)
    highs = _silent_highs()
    highs.passModel(model)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        shown = highs.modelStatusToString(highs.getModelStatus())
        raise ZooError(f"HiGHS stopped with {shown!r} while looking for the least violation: expected 'Optimal'.")
    solution = highs.getSolution()
    values = np.asarray(solution.col_value)
    weight = np.bincount(constraint_index, weights=-np.asarray(solution.row_dual)[S:], minlength=N)
    order = np.argsort(-weight, kind="stable")
    worst = [int(i) for i in order if weight[i] > _TOLERANCE] or [int(order[0])]
    smallest = float(values[-1])
    occupancy = np.maximum(values[:-1], 0.0).reshape(S, A)
    policy = policy_of(original, occupancy, np.zeros(N), _NO_MASS)
    violations = [smallest * float(units.signals[i]) for i in worst]
    return smallest, InfeasibleCMDPError([original.names[i] for i in worst], violations, policy, context)


def _flow(cmdp: TabularCMDP) -> sp.csr_array:
    """``E - gamma P``, ``[S*A, S]``: row ``(s, a)`` holds the column of ``d(s, a)`` in the flow equations."""
    S, A = cmdp.num_states, cmdp.num_actions
    own = sp.csr_array((np.ones(S * A), np.repeat(np.arange(S), A), np.arange(S * A + 1)), shape=(S * A, S))
    return sp.csr_array(own - cmdp.gamma * cmdp.kernel)


def _flow_and_constraints(cmdp: TabularCMDP) -> sp.csr_array:
    signals = sp.csr_array((cmdp.signs[:, None] * cmdp.c.reshape(-1, cmdp.r.size)).T)
    return sp.csr_array(sp.hstack([_flow(cmdp), signals], format="csr"))


def _set_columns(model: highspy.HighsLp, by_variable: sp.csr_array) -> None:
    """Rows of a CSR matrix are columns of its transpose, which is the constraint matrix."""
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = by_variable.indptr
    model.a_matrix_.index_ = by_variable.indices
    model.a_matrix_.value_ = by_variable.data


def _silent_highs() -> Any:
    # highspy's type stubs lack changeRowsBounds and leave the constructor untyped.
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    # Flow matrix and signals are of unit size already; without scaling the tolerances hold for what is read out.
    highs.setOptionValue("simplex_scale_strategy", 0)
    highs.setOptionValue("small_matrix_value", _SMALLEST)
    highs.setOptionValue("primal_feasibility_tolerance", _TOLERANCE)
    highs.setOptionValue("dual_feasibility_tolerance", _TOLERANCE)
    return highs
