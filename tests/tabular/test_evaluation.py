from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.tabular import elimination, evaluate, policy_values

from .models import catch, garnet, three_state


def _random_policy(shape: tuple[int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(shape[1]), size=shape[0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), S=st.integers(1, 7), A=st.integers(1, 3), gamma=st.floats(0, 0.99))
def test_flow_equations_and_bellman_equations(seed: int, S: int, A: int, gamma: float) -> None:
    m = garnet(S=S, A=A, branching=min(2, S), gamma=gamma, seed=seed)
    pi = _random_policy((S, A), seed)
    e = evaluate(m, pi)
    d = e.occupancy
    flow = d.sum(axis=1) - gamma * np.einsum("sat,sa->t", m.P, d)
    assert np.allclose(flow, (1 - gamma) * m.rho, atol=1e-12)
    assert d.sum() == pytest.approx(1.0, abs=1e-10)
    stacked = np.concatenate([m.r[None], m.c])
    assert np.allclose(np.einsum("rsa,sa->r", stacked, d), [e.J_r, *e.J], atol=1e-11)
    assert np.allclose(np.einsum("rsa,sa->rs", e.Q, pi), e.V, atol=1e-11)
    series = sum(gamma**t * step for t, step in _expected_rewards(m, pi, 3000 if gamma > 0.9 else 400))
    assert (1 - gamma) * series == pytest.approx(e.J_r, abs=1e-9)


def _expected_rewards(m, pi, horizon):
    law, P_pi, r_pi = m.rho, np.einsum("sat,sa->st", m.P, pi), (m.r * pi).sum(axis=1)
    for t in range(horizon):
        yield t, law @ r_pi
        law = law @ P_pi


def test_sparse_route_equals_dense_route(monkeypatch: pytest.MonkeyPatch) -> None:
    m, pi = catch(), _random_policy((250, 3), 0)
    dense = evaluate(m, pi)
    dense_d = dense.occupancy
    monkeypatch.setattr(elimination, "DENSE_STATES", 10)
    monkeypatch.setattr(elimination, "MOST_DENSE_STATES", 10)
    sparse = evaluate(replace(m, P=m.kernel), pi)
    assert np.allclose(sparse.V, dense.V, atol=1e-12) and np.allclose(sparse.occupancy, dense_d, atol=1e-12)


def test_monte_carlo_agrees() -> None:
    m, rng = three_state(), np.random.default_rng(0)
    pi = _random_policy((3, 3), 3)
    n, s = 20_000, np.zeros(20_000, dtype=int)
    returns = np.zeros(n)
    for t in range(120):
        a = (rng.random((n, 1)) > pi[s].cumsum(axis=1)).sum(axis=1).clip(max=2)
        returns += (1 - m.gamma) * m.gamma**t * m.r[s, a]
        s = (rng.random((n, 1)) > m.P[s, a].cumsum(axis=1)).sum(axis=1).clip(max=2)
    assert abs(returns.mean() - evaluate(m, pi).J_r) < 4 * returns.std() / np.sqrt(n)


def test_policy_values_shapes() -> None:
    m, pi = three_state(), _random_policy((3, 3), 1)
    e = evaluate(m, pi)
    assert np.allclose(policy_values(m, pi), e.V)
    assert np.allclose(policy_values(m, pi, m.c[1]), e.V[2])
    assert policy_values(m, pi, np.stack([m.r] * 5)).shape == (5, 3)


def test_gamma_zero_is_one_step() -> None:
    m = replace(three_state(), gamma=0.0)
    pi = _random_policy((3, 3), 1)
    assert evaluate(m, pi).J_r == pytest.approx((m.r * pi)[0].sum())
    assert np.allclose(evaluate(m, pi).occupancy[1:], 0.0)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.ones((3, 2)) / 2, r"shape \(3, 2\): expected \(3, 3\)"),
        (np.ones((3, 3)), r"policy\[0\]"),
        (np.array([[1, 0, 0], [2, -1, 0], [1, 0, 0]]), r"policy\[1\]"),
        (np.full((3, 3), np.nan), r"policy\[0\]"),
    ],
)
def test_bad_policies(policy: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(three_state(), policy)


def test_bad_rewards() -> None:
    m, pi = three_state(), np.full((3, 3), 1 / 3)
    with pytest.raises(UsageError, match="expected"):
        policy_values(m, pi, np.zeros(3))
    with pytest.raises(UsageError, match="not finite"):
        policy_values(m, pi, np.full((3, 3), np.inf))
