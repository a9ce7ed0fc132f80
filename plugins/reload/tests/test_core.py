"""One iteration against a slow, plain implementation; invariants of the pure functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from zoo_reload.core import FLOOR, lagrangian_q, natural_gradient_step, projected_step, softmax
from zoo_reload.game import Game

LOGITS = arrays(np.float64, (3, 4), elements=st.floats(-800, 800))


@given(LOGITS, st.floats(-50, 50))
@settings(max_examples=50, deadline=None)
def test_softmax_is_a_policy_and_ignores_shifts(z, shift):
    pi = softmax(z)
    np.testing.assert_allclose(pi.sum(axis=1), 1.0, rtol=1e-14)
    assert (pi >= 0).all()
    np.testing.assert_allclose(softmax(z + shift), pi, atol=1e-12)


@given(LOGITS, LOGITS, st.floats(0.01, 100))
@settings(max_examples=50, deadline=None)
def test_the_natural_gradient_step_keeps_logits_between_the_floor_and_zero(z, direction, eta):
    moved = natural_gradient_step(z, eta, direction)
    assert (moved.max(axis=1) == 0).all()
    assert (moved >= FLOOR).all()
    assert (softmax(moved) > 0).all()


def test_descend_stays_in_its_box():
    lo, cap = np.array([0.0, -2.0]), np.array([5.0, 2.0])
    np.testing.assert_array_equal(
        projected_step(np.array([1.0, 1.0]), 10.0, np.array([-1.0, -1.0]), lo, cap), [0.0, -2.0]
    )
    np.testing.assert_array_equal(projected_step(np.array([1.0, 1.0]), 10.0, np.array([1.0, 1.0]), lo, cap), [5.0, 2.0])


def slow_reload(cmdp, z, eta, eta_mu, iterations):
    """Section 5 line by line, states and actions one by one, values by 4,000 sweeps."""
    S, A = cmdp.r.shape
    N = cmdp.num_constraints
    gamma = cmdp.gamma
    s = [{"<=": 1, ">=": -1, "==": 1}[sense] for sense in cmdp.senses]
    signals = [cmdp.r, *cmdp.c]
    z = [[float(z[x, a]) for a in range(A)] for x in range(S)]
    mu, Q_old, g_old = [0.0] * N, None, None
    for _ in range(iterations):
        pi = []
        for row in z:
            total = sum(math.exp(v) for v in row)
            pi.append([math.exp(v) / total for v in row])
        Q_all, J = [], []
        for signal in signals:
            V = np.zeros(S)
            for _ in range(4000 if gamma > 0.9 else 400):
                V = np.array(
                    [
                        sum(pi[x][a] * ((1 - gamma) * signal[x, a] + gamma * (cmdp.P[x, a] @ V)) for a in range(A))
                        for x in range(S)
                    ]
                )
            Q_all.append(
                [[(1 - gamma) * signal[x, a] + gamma * (cmdp.P[x, a] @ V) for a in range(A)] for x in range(S)]
            )
            J.append(cmdp.rho @ V)
        Q = [
            [Q_all[0][x][a] - sum(mu[i] * s[i] * Q_all[i + 1][x][a] for i in range(N)) for a in range(A)]
            for x in range(S)
        ]
        g = [s[i] * (J[i + 1] - cmdp.b[i]) for i in range(N)]
        Q_old, g_old = Q_old or Q, g_old or g
        for x in range(S):
            row = [z[x][a] + eta * (2 * Q[x][a] - Q_old[x][a]) for a in range(A)]
            z[x] = [max(v - max(row), -700.0) for v in row]
        mu = [
            min(max(mu[i] + eta_mu * (2 * g[i] - g_old[i]), -1e4 if cmdp.senses[i] == "==" else 0.0), 1e4)
            for i in range(N)
        ]
        Q_old, g_old = Q, g
    return np.array(z), np.array(mu)


def test_iterations_agree_with_a_slow_plain_implementation(runs, small):
    rng = np.random.default_rng(3)
    cmdp = small(
        c=rng.random((3, 5, 3)), b=[0.3, 0.6, 0.5], senses=("<=", ">=", "=="), names=("a", "b", "c"), gamma=0.6
    )
    reload = runs.make("Reload", cmdp, eta=3.0, eta_mu=2.0, check_every=4, budget=4)
    z_0 = reload.trajectory.x.z
    reload.update()
    z, mu = slow_reload(cmdp, z_0, 3.0, 2.0, 4)
    np.testing.assert_allclose(reload.trajectory.x.z, z, atol=1e-12)
    np.testing.assert_allclose(reload.trajectory.x.mu, mu, atol=1e-12)


def test_mixing_takes_any_leading_axes():
    rng = np.random.default_rng(0)
    Q, mu, s = rng.normal(size=(6, 3, 4, 2)), rng.normal(size=(6, 2)), np.array([1.0, -1.0])
    for i, row in enumerate(lagrangian_q(Q, mu, s)):
        np.testing.assert_allclose(row, Q[i, 0] - mu[i, 0] * Q[i, 1] + mu[i, 1] * Q[i, 2], atol=1e-14)


def test_scaling_changes_the_units_and_not_the_problem(runs):
    cmdp = runs.context("hazard-grid").problem.tabular
    game = Game.scaled(cmdp, cap=50.0)
    z = np.random.default_rng(0).normal(size=cmdp.r.shape)
    raw, played = Game.of(cmdp, cap=50.0).evaluate(z), game.evaluate(z)
    np.testing.assert_allclose(played.g * game.units, raw.g, atol=1e-12)
    np.testing.assert_allclose(played.Q[0] * game.reward_unit, raw.Q[0], atol=1e-10)
    np.testing.assert_array_equal(game.cap, 50.0)
    assert game.reward_unit == pytest.approx(0.80526, abs=1e-5)


def test_stacked_evaluation_is_the_single_one_for_every_member(runs, small):
    game = Game.of(small(), 1e4)
    z = np.random.default_rng(0).normal(size=(4, 5, 3))
    stacked = game.evaluate_many(z)
    for i in range(4):
        single = game.evaluate(z[i])
        np.testing.assert_allclose(stacked.Q[i], single.Q, atol=1e-14)
        np.testing.assert_allclose(stacked.g[i], single.g, atol=1e-14)
        np.testing.assert_allclose(stacked.occupancy()[i], single.occupancy(), atol=1e-14)
