"""Runs built by hand from the environments, without the core's loop."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zoo_envs_plugin import TABLE
from zoo_reload import agent, config

from zoo.api import ConstraintSpec, Context, Problem
from zoo.tabular import TabularCMDP

VECTORS = {row.name: row.vector for row in TABLE}


class Runs:
    """Builds and drives algorithms; figures are taken at the checks, every 10 iterations."""

    def context(self, env: str | TabularCMDP, seed: int = 0, budget: int = 3000, **kwargs: Any) -> Context:
        name = env if isinstance(env, str) else "tabular"
        if not isinstance(env, str):
            kwargs["model"] = env
        module, _, attribute = VECTORS[name].partition(":")
        vector = getattr(importlib.import_module(module), attribute)(num_envs=2, **kwargs)
        cmdp = TabularCMDP.from_model(vector.model())
        return Context(
            env=vector,
            seed=seed,
            rng=np.random.default_rng(seed),
            budget=budget,
            problem=Problem(constraints=ConstraintSpec.of(vector.constraint_spec), model=lambda: cmdp),
        )

    def make(self, name: str, env: str | TabularCMDP, *, seed: int = 0, budget: int = 3000, **fields: Any) -> Any:
        return getattr(agent, name)(self.context(env, seed, budget), getattr(config, f"{name}Config")(**fields))

    @staticmethod
    def drive(algorithm: Any) -> list[dict[str, float]]:
        """All metrics up to the end of the budget or a final outcome, with the iteration added."""
        rows = []
        while algorithm.env_steps < algorithm.ctx.budget and not (algorithm.outcome and algorithm.outcome.final):
            rows.append({**algorithm.update(), "k": algorithm.env_steps})
        return rows

    @staticmethod
    def reached(rows: list[dict[str, float]], tol: float, what: str = "err") -> float:
        """The iteration from which ``what`` stays at or below ``tol`` to the end; infinite if it does not."""
        for i in range(len(rows), -1, -1):
            if i == 0 or not rows[i - 1][what] <= tol:
                return rows[i]["k"] if i < len(rows) else float("inf")
        raise AssertionError

    @staticmethod
    def last_half(rows: list[dict[str, float]], what: str = "err") -> float:
        """The largest ``what`` over the last half of the iterations."""
        return max(row[what] for row in rows if row["k"] >= rows[-1]["k"] / 2)


@pytest.fixture(scope="session")
def runs() -> Runs:
    return Runs()


@pytest.fixture
def small() -> Callable[..., TabularCMDP]:
    """A random problem with S=5, A=3 and one ``<=`` constraint; keyword arguments replace fields."""

    def build(seed: int = 0, **fields: Any) -> TabularCMDP:
        rng = np.random.default_rng(seed)
        given: dict[str, Any] = {
            "P": rng.dirichlet(np.ones(5), size=(5, 3)),
            "r": rng.random((5, 3)),
            "gamma": 0.8,
            "rho": np.full(5, 0.2),
            "c": rng.random((1, 5, 3)),
            "b": [0.4],
            "senses": ("<=",),
            "names": ("cost",),
        }
        return TabularCMDP(**{**given, **fields})

    return build
