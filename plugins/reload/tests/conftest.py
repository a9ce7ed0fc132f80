"""Runs built by hand from the environments, without the core's loop."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from zoo_envs_plugin import TABLE
from zoo_reload import agent, config

from zoo.api import ConstraintSpec, Context, Problem
from zoo.tabular import TabularCMDP
from zoo.training.environments.make_env import Recorder

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


class Costly(gymnasium.Env[Any, Any]):
    """Action 1 costs ``unit``; nothing is earned but the action itself."""

    observation_space, action_space = gymnasium.spaces.Box(-1, 1, (1,)), gymnasium.spaces.Discrete(2)

    def __init__(self, unit: float, steps: int) -> None:
        self.unit, self.steps, self.t = unit, steps, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        info = {"constraints": np.array([self.unit * action], np.float32)}
        return np.zeros(1, np.float32), float(action), False, self.t >= self.steps, info


def _costly(cls: Any, *, unit: float = 1.0, steps: int = 40, **options: Any) -> Any:
    """An algorithm on four copies, of which an eighth of the steps may cost, in the sum of an episode."""
    limit = np.array([unit * steps / 8])
    spec = ConstraintSpec(names=("cost",), thresholds=limit, senses=("<=",), unit="episode", discounted=False)
    copies = [lambda: Costly(unit, steps)] * 4
    env = Recorder(gymnasium.vector.SyncVectorEnv(copies, autoreset_mode=AutoresetMode.SAME_STEP), spec)
    env.reset(seed=0)
    context = Context(env=env, seed=0, rng=np.random.default_rng(0), budget=8000, problem=Problem(constraints=spec))
    settings = {"n_steps": 40, "batch_size": 80, "n_epochs": 2, "learning_rate": 0.01, **options}
    return cls(context, cls.__orig_bases__[0].__args__[0](**settings))


@pytest.fixture(scope="session")
def costly() -> Callable[..., Any]:
    """Builds an algorithm with a limit of the sum of an episode: ``costly(cls, unit=..., steps=..., **options)``."""
    return _costly
