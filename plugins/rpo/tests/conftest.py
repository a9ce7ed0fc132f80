"""Learners built by hand, without the core's loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from zoo_envs.trees.two_rooms import Tree
from zoo_rpo.config import RPOConfig
from zoo_rpo.tabular.learner import Learner

from zoo.api import Context, Problem
from zoo.seeding import stream


def context(env: Any, seed: int, budget: int) -> Context:
    vector = SyncVectorEnv([lambda: env], autoreset_mode=AutoresetMode.SAME_STEP)
    problem = Problem(tasks=env.unwrapped.tasks)
    return Context(env=vector, seed=seed, rng=stream(seed, "algo"), budget=budget, problem=problem)


@pytest.fixture
def on() -> Callable[..., Context]:
    """The context of one seed with one copy of an environment."""
    return context


@pytest.fixture
def learner() -> Callable[..., Learner]:
    """A learner on the tree; keywords are options of the algorithm, ``env`` those of the tree."""

    def build(seeds: Sequence[int] = (0,), budget: int = 2000, env: Any = None, **options: Any) -> Learner:
        contexts = [context(Tree(**(env or {})), seed, budget) for seed in seeds]
        return Learner(contexts, RPOConfig(**options))

    return build


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(12)
