"""Interquartile means and intervals: by hand, against scipy, by properties, and by simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.stats import Floats, combined_interval, finite, infinite, interval, iqm, mean, percentiles, replicates, spread
from zoo.stats import wilson as wilson_interval

NUMBERS = st.floats(-1e6, 1e6)
STUDENT, NORMAL = 4.302652729696142, 1.959963984540054  # 97.5 % at two degrees of freedom, and at infinitely many


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_iqm_is_the_mean_without_a_quarter_at_each_end(values: list[float]) -> None:
    from scipy.stats import trim_mean

    assert iqm(values) == pytest.approx(trim_mean(values, 0.25), rel=1e-9, abs=1e-9)


def test_iqm_goes_along_the_given_axis() -> None:
    from scipy.stats import trim_mean

    x = rng().normal(size=(9, 4, 5))
    for axis in range(3):
        assert np.allclose(iqm(x, axis), trim_mean(x, 0.25, axis=axis))


# Intervals


def test_the_interval_by_hand() -> None:
    """Of three values the least is drawn thrice in 1 of 27 cases, so the 2.5 % percentile of the mean is the least."""
    half = np.sqrt(1.5) * STUDENT / NORMAL
    assert interval([4.0, 5.0, 6.0], mean, rng()) == (pytest.approx(5 - half), pytest.approx(5 + half))
    assert combined_interval([spread([np.array([4.0, 5.0, 6.0])], [1.0], rng())]) == pytest.approx((5 - half, 5 + half))


def test_the_interval_of_a_mean_is_students() -> None:
    x = rng(1).normal(3.0, 2.0, size=200)
    low, high = interval(x, mean, rng(2))
    half = 1.972 * x.std(ddof=1) / np.sqrt(len(x))
    assert low == pytest.approx(x.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.1 * half)


@given(st.floats(1e-9, 1e9), st.floats(-1e3, 1e3))
def test_rescaled_values_have_the_rescaled_interval(factor: float, shift: float) -> None:
    x = rng(3).normal(size=5)
    low, high = interval(x, iqm, rng())
    low2, high2 = interval(factor * (x + shift), iqm, rng())
    assert (low2, high2) == (pytest.approx(factor * (low + shift)), pytest.approx(factor * (high + shift)))


def test_columns_are_resampled_together_in_parts_and_repeat() -> None:
    x = rng(3).normal(size=(3, 5000))
    low, high = interval(x, iqm, rng(4), resamples=400)
    again, _ = interval(x, iqm, rng(4), resamples=400)
    assert low.shape == high.shape == (5000,) and np.array_equal(low, again)
    assert (low <= iqm(x)).all() and (iqm(x) <= high).all()
    one, _ = interval(x[:, 7], iqm, rng(4), resamples=400)
    assert one == pytest.approx(low[7])


def test_strata_are_resampled_within() -> None:
    """Groups without spread have an interval of no width, however far apart they are; mixing would widen it."""
    x = np.repeat([0.0, 10.0, 100.0], 4)
    low, high = interval(x, mean, rng(), strata=[4, 4, 4])
    assert low == high == pytest.approx(110 / 3)
    low, high = interval(x, mean, rng())
    assert high - low > 50


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0]])
def test_fewer_than_three_values_have_no_interval(values: list[float]) -> None:
    assert np.isnan(interval(values, mean, rng())).all()
    assert np.isnan(interval([*values, 0.0, 1.0, 2.0], mean, rng(), strata=[len(values), 3])).all()


def test_equal_values_have_an_interval_of_no_width_and_none_are_refused() -> None:
    assert interval(np.full((3, 2), 7.0), mean, rng())[1].tolist() == [7.0, 7.0]
    with pytest.raises(ValueError, match="empty"):
        interval([], mean, rng())


def test_never_stays_never_and_does_not_reach_below_what_was_measured() -> None:
    low, high = interval([10.0, 12.0, 11.0, np.inf, np.inf], iqm, rng())
    assert high == np.inf
    low, high = interval([np.inf] * 5, iqm, rng())
    assert low == high == np.inf
    low, high = interval([10.0, np.inf, np.inf, np.inf, np.inf, np.inf], mean, rng())
    assert low > 0 and high == np.inf  # the estimate is "never": there is no distance to widen
    assert infinite(finite([np.inf, -np.inf, 3.0])).tolist() == [np.inf, -np.inf, 3.0]


# Coverage


def within_binomial_error(hits: int, trials: int, expected: float) -> bool:
    """Five standard errors: fails by chance once in two million."""
    return bool(abs(hits / trials - expected) <= 5 * np.sqrt(expected * (1 - expected) / trials))


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("statistic", [iqm, mean])
def test_the_interval_keeps_its_promise_at_few_seeds(n: int, statistic: object) -> None:
    """An end on the wrong side of the truth in 1.5 to 3 %, where percentiles err far more often."""
    trials = 1000
    x = rng(9).normal(size=(n, trials))
    low, high = interval(x, statistic, rng(10), resamples=1000)  # type: ignore[arg-type]
    most = 0.03 + 3 * np.sqrt(0.03 * 0.97 / trials)
    assert (low > 0).mean() <= most and (high < 0).mean() <= most
    if n == 3:  # all three on one side: one in eight
        plain, _ = percentiles(replicates(x, mean, rng(10), resamples=1000))
        assert within_binomial_error(int((plain > 0).sum()), trials, 0.125)


def test_coverage_of_strata() -> None:
    """Five seeds on each of three tasks of different spread: the mean of means is covered."""
    trials = 1000
    x = np.concatenate([rng(k).normal(at, wide, size=(5, trials)) for k, (at, wide) in enumerate([(0, 1), (1, 1.5)])])
    low, high = interval(x, mean, rng(8), strata=[5, 5], resamples=1000)
    assert 0.93 <= ((low <= 0.5) & (high >= 0.5)).mean() <= 0.99


# Sums and differences


def test_spread_combines_independent_samples() -> None:
    """Against Welch's interval for a difference of means, close to that of interquartile means of normal values."""
    from scipy.stats import ttest_ind

    x, y = rng(10).normal(0, 1, 40), rng(11).normal(1, 3, 25)
    low, high = combined_interval([spread([x, y], [1.0, -1.0], rng())])
    known = ttest_ind(x, y, equal_var=False).confidence_interval()
    assert (high - low) == pytest.approx(known.high - known.low, rel=0.15)
    mirrored = combined_interval([spread([y, x], [1.0, -1.0], rng())])
    assert (-mirrored[1], -mirrored[0]) == pytest.approx((low, high), abs=0.05 * (high - low))


