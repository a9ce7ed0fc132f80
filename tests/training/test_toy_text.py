"""gymnasium's environments that list their transitions suit algorithms that need an exact model."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_successor.config import FRPConfig, ValueIterationConfig
from zoo_successor.planning.agents import FirstOccupancyPlanner, ValueIteration

from zoo.api import Context
from zoo.discovery.names import resolve_env
from zoo.discovery.registry import discover
from zoo.training.environments.make_env import Recorder, make_env, offers_of, problem_of


def built(name: str, **options: object) -> Recorder:
    return make_env(resolve_env(name, discover()), options, 2)


def context(env: Recorder) -> Context:
    return Context(env=env, seed=0, rng=np.random.default_rng(0), budget=1000, problem=problem_of(env))


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"])
def test_the_model_is_offered(name: str) -> None:
    env = built(name)
    assert offers_of(env).tabular
    assert problem_of(env).tabular.num_states == env.single_observation_space.n


def test_what_has_no_table_offers_none() -> None:
    for env in (built("CartPole-v1"), built("Taxi-v4", fickle_passenger=True)):
        assert not offers_of(env).tabular and problem_of(env).model is None


def test_plans_over_the_lake_lead_to_the_goal_and_not_into_a_hole() -> None:
    env = built("FrozenLake-v1", is_slippery=False)
    planner = FirstOccupancyPlanner(context(env), FRPConfig())
    while planner.outcome is None:
        metrics = planner.update()
    assert planner.goal == 15 and metrics["reachable"] == 1.0
    assert metrics["value"] == pytest.approx(0.99**6)


def test_value_iteration_drives_the_taxi() -> None:
    env = built("Taxi-v4")
    algorithm = ValueIteration(context(env), ValueIterationConfig())
    while algorithm.outcome is None:
        metrics = algorithm.update()
    assert metrics["value/reward"] * 100 == pytest.approx(6.3275, abs=1e-3)
    obs, _ = env.reset(seed=0)
    total, running = np.zeros(2), np.ones(2, dtype=bool)
    while running.any():
        obs, reward, terminated, truncated, _ = env.step(algorithm.act(obs))
        total += running * reward
        running &= ~(terminated | truncated)
    assert (total > 0).all()


def test_plans_over_the_slippery_lake_end() -> None:
    planner = FirstOccupancyPlanner(context(built("FrozenLake-v1")), FRPConfig())
    while planner.outcome is None:
        metrics = planner.update()
    assert 0 < metrics["value"] < 0.99**6 and metrics["reachable"] == 1.0
