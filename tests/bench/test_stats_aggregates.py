"""Aggregates and intervals: written out by hand, against scipy, by properties and by simulated coverage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest, mannwhitneyu, trim_mean

from zoo.results.spread import interval, spread
from zoo.results.stats import (
    Floats,
    aggregate_iqm,
    aggregate_mean,
    aggregate_median,
    bootstrap,
    iqm,
    mean,
    optimality_gap,
    paired_differences,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
    stratified_bootstrap_pair,
    wilson,
)

# Three seeds (rows) on four tasks (columns).
SCORES = np.array([[0.1, 0.9, 0.4, 1.5], [0.3, 0.7, 0.6, 1.1], [0.2, 0.8, 0.5, 1.0]])
AGGREGATES: list[Callable[[Floats], Floats]] = [aggregate_mean, aggregate_median, aggregate_iqm, optimality_gap]
MATRICES = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-100, 100, width=32))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Published definitions, by hand


def test_aggregates_by_hand() -> None:
    # Task means 0.2, 0.8, 0.5, 1.2.
    assert aggregate_mean(SCORES) == pytest.approx(2.7 / 4)
    assert aggregate_median(SCORES) == pytest.approx((0.5 + 0.8) / 2)
    # In order 0.1 0.2 0.3 | 0.4 0.5 0.6 0.7 0.8 0.9 | 1.0 1.1 1.5: a quarter of twelve runs falls away at each end.
    assert aggregate_iqm(SCORES) == pytest.approx((0.4 + 0.5 + 0.6 + 0.7 + 0.8 + 0.9) / 6)
    # What is missing to 1: 0.9 0.7 0.8, 0.1 0.3 0.2, 0.6 0.4 0.5 and nothing.
    assert optimality_gap(SCORES) == pytest.approx(4.5 / 12)
    assert optimality_gap(SCORES, 0.3) == pytest.approx((0.2 + 0.0 + 0.1) / 12)


def test_profile_by_hand() -> None:
    found = performance_profile(SCORES, [0.0, 0.1, 0.5, 1.0, 1.2, 2.0])
    assert found == pytest.approx(np.array([12, 11, 7, 2, 1, 0]) / 12)  # those at the threshold do not count


def test_probability_of_improvement_by_hand() -> None:
    x, y = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[2.0, 5.0], [1.0, 6.0], [0.0, 4.0]])
    # Task 1: 1 beats 0 and ties with 1, 3 beats all: 1.5 + 3 of 6. Task 2: each 5 ties, loses, wins: 1.5 + 1.5 of 6.
    assert probability_of_improvement(x, y) == pytest.approx((4.5 / 6 + 3 / 6) / 2)
    with pytest.raises(ValueError, match="2 tasks and Y has 1"):
        probability_of_improvement(x, y[:, :1])


def test_wilson_by_hand() -> None:
    low, high = wilson([8, 0, 10, 0], [10, 10, 10, 0])
    z2 = 1.959963984540054**2
    assert (low[1], high[1]) == (0.0, pytest.approx(z2 / (10 + z2)))
    assert (low[2], high[2]) == (pytest.approx(10 / (10 + z2)), 1.0)
    assert (low[3], high[3]) == (0.0, 1.0)
    with pytest.raises(ValueError, match="between 0 successes"):
        wilson(3, 2)


# Against scipy


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_scipy(trial: tuple[int, int]) -> None:
    k, n = trial
    for level in (0.9, 0.95):
        known = binomtest(k, n).proportion_ci(level, method="wilson")
        low, high = wilson(k, n, level)
        assert (float(low), float(high)) == pytest.approx((known.low, known.high), abs=1e-12)


@given(MATRICES)
def test_iqm_is_the_trimmed_mean_over_seeds_and_tasks(scores: Floats) -> None:
    assert aggregate_iqm(scores) == pytest.approx(float(trim_mean(scores, 0.25, axis=None)), abs=1e-6)


@given(arrays(np.int8, st.integers(1, 8)), arrays(np.int8, st.integers(1, 8)))
def test_improvement_on_one_task_is_the_mann_whitney_statistic(x: Floats, y: Floats) -> None:
    u = mannwhitneyu(x.astype(float), y.astype(float)).statistic
    found = probability_of_improvement(x[:, None].astype(float), y[:, None].astype(float))
    assert found == pytest.approx(u / (len(x) * len(y)))


# Properties


@given(MATRICES, st.floats(0.1, 10), st.floats(-50, 50))
def test_aggregates_move_with_the_scale_and_know_no_order(scores: Floats, factor: float, shift: float) -> None:
    shuffled = rng(1).permuted(scores, axis=0)
    for aggregate in AGGREGATES[:3]:
        assert aggregate(factor * scores + shift) == pytest.approx(factor * aggregate(scores) + shift, abs=1e-9)
        assert aggregate(shuffled) == pytest.approx(aggregate(scores), abs=1e-9)
        assert scores.min() - 1e-9 <= aggregate(scores) <= scores.max() + 1e-9
    assert optimality_gap(scores, shift) >= shift - aggregate_mean(scores) - 1e-9


@given(MATRICES, MATRICES)
def test_improvement_has_a_mirror(x: Floats, y: Floats) -> None:
    tasks = min(x.shape[1], y.shape[1])
    x, y = x[:, :tasks], y[:, :tasks]
    found = probability_of_improvement(x, y)
    assert found + probability_of_improvement(y, x) == pytest.approx(1.0) and 0.0 <= found <= 1.0
    assert probability_of_improvement(x, x) == pytest.approx(0.5)


@given(MATRICES)
def test_a_profile_falls_from_one_to_nothing_and_encloses_the_mean(scores: Floats) -> None:
    grid = np.linspace(-101.0, 101.0, 2021)
    found = performance_profile(scores, grid)
    assert found[0] == 1.0 and found[-1] == 0.0 and (np.diff(found) <= 0).all()
    assert np.trapezoid(found, grid) - 101.0 == pytest.approx(aggregate_mean(scores), abs=0.11)  # the mean is its area


@settings(max_examples=20)
@given(MATRICES)
def test_each_aggregate_takes_resamples_at_once(scores: Floats) -> None:
    many = np.stack([scores, scores[::-1] + 1.0, 2.0 * scores])
    for aggregate in AGGREGATES:
        assert aggregate(many) == pytest.approx(np.array([aggregate(one) for one in many]), abs=1e-9)
    profiles = performance_profile(many, [0.0, 1.0])
    assert profiles.shape == (3, 2) and np.array_equal(profiles[0], performance_profile(scores, [0.0, 1.0]))


def test_paired_differences_take_common_seeds_in_order() -> None:
    seeds, found = paired_differences({3: 1.0, 1: 5.0, 2: 7.0}, {1: 2.0, 3: 4.0, 9: 0.0})
    assert seeds == (1, 3) and found.tolist() == [3.0, -3.0]
    assert paired_differences({1: 1.0}, {2: 1.0})[1].shape == (0,)


# Intervals


def test_strata_keep_their_tasks() -> None:
    """Tasks without spread have an interval of no width, however far apart they are; mixing tasks would widen it."""
    scores = np.tile([0.0, 10.0, 100.0], (4, 1))
    low, high = stratified_bootstrap(scores, aggregate_mean, rng())
    assert low == high == pytest.approx(110 / 3)
    low, high = stratified_bootstrap(scores, lambda s: performance_profile(s, [5.0, 50.0]), rng())
    assert low.tolist() == high.tolist() == pytest.approx([2 / 3, 1 / 3])


def test_each_task_has_seeds_of_its_own() -> None:
    """Two tasks whose runs cancel seed by seed: drawn together their mean could not vary."""
    column = np.arange(5.0)
    low, high = stratified_bootstrap(np.stack([column, -column], axis=1), aggregate_mean, rng())
    spread_of_mean = np.sqrt(2 * column.var() / 5 / 4)
    assert high - low == pytest.approx(2 * 1.96 * spread_of_mean, rel=0.1)


def test_one_task_is_the_plain_bootstrap_and_chunks_do_not_matter() -> None:
    x = rng(3).normal(size=(20, 1))
    low, high = stratified_bootstrap(x, aggregate_iqm, rng(), resamples=20000)
    plain = bootstrap(x[:, 0], iqm, rng(1), resamples=20000)
    assert (low, high) == (pytest.approx(plain[0], abs=0.02), pytest.approx(plain[1], abs=0.02))
    again = stratified_bootstrap(x, aggregate_iqm, rng(), resamples=20000)
    assert (low, high) == again
    wide = stratified_bootstrap(x, aggregate_iqm, rng(), level=0.5)
    assert low < wide[0] < wide[1] < high
    large = rng(4).normal(size=(50, 40))  # 2000 numbers, 5000 times: more than one chunk
    low, high = stratified_bootstrap(large, aggregate_mean, rng(), resamples=5000)
    assert high - low == pytest.approx(2 * 1.96 * large.std(axis=0).mean() / np.sqrt(2000), rel=0.1)


def test_the_pair_is_redrawn_on_both_sides() -> None:
    x, y = rng(5).normal(1.5, 1, size=(30, 2)), rng(6).normal(0, 1, size=(20, 2))
    low, high = stratified_bootstrap_pair(x, y, probability_of_improvement, rng())
    assert 0.5 < low < probability_of_improvement(x, y) < high < 1.0
    only_x, _ = stratified_bootstrap(x, lambda s: probability_of_improvement(s, y), rng())
    assert low < only_x  # the other side's spread counts too


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(3)])
def test_empty_scores_are_refused(scores: Floats) -> None:
    with pytest.raises(ValueError, match="expected"):
        stratified_bootstrap(scores, aggregate_mean, rng())
    with pytest.raises(ValueError, match="empty"):
        bootstrap([], mean, rng())


# Coverage


def within_binomial_error(hits: int, trials: int, expected: float) -> bool:
    """Five standard errors: fails by chance once in two million."""
    return abs(hits / trials - expected) <= 5 * np.sqrt(expected * (1 - expected) / trials)


def test_coverage_of_the_stratified_bootstrap() -> None:
    """30 seeds on 3 tasks of different spread: close to 95 %, and below it by the bootstrap's known narrowness."""
    draw, trials, hits = rng(7), 500, 0
    for _ in range(trials):
        scores = draw.normal([0.0, 1.0, 5.0], [0.1, 1.0, 3.0], size=(30, 3))
        low, high = stratified_bootstrap(scores, aggregate_mean, draw, resamples=400)
        hits += low <= 2.0 <= high
    # The mean's percentile interval is a normal one with the biased variance: its level follows from Student's t.
    assert within_binomial_error(hits, trials, 0.938)


