from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from zoo.results.stats import bootstrap, iqm, mean

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_iqm_is_the_mean_without_a_quarter_at_each_end(values: list[float]) -> None:
    assert iqm(values) == pytest.approx(trim_mean(values, 0.25), rel=1e-9, abs=1e-9)


def test_iqm_goes_along_the_given_axis() -> None:
    x = np.random.default_rng(0).normal(size=(9, 4, 5))
    for axis in range(3):
        assert np.allclose(iqm(x, axis), trim_mean(x, 0.25, axis=axis))


def test_bootstrap_of_a_mean_agrees_with_the_normal_interval() -> None:
    x = np.random.default_rng(1).normal(3.0, 2.0, size=2000)
    low, high = bootstrap(x, mean, np.random.default_rng(2))
    half = 1.96 * x.std(ddof=1) / np.sqrt(len(x))
    assert low == pytest.approx(x.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.1 * half)


def test_bootstrap_in_chunks_covers_each_column_and_repeats() -> None:
    x = np.random.default_rng(3).normal(size=(3, 5000))
    low, high = bootstrap(x, iqm, np.random.default_rng(4), resamples=400)
    again, _ = bootstrap(x, iqm, np.random.default_rng(4), resamples=400)
    assert low.shape == high.shape == (5000,)
    assert (low <= x.mean(axis=0)).all() and (x.mean(axis=0) <= high).all()
    assert (low >= x.min(axis=0) - 1e-12).all() and (high <= x.max(axis=0) + 1e-12).all()
    assert np.array_equal(low, again)
