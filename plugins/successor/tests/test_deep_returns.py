"""The critic's target of lambda-ac: its definition, its limits, and that it is unbiased."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from zoo_successor.deep.returns import diminishing_returns

N, GAMMA = 4, 0.9
LAM = np.array([0.5, 0.2, 0.8, 0.6])
W = np.array([3.0, 0.0, 1.0, -2.0])
P = np.random.default_rng(5).dirichlet(np.full(N, 0.7), size=N)


def some_sequence(T: int = 7, B: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    ended = rng.random((T, B)) < 0.3
    return {
        "rewards": torch.as_tensor(rng.normal(size=(T, B))),
        "counted": torch.as_tensor(rng.integers(N, size=(T, B))),
        "values": torch.as_tensor(rng.normal(size=(T, B))),
        "features": torch.as_tensor(rng.random((T, B, N))),
        "terminated": torch.as_tensor(ended & (rng.random((T, B)) < 0.5)),
        "ended": torch.as_tensor(ended),
    }


def by_definition(seq: dict[str, Any], kappa: float, lam: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted sum over all ends i of a return from t, each bootstrap corrected for all visits it holds."""
    r, c, V, F, terminated, ended = (np.asarray(value) for value in seq.values())
    T, B = r.shape
    G = np.zeros((T, B))
    for b in range(B):
        for t in range(T):
            weight, discount, total, spent = 1.0, 1.0, 0.0, np.zeros(N)
            for i in range(t, T):
                total += discount * r[i, b]
                spent[c[i, b]] += (1 - lam[c[i, b]]) * r[i, b]
                stop = ended[i, b] or i == T - 1
                share = weight * (1.0 if stop else 1 - kappa)
                discount *= GAMMA
                bootstrap = 0.0 if terminated[i, b] else V[i, b] - spent @ F[i, b]
                G[t, b] += share * (total + discount * bootstrap)
                weight *= kappa
                if stop:
                    break
    return G


@pytest.mark.parametrize("kappa", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("lam", [np.zeros(N), LAM, np.ones(N)])
def test_definition(kappa: float, lam: NDArray[np.float64]) -> None:
    sequence = some_sequence()
    found = diminishing_returns(**sequence, gamma=GAMMA, td_lambda=kappa, lam=torch.as_tensor(lam))
    assert found.numpy() == pytest.approx(by_definition(sequence, kappa, lam), abs=1e-12)


def test_one_step_is_section_two() -> None:
    s = some_sequence(T=1)
    again = s["features"].gather(-1, s["counted"].unsqueeze(-1)).squeeze(-1)
    lost = (torch.as_tensor(LAM)[s["counted"]] - 1) * s["rewards"] * again
    expected = s["rewards"] + GAMMA * (~s["terminated"]).double() * (s["values"] + lost)
    found = diminishing_returns(**s, gamma=GAMMA, td_lambda=0.0, lam=torch.as_tensor(LAM))
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-12)


def test_a_whole_episode_without_bootstraps_is_the_plain_return() -> None:
    s = some_sequence(T=6)
    s["terminated"][:] = False
    s["terminated"][-1] = True
    s["ended"] = s["terminated"].clone()
    expected = (GAMMA ** torch.arange(6.0)[:, None] * s["rewards"]).sum(0)
    found = diminishing_returns(**s, gamma=GAMMA, td_lambda=1.0, lam=torch.as_tensor(LAM))
    assert found[0].numpy() == pytest.approx(expected.numpy(), abs=1e-6)


@pytest.mark.parametrize("kappa", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("paid", ["arrival", "departure"])
def test_unbiased_with_the_exact_critic(kappa: float, paid: str) -> None:
    """A critic that is right before any visit gives, over T steps, the same value: 4 standard errors."""
    rng, B, T = np.random.default_rng(7), 40_000, 5
    Phi = np.zeros((N, N))
    for _ in range(400):
        next_ = P @ Phi
        Phi = np.eye(N) * (1 + LAM * GAMMA * next_) + GAMMA * (1 - np.eye(N)) * next_
    features = P @ Phi if paid == "arrival" else Phi
    state, remaining = np.zeros(B, dtype=np.int64), np.tile(W, (B, 1))
    rewards, counted, x = np.zeros((T, B)), np.zeros((T, B), dtype=np.int64), np.zeros((T, B), dtype=np.int64)
    for t in range(T):
        following = (rng.random((B, 1)) > P[state].cumsum(-1)[:, :-1]).sum(-1)
        counted[t] = following if paid == "arrival" else state
        rewards[t] = remaining[np.arange(B), counted[t]]
        remaining[np.arange(B), counted[t]] *= LAM[counted[t]]
        x[t] = state = following
    never = torch.zeros(T, B, dtype=torch.bool)
    found = diminishing_returns(
        torch.as_tensor(rewards), torch.as_tensor(counted), torch.as_tensor((features @ W)[x]),
        torch.as_tensor(features[x]), never, never, gamma=GAMMA, td_lambda=kappa, lam=torch.as_tensor(LAM),
    )[0].numpy()  # fmt: skip
    error = found.mean() - (features @ W)[0]
    assert abs(error) < 4 * found.std() / math.sqrt(B)
    # Without the correction the same test sees the bias.
    naive = diminishing_returns(
        torch.as_tensor(rewards), torch.as_tensor(counted), torch.as_tensor((features @ W)[x]),
        torch.zeros(T, B, N, dtype=torch.float64), never, never, gamma=GAMMA, td_lambda=kappa, lam=torch.as_tensor(LAM),
    )[0].numpy()  # fmt: skip
    assert abs(naive.mean() - (features @ W)[0]) > 8 * naive.std() / math.sqrt(B)
