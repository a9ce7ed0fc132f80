"""What several test files need: small random models and an independent linear program."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from zoo_envs.tabular.model import TabularModel


def _random_model(seed: int, S: int = 4, A: int = 3, N: int = 1) -> TabularModel:
    g = np.random.default_rng(seed)
    P = g.dirichlet(np.ones(S), (S, A)) * (g.random((S, A, S)) < 0.7) + 1e-3 * np.eye(S)[:, None]
    P /= P.sum(-1, keepdims=True)
    rho = g.dirichlet(np.ones(S))
    senses = tuple(g.choice(["<=", ">=", "=="], N).tolist())
    return TabularModel(P, g.random((S, A)), 0.8, rho, g.random((N, S, A)), g.random(N), senses)


@pytest.fixture
def random_model() -> Callable[..., TabularModel]:
    """A function seed, S, A, N -> model with some impossible transitions."""
    return _random_model


def _program(
    model: TabularModel, *, constrained: bool = True, objective: NDArray[np.float64] | None = None
) -> tuple[float, NDArray[np.float64]]:
    from scipy.optimize import linprog

    S, A = model.r.shape
    reward = model.r if objective is None else objective
    flow = np.repeat(np.eye(S), A, axis=1) - model.gamma * model.P.reshape(S * A, S).T
    signs = np.array([-1.0 if sense == ">=" else 1.0 for sense in model.senses])
    rows: dict[str, NDArray[np.float64]] = {}
    if constrained:
        rows = {"A_ub": signs[:, None] * model.c.reshape(-1, S * A), "b_ub": signs * model.b}
    result = linprog(-reward.ravel(), A_eq=flow, b_eq=(1 - model.gamma) * model.rho, method="highs", **rows)
    if result.status == 2:
        raise ValueError("infeasible")
    return -result.fun, -result.ineqlin.marginals


@pytest.fixture
def program() -> Callable[..., tuple[float, NDArray[np.float64]]]:
    """The occupancy-measure program of docs/methods/reload.md, equation 4: model -> (J*, mu*)."""
    return _program
