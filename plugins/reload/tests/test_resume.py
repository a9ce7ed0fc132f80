"""Checkpoints continue bit for bit, alone and stacked; the search for steps; the cross-check on occupancies."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
from zoo_reload import agent
from zoo_reload.config import AverageConfig, ReloadConfig
from zoo_reload.search import EXTEND, KEEP, SCAN

from zoo.tabular import solve_lp

NAMES = ["Reload", "GDA", "Alternating", "Average", "RPGPD", "PID", "AugmentedLagrangian"]


def stored(state):
    """What a checkpoint keeps: arrays as bytes, the rest through JSON; anything else fails."""
    if isinstance(state, np.ndarray):
        return np.frombuffer(state.tobytes(), dtype=state.dtype).reshape(state.shape).copy()
    if isinstance(state, Mapping):
        return {name: stored(value) for name, value in state.items()}
    return json.loads(json.dumps(state))


def same(one, two):
    assert type(one) is type(two)
    if isinstance(one, Mapping):
        assert one.keys() == two.keys()
        for name in one:
            same(one[name], two[name])
    else:
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", NAMES)
def test_every_algorithm_resumes_bit_for_bit(runs, name):
    def fresh(seed):
        return runs.make(name, "three-state", seed=seed, eta=2.0, budget=100)

    whole = fresh(seed=1)
    first = [whole.update() for _ in range(4)]
    whole.act(np.array([0, 1, 2]))
    resumed = fresh(seed=2)
    resumed.load_state(stored(whole.state()))
    same(stored(resumed.state()), stored(whole.state()))
    assert resumed.outcome == whole.outcome
    assert resumed.policy().tolist() == whole.policy().tolist()
    assert [resumed.update() for _ in range(5)] == [whole.update() for _ in range(5)]
    same(stored(resumed.state()), stored(whole.state()))
    assert resumed.act(np.arange(3)).tolist() == whole.act(np.arange(3)).tolist()
    assert first[0]["kkt"] != first[1]["kkt"]


@pytest.mark.parametrize(
    ("env", "updates", "stage"),
    [
        ("two-state", 2, "scan"),
        ("two-state", 60, "scan"),
        ("two-state", 140, "watch"),
        ("three-state", 100, "extend"),
    ],
)
def test_the_search_resumes_bit_for_bit_at_every_stage(runs, env, updates, stage):
    whole, resumed = (runs.make("Reload", env, seed=seed, eta="auto") for seed in (0, 1))
    whole_rows = [whole.update() for _ in range(updates)]
    assert whole.search.stage == stage
    resumed.load_state(stored(whole.state()))
    assert [resumed.update() for _ in range(12)] == [whole.update() for _ in range(12)]
    same(stored(resumed.state()), stored(whole.state()))
    assert len({row["eta"] for row in whole_rows}) > 1 or updates == 2


def test_seeds_differ_unless_told_otherwise(runs):
    rows = [runs.make("Reload", "two-state", seed=seed, eta=1.0).update()["kkt"] for seed in (0, 1)]
    assert rows[0] != rows[1]
    rows = [runs.make("Reload", "two-state", seed=seed, eta=1.0, init_std=0.0).update()["kkt"] for seed in (0, 1)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("env", "budget", "kkt"),
    [
        ("two-state", 3000, 1e-6), ("three-state", 3000, 1e-6), ("garnet", 3000, 1e-6), ("hazard-grid", 3000, 1e-6),
        ("constrained-catch", 3000, 1e-6),
    ],
)  # fmt: skip
def test_auto_needs_no_tuning(runs, env, budget, kkt):
    reload = runs.make("Reload", env, eta="auto", budget=budget)
    row = runs.drive(reload)[-1]
    assert row["kkt"] <= kkt
    assert reload.outcome.status == "converged"
    solution = solve_lp(reload.game.original)
    np.testing.assert_allclose(list(reload.multipliers().values()), solution.multipliers, rtol=1e-3)


def test_the_ladder_leaves_room_in_the_default_budget(runs):
    reload = runs.make("Reload", "two-state", eta="auto")
    while reload.search.stage != "watch":
        reload.update()
    assert reload.env_steps <= 27 * SCAN + KEEP * (EXTEND - SCAN) + 10


def test_a_budget_that_ends_within_the_ladder_answers_with_the_best_candidate(runs):
    reload = runs.make("Reload", "two-state", eta="auto", budget=450)
    rows = runs.drive(reload)
    by_candidate = {(row["eta"], row["eta_mu"]): row["kkt"] for row in rows[:-1]}
    assert rows[-1]["kkt"] <= 2 * min(by_candidate.values())
    assert rows[-1]["kkt"] < max(by_candidate.values()) / 5


@pytest.mark.parametrize(
    ("name", "config"),
    [("Reload", ReloadConfig(eta=2.0, eta_mu=1.0)), ("Average", AverageConfig(eta=1.0)), ("Reload", ReloadConfig())],
)
def test_stacked_seeds_equal_their_solo_runs(runs, name, config):
    algorithm = getattr(agent, name)
    batch = algorithm.batch([runs.context("three-state", seed) for seed in range(3)], config)
    solo = [algorithm(runs.context("three-state", seed), config) for seed in range(3)]
    assert len(batch) == 3
    for _ in range(12):
        for together, alone in zip(batch.update(), [one.update() for one in solo], strict=True):
            assert together.keys() == alone.keys()
            np.testing.assert_allclose(list(together.values()), list(alone.values()), atol=1e-10)
    assert [batch.member(i).env_steps for i in range(3)] == [120] * 3


def test_stacked_seeds_resume_bit_for_bit_together_and_alone(runs):
    def fresh(seeds):
        return agent.Reload.batch([runs.context("three-state", seed) for seed in seeds], ReloadConfig(eta=2.0))

    whole = fresh((0, 1))
    for _ in range(5):
        whole.update()
    resumed, alone = fresh((5, 6)), fresh((7,)).member(0)
    for i in range(2):
        resumed.member(i).load_state(stored(whole.member(i).state()))
    alone.load_state(stored(whole.member(1).state()))
    expected = [whole.update() for _ in range(5)]
    assert [resumed.update() for _ in range(5)] == expected
    rows = [alone.update() for _ in range(5)]
    np.testing.assert_allclose(list(rows[-1].values()), list(expected[-1][1].values()), atol=1e-10)


def test_members_at_different_places_advance_apart(runs):
    batch = agent.Reload.batch([runs.context("two-state", seed, budget=15) for seed in (0, 1)], ReloadConfig(eta=1.0))
    batch.member(0).update()
    batch.update()
    assert [batch.member(i).env_steps for i in range(2)] == [15, 10]


def test_the_occupancy_form_finds_the_same_optimum(runs):
    reload = runs.make("Reload", "two-state", eta=0.4, eta_mu=1.0, form="occupancy", budget=80)
    rows = runs.drive(reload)
    policy = runs.make("Reload", "two-state", eta=1.0, eta_mu=1.0)
    runs.drive(policy)
    assert rows[-1]["err"] <= 1e-6
    np.testing.assert_allclose(reload.policy()[0], policy.policy()[0], atol=1e-4)
    assert reload.multipliers()["utility"] == pytest.approx(1.0, abs=1e-3)
