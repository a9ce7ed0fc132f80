from __future__ import annotations

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.tabular import (
    attainable_range,
    elimination,
    evaluate,
    modified_policy_iteration,
    plan,
    policy_iteration,
    policy_values,
    value_iteration,
)

from .models import catch, garnet, hazard_grid, three_state, two_state

SOLVERS = [value_iteration, modified_policy_iteration, policy_iteration]


def _best_by_enumeration(m, reward) -> np.ndarray:
    """The pointwise maximum over all deterministic policies, which the optimal value is."""
    S, A = m.r.shape
    values = [policy_values(m, np.eye(A)[list(pi)], reward) for pi in itertools.product(range(A), repeat=S)]
    return np.max(values, axis=0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), S=st.integers(1, 4), A=st.integers(1, 3), gamma=st.floats(0, 0.99))
def test_solvers_equal_brute_force(seed: int, S: int, A: int, gamma: float) -> None:
    m = garnet(S=S, A=A, branching=min(2, S), gamma=gamma, seed=seed)
    rewards = np.stack([m.r, -m.c[0], np.ones_like(m.r)])
    best = np.stack([_best_by_enumeration(m, reward) for reward in rewards])
    for solve in SOLVERS:
        found = solve(m, rewards, tol=1e-10)
        assert np.allclose(found.value, best, atol=2e-10)
        assert np.abs(found.value - best).max() <= found.error_bound + 1e-12
        for i, reward in enumerate(rewards):
            assert np.allclose(policy_values(m, np.eye(A)[found.policy[i]], reward), best[i], atol=1e-8)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("make", [three_state, hazard_grid, catch])
def test_residual_is_what_it_says(solve, make) -> None:
    m = make()
    found = solve(m, tol=1e-9)
    q = (1 - m.gamma) * m.r + m.gamma * m.P @ found.value
    assert np.allclose(q, found.q, atol=1e-13)
    assert np.abs(q.max(axis=1) - found.value).max() == pytest.approx(found.residual, abs=1e-14)
    assert found.error_bound == pytest.approx(found.residual / (1 - m.gamma))
    assert found.error_bound <= 1.01e-9
    exact = policy_iteration(m)
    assert np.allclose(found.value, exact.value, atol=1e-9)


@pytest.mark.parametrize("solve", SOLVERS)
def test_many_rewards_equal_one_at_a_time(solve, monkeypatch: pytest.MonkeyPatch) -> None:
    m = hazard_grid()
    rewards = np.random.default_rng(0).random((7, 64, 4))
    # Small chunks, so that rewards are split and also retire at different iterations.
    monkeypatch.setattr(plan, "_CACHE_NUMBERS", 3 * m.r.size)
    monkeypatch.setattr(plan, "_DENSE_NUMBERS", 3 * 64**2)
    together = solve(m, rewards, tol=1e-9)
    alone = [solve(m, reward, tol=1e-9) for reward in rewards]
    assert np.allclose(together.value, [one.value for one in alone], atol=2e-9)
    assert together.value.shape == (7, 64) and together.policy.shape == (7, 64) and together.q.shape == (7, 64, 4)
    if solve is not modified_policy_iteration:  # whose number of sweeps depends on how many rewards have settled
        assert together.iterations == max(one.iterations for one in alone)


def test_sparse_policy_iteration_above_the_dense_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    m = hazard_grid()
    dense = policy_iteration(m)
    monkeypatch.setattr(elimination, "DENSE_STATES", 10)
    monkeypatch.setattr(elimination, "MOST_DENSE_STATES", 10)
    sparse = policy_iteration(replace(m, P=m.kernel), np.stack([m.r, -m.c[0]]))
    assert np.allclose(sparse.value[0], dense.value, atol=1e-11)


def test_warm_start_needs_one_iteration() -> None:
    m = catch()
    first = policy_iteration(m)
    assert policy_iteration(m, policy=first.policy).iterations == 1
    far = policy_iteration(m, policy=np.zeros(250, dtype=int))
    assert far.iterations > 1 and np.allclose(far.value, first.value, atol=1e-12)


def test_ties_give_the_lowest_action() -> None:
    m = replace(three_state(), r=np.zeros((3, 3)))
    for solve in SOLVERS:
        assert solve(m).policy.tolist() == [0, 0, 0]


def test_known_optima() -> None:
    assert two_state().rho @ policy_iteration(two_state()).value == pytest.approx(1.0, abs=1e-12)
    assert three_state().rho @ policy_iteration(three_state()).value == pytest.approx(1.508661, abs=5e-7)
    m = garnet()
    assert m.rho @ policy_iteration(m).value == pytest.approx(0.823458, abs=5e-7)


def test_high_discount_meets_its_tolerance() -> None:
    m = replace(hazard_grid(), gamma=0.9995)
    exact = policy_iteration(m).value
    for solve in (value_iteration, modified_policy_iteration):
        assert np.abs(solve(m, tol=1e-6).value - exact).max() <= 1e-6


def test_tolerance_below_rounding_ends() -> None:
    assert value_iteration(three_state(), tol=1e-300).residual < 1e-14


def test_giving_up_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "zoo.tabular"):
        found = value_iteration(hazard_grid(), tol=1e-9, max_iterations=5)
    assert found.iterations == 5 and found.error_bound > 1e-9 and "5 backups" in caplog.text
    exact = policy_iteration(hazard_grid()).value
    assert np.abs(found.value - exact).max() <= found.error_bound


def test_attainable_range_brackets_every_policy() -> None:
    m = garnet(S=3, A=2, branching=2)
    ends = attainable_range(m)
    values = [evaluate(m, np.eye(2)[list(pi)]).J for pi in itertools.product(range(2), repeat=3)]
    assert np.allclose(ends[:, 0], np.min(values, axis=0)) and np.allclose(ends[:, 1], np.max(values, axis=0))
    assert attainable_range(catch())[0, 1] == pytest.approx(0.774922, abs=5e-7)
    assert attainable_range(garnet(N=0)).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: value_iteration(m, np.zeros((2, 3))), "rewards have shape"),
        (lambda m: value_iteration(m, np.zeros((0, 3, 3))), "R >= 1"),
        (lambda m: value_iteration(m, tol=0.0), "tol = 0.0"),
        (lambda m: policy_iteration(m, policy=np.zeros(2, dtype=int)), "policy has shape"),
        (lambda m: policy_iteration(m, policy=np.zeros(3)), "policy has shape"),
        (lambda m: policy_iteration(m, policy=np.array([0, 1, 3])), "outside 0..2"),
    ],
)
def test_bad_arguments(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(three_state())
