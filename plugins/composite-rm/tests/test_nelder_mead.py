"""The simplex search against scipy's, on functions without noise; its cache; and going on from a saved state."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, rosen
from zoo_composite_rm.proxy.nelder_mead import NelderMead

from zoo.errors import UnknownNameError, UsageError

WIDE = (-10.0, 10.0)


def named(points):
    return [{f"x{i}": float(x) for i, x in enumerate(point)} for point in points]


def search(simplex, bounds=WIDE, **options):
    return NelderMead(named(simplex), {f"x{i}": bounds for i in range(len(simplex[0]))}, **options)


def drive(simplex, function, evaluations):
    """All points measured, in order."""
    seen = []
    for _ in range(evaluations):
        seen.append(list(simplex.ask().values()))
        simplex.tell(function(np.array(seen[-1])))
    return np.array(seen)


def scipy_points(function, simplex, evaluations, bounds=None):
    seen = []

    def recorded(x):
        seen.append(np.array(x))
        return function(x)

    options = {"initial_simplex": simplex, "maxfev": evaluations, "xatol": 0.0, "fatol": -1.0}
    minimize(recorded, simplex[0], method="Nelder-Mead", bounds=bounds, options=options)
    return np.array(seen[:evaluations])


def bumpy(x):
    """Has shrinks: a narrow ridge on a staircase."""
    return float(np.floor(5 * np.abs(x)).sum() + np.sin(20 * x).sum())


def bowl(x):
    return float(((x - 0.3) ** 2).sum())


@pytest.mark.parametrize(
    ("function", "dimension"), [(bumpy, 1), (bumpy, 2), (bumpy, 3), (rosen, 2), (rosen, 3), (bowl, 1), (bowl, 2)]
)
def test_the_points_are_those_of_scipy(function, dimension):
    simplex = np.random.default_rng(dimension).normal(size=(dimension + 1, dimension))
    theirs = scipy_points(function, simplex, 80)
    np.testing.assert_allclose(drive(search(simplex), function, len(theirs)), theirs, atol=1e-14)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_so_they_are_with_bounds(seed):
    rng = np.random.default_rng(seed)
    simplex, target = rng.uniform(-1, 1, (3, 2)), rng.uniform(-2, 2, 2)

    def ellipse(x):
        return float(((x - target) ** 2) @ [1.0, 3.0])

    theirs = scipy_points(ellipse, simplex, 60, bounds=[(-1, 1)] * 2)
    ours = drive(search(simplex, (-1.0, 1.0)), ellipse, len(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-14)
    assert (np.abs(ours) <= 1).all()


def test_it_finds_a_known_minimum_and_says_when_the_vertices_agree():
    simplex = search([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    count = 0
    while not (simplex.settled and simplex.spread < 1e-12):
        simplex.tell(float((simplex.ask()["x0"] - 0.7) ** 2 + 2 * (simplex.ask()["x1"] + 0.2) ** 2))
        count += 1
        assert count < 200
    point, value = simplex.best
    assert point == pytest.approx({"x0": 0.7, "x1": -0.2}, abs=1e-5)
    assert value < 1e-10


def test_names_and_not_positions_decide():
    """docs/methods/composite-rm.md, section 4.1: the published code swaps the thresholds of its two reward models."""
    bounds = {"METEOR": (0.0, 0.3), "intent": (0.4, 1.0)}
    points = [{"intent": 0.5, "METEOR": 0.1}, {"METEOR": 0.2, "intent": 0.6}, {"intent": 0.7, "METEOR": 0.15}]
    simplex = NelderMead(points, bounds)
    for point in points:
        assert simplex.ask() == pytest.approx(point)
        simplex.tell(0.0)
    with pytest.raises(UsageError, match=r"expected a mapping such as \{'METEOR': 0\.5\}"):
        NelderMead([[0.1, 0.5]] * 3, bounds)
    with pytest.raises(UnknownNameError, match="meteor"):
        NelderMead([{"meteor": 0.1, "intent": 0.5}] * 3, bounds)


def test_a_value_of_another_policy_is_never_recalled():
    """Section 4.4 of the same: the cache belongs to one version of the policy."""
    simplex = search([[0.5, 0.5], [0.505, 0.5], [0.0, 0.0]], cache_tol=0.02)
    assert simplex.recall(0) is None
    simplex.tell(3.0, version=7)
    assert simplex.recall(7) == 3.0
    assert simplex.recall(8) is None
    simplex.tell(4.0, version=8)
    assert simplex.recall(8) is None  # (0, 0) is another point


def test_after_a_shrink_all_but_the_best_are_measured_anew():
    simplex = search([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], cache_tol=1.0)
    for value in (0.0, 1.0, 2.0, 9.0, 9.0):  # vertices, a bad reflection, a bad contraction
        simplex.tell(value, version=1)
    shrunk = [[0.5, 0.0], [0.0, 0.5]]
    for point in shrunk:
        assert not simplex.settled
        assert list(simplex.ask().values()) == point
        assert simplex.recall(2) is None
        simplex.tell(0.5, version=2)
    assert simplex.settled
    assert simplex.best == ({"x0": 0.0, "x1": 0.0}, 0.0)


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, 40), seed=st.integers(0, 100))
def test_a_state_in_json_goes_on_with_the_same_points(cut, seed):
    simplex = np.random.default_rng(seed).normal(size=(3, 2))
    whole, first = search(simplex), search(simplex)
    expected = drive(whole, bumpy, 60)[cut:]
    drive(first, bumpy, cut)
    second = search(np.zeros((3, 2)))
    second.load_state(json.loads(json.dumps(first.state(), allow_nan=False)))
    np.testing.assert_array_equal(drive(second, bumpy, 60 - cut), expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_refused(value):
    with pytest.raises(UsageError, match="expected a finite number"):
        search([[0.0], [1.0]]).tell(value)


def test_what_cannot_be_a_simplex_is_refused():
    with pytest.raises(UsageError, match="2 points: expected 3"):
        search([[0.0, 1.0]] * 2)
    with pytest.raises(UsageError, match="expected the lower one first"):
        search([[0.0], [1.0]], (1.0, 0.0))
    with pytest.raises(UsageError, match="expected finite numbers"):
        search([[np.nan], [1.0]])
    with pytest.raises(UsageError, match="cache_tol"):
        search([[0.0], [1.0]], cache_tol=-1.0)
    other = search([[0.0], [1.0]])
    with pytest.raises(UsageError, match="expected x0, x1"):
        search(np.zeros((3, 2))).load_state(other.state())
