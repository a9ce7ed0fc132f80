"""Evaluators of stays and of fixed points, against loops by hand and linear systems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_successor.config import FixedPointConfig, StaysConfig
from zoo_successor.evaluate_operator import FixedPoint, first_occupancies, sweep, visits
from zoo_successor.evaluate_stays import FirstStays, Stays
from zoo_successor.exact import representations as exact

from zoo import UsageError
from zoo.testing import check_evaluator


def test_conformance():
    judged = {"subject": ("lambda-q", "two-rooms"), "subject_config": {"steps_per_update": 40}, "steps": 80}
    check_evaluator("stays", config={"episodes": 3}, **judged)


@given(
    path=st.lists(st.integers(0, 3), min_size=1, max_size=30),
    paying=st.lists(st.booleans(), min_size=4, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_first_stays_against_a_walk_in_plain_python(path, paying):
    seen = FirstStays.none(1, 4)
    for state in path:
        seen.arrive(np.array([state]), np.array([paying[state]]))
    expected = [0] * 4
    for state in range(4):
        if paying[state] and state in path:
            first = path.index(state)
            run = path[first:]
            expected[state] = next((k for k, other in enumerate(run) if other != state), len(run))
    assert seen.lengths[0].tolist() == expected


def chain(seed, n=7):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(n, 0.3), n)
    P[2] = 0.0  # terminal
    return P


@pytest.mark.parametrize("seed", range(4))
def test_visits_and_first_occupancies_are_the_closed_forms(seed):
    P, gamma = chain(seed), 0.97
    np.testing.assert_allclose(visits(P, gamma), exact.successor(P, gamma), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(first_occupancies(P, gamma), exact.first_occupancy(P, gamma), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("lam", [0.0, 0.4, 1.0])
def test_a_sweep_is_the_recursion_entry_by_entry(lam):
    P, gamma, X = chain(5), 0.9, np.random.default_rng(6).normal(size=(7, 7))
    expected = np.zeros((7, 7))
    for s in range(7):
        for j in range(7):
            ahead = sum(P[s, t] * X[t, j] for t in range(7))
            expected[s, j] = 1 + lam * gamma * ahead if s == j else gamma * ahead
    np.testing.assert_allclose(sweep(X, P, gamma, np.full(7, lam)), expected, atol=1e-14)


def test_what_is_no_table_and_what_does_not_diminish_are_refused():
    with pytest.raises(UsageError, match="fixed-point judges sr, fr and lambda of states"):
        FixedPoint(FixedPointConfig()).evaluate(object(), None)
    for option in ({"pairs": 0}, {"sweeps": 0}):
        with pytest.raises(UsageError, match="at least 1"):
            FixedPointConfig(**option)
    with pytest.raises(UsageError, match="at least 1"):
        StaysConfig(episodes=0)
    assert Stays(StaysConfig()).config.episodes == 100
