"""The methods on the grid, judged exactly by its model; seeds on which nothing was tuned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from zoo_tvd import agent
from zoo_tvd.agent import PATIENCE
from zoo_tvd.alternation import plan
from zoo_tvd.comparators import _displacements
from zoo_tvd.samples import Samples
from zoo_tvd.transfer import Transfer

HARD = ("rot90", "reflection", "affine")


@pytest.mark.parametrize("transform", HARD)
def test_transitions_find_the_map_and_states_do_not(lab: Any, transform: str) -> None:
    found = lab.make("TvDTransition", 500, env={"transform": transform})
    (row,) = lab.drive(found)
    assert lab.success(found) >= 0.97
    assert lab.error(found) <= 0.06
    assert (row["identifiable"], row["rank"], row["source_changed"]) == (1, 3, 0)
    assert found.env_steps == 600 * 20 == row["source_steps"]
    states = lab.make("TvDTransition", 500, env={"transform": transform}, cost="state")
    lab.drive(states)
    assert lab.success(states) < 0.8


def test_tvd_from_the_identity_and_with_starts(lab: Any) -> None:
    easy = lab.make("TvD", 501, episodes=100, iterations=6)
    rows = lab.drive(easy)
    assert lab.success(easy) >= 0.95
    assert len(rows) == 7  # six refits, and one collection that decides
    assert easy.env_steps == 7 * 2000
    turned = {"transform": "rot180"}
    one = lab.make("TvD", 502, episodes=100, iterations=6, env=turned)
    several = lab.make("TvD", 502, episodes=100, iterations=6, starts=4, env=turned)
    alone, rows = lab.drive(one)[-1], lab.drive(several)
    assert rows[-1]["objective"] <= alone["objective"]
    assert several.env_steps == (len(rows) + 1) * 2000  # each iteration, and the uniform steps behind the whitening
    assert {row["start"] for row in rows} >= {0, 1, 2, 3, 4}


def test_a_start_far_behind_the_best_one_is_given_up(lab: Any) -> None:
    found = lab.make("TvD", 511, copies=60, episodes=60, iterations=9, starts=6)
    given_up = 0
    while found.outcome is None:
        start, best, history = found.start, found.kept, list(found.history)
        found.update()
        if found.start == start:
            continue
        if start and len(history) < 9:  # the last objective of the start that has ended is not among these
            given_up += 1
            assert best is not None
            assert found.kept is best
            assert len(history) >= PATIENCE
    assert given_up
    assert found.env_steps < (7 * 10 + 1) * 1200


@pytest.mark.parametrize("transform", HARD)
def test_maps_without_transport(lab: Any, transform: str) -> None:
    for name, options in (("LinearDynamics", {}), ("Moments", {"per_action": True}), ("Oracle", {})):
        found = lab.make(name, 503, env={"transform": transform}, **options)
        lab.drive(found)
        assert lab.success(found) >= 0.97, name
    for name in ("Identity", "Moments", "Cloning"):
        found = lab.make(name, 503, env={"transform": transform}, **({"inner_steps": 150} if name == "Cloning" else {}))
        lab.drive(found)
        assert lab.success(found) < 0.8, name


def test_cloning_and_the_identity_do_where_nothing_is_transformed(lab: Any) -> None:
    for name in ("Identity", "Cloning"):
        found = lab.make(name, 504)
        lab.drive(found)
        assert lab.success(found) >= 0.9, name


def test_the_permutation_map_on_one_hot_states(lab: Any) -> None:
    env = {"transform": "permutation", "observation": "one-hot", "transform_seed": 3}
    found = lab.make("TvDTransition", 505, env=env, map="permutation")
    lab.drive(found)
    assert lab.success(found) == pytest.approx(1.0)
    np.testing.assert_array_equal(found.f.W @ found.ctx.env.transformation.affine[0], np.eye(44))


def test_the_mlp_map_on_a_warp(lab: Any) -> None:
    env = {"transform": "warp"}
    bent = lab.make("TvDTransition", 506, env=env, map="mlp", iterations=8)
    straight = lab.make("TvDTransition", 506, env=env)
    lab.drive(bent)
    lab.drive(straight)
    g, s = bent.ctx.env.transformation, bent.ctx.env.source_states
    apart = [np.abs(agent.f(g.forward(s)) - s).mean() for agent in (bent, straight)]
    assert apart[0] < 0.5 * apart[1]
    assert lab.success(bent) > lab.success(straight)


@pytest.mark.parametrize(
    "options",
    [{"policy_term": True, "bandwidth": 0.2, "inner_steps": 5}, {"map": "mlp", "inner_steps": 5}, {"map": "orthogonal"},
     {"behaviour": "uniform"}, {"cost": "state-action"}, {"cost": "transition", "starts": 1}, {"solver": "sliced"}],
)  # fmt: skip
def test_every_combination_runs(lab: Any, options: dict[str, Any]) -> None:
    found = lab.make("TvD", 507, copies=40, episodes=40, horizon=8, iterations=2, **options)
    rows = lab.drive(found)
    assert np.isfinite([list(row.values()) for row in rows]).all()


def test_acting_explores_only_if_asked(lab: Any) -> None:
    found: Transfer[Any] = lab.make("Identity", 508, epsilon=0.5)
    obs = np.repeat(found.ctx.env.reset(seed=1)[0][:1], 400, axis=0)
    assert len(np.unique(found.act(obs))) == 1
    assert len(np.unique(found.act(obs, greedy=False))) == 4


def test_what_a_run_ends_with_is_of_the_start_it_kept(lab: Any) -> None:
    found = lab.make("TvD", 509, copies=40, episodes=40, horizon=8, iterations=2, starts=2)
    kept = []
    while found.outcome is None:
        found.update()
        kept.append((found.kept, found.target))
    judged = next(target for best, target in kept if best is found.kept)
    assert found.target is found.kept.target
    np.testing.assert_array_equal(found.target.states, judged.states)
    value = plan(found.f, found.target, found.source, found.cost).value
    assert value == pytest.approx(found.kept.value, rel=1e-9)


def test_displacements_of_actions_that_do_not_begin_at_zero() -> None:
    states = np.array([[[0.0], [1.0]], [[0.0], [-2.0]], [[1.0], [2.0]]])
    samples = Samples.of(states, np.array([[5], [6], [5]]))
    np.testing.assert_allclose(_displacements(samples, Discrete(3, start=5)), [[1.0], [-2.0], [0.0]])


def test_each_objective_is_logged_with_its_own_start_and_refit(lab: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(agent, "BEHIND", float("inf"))  # no start is given up
    method = lab.make("TvD", copies=30, episodes=30, starts=2, iterations=3, tol=0.0, env={"transform": "shear"})
    rows = lab.drive(method)
    expected = [(start, refit) for start in range(3) for refit in range(4)]
    assert [(row["start"], row["iteration"]) for row in rows][:-1] == expected[:-1]
    assert method.kept.value == rows[-1]["objective"]
    logged = {(row["start"], row["iteration"]): row["objective"] for row in rows[:-1]}
    if method.kept.start < 2:
        assert logged[method.kept.start, 3] == method.kept.value
