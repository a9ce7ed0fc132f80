"""Base features, targets and the head against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from zoo_successor.deep.features import UnitScale, reward_weights
from zoo_successor.deep.head import LambdaHead, feature_bound, feature_targets

UNIT = st.floats(0, 1, width=32)
LAMBDAS = (0.0, 0.3, 1.0)


def chain(n: int = 5, seed: int = 0) -> np.ndarray:
    P = np.random.default_rng(seed).dirichlet(np.full(n, 0.5), size=n)
    P[-1] = 0.0  # the last state ends the episode
    return P


@pytest.mark.parametrize("lam", LAMBDAS)
def test_targets_of_one_hot_features_have_the_closed_form_as_fixed_point(lam: float) -> None:
    P, gamma = chain(), 0.9
    phi, f = torch.eye(5, dtype=torch.float64), torch.zeros(5, 5, dtype=torch.float64)
    for _ in range(400):
        f = feature_targets(phi, torch.as_tensor(P) @ f, gamma, lam)
    M = np.linalg.inv(np.eye(5) - gamma * P)
    assert f.numpy() == pytest.approx(M / (lam + (1 - lam) * M.diagonal()), abs=1e-12)


@pytest.mark.parametrize("lam", LAMBDAS)
def test_targets_of_any_features_solve_one_system_for_each(lam: float) -> None:
    P, gamma = chain(seed=1), 0.8
    phi = np.random.default_rng(2).random((5, 3))
    f = torch.zeros(5, 3, dtype=torch.float64)
    for _ in range(300):
        f = feature_targets(torch.as_tensor(phi), torch.as_tensor(P) @ f, gamma, lam)
    for i in range(3):
        exact = np.linalg.solve(np.eye(5) - gamma * np.diag(1 - (1 - lam) * phi[:, i]) @ P, phi[:, i])
        assert f[:, i].numpy() == pytest.approx(exact, abs=1e-12)


@given(
    arrays(np.float32, 4, elements=UNIT),
    arrays(np.float32, 4, elements=st.floats(0, 1e6, width=32)),
    UNIT,
    UNIT,
)
def test_targets_stay_within_what_a_feature_can_be(phi: np.ndarray, f: np.ndarray, gamma: float, lam: float) -> None:
    target = feature_targets(torch.as_tensor(phi), torch.as_tensor(f), gamma, lam)
    assert (target >= 0).all()
    assert (target <= feature_bound(gamma, lam) * (1 + 1e-5)).all()


def test_the_bound_is_attained() -> None:
    assert feature_bound(0.9, 0.5).item() == pytest.approx(1 / 0.55)
    assert feature_bound(1.0, 1.0) == np.inf
    assert feature_bound(0.5, torch.tensor([0.0, 1.0])).tolist() == [1.0, 2.0]
    f = torch.zeros(1, dtype=torch.float64)
    for _ in range(200):
        f = feature_targets(torch.ones(1, dtype=torch.float64), f, 0.9, 0.5)
    assert f.item() == pytest.approx(feature_bound(0.9, 0.5).item())


def test_head_is_positive_and_its_target_has_no_gradient() -> None:
    encoder = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    head = LambdaHead(encoder, 4, 2)
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)) * 100
    f = head(x)
    assert f.shape == (7, 2)
    assert (f >= 0).all()
    following = torch.rand(7, 2, requires_grad=True)
    phi = torch.rand(7, 2)
    loss = head.loss(f, phi, following, 0.9, 0.5)
    expected = (f - (phi * (1 + 0.45 * following) + 0.9 * (1 - phi) * following)).pow(2).mean()
    assert loss.item() == pytest.approx(expected.item())
    loss.backward()
    assert following.grad is None
    assert encoder[0].weight.grad is not None
    assert encoder[0].weight.grad.abs().sum() > 0


def test_known_bounds_stay_and_unknown_ones_widen() -> None:
    inf = torch.inf
    scale = UnitScale(torch.tensor([-2.0, -inf, -3.4e38]), torch.tensor([2.0, inf, 3.4e38]))
    assert scale(torch.tensor([1.0, 5.0, 5.0])).tolist() == [0.75, 0.0, 0.0]  # two dimensions have shown no extent yet
    scale.observe_bounds(torch.tensor([[0.0, 4.0, 1.0], [9.0, 8.0, 1.0]]))
    assert scale(torch.tensor([0.0, 5.0, 1.0])).tolist() == [0.5, 0.25, 0.0]
    scale.observe_bounds(torch.tensor([[0.0, 6.0, 3.0]]))
    assert scale(torch.tensor([3.0, 5.0, 2.0])).tolist() == [1.0, 0.25, 0.5]
    other = UnitScale(torch.tensor([-2.0, -inf, -inf]), torch.tensor([2.0, inf, inf]))
    other.load_state_dict(scale.state_dict())
    assert other(torch.tensor([0.0, 5.0, 2.0])).tolist() == [0.5, 0.25, 0.5]


def test_phi_does_not_depend_on_the_minibatch() -> None:
    scale = UnitScale(torch.full((2,), -torch.inf), torch.full((2,), torch.inf))
    rows = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
    scale.observe_bounds(rows)
    whole = scale(rows)
    assert torch.equal(torch.cat([scale(rows[:3]), scale(rows[3:])]), whole)
    assert whole.min() == 0
    assert whole.max() == 1


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_reward_weights(ridge: float) -> None:
    rng = np.random.default_rng(0)
    phi = rng.random((40, 4)).astype(np.float32)
    phi[:, 3] = phi[:, 2]  # without full rank
    reward = rng.normal(size=40).astype(np.float32)
    rows = np.concatenate([phi, np.sqrt(40 * ridge) * np.eye(4)]).astype(np.float64)
    expected = np.linalg.pinv(rows) @ np.concatenate([reward, np.zeros(4)])
    found = reward_weights(torch.as_tensor(phi), torch.as_tensor(reward)[:, None], ridge)
    assert found.dtype == torch.float32
    assert found.numpy() == pytest.approx(expected, abs=1e-4)
