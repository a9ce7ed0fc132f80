"""Sampling follows the arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from zoo_envs.tabular.categorical import Categorical
from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv

Models = Callable[..., TabularModel]


def goodness(counts: NDArray[np.int64], p: NDArray[np.float64]) -> tuple[float, int]:
    """Return (chi-square statistic, degrees of freedom); impossible outcomes must never occur."""
    from scipy.stats import chisquare

    assert counts[p == 0].sum() == 0
    possible = p > 0
    if possible.sum() == 1:
        return 0.0, 0
    n = counts.sum()
    return chisquare(counts[possible], n * p[possible] / p.sum()).statistic, int(possible.sum()) - 1


def visits(env: TabularVectorEnv, steps: int) -> NDArray[np.int64]:
    """Return transition counts [S,A,S] under uniformly random actions."""
    S, A = env.model().r.shape
    g = np.random.default_rng(5)
    counts = np.zeros((S, A, S), dtype=np.int64)
    states, _ = env.reset(seed=11)
    for _ in range(steps):
        actions = g.integers(0, A, env.num_envs)
        after = env.step(actions)[0]
        np.add.at(counts, (states, actions, after), 1)
        states = after
    return counts


def test_frequencies_of_transitions(random_model: Models) -> None:
    from scipy.stats import chi2

    model = random_model(0)
    counts = visits(TabularVectorEnv(model, 500, max_episode_steps=None), 400)
    S, A = model.r.shape
    parts = [goodness(counts[s, a], model.P[s, a]) for s in range(S) for a in range(A)]
    statistic, freedom = np.sum(parts, axis=0)
    assert counts.sum() == 200_000
    assert chi2.sf(statistic, freedom) > 1e-3
    # The same test tells a slightly different kernel apart, so passing it means something.
    wrong = 0.97 * model.P + 0.03 * (model.P > 0) / (model.P > 0).sum(-1, keepdims=True)
    parts = [goodness(counts[s, a], wrong[s, a]) for s in range(S) for a in range(A)]
    assert chi2.sf(*np.sum(parts, axis=0)) < 1e-6


@pytest.mark.parametrize("batched", [False, True])
def test_frequencies_of_first_states(random_model: Models, batched: bool) -> None:
    from scipy.stats import chi2

    model = random_model(3, S=6)
    if batched:
        starts, _ = TabularVectorEnv(model, 5000).reset(seed=2)
    else:
        env = TabularEnv(model)
        env.reset(seed=2)
        starts = np.array([env.reset()[0] for _ in range(5000)])
    statistic, freedom = goodness(np.bincount(starts, minlength=6), model.rho)
    assert chi2.sf(statistic, freedom) > 1e-3


def test_first_states_after_an_autoreset(random_model: Models) -> None:
    from scipy.stats import chi2

    model = random_model(4, S=6)
    env = TabularVectorEnv(model, 5000, max_episode_steps=1)
    env.reset(seed=2)
    starts = env.step(np.zeros(5000, dtype=np.int64))[0]
    statistic, freedom = goodness(np.bincount(starts, minlength=6), model.rho)
    assert chi2.sf(statistic, freedom) > 1e-3


def test_single_and_batched_form_have_the_same_law(random_model: Models) -> None:
    from scipy.stats import chi2_contingency

    model = random_model(7, S=5)
    batched = TabularVectorEnv(model, 2000)
    single = TabularEnv(model)
    batched.reset(seed=1)
    for k in range(4):
        states = batched.step(np.full(2000, k % 3))[0]
    ends = []
    single.reset(seed=2)
    for _ in range(2000):
        single.reset()
        for k in range(4):
            end = single.step(k % 3)[0]
        ends.append(int(end))
    table = np.stack([np.bincount(states, minlength=5), np.bincount(ends, minlength=5)])
    assert chi2_contingency(table[:, table.sum(0) > 0]).pvalue > 1e-3


@settings(max_examples=60, deadline=None)
@given(M=st.integers(1, 6), S=st.integers(1, 7), seed=st.integers(0, 10**6), holes=st.floats(0, 0.9))
def test_both_draws_agree_with_the_inverse_of_the_distribution(M: int, S: int, seed: int, holes: float) -> None:
    g = np.random.default_rng(seed)
    p = g.random((M, S)) * (g.random((M, S)) >= holes)
    p[p.sum(1) == 0, 0] = 1.0
    p /= p.sum(1, keepdims=True)
    law = Categorical(p)
    rows = g.integers(0, M, 40)
    u = g.random(40)
    u[:3] = 0.0, np.nextafter(1.0, 0.0), 0.5
    drawn = law.draw_many(rows, u)
    assert drawn.dtype == np.int64
    assert drawn.tolist() == [law.draw(int(m), float(x)) for m, x in zip(rows, u, strict=True)]
    assert (p[rows, drawn] > 0).all()
    below = np.array([p[m, :k].sum() for m, k in zip(rows, drawn, strict=True)])
    assert (below <= u + 1e-12).all() and (u < below + p[rows, drawn] + 1e-12).all()


def test_a_uniform_on_the_boundary_belongs_to_the_outcome_above() -> None:
    law = Categorical(np.array([[0.25, 0.0, 0.25, 0.5]]))
    u = np.array([0.0, 0.25, 0.5])
    assert [law.draw(0, x) for x in u] == law.draw_many(np.zeros(3, dtype=np.int64), u).tolist() == [0, 2, 3]


def test_rounding_of_the_last_sum_never_leaves_the_support() -> None:
    p = np.full((1, 12), 1 / 12)
    p[0, 10:] = [1 - p[0, :10].sum(), 0.0]
    law = Categorical(p * (1 - 5e-9))  # as far off as a model may be
    assert law.draw(0, np.nextafter(1.0, 0.0)) == 10
    assert law.draw_many(np.array([0]), np.array([np.nextafter(1.0, 0.0)])).tolist() == [10]