# Wilson


def test_wilson_by_hand() -> None:
    low, high = wilson_interval([8, 0, 10, 0], [10, 10, 10, 0])
    z2 = NORMAL**2
    assert (low[1], high[1]) == (0.0, pytest.approx(z2 / (10 + z2)))
    assert (low[2], high[2]) == (pytest.approx(10 / (10 + z2)), 1.0)
    assert (low[3], high[3]) == (0.0, 1.0)
    with pytest.raises(ValueError, match="between 0 successes"):
        wilson_interval(3, 2)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_scipy(trial: tuple[int, int]) -> None:
    from scipy.stats import binomtest

    k, n = trial
    for level in (0.9, 0.95):
        known = binomtest(k, n).proportion_ci(level, method="wilson")
        low, high = wilson_interval(k, n, level)
        assert (float(low), float(high)) == pytest.approx((known.low, known.high), abs=1e-12)


def test_coverage_of_wilson() -> None:
    from scipy.stats import binom

    trials = 20000
    low, high = wilson_interval(rng(8).binomial(40, 0.3, size=trials), 40)
    outcomes: Floats = np.arange(41.0)
    lows, highs = wilson_interval(outcomes, 40)
    exact = float(binom.pmf(outcomes, 40, 0.3)[(lows <= 0.3) & (highs >= 0.3)].sum())
    assert within_binomial_error(int(((low <= 0.3) & (high >= 0.3)).sum()), trials, exact)
    assert exact == pytest.approx(0.95, abs=0.015)