def test_coverage_of_wilson() -> None:
    trials = 20000
    low, high = wilson(rng(8).binomial(40, 0.3, size=trials), 40)
    from scipy.stats import binom

    outcomes = np.arange(41)
    lows, highs = wilson(outcomes, 40)
    exact = float(binom.pmf(outcomes, 40, 0.3)[(lows <= 0.3) & (highs >= 0.3)].sum())
    assert within_binomial_error(int(((low <= 0.3) & (high >= 0.3)).sum()), trials, exact)
    assert exact == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_widened_interval_keeps_its_promise_at_few_seeds(n: int) -> None:
    """An end on the wrong side of the truth in at most 2.5 %, where percentiles err far more often."""
    draw, trials, wide, plain = rng(9), 400, 0, 0
    for _ in range(trials):
        x = draw.normal(size=n)
        wide += interval([spread([x], [1.0], draw)], 0.95)[0] > 0
        plain += bootstrap(x, iqm, draw, resamples=400)[0] > 0
    assert wide / trials <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / trials)
    if n == 3:  # all three on one side: one in eight
        assert within_binomial_error(plain, trials, 0.125)


def test_the_widened_interval_by_hand() -> None:
    """Of three values the least is drawn thrice in 1 of 27 cases, so the 2.5 % percentile of the mean is the least."""
    student, normal = 4.302652729696142, 1.959963984540054  # 97.5 % at two degrees of freedom, and at infinitely many
    low, high = interval([spread([np.array([4.0, 5.0, 6.0])], [1.0], rng())], 0.95)
    assert (low, high) == pytest.approx((5 - np.sqrt(1.5) * student / normal, 5 + np.sqrt(1.5) * student / normal))


def test_spread_combines_independent_samples() -> None:
    """Against Welch's interval for a difference of means, close to that of interquartile means of normal values."""
    from scipy.stats import ttest_ind

    x, y = rng(10).normal(0, 1, 40), rng(11).normal(1, 3, 25)
    low, high = interval([spread([x, y], [1.0, -1.0], rng())], 0.95)
    known = ttest_ind(x, y, equal_var=False).confidence_interval()
    assert (high - low) == pytest.approx(known.high - known.low, rel=0.15)
    mirrored = interval([spread([y, x], [1.0, -1.0], rng())], 0.95)
    assert (-mirrored[1], -mirrored[0]) == pytest.approx((low, high), abs=0.05 * (high - low))
