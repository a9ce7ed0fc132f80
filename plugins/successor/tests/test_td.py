"""TD in one array operation against loops over single transitions, and against where it has to end up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_successor.learning.td import StepSize, blend, features_target, greedy, learn_actions, learn_states

LAMS = (0.0, 0.4, 1.0)


def loop(table, visits, left, arrived, ended, gamma, lam, step):
    """One learner: the rule of the module's docstring, transition by transition, in plain Python."""
    before, aims = table.copy(), {}
    for s, t, over in zip(left, arrived, ended, strict=True):
        after = np.eye(len(table))[t] if over else before[t]
        aim = gamma * after
        aim[s] = 1 + lam[s] * gamma * after[s]
        aims.setdefault(s, []).append(aim)
    for s, found in aims.items():
        kept = 1.0
        for _ in found:
            visits[s] += 1
            kept *= 1 - step.alpha * visits[s] ** -step.power
        table[s] = kept * before[s] + (1 - kept) * np.mean(found, axis=0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    N=st.integers(1, 3),
    K=st.integers(1, 9),
    S=st.integers(1, 5),
    step=st.sampled_from([StepSize(alpha=0.3), StepSize(alpha=1.0), StepSize(alpha=1.0, power=0.6)]),
)
def test_many_learners_at_once_are_each_a_loop(seed, N, K, S, step):
    rng = np.random.default_rng(seed)
    lam, gamma = rng.random(S), 0.9
    table, visits = rng.random((N, S, S)), rng.integers(0, 4, (N, S))
    expected, counts = table.copy(), visits.copy()
    for _ in range(3):
        left, arrived = rng.integers(S, size=(2, N, K))
        ended = rng.random((N, K)) < 0.3
        learn_states(table, visits, left, arrived, ended, gamma=gamma, lam=lam, step=step)
        for n in range(N):
            loop(expected[n], counts[n], left[n], arrived[n], ended[n], gamma, lam, step)
    np.testing.assert_allclose(table, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(visits, counts)


@pytest.mark.parametrize("lam", LAMS)
def test_a_lone_copy_takes_the_textbook_step(lam):
    X = np.arange(9.0).reshape(1, 3, 3)
    learn_states(
        X, np.zeros((1, 3), dtype=np.int64), np.array([[1]]), np.array([[2]]), np.zeros((1, 1), dtype=bool),
        gamma=0.5, lam=lam, step=StepSize(alpha=0.1),
    )  # fmt: skip
    target = np.array([0.5 * 6, 1 + lam * 0.5 * 7, 0.5 * 8])
    np.testing.assert_allclose(X[0, 1], np.array([3.0, 4, 5]) + 0.1 * (target - [3, 4, 5]), atol=1e-15)
    np.testing.assert_array_equal(X[0, [0, 2]], [[0, 1, 2], [6, 7, 8]])


def test_first_occupancy_keeps_ones_on_its_diagonal():
    rng = np.random.default_rng(0)
    F = np.eye(4)[None].repeat(2, axis=0)
    for _ in range(50):
        left, arrived = rng.integers(4, size=(2, 2, 6))
        learn_states(F, np.zeros((2, 4), dtype=np.int64), left, arrived, np.zeros((2, 6), dtype=bool),
                     gamma=0.9, lam=0.0, step=StepSize(alpha=0.3))  # fmt: skip
    np.testing.assert_allclose(np.diagonal(F, axis1=1, axis2=2), 1.0, atol=1e-14)
    assert F.min() >= 0
    assert F.max() <= 1 + 1e-14


@pytest.mark.parametrize("lam", LAMS)
def test_learned_on_a_cycle_with_an_exit_it_ends_at_the_infinite_sum(lam):
    # 0 -> 1 -> 2 -> 0, and from 3 into the terminal 4: visits are known by hand.
    following, gamma, S = np.array([1, 2, 0, 4, 4]), 0.8, 5
    truth = np.zeros((S, S))
    for s in range(4):
        t, counts = s, np.zeros(S)
        for k in range(400):
            truth[s, t] += gamma**k * lam ** counts[t]
            counts[t] += 1
            if t == 4:
                break
            t = following[t]
    truth[4, 4] = 1.0
    X, visits = np.eye(S)[None].copy(), np.zeros((1, S), dtype=np.int64)
    left = np.arange(4)[None]
    for _ in range(300):
        learn_states(X, visits, left, following[left], following[left] == 4, gamma=gamma, lam=lam,
                     step=StepSize(alpha=0.5))  # fmt: skip
    np.testing.assert_allclose(X[0], truth, atol=1e-9)


def test_random_chain_comes_as_close_as_the_references_of_experiment_9():
    rng = np.random.default_rng(3)
    N, S, gamma = 5, 8, 0.9
    P = rng.dirichlet(np.full(S, 0.3), size=S)
    law = P.cumsum(axis=1)
    M = np.linalg.inv(np.eye(S) - gamma * P)
    d = np.diag(M)
    lam, bound = 0.5, 0.204
    X, visits = np.eye(S)[None].repeat(N, axis=0), np.zeros((N, S), dtype=np.int64)
    s = rng.integers(S, size=(N, 1))
    for _ in range(1000):
        t = np.minimum((rng.random((N, 1, 1)) > law[s]).sum(-1), S - 1)
        learn_states(X, visits, s, t, np.zeros((N, 1), dtype=bool), gamma=gamma, lam=lam,
                     step=StepSize(alpha=1.0, power=0.6))  # fmt: skip
        s = t
    assert np.abs(X - M / (lam + (1 - lam) * d)).max(axis=(1, 2)).mean() <= 2 * bound


def naive_actions(X, visits, s, a, t, over, weights, gamma, lam, alpha):
    """One transition of one learner with actions."""
    after = np.eye(X.shape[-1])[t] if over else weights @ X[t]
    aim = gamma * after
    aim[s] = 1 + lam * gamma * after[s]
    X[s, a] += alpha * (aim - X[s, a])
    visits[s, a] += 1


@pytest.mark.parametrize("over", [False, True])
def test_state_action_targets_average_or_follow_the_next_action(over):
    rng = np.random.default_rng(1)
    N, S, A = 2, 4, 3
    X, visits = rng.random((N, S, A, S)), np.zeros((N, S, A), dtype=np.int64)
    s, a, t = np.array([[1], [2]]), np.array([[2], [0]]), np.array([[3], [3]])
    policy = rng.dirichlet(np.ones(A), size=(N, 1))
    ended = np.full((N, 1), over)
    for kwargs, weights in (
        ({"policy": policy}, policy[:, 0]),
        ({"next_action": np.array([[2], [1]])}, np.eye(A)[[2, 1]]),
    ):
        Y, seen = X.copy(), visits.copy()
        learn_actions(Y, seen, s, a, t, ended, gamma=0.9, lam=0.4, step=StepSize(alpha=0.2), **kwargs)
        for n in range(N):
            one, count = X[n].copy(), visits[n].copy()
            naive_actions(one, count, s[n, 0], a[n, 0], t[n, 0], over, weights[n], 0.9, 0.4, 0.2)
            np.testing.assert_allclose(Y[n], one, atol=1e-14)
            np.testing.assert_array_equal(seen[n], count)


def test_the_next_action_must_be_given_once():
    X, one = np.zeros((1, 2, 2, 2)), np.zeros((1, 1), dtype=np.int64)
    rest = {"gamma": 0.9, "lam": 1.0, "step": StepSize(alpha=0.1)}
    with pytest.raises(ValueError, match="either the policy of the next action or the action itself"):
        learn_actions(X, one, one, one, one, one > 0, **rest)
    with pytest.raises(ValueError, match="either the policy"):
        learn_actions(X, one, one, one, one, one > 0, policy=np.ones((1, 1, 2)), next_action=one, **rest)


def test_greedy_takes_the_lowest_of_equal_actions():
    X = np.zeros((2, 1, 3, 2))
    X[0, 0, :, 0], X[1, 0, :, 1] = [1, 2, 2], [5, 0, 1]
    states = np.zeros((2, 1), dtype=np.int64)
    assert greedy(X, states, np.array([1.0, 0.0])).tolist() == [[1], [0]]
    assert greedy(X, states, np.array([[[0.0, 1.0]], [[0.0, -1.0]]])).tolist() == [[0], [1]]


def test_blend_moves_to_the_mean_as_far_as_its_moves_together():
    table, visits = np.zeros((1, 2, 1)), np.zeros((1, 2), dtype=np.int64)
    blend(table, visits, np.array([[1, 1, 1]]), np.array([[[3.0], [6.0], [0.0]]]), StepSize(alpha=0.5))
    assert table[0, :, 0].tolist() == [0.0, 3.0 * (1 - 0.5**3)]
    assert visits.tolist() == [[0, 3]]


def test_one_hot_features_learn_the_table_of_states():
    rng = np.random.default_rng(2)
    S, gamma, lam, step = 4, 0.9, 0.3, StepSize(alpha=0.2)
    X, f = np.eye(S)[None].copy(), np.eye(S)[None].copy()
    seen, count, phi = np.zeros((1, S), dtype=np.int64), np.zeros((1, S), dtype=np.int64), np.eye(S)
    for _ in range(60):
        s, t = rng.integers(S, size=(2, 1, 1))
        learn_states(X, seen, s, t, np.zeros((1, 1), dtype=bool), gamma=gamma, lam=lam, step=step)
        blend(f, count, s, features_target(f[0, t], phi[s], gamma, lam), step)
    np.testing.assert_allclose(f, X, atol=1e-13)


def test_features_in_between_end_at_the_solution_of_their_linear_system():
    S, D, gamma, lam = 5, 2, 0.9, 0.25
    rng = np.random.default_rng(4)
    phi, following = rng.random((S, D)), np.array([1, 2, 3, 4, 0])
    P = np.eye(S)[following]
    truth = np.stack([np.linalg.solve(np.eye(S) - gamma * np.diag(1 - (1 - lam) * p) @ P, p) for p in phi.T], axis=1)
    f, visits, s = np.zeros((1, S, D)), np.zeros((1, S), dtype=np.int64), np.arange(S)[None]
    for _ in range(400):
        blend(f, visits, s, features_target(f[0, following[s]], phi[s], gamma, lam), StepSize(alpha=1.0))
    np.testing.assert_allclose(f[0], truth, atol=1e-10)


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_features_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"expected \[0, 1\]"):
        features_target(np.zeros(2), np.array([0.5, bad]), 0.9, 0.5)
