"""Thinning a log: the mean of the bin, and no peak lost."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from zoo_bench.page.curves import DIGITS, short, thin
from zoo_bench.page.document import embedded

LOG = st.lists(st.tuples(st.integers(0, 500), st.floats(allow_nan=True, width=64)), min_size=1, max_size=80)


@given(seeds=st.lists(LOG, min_size=1, max_size=4), points=st.integers(1, 50))
def test_every_finite_value_lies_in_the_band_and_every_extreme_is_kept(
    seeds: list[list[tuple[int, float]]], points: int
) -> None:
    arrays = [(np.array([x for x, _ in log], float), np.array([y for _, y in log], float)) for log in seeds]
    curve = thin(arrays, points)
    values = np.concatenate([y[np.isfinite(y)] for _, y in arrays])
    if curve is None:
        assert not len(values)
        return
    assert len(curve.x) <= max(points, len({x for log in seeds for x, _ in log} if not curve.binned else ()))
    assert (np.diff(curve.x) > 0).all()
    assert curve.low.min() == values.min()
    assert curve.high.max() == values.max()
    assert ((curve.low <= curve.mean) & (curve.mean <= curve.high)).all()
    assert curve.count.max() <= len(seeds)


def test_a_short_log_is_shown_as_it_is() -> None:
    x = np.arange(10.0)
    curve = thin([(x, x**2), (x, -(x**2))], 10)
    assert curve is not None
    assert not curve.binned
    np.testing.assert_array_equal(curve.x, x)
    np.testing.assert_array_equal(curve.mean, 0 * x)
    np.testing.assert_array_equal(curve.high, x**2)


def test_a_single_peak_of_a_long_log_is_in_the_band() -> None:
    y = np.zeros(10_000)
    y[7777] = 5.0
    curve = thin([(np.arange(10_000.0), y)], 100)
    assert curve is not None
    assert len(curve.x) == 100
    assert (curve.high == 5.0).sum() == 1
    assert abs(curve.x[int(curve.high.argmax())] - 7777) <= 50


def test_seeds_count_alike_however_often_they_logged() -> None:
    often, seldom = (np.linspace(0, 99, 1000), np.ones(1000)), (np.array([0.0, 99.0]), np.array([3.0, 3.0]))
    curve = thin([often, seldom], 1)
    assert curve is not None
    assert curve.mean == [2.0]
    assert curve.count == [2]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_short_numbers_are_right_to_their_digits(values: list[float]) -> None:
    exact = np.array(values)
    found = np.array(json.loads(json.dumps(short(exact))), dtype=np.float64)
    tiny = np.abs(exact) < 1e-300  # beneath what a number of full precision can be
    np.testing.assert_allclose(found[~tiny], exact[~tiny], rtol=0.51 * 10.0 ** (1 - DIGITS))


@given(st.text())
def test_embedded_json_has_no_character_that_html_reads(text: str) -> None:
    found = embedded({text: [text]})
    assert not {"<", ">", "&"} & set(found)
    assert found.isascii()
    assert json.loads(found) == {text: [text]}
