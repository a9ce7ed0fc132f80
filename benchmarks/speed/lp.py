"""Occupancy-measure programs: our persistent HiGHS model beside cvxpy, and one cold solve at three sizes.

Goals: a sweep of 20 thresholds at 1,000 state-actions at least 15 times faster than cvxpy with a Parameter; one cold
solve with four actions and five successors in at most 0.05, 0.3 and 5 CPU seconds at 100, 300 and 1,000 states.
"""

from __future__ import annotations

import numpy as np
import ratio
import scipy.sparse as sp
from numpy.typing import NDArray

from zoo.tabular import OccupancyProgram, TabularCMDP, solve_lp

THRESHOLDS = np.linspace(0.25, 0.45, 20)


def random_cmdp(S: int, A: int, successors: int, *, gamma: float = 0.95, seed: int = 0) -> TabularCMDP:
    """Random successors, uniform reward and one cost, uniform start."""
    g = np.random.default_rng(seed)
    columns = np.argsort(g.random((S * A, S)), axis=1)[:, :successors]
    weights = g.dirichlet(np.ones(successors), size=S * A)
    rows = np.repeat(np.arange(S * A), successors)
    P = sp.csr_array((weights.reshape(-1), (rows, columns.reshape(-1))), shape=(S * A, S))
    return TabularCMDP(P, g.random((S, A)), gamma, np.full(S, 1 / S), g.random((1, S, A)), np.array([0.35]), ("<=",))


def sweep_table(S: int, rounds: int) -> ratio.Table:
    """Twenty thresholds; both sides keep the problem that they built beforehand."""
    import cvxpy

    cmdp = random_cmdp(S, 4, 4)
    outflow = sp.kron(sp.eye_array(S), np.ones((1, 4)), format="csr")
    budget = cvxpy.Parameter()
    d = cvxpy.Variable(4 * S, nonneg=True)
    flow = (outflow - cmdp.gamma * cmdp.kernel.T) @ d == (1 - cmdp.gamma) * cmdp.rho
    goal = cvxpy.Maximize(cmdp.r.reshape(-1) @ d)
    problem = cvxpy.Problem(goal, [flow, cmdp.c[0].reshape(-1) @ d <= budget])

    program = OccupancyProgram(cmdp)

    def ours() -> NDArray[np.float64]:
        return np.array([found.value for found in program.sweep(THRESHOLDS[:, None])])

    def cold() -> NDArray[np.float64]:
        return np.array([solve_lp(cmdp.with_thresholds([b])).value for b in THRESHOLDS])

    def peer() -> NDArray[np.float64]:
        values = []
        for b in THRESHOLDS:
            budget.value = b
            problem.solve(solver="HIGHS", warm_start=True)  # type: ignore[no-untyped-call]
            values.append(float(problem.value))
        return np.array(values)

    table = ratio.compare(
        {"zoo, warm sweep": ours, "zoo, 20 cold solves": cold, "cvxpy + HiGHS, Parameter": peer},
        rounds,
        title=f"20 thresholds, {4 * S} state-actions",
    )
    first, *others = (np.asarray(row.result) for row in table.rows)
    table.notes["largest difference of the values"] = max(float(np.abs(first - other).max()) for other in others)
    return table


def cold_table(rounds: int) -> ratio.Table:
    """One solve, model building included."""
    models = {S: random_cmdp(S, 4, 5) for S in (100, 300, 1000)}
    functions = {f"S={S}, A=4, 5 successors": (lambda m=m: solve_lp(m)) for S, m in models.items()}
    table = ratio.compare(functions, rounds, title="one cold solve (ratios between sizes)")
    table.notes["goals, CPU s"] = "0.05, 0.3, 5"
    return table


def main() -> None:
    parser = ratio.arguments(__doc__ or "")
    options = parser.parse_args()
    tables = [sweep_table(250, options.rounds), cold_table(options.rounds)]
    tables[0].notes["goal"] = "cvxpy's ratio at least 15"
    ratio.show(tables, as_json=options.json)


if __name__ == "__main__":
    main()
