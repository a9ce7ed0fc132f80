"""Twenty problems that nothing was tuned on, in units from 1e-9 to 1e6: are they solved, and is the verdict true?

    python benchmarks/fresh.py [ALGORITHM ...]

A problem counts as solved where the policy's value and every constraint are within 1e-6 of the linear program's
optimum, relative to the range over all policies; the verdict *converged* is false where they are not within 1.1e-6.
Steps are searched for (``eta = "auto"``), the budget is the default one, 3,000 iterations.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from zoo_envs.cmdps.from_arrays import TabularVector
from zoo_reload import agent, config

from zoo.api import ConstraintSpec, Context, Problem
from zoo.tabular import TabularCMDP, Units, evaluate, policy_iteration, solve_lp

FIRST, COUNT, BUDGET = 200, 20, 3000
"""Problems below 120 were looked at while the search was made."""
ALGORITHMS = {"reload": "Reload", "gda": "GDA", "pid": "PID", "augmented-lagrangian": "AugmentedLagrangian"}


def problem(seed: int) -> TabularCMDP:
    """Three to 25 states, one to three constraints of which most bind, sparse costs and rewards among them."""
    R = np.random.default_rng([seed, 77])
    S, A, N = int(R.integers(3, 26)), int(R.integers(2, 5)), int(R.integers(1, 4))
    P = R.dirichlet(np.full(S, R.choice([0.1, 0.3, 1])), (S, A))
    gamma = float(R.choice([0.8, 0.9, 0.95, 0.99]))
    r, c = R.random((S, A)), R.random((N, S, A))
    if seed % 3 == 0:
        c = c * (R.random((N, S, 1)) < 0.3)
    if seed % 4 == 1:
        r = r * (R.random((S, 1)) < 0.3)
    rho = R.dirichlet(np.ones(S)) if seed % 2 else np.eye(S)[0]
    senses = tuple(str(sense) for sense in R.choice(["<=", ">=", "==" if seed % 5 == 0 else "<="], N))
    m = TabularCMDP(P, r, gamma, rho, c, np.zeros(N), senses)
    # Thresholds that a known policy meets, not far from the unconstrained optimum: feasible, and most of them bind.
    pi = 0.7 * np.eye(A)[policy_iteration(m).policy] + 0.3 * R.dirichlet(np.ones(A) * 0.5, S)
    slack = np.where(m.equality, 0, m.signs * R.uniform(0, 0.1, N) * Units.of(m).signals)
    b = evaluate(m, pi).J + slack
    reward, signals = 10 ** R.uniform(-9, 6), 10 ** R.uniform(-9, 6, N)
    return replace(m, r=m.r * reward, c=m.c * signals[:, None, None], b=b * signals)


def distance(m: TabularCMDP, policy: np.ndarray) -> float:
    """The larger of the value's distance from the optimum and the worst violation, relative to their ranges."""
    units, earned = Units.of(m), evaluate(m, policy)
    violation = float((m.violation(earned.J) / units.signals).max())
    return max(abs(earned.J_r - solve_lp(m).value) / units.reward, violation)


def trained(name: str, m: TabularCMDP, seed: int) -> Any:
    """The algorithm at the end of its budget, or of its final verdict."""
    env = TabularVector(num_envs=1, model=m)
    spec = ConstraintSpec.of(env.constraint_spec)
    told = Problem(constraints=spec, model=lambda: m)
    ctx = Context(env=env, seed=seed, rng=np.random.default_rng(seed), budget=BUDGET, problem=told)
    made = getattr(agent, name)(ctx, getattr(config, f"{name}Config")(eta="auto"))
    while made.env_steps < BUDGET and not (made.outcome and made.outcome.final):
        made.update()
    return made


def main(names: Sequence[str]) -> None:
    for name in names or ALGORITHMS:
        began, solved, false = time.process_time(), 0, []
        print(f"{name}\n{'seed':>5}{'S':>4}{'N':>3}{'gamma':>7}{'steps':>7}{'distance':>11}  verdict")
        for seed in range(FIRST, FIRST + COUNT):
            m = problem(seed)
            made = trained(ALGORITHMS[name], m, seed)
            apart, status = distance(m, made.policy()), made.outcome.status
            solved += apart <= 1e-6
            if status == "converged" and apart > 1.1e-6:
                false.append(seed)
            size = f"{seed:>5}{m.num_states:>4}{m.num_constraints:>3}{m.gamma:>7}"
            row = f"{size}{made.env_steps:>7}{apart:>11.1e}  {status}"
            print(row, flush=True)
        print(
            f"solved {solved} of {COUNT}; false verdicts: {false or 'none'}; {time.process_time() - began:.0f} CPU s\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
