"""Algorithms built by hand from the environments, without the core's loop, and small clouds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zoo_envs.transformed.grid import TvDGridVector
from zoo_tvd import agent, comparators, config

from zoo import Context, Problem
from zoo.tabular import TabularCMDP

CONFIGS = {
    "TvD": config.TvDConfig, "TvDTransition": config.TvDTransitionConfig, "Moments": config.MomentsConfig,
    "Cloning": config.CloningConfig,
}  # fmt: skip


class Lab:
    """Builds and drives algorithms on the grid."""

    def context(self, seed: int = 0, copies: int = 100, **options: Any) -> Context:
        env = TvDGridVector(copies, **options)
        env.reset(seed=seed)
        cmdp = TabularCMDP.from_model(env.model())
        return Context(env=env, seed=seed, rng=np.random.default_rng(seed), problem=Problem(model=lambda: cmdp))

    def make(self, name: str, seed: int = 0, copies: int = 100, env: Any = None, **options: Any) -> Any:
        cls = getattr(comparators, name, None) or agent.TvD
        return cls(self.context(seed, copies, **(env or {})), CONFIGS.get(name, config.TransferConfig)(**options))

    @staticmethod
    def drive(algorithm: Any) -> list[dict[str, float]]:
        rows = []
        while algorithm.outcome is None or not algorithm.outcome.final:
            rows.append(dict(algorithm.update()))
        return rows

    @staticmethod
    def success(algorithm: Any) -> float:
        """Probability of the goal within 30 steps, exactly, from the model."""
        cmdp = algorithm.ctx.problem.tabular
        P = np.einsum("sa,sat->st", algorithm.policy(), cmdp.kernel.toarray().reshape(*cmdp.r.shape, -1))
        return float((cmdp.rho @ np.linalg.matrix_power(P, 30))[cmdp.terminal].sum())

    @staticmethod
    def error(algorithm: Any) -> float:
        """Largest entry of |W A - I|."""
        A = algorithm.ctx.env.transformation.affine[0]
        return float(np.abs(algorithm.f.W @ A - np.eye(len(A))).max())


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab()


@pytest.fixture
def cloud() -> Callable[..., Any]:
    """Points [n, d] with weights of sum 1."""

    def build(n: int, d: int = 2, seed: int = 0) -> tuple[Any, Any]:
        rng = np.random.default_rng(seed)
        return rng.standard_normal((n, d)), rng.dirichlet(np.full(n, 3.0))

    return build
