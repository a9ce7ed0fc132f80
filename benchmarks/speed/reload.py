"""ReLOAD to kkt <= 1e-6 by bare `update()` calls, beside a plain numpy loop of the same iterations and scipy's LP.

Goals, CPU s: two-state 0.1, garnet (20 states) 0.1, constrained-catch (250 states) 1.5. Our time includes the
optimality check every ten iterations, which the plain loop does without; the linear program finds the optimum only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np
import ratio
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog
from zoo_envs_plugin import TABLE
from zoo_reload.agent import Reload
from zoo_reload.config import ReloadConfig

from zoo.api import Context, Problem
from zoo.tabular import TabularCMDP

CASES = (("two-state", 1.0, 1.0, 0.1), ("garnet", 20.0, 20.0, 0.1), ("constrained-catch", 30.0, 10.0, 1.5))
"""Environment, eta, eta_mu, goal in CPU seconds."""


def problem_of(name: str) -> Context:
    """A context without the run loop."""
    module, _, attribute = next(row.vector for row in TABLE if row.name == name).partition(":")
    env = getattr(importlib.import_module(module), attribute)(num_envs=1)
    cmdp = TabularCMDP.from_model(env.model())
    return Context(env=env, seed=0, rng=np.random.default_rng(0), budget=3000, problem=Problem(model=lambda: cmdp))


def ours(ctx: Context, eta: float, eta_mu: float) -> tuple[int, float]:
    """Iterations used, and the value reached."""
    reload = Reload(ctx, ReloadConfig(eta=eta, eta_mu=eta_mu, init_std=0.0, oracle=False))
    metrics = reload.update()
    while metrics["kkt"] > 1e-6:
        metrics = reload.update()
    return reload.env_steps, metrics["value/reward"]


def plain(cmdp: TabularCMDP, eta: float, eta_mu: float, iterations: int) -> float:
    """The same iterations in ordinary numpy: one full solve for each head, dense arrays, no checks."""
    S, A = cmdp.r.shape
    P = cmdp.kernel.toarray().reshape(S, A, S)
    signals = np.concatenate([cmdp.r[None], cmdp.c])
    z, mu = np.zeros((S, A)), np.zeros(cmdp.num_constraints)
    Q_old = g_old = None
    J = np.zeros(len(signals))
    for _ in range(iterations):
        pi = np.exp(z - z.max(axis=1, keepdims=True))
        pi /= pi.sum(axis=1, keepdims=True)
        P_pi = np.einsum("sa,sat->st", pi, P)
        Q = np.zeros_like(signals)
        for i, signal in enumerate(signals):
            V = np.linalg.solve(np.eye(S) - cmdp.gamma * P_pi, (1 - cmdp.gamma) * (pi * signal).sum(axis=1))
            Q[i] = (1 - cmdp.gamma) * signal + cmdp.gamma * P @ V
            J[i] = cmdp.rho @ V
        mixed = Q[0] - np.tensordot(mu * cmdp.signs, Q[1:], axes=1)
        g = cmdp.signs * (J[1:] - cmdp.b)
        z = z + eta * (2 * mixed - (mixed if Q_old is None else Q_old))
        mu = np.maximum(mu + eta_mu * (2 * g - (g if g_old is None else g_old)), 0.0)
        Q_old, g_old = mixed, g
    return float(J[0])


def program(cmdp: TabularCMDP) -> float:
    """The exact optimum by scipy's HiGHS, flow equations as one sparse matrix."""
    S, A = cmdp.r.shape
    flow = sp.kron(sp.eye_array(S), np.ones((1, A)), format="csr") - cmdp.gamma * cmdp.kernel.T
    limits: NDArray[np.float64] = cmdp.signs[:, None] * cmdp.c.reshape(cmdp.num_constraints, -1)
    found = linprog(
        -cmdp.r.reshape(-1),
        A_ub=limits,
        b_ub=cmdp.signs * cmdp.b,
        A_eq=flow,
        b_eq=(1 - cmdp.gamma) * cmdp.rho,
        method="highs",
    )
    return float(-found.fun)


def table(name: str, eta: float, eta_mu: float, goal: float, rounds: int) -> ratio.Table:
    """One environment."""
    ctx = problem_of(name)
    cmdp = ctx.problem.tabular
    iterations, value = ours(ctx, eta, eta_mu)
    functions: dict[str, Callable[[], object]] = {
        "zoo, update() with checks": partial(ours, ctx, eta, eta_mu),
        "plain numpy, a solve per head": partial(plain, cmdp, eta, eta_mu, iterations),
        "scipy linprog, optimum only": partial(program, cmdp),
    }
    title = f"{name}: ReLOAD to kkt <= 1e-6, {iterations} iterations"
    found = ratio.compare(functions, rounds, title=title)
    found.notes["goal, CPU s"] = goal
    found.notes["met"] = found["zoo, update() with checks"].median <= goal
    values = [value, plain(cmdp, eta, eta_mu, iterations), program(cmdp)]
    found.notes["largest difference of the values"] = max(values) - min(values)
    return found


def main() -> None:
    options = ratio.arguments(__doc__ or "").parse_args()
    ratio.show([table(*case, options.rounds) for case in CASES], as_json=options.json)


if __name__ == "__main__":
    main()
