"""Constraint signals, and what the vector form shares with the single one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np

from zoo.api import ConstraintSpec, DiminishingRewards, Grid, lookup
from zoo.testing.contract import Contract
from zoo.training.environments.make_env import Recorder, problem_of

STEPS = 24
Env = gymnasium.Env[Any, Any]


def check_vector(contract: Contract, env: Env, vector: Recorder) -> None:
    """Spaces and constraints of both forms agree, and what the vector form returns is in its spaces."""
    for what in ("observation", "action"):
        single, other = getattr(env, f"{what}_space"), getattr(vector, f"single_{what}_space")
        contract.require(single == other, f"its vector form has the {what}s {other}, expected {single}")
    spec, other = _spec(contract, env), lookup(vector.env, "constraint_spec")
    if spec is not None:
        contract.require(other is not None, "its vector form has no constraint_spec")
        other = ConstraintSpec.of(other)
        same = (spec.names, spec.senses, spec.unit, spec.discounted, spec.thresholds.tolist()) == (
            other.names, other.senses, other.unit, other.discounted, other.thresholds.tolist(),
        )  # fmt: skip
        contract.require(same, f"its vector form has the constraints {other}, expected {spec}")
    with contract.during("diminishing or grid of its vector form"):
        problem = problem_of(vector)
    for name, cls, vector_value in (
        ("diminishing", DiminishingRewards, problem.diminishing),
        ("grid", Grid, problem.grid),
    ):
        single_value = _attribute(env, name)
        if single_value is not None or vector_value is not None:
            with contract.during(name):
                declared = vars(cls.of(single_value)) if single_value is not None else {}
            same = vector_value is not None and all(
                np.array_equal(value, vars(vector_value)[key]) for key, value in declared.items()
            )
            contract.require(declared and same, f"{name} is not the same in its single form and its vector form")
    with contract.during("stepping its vector form"):
        obs, _ = vector.reset(seed=1)
        for _ in range(STEPS):
            contract.require(
                vector.observation_space.contains(obs), f"its vector form gave {obs!r}, not in its observation space"
            )
            obs, reward, terminated, truncated, _ = vector.step(vector.action_space.sample())
            for name, value in (("reward", reward), ("terminated", terminated), ("truncated", truncated)):
                shape = np.shape(value)
                contract.require(
                    shape == (vector.num_envs,), f"its vector form gave {name} of shape {shape}, expected one per copy"
                )
    vector.drain()


def check_signals(contract: Contract, make: Callable[[], Env], vector: Recorder) -> None:
    """Signals come with every step of both forms, the last of an episode included, and never at reset."""
    env = make()
    spec = _spec(contract, env)
    if spec is None:
        raise contract.fail("its vector form has constraints and the single form has none")
    count = len(spec.names)
    aliased = count == 1 and spec.senses[0] == "<="
    with contract.during("playing it for its constraint signals"):
        _, info = env.reset(seed=2)
        contract.require("constraints" not in info, 'info["constraints"] is there at reset, where nothing has happened')
        for _ in range(STEPS):
            _, _, terminated, truncated, info = env.step(env.action_space.sample())
            _check_step(contract, info, count, aliased)
            if terminated or truncated:
                env.reset()
    env.close()
    with closing(vector), contract.during("playing its vector form for its constraint signals"):
        vector.reset(seed=2)
        for _ in range(STEPS):
            *_, infos = vector.step(vector.action_space.sample())  # the Recorder checks presence, shape and NaN
            dtype = infos["constraints"].dtype
            contract.require(dtype == np.float32, f'infos["constraints"] is {dtype}, expected float32')


def _check_step(contract: Contract, info: dict[str, Any], count: int, aliased: bool) -> None:
    contract.require("constraints" in info, 'a step has no info["constraints"]')
    signals = info["constraints"]
    ok = isinstance(signals, np.ndarray) and signals.dtype == np.float32 and signals.shape == (count,)
    contract.require(ok, f'info["constraints"] is {signals!r}, expected float32 of shape ({count},)')
    contract.require(np.isfinite(signals).all(), f'info["constraints"] is {signals}, expected finite numbers')
    if aliased:
        cost = info.get("cost")
        contract.require(
            cost is not None and float(cost) == float(signals[0]),
            f'info["cost"] is {cost!r}, expected the one constraint signal, {float(signals[0])}',
        )
    else:
        contract.require("cost" not in info, 'info["cost"] is only for one constraint whose sense is "<="')


def _spec(contract: Contract, env: Env) -> ConstraintSpec | None:
    trace = _attribute(env, "constraint_spec")
    if trace is None:
        return None
    with contract.during("constraint_spec"):
        spec = ConstraintSpec.of(trace)
    return spec if spec.names else None


def _attribute(env: Env, name: str) -> Any:
    """An optional attribute, through all wrappers; None if absent."""
    try:
        return env.get_wrapper_attr(name)
    except AttributeError:
        return None
