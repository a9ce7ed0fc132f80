"""The built-in evaluators against closed forms of the two-state problem.

With probability p of staying, J_r = (1 - gamma) p / (1 - gamma p) and J_u = 1 - J_r; the optimum for J_u >= theta
is 1 - theta with multiplier 1.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Answer, run_of

GAMMA = 0.9
Zoo = Callable[..., Answer]


def scores(answer: Answer) -> dict[str, float]:
    assert answer.status == 0, answer.err
    (only,) = answer.json["evaluations"]
    return dict(only["scores"])


@pytest.mark.parametrize("stay", [0.5, 1.0])
def test_an_explicit_policy_is_judged_exactly(zoo: Zoo, runs: Path, stay: float) -> None:
    found = scores(zoo("eval", run_of(runs, stay=stay), "constraints", "--json"))
    J_r = (1 - GAMMA) * stay / (1 - GAMMA * stay)
    g = 0.5 - (1 - J_r)
    expected = {
        "value": J_r, "optimum": 0.5, "distance": max(abs(J_r - 0.5), g), "violation": max(g, 0.0),
        "value/utility": 1 - J_r, "threshold/utility": 0.5, "violation/utility": max(g, 0.0), "multiplier/utility": 1.0,
        # With mu = 1 every policy that stays in state 1 has L = 0.5; M = 2 (1 + mu*) = 4.
        "gap": 0.5 - (J_r - 4 * max(g, 0.0)), "kkt": abs(g),
    }  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-9)


def test_without_a_table_the_values_are_estimated_and_the_definition_is_told(zoo: Zoo, runs: Path) -> None:
    answer = zoo("eval", run_of(runs, "sampled"), "constraints", "--episodes", 800, "--seed", 1, "--json")
    found = scores(answer)
    J_r = (1 - GAMMA) * 0.5 / (1 - GAMMA * 0.5)
    tail = GAMMA**50
    assert found["value"] == pytest.approx(J_r, abs=0.02)
    assert found["value/utility"] == pytest.approx(1 - J_r, abs=0.02 + tail)
    assert found["low"] < J_r < found["high"] and found["high"] - found["low"] < 0.03
    assert found["low/utility"] < found["value/utility"] < found["high/utility"]
    assert found["optimum"] == pytest.approx(0.5) and "gap" not in found
    assert found["distance"] == pytest.approx(abs(found["value"] - 0.5))
    notes = " ".join(answer.json["evaluations"][0]["notes"])
    assert "gamma = 0.9" in notes and "800 episodes" in notes and "0.0052 of the discounted weight" in notes


@pytest.mark.parametrize(("unit", "discounted", "expected"), [("step", False, 1.0), ("episode", False, 50.0)])
def test_other_units_of_a_threshold(unit: str, discounted: bool, expected: float) -> None:
    """A signal of 1 at every step: 1 on average, 50 over an episode."""
    found = judge_constant(unit, discounted, lengths=[50, 50])
    assert found["value/c"] == pytest.approx(expected) and found["violation/c"] == pytest.approx(expected - 0.25)


def test_a_plain_average_weights_steps_and_not_episodes() -> None:
    """Rewards are 1 in the long episode and 0 in the short one: 30 of 40 steps."""
    assert judge_constant("step", False, lengths=[30, 10])["value"] == pytest.approx(0.75)


def test_an_equality_counts_both_sides() -> None:
    assert judge_constant("step", False, lengths=[5], sense="==", threshold=1.5)["violation"] == pytest.approx(0.5)
    assert judge_constant("step", False, lengths=[5], sense="<=", threshold=1.5)["violation"] == 0.0


def judge_constant(
    unit: str, discounted: bool, lengths: list[int], sense: str = "<=", threshold: float = 0.25
) -> dict[str, float]:
    """Scores of one episode in each copy; copy i lasts lengths[i] steps, and copy 0 alone earns 1 a step."""
    import gymnasium

    from zoo.api import Algorithm, ConstraintSpec, EvalContext, Problem
    from zoo.evaluators.config import ConstraintsConfig
    from zoo.evaluators.constraints import ConstraintsEvaluator

    class Constant(gymnasium.vector.VectorEnv[Any, Any, Any]):
        num_envs = len(lengths)

        def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
            self.clock = np.zeros(self.num_envs, dtype=np.int64)
            return np.zeros(self.num_envs), {}

        def step(self, actions: Any) -> Any:
            self.clock += 1
            done = self.clock == np.array(lengths)
            self.clock[done] = 0
            reward = (np.arange(self.num_envs) == 0).astype(float)
            signals = np.ones((self.num_envs, 1), dtype=np.float32)
            return np.zeros(self.num_envs), reward, done, np.zeros_like(done), {"constraints": signals}

    class Idle(Algorithm[None]):
        def __init__(self) -> None:
            """Needs no context."""

        def update(self) -> dict[str, float]:
            return {}

        def act(self, obs: Any, *, greedy: bool = True) -> Any:
            return np.zeros(len(obs))

        def state(self) -> dict[str, Any]:
            return {}

        def load_state(self, state: Any) -> None:
            """Nothing to restore."""

    spec = ConstraintSpec(("c",), np.array([threshold]), (sense,), unit, discounted)
    ctx = EvalContext(
        seed=0, rng=np.random.default_rng(0), make_env=lambda count: Constant(), problem=Problem(constraints=spec)
    )
    config = ConstraintsConfig(episodes=len(lengths))
    return dict(ConstraintsEvaluator(config).evaluate(Idle(), ctx).scores)


def test_return_of_a_certain_policy_is_exact(zoo: Zoo, runs: Path) -> None:
    found = scores(zoo("eval", run_of(runs, stay=1.0), "return", "--episodes", 7, "--json"))
    expected = {"return": 50, "low": 50, "high": 50, "sd": 0, "iqm": 50, "length": 50, "episodes": 7}
    assert found == pytest.approx(expected)


def test_return_of_a_random_policy_has_its_expectation_in_the_interval(zoo: Zoo, runs: Path) -> None:
    """Stays before the first switch: geometric with mean 1 and variance 2; 250 episodes need three rounds."""
    answer = zoo("eval", run_of(runs), "return", "--episodes", 250, "--json")
    found = scores(answer)
    assert found["return"] == pytest.approx(1.0, abs=5 * np.sqrt(2 / 250))
    assert found["sd"] == pytest.approx(np.sqrt(2), rel=0.4)
    assert found["low"] < found["return"] < found["high"]
    rows = answer.json["evaluations"][0]["rows"]
    assert len(rows) == 250 and {row["ended"] for row in rows} == {"time limit"}
    assert np.mean([row["return"] for row in rows]) == pytest.approx(found["return"])
    assert answer.json["evaluations"][0]["notes"] == ["250 of 250 episodes ended at the environment's time limit."]


def test_one_episode_has_no_interval(zoo: Zoo, runs: Path) -> None:
    answer = zoo("eval", run_of(runs), "return", "--episodes", 1, "--json")
    assert "low" not in scores(answer) and "no interval" in " ".join(answer.json["evaluations"][0]["notes"])


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(zoo: Zoo, runs: Path) -> None:
    def found(seed: int) -> dict[str, float]:
        return scores(zoo("eval", run_of(runs), "return", "--seed", seed, "--json"))

    assert found(0) == found(0)
    assert found(0) != found(1)


def test_playing_leaves_the_algorithm_as_it_was(zoo: Zoo, runs: Path) -> None:
    from zoo.discovery.registry import discover
    from zoo.evaluators.config import ReturnConfig
    from zoo.evaluators.returns import ReturnEvaluator
    from zoo.training.load import load

    from .conftest import LAB

    zoo("list")
    sys.modules.pop(LAB.stem, None)
    loaded = load(run_of(runs), registry=discover([LAB], only=["zoo-core"]))
    before = loaded.algorithm.state()
    from zoo.api import EvalContext

    ctx = EvalContext(seed=0, rng=np.random.default_rng(0), make_env=lambda count: loaded.components.make_env(count, 0))
    ReturnEvaluator(ReturnConfig(episodes=3)).evaluate(loaded.algorithm, ctx)
    assert loaded.algorithm.state() == before and loaded.algorithm.env_steps == 400


def test_infeasible_thresholds_are_told_with_the_least_violation() -> None:
    """Two contradicting limits on the same signal."""
    from zoo.api import ConstraintSpec, EvalContext, Problem
    from zoo.evaluators.config import ConstraintsConfig
    from zoo.evaluators.constraints import ConstraintsEvaluator
    from zoo.tabular import TabularCMDP

    cmdp = TabularCMDP(
        P=np.ones((1, 1, 1)), r=np.ones((1, 1)), gamma=0.5, rho=np.ones(1), c=np.full((1, 1, 1), 0.75),
        b=np.array([0.5]), senses=("<=",), names=("c",),
    )  # fmt: skip

    class Only:
        def policy(self) -> Any:
            return np.ones((1, 1))

    spec = ConstraintSpec(("c",), np.array([0.5]), ("<=",))
    ctx = EvalContext(seed=0, rng=np.random.default_rng(0), problem=Problem(constraints=spec, model=lambda: cmdp))
    report = ConstraintsEvaluator(ConstraintsConfig()).evaluate(Only(), ctx)
    assert report.scores["least-violation"] == pytest.approx(0.25)
    assert report.scores["violation"] == pytest.approx(0.25) and "optimum" not in report.scores
    assert "no policy satisfies constraint 'c'" in " ".join(report.notes)


def test_registration_is_light() -> None:
    code = (
        "import sys, zoo.evaluators, zoo.evaluators.config; sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
