"""Learners built by hand on real environments, without the core's loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from zoo_onpolicy.agent import PPO
from zoo_onpolicy.config import NetworkConfig, PPOConfig

from zoo.api import ConstraintSpec, Context, Problem
from zoo.seeding import stream
from zoo.training.environments.make_env import Recorder

SMALL = {"n_steps": 16, "batch_size": 24, "n_epochs": 2}


class Build:
    """Contexts, learners and solo runs."""

    def context(
        self, env: Any = "CartPole-v1", seed: int = 0, copies: int = 3, budget: int = 0, recorded: bool = True
    ) -> Context:
        """A context for ``env``: an id, a function that makes one copy, or a class of many copies."""
        if isinstance(env, type) and issubclass(env, VectorEnv):
            vector = env(copies)
            spec = getattr(vector, "constraint_spec", None)
        else:
            make = env if callable(env) else lambda: gymnasium.make(env)
            vector = SyncVectorEnv([make] * copies, autoreset_mode=AutoresetMode.SAME_STEP)
            spec = getattr(vector.envs[0].unwrapped, "constraint_spec", None)
        vector.reset(seed=seed)
        problem = Problem(constraints=ConstraintSpec.of(spec) if spec is not None else None)
        env = Recorder(vector, problem.constraints) if recorded else vector
        return Context(env=env, seed=seed, rng=stream(seed, "algo"), budget=budget, problem=problem)

    def config(self, network: dict[str, Any] | None = None, **options: Any) -> PPOConfig:
        """Short rollouts, two epochs, and a last minibatch that is smaller than the others."""
        return PPOConfig(network=NetworkConfig(**(network or {})), **{**SMALL, **options})

    def solo(self, env: Any = "CartPole-v1", seed: int = 0, copies: int = 3, budget: int = 0, **options: Any) -> PPO:
        """One run."""
        return PPO(self.context(env, seed, copies, budget), self.config(**options))

    def batch(self, env: Any, seeds: Sequence[int], copies: int = 3, budget: int = 0, **options: Any) -> Any:
        """Several."""
        return PPO.batch([self.context(env, seed, copies, budget) for seed in seeds], self.config(**options))


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()


class Chain(gymnasium.Env[Any, Any]):
    """Position 0 .. 3 on a line: right ends it at 3 with reward 1, left costs; cut after five steps."""

    observation_space = gymnasium.spaces.Discrete(4)
    action_space = gymnasium.spaces.Discrete(2)
    constraint_spec = ConstraintSpec(names=("left",), thresholds=[0.1], senses=("<=",))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.age = int(self.np_random.integers(2)), 0
        return self.place, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.place = min(max(self.place + (1 if action == 1 else -1), 0), 3)
        self.age += 1
        end = self.place == 3
        signal = np.array([float(action == 0)], dtype=np.float32)
        return self.place, float(end), end, self.age >= 5, {"constraints": signal}


@pytest.fixture(scope="session")
def chain() -> type[Chain]:
    return Chain
