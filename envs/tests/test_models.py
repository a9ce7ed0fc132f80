"""The arrays have the optima of docs/methods/reload.md, section 7, by a linear program written for the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.cmdps.constrained_catch import ConstrainedCatch, constrained_catch_model
from zoo_envs.cmdps.garnet import garnet_model
from zoo_envs.cmdps.hazard_grid import hazard_cells, hazard_grid_model
from zoo_envs.cmdps.three_state import three_state_model
from zoo_envs.cmdps.two_state import TwoState, two_state_model
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.planning import optimal_policy, policy_averages

Program = Callable[..., tuple[float, Any]]


@pytest.mark.parametrize(
    ("model", "J", "mu", "unconstrained"),
    [
        (two_state_model(), 0.5, [1.0], 1.0),
        (two_state_model(theta=0.3), 0.7, [1.0], 1.0),
        (three_state_model(), 0.876066, [0.777778, 1.660960], 1.508661),
        (garnet_model(), 0.804071, [0.247187, 0.288814], 0.823458),
        (hazard_grid_model(), 0.799861, [6.402166], None),
        (constrained_catch_model(theta=0.5), 0.086858, [0.0], 0.086858),
        (constrained_catch_model(), 0.084829, [0.477393], 0.086858),
        (constrained_catch_model(theta=0.7), 0.031768, [0.646467], 0.086858),
    ],
    ids=["two", "two.3", "three", "garnet", "hazard", "catch.5", "catch.6", "catch.7"],
)
def test_stated_optima(
    program: Program, model: TabularModel, J: float, mu: list[float], unconstrained: float | None
) -> None:
    value, multipliers = program(model)
    assert value == pytest.approx(J, abs=1e-6)
    np.testing.assert_allclose(multipliers, mu, atol=2e-6)
    if unconstrained is not None:
        assert program(model, constrained=False)[0] == pytest.approx(unconstrained, abs=1e-6)


def test_garnet_thresholds() -> None:
    np.testing.assert_allclose(garnet_model().b, [0.392024, 0.350511], atol=1e-6)


def test_hazard_limit_stops_binding_where_stated(program: Program) -> None:
    assert program(hazard_grid_model(limit=0.0101))[1][0] > 1e-3
    assert program(hazard_grid_model(limit=0.0103))[1][0] == pytest.approx(0, abs=1e-9)


def test_catch_is_infeasible_where_stated(program: Program) -> None:
    model = constrained_catch_model()
    most, _ = program(model, constrained=False, objective=model.c[0])
    assert most == pytest.approx(0.774922, abs=1e-6)
    with pytest.raises(ValueError, match="infeasible"):
        program(constrained_catch_model(theta=0.7750))


@pytest.mark.parametrize("n", [2, 3, 8])
def test_hazard_cells_by_the_definition(n: int) -> None:
    expected = [(i, j) for i in range(n) for j in range(n) if i + j == n - 1 and abs(i - j) <= n // 2]
    assert [(int(i), int(j)) for i, j in np.argwhere(hazard_cells(n))] == expected


def test_hazard_moves_by_hand() -> None:
    m = hazard_grid_model(n=3, slip=0.4)
    up, down, left, right = range(4)
    np.testing.assert_allclose(m.P[4, down], [0, 0.1, 0, 0.1, 0, 0.1, 0, 0.7, 0], atol=1e-15)
    np.testing.assert_allclose(m.P[0, up, [0, 1, 3]], [0.8, 0.1, 0.1], atol=1e-15)
    np.testing.assert_allclose(m.P[2, right, [1, 2, 5]], [0.1, 0.8, 0.1], atol=1e-15)
    assert (m.P[8, :, 0] == 1).all() and (m.r[8] == 20).all() and m.r[:8].sum() == 0
    assert m.P[3, left, 3] == pytest.approx(0.7)


def test_three_state_by_hand() -> None:
    m = three_state_model(heat=0.1, energy=0.4)
    np.testing.assert_array_equal(m.P[0], [[1, 0, 0], [1, 0, 0], [0.1, 0.9, 0]])
    np.testing.assert_array_equal(m.P[1], [[0, 0.8, 0.2], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(m.P[2], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(m.r, [[1, 0.1, 0], [2, 0, 0], [0.2, 0, 0]])
    np.testing.assert_array_equal(m.c, [[[1, 0, 0], [0, 0, 0], [0, 0, 0.5]], [[0, 0, 0], [1, 0, 0], [0, 0, 0]]])
    np.testing.assert_array_equal(m.b, [0.1, 0.4])


def test_catch_moves_by_hand() -> None:
    m = constrained_catch_model(rows=3, columns=3)

    def s(row: int, ball: int, paddle: int) -> int:
        return (row * 3 + ball) * 3 + paddle

    assert m.P[s(0, 2, 1), 0, s(1, 2, 0)] == m.P[s(1, 2, 0), 0, s(2, 2, 0)] == m.P[s(1, 0, 2), 2, s(2, 0, 2)] == 1
    assert m.r[s(2, 1, 1)].tolist() == [1, 1, 1] and m.r[s(2, 1, 0)].tolist() == [-1, -1, -1]
    np.testing.assert_allclose(m.P[s(2, 0, 0), 1, [s(0, k, 1) for k in range(3)]], 1 / 3)
    assert m.c[0].sum() == 3 * 3 * 3 and (m.c[0, s(1, 2, 0)] == 1).all()


@settings(max_examples=25, deadline=None)
@given(S=st.integers(1, 5), A=st.integers(1, 3), gamma=st.sampled_from([0.0, 0.5, 0.95]), seed=st.integers(0, 10**6))
def test_policy_iteration_beats_every_deterministic_policy(S: int, A: int, gamma: float, seed: int) -> None:
    g = np.random.default_rng(seed)
    P, r, rho = g.dirichlet(np.ones(S), (S, A)), g.normal(size=(S, A)), g.dirichlet(np.ones(S))
    ours = policy_averages(P, r[None], gamma, rho, optimal_policy(P, r, gamma))[0]
    best = max(policy_averages(P, r[None], gamma, rho, np.array(pi))[0] for pi in itertools.product(range(A), repeat=S))
    assert ours == pytest.approx(best, abs=1e-9)


def test_policy_averages_by_summing_the_series() -> None:
    m = garnet_model(S=5, A=2, branching=2)
    policy = np.array([0, 1, 0, 1, 1])
    law, total = m.rho.copy(), np.zeros(2)
    for t in range(400):
        total += 0.1 * 0.9**t * m.c[:, np.arange(5), policy] @ law
        law = law @ m.P[np.arange(5), policy]
    np.testing.assert_allclose(policy_averages(m.P, m.c, 0.9, m.rho, policy), total, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), tight=st.floats(0.0, 1.0), N=st.integers(0, 3))
def test_garnet_is_always_feasible_and_sparse(seed: int, tight: float, N: int) -> None:
    m = garnet_model(S=6, A=2, branching=2, N=N, seed=seed, tight=tight)
    assert m.b.shape == (N,) and ((m.P > 0).sum(-1) == 2).all()
    policy = optimal_policy(m.P, -m.c.sum(0), m.gamma)
    loose = garnet_model(S=6, A=2, branching=2, N=N, seed=seed, tight=0.0)
    np.testing.assert_allclose(policy_averages(m.P, m.c, m.gamma, m.rho, policy), loose.b, atol=1e-12)


def test_garnet_is_feasible_for_the_program(program: Program) -> None:
    for seed in range(5):
        model = garnet_model(S=8, seed=seed, tight=0.3)
        assert np.isfinite(program(model)[0])


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (two_state_model, {"theta": 1.5}, r"theta must be a number in \[0, 1\], got 1.5"),
        (two_state_model, {"theta": "much"}, r"theta must be a number in \[0, 1\], got 'much'"),
        (two_state_model, {"gamma": 1.0}, r"gamma must be a number in \[0, 1\), got 1.0"),
        (three_state_model, {"heat": -0.1}, r"heat must be a finite number of at least 0, got -0.1"),
        (three_state_model, {"energy": float("nan")}, r"energy must be a finite number of at least 0, got nan"),
        (garnet_model, {"S": 0}, r"S must be an integer of at least 1, got 0"),
        (garnet_model, {"branching": 21}, r"branching must be an integer in \[1, 20\], got 21"),
        (garnet_model, {"N": -1}, r"N must be an integer of at least 0, got -1"),
        (garnet_model, {"A": 2.5}, r"A must be an integer of at least 1, got 2.5"),
        (garnet_model, {"tight": 1.01}, r"tight must be a number in \[0, 1\], got 1.01"),
        (garnet_model, {"seed": -1}, r"seed must be an integer of at least 0, got -1"),
        (garnet_model, {"gamma": -0.1}, r"gamma must be a number in \[0, 1\), got -0.1"),
        (hazard_grid_model, {"n": 1}, r"n must be an integer of at least 2, got 1"),
        (hazard_grid_model, {"slip": 1.1}, r"slip must be a number in \[0, 1\], got 1.1"),
        (hazard_grid_model, {"limit": -1}, r"limit must be a finite number of at least 0, got -1"),
        (constrained_catch_model, {"rows": 1}, r"rows must be an integer of at least 2, got 1"),
        (constrained_catch_model, {"columns": 1}, r"columns must be an integer of at least 2, got 1"),
        (constrained_catch_model, {"theta": -1}, r"theta must be a number in \[0, 1\], got -1"),
        (ConstrainedCatch, {"observation": "pixels"}, r"observation must be 'state' or 'grid', got 'pixels'"),
        (TwoState, {"max_episode_steps": 0}, r"max_episode_steps must be an integer of at least 1, got 0"),
    ],
)
def test_arguments_outside_their_range(build: Callable[..., Any], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(**options)


def _arrays() -> dict[str, Any]:
    m = three_state_model()
    return {key: getattr(m, key) for key in ("P", "r", "gamma", "rho", "c", "b", "senses", "names")}


@pytest.mark.parametrize(
    ("key", "index", "value", "sentence"),
    [
        ("P", (1, 2, 0), -0.5, r"P\[1, 2, 0\] must be a finite probability"),
        ("P", (1, 2, 0), np.nan, r"P\[1, 2, 0\] must be a finite probability"),
        ("P", (0, 1, 1), 0.1, r"P\[0, 1\] must sum to 1"),
        ("rho", (2,), 0.5, r"rho must sum to 1"),
        ("r", (2, 1), np.inf, r"r\[2, 1\] must be finite, got inf"),
        ("c", (1, 0, 2), np.nan, r"c\[1, 0, 2\] must be finite"),
        ("b", (1,), np.nan, r"b\[1\] must be finite"),
    ],
)
def test_model_names_the_first_bad_entry(key: str, index: tuple[int, ...], value: float, sentence: str) -> None:
    arrays = _arrays()
    arrays[key] = arrays[key].copy()
    arrays[key][index] = value
    with pytest.raises(ValueError, match=sentence):
        TabularModel(**arrays)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"P": np.eye(3)}, r"P must have shape \[3, 3, 3\], got \[3, 3\]"),
        ({"c": np.zeros((1, 3, 3))}, r"c must have shape \[2, 3, 3\], got \[1, 3, 3\]"),
        ({"r": [[1, 2], [3]]}, "r must be a rectangular array of numbers"),
        ({"r": [1.0, 2.0]}, r"r must have shape \[S,A\]"),
        ({"gamma": 1.0}, r"gamma must be a number in \[0, 1\)"),
        ({"senses": ("<=", "<")}, "got '<'"),
        ({"names": ("a",)}, "one entry per constraint"),
    ],
)
def test_model_refuses(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TabularModel(**_arrays() | change)


def test_model_is_read_only_and_independent_of_its_source() -> None:
    arrays = _arrays()
    r = arrays["r"] = arrays["r"].copy()
    model = TabularModel(**arrays)
    r[0, 0] = 99.0
    assert model.r[0, 0] == 1.0
    for array in (model.P, model.r, model.rho, model.c, model.b):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 5.0
    assert (model.num_states, model.num_actions, model.num_constraints) == (3, 3, 2)
