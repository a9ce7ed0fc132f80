"""Advantages against a naive recursion, one trajectory and one head at a time."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from zoo_onpolicy.gae import bootstrap_values, gae


def naive(rewards, values, last, terminated, truncated, final, gamma, lam):
    """Definition, for one trajectory: A_t is the lambda-weighted sum of the TD errors of its episode."""
    T = len(rewards)
    deltas = []
    for t in range(T):
        after = values[t + 1] if t + 1 < T else last
        if terminated[t]:
            after = 0.0
        elif truncated[t]:
            after = final[t]
        deltas.append(rewards[t] + gamma * after - values[t])
    advantages = []
    for t in range(T):
        total, weight = 0.0, 1.0
        for k in range(t, T):
            total += weight * deltas[k]
            if terminated[k] or truncated[k]:
                break
            weight *= gamma * lam
        advantages.append(total)
    return advantages


@settings(max_examples=60)
@given(data=st.data(), gamma=st.floats(0, 1), lam=st.floats(0, 1))
def test_gae_is_the_weighted_sum_of_the_td_errors_of_the_episode(data, gamma, lam):
    S, H, T, B = (data.draw(st.integers(1, top)) for top in (2, 3, 6, 2))
    numbers = st.floats(-5, 5, width=32)
    draw = lambda *shape: data.draw(arrays(np.float32, shape, elements=numbers))  # noqa: E731
    flags = lambda: data.draw(arrays(np.bool_, (S, T, B)))  # noqa: E731
    rewards, values, last, everywhere = draw(S, H, T, B), draw(S, H, T, B), draw(S, H, B), draw(S, H, T, B)
    terminated, truncated = flags(), flags()
    where = np.argwhere(truncated & ~terminated)
    final = np.array([everywhere[s, :, t, b] for s, t, b in where], dtype=np.float32).reshape(-1, H).T
    next_values = bootstrap_values(values, last, terminated, truncated, final)
    found = gae(rewards, values, next_values, terminated | truncated, gamma, lam)
    for s in range(S):
        for h in range(H):
            for b in range(B):
                expected = naive(
                    rewards[s, h, :, b], values[s, h, :, b], last[s, h, b], terminated[s, :, b],
                    truncated[s, :, b], everywhere[s, h, :, b], gamma, lam,
                )  # fmt: skip
                np.testing.assert_allclose(found[s, h, :, b], expected, rtol=1e-4, atol=1e-4)


def test_lambda_one_is_the_return_minus_the_value():
    rng = np.random.default_rng(0)
    rewards, values = (rng.normal(size=(1, 1, 5, 1)).astype(np.float32) for _ in range(2))
    ends = np.zeros((1, 5, 1), dtype=bool)
    ends[0, -1] = True
    nothing = np.zeros((1, 0), np.float32)
    next_values = bootstrap_values(values, np.ones((1, 1, 1), np.float32), ends, ~ends & False, nothing)
    returns = np.cumsum(rewards[0, 0, ::-1, 0])[::-1]
    found = gae(rewards, values, next_values, ends, 1.0, 1.0)
    np.testing.assert_allclose(found[0, 0, :, 0], returns - values[0, 0, :, 0], rtol=1e-5)
