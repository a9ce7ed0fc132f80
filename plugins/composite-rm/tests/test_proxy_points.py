"""Proxy points against surfaces whose maximum is known, and against the exact answers about tiny-composite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_composite_rm.proxy.points import find_proxy_points
from zoo_composite_rm.proxy.surface import Landscape, Surface
from zoo_envs.composite.oracle import tiny_oracle

from zoo.errors import UsageError

NAMES = ("r1", "r2")
JOINT = (0.4555, 0.4429)
"""of tiny-composite (docs/methods/composite-rm.md, section 8), as are the individual points"""
OWN = {"r1": 0.538, "r2": 0.518}


def bowl(scores, centre):
    d = scores - np.asarray(centre)
    return 1 - 2 * (d**2).sum(axis=-1) - 1.2 * d[..., 0] * d[..., 1]


def fan(centre, noise=0.0, seed=0, n=25):
    """Three noisy paths from (.25, .25), along the axes and the diagonal, with a quadratic truth."""
    rng, t = np.random.default_rng(seed), np.linspace(0, 1, n)[:, None]
    found = {}
    for label, way in (("r1", (0.7, 0.05)), ("r2", (0.05, 0.7)), ("r1 + r2", (0.6, 0.6))):
        scores = 0.25 + t * way + rng.normal(0, 0.01, (n, 2))
        found[label] = np.column_stack([scores, bowl(scores, centre) + noise * rng.normal(size=n)])
    return found


def tilted(direction, n=16, most=20.0):
    """Exact scores and truth of policies pi0 exp(x direction.r), for x in [0, most]."""
    exact = [tiny_oracle().tilted(tuple(x * np.asarray(direction))) for x in np.linspace(0, most, n)]
    return np.array([[one.r1, one.r2, one.U] for one in exact])


@settings(max_examples=8, deadline=None)
@given(centre=st.tuples(st.floats(0.35, 0.6), st.floats(0.35, 0.6)), seed=st.integers(0, 1000))
def test_a_quadratic_surface_is_found_again(centre, seed):
    found = find_proxy_points(fan(centre, seed=seed), NAMES, min_density=0.0)
    np.testing.assert_allclose(found.joint.best, centre, atol=0.006)  # the grid's spacing
    assert found.joint.evaluation == pytest.approx(1.0, abs=1e-3)
    assert found.joint.surface.residual_rms < 1e-3
    assert not found.joint.on_edge


def test_noise_on_the_evaluations_moves_it_little_and_shows_in_the_residual():
    errors, residuals = [], []
    for seed in range(8):
        joint = find_proxy_points(fan((0.45, 0.5), noise=0.01, seed=seed), NAMES).joint
        errors.append(np.abs(joint.best - (0.45, 0.5)).max())
        residuals.append(joint.surface.residual_rms)
    assert np.mean(errors) < 0.02
    assert np.mean(residuals) == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("extra", [(), ("r1 + r2",)])
def test_the_exact_policies_of_tiny_composite_give_its_proxy_points(extra):
    paths = {"r1": tilted((1, 0)), "r2": tilted((0, 1)), **{label: tilted((1, 1)) for label in extra}}
    found = find_proxy_points(paths, NAMES)
    np.testing.assert_allclose(found.joint.best, JOINT, atol=0.03)
    for name, index in (("r1", 0), ("r2", 1)):
        assert found.own[name].best[0] == pytest.approx(OWN[name], abs=0.015)
        assert found.own_scores[name][index] == found.own[name].best[0]
        assert found.joint.best[index] < found.own[name].best[0]  # correlation moves it
    assert found.own_scores["r1"][1] == pytest.approx(0.284, abs=0.01)
    assert found.own_scores["r2"][0] == pytest.approx(0.309, abs=0.01)
    assert found.warnings == []


@pytest.mark.parametrize("degree", [2, 4])
def test_the_penalty_has_the_least_leave_one_out_error(degree):
    """By the definition: each point is predicted by normal equations without it."""
    rng = np.random.default_rng(degree)
    x, y = rng.random((22, 2)), rng.normal(size=22)
    standard = (x - x.mean(0)) / x.std(0)
    terms = [
        standard[:, 0] ** a * standard[:, 1] ** b for a in range(degree + 1) for b in range(degree + 1 - a) if a + b
    ]
    X = np.column_stack(terms)
    X = np.column_stack([np.ones(22), (X - X.mean(0)) / X.std(0)])

    def fit(rows, penalty):
        ridge = 22 * penalty * np.eye(X.shape[1])
        ridge[0, 0] = 0.0
        return np.linalg.solve(X[rows].T @ X[rows] + ridge, X[rows].T @ y[rows])

    def error(penalty):
        rest = [np.delete(np.arange(22), i) for i in range(22)]
        return np.mean([(y[i] - X[i] @ fit(rows, penalty)) ** 2 for i, rows in enumerate(rest)])

    best = min(np.logspace(-8, 2, 41), key=error)
    np.testing.assert_allclose(Surface(x, y, degree)(x), X @ fit(np.arange(22), best), atol=1e-6)


def test_points_spread_evenly_have_density_one():
    """A lattice of 25 by 25, of which (24 / 25)^2 lies in the box from its first to its last points."""
    scores = np.stack(np.meshgrid(*[np.linspace(2.0, 5.0, 25)] * 2), axis=-1).reshape(-1, 2)
    even = (24 / 25) ** 2
    mask = Landscape.of(NAMES, scores, scores.sum(1), degree=1, min_density=0.99 * even).mask
    assert mask[35:65, 35:65].all()  # nearer to the edges, part of each kernel lies outside
    with pytest.raises(UsageError, match=r"the densest has 0\.92"):
        Landscape.of(NAMES, scores, scores.sum(1), degree=1, min_density=1.01 * even)


def test_where_nothing_was_measured_no_maximum_is_looked_for():
    """The truth rises towards (1, 1), which no path of the two comes near."""
    paths = {label: path for label, path in fan((0.0, 0.0)).items() if label != "r1 + r2"}
    for path in paths.values():
        path[:, 2] = path[:, 0] + path[:, 1] + 3 * path[:, 0] * path[:, 1]
    found = find_proxy_points(paths, NAMES, min_density=0.5)
    assert found.joint.on_edge
    assert found.joint.best.min() < 0.5  # and not both of them high
    assert any("edge" in warning for warning in found.warnings)
    assert sum("at the end of its run" in warning for warning in found.warnings) == 2


def test_a_missing_run_is_told():
    paths = fan((0.45, 0.45))
    del paths["r2"]
    found = find_proxy_points(paths, NAMES)
    assert list(found.own) == ["r1"]
    assert found.warnings == ["no run follows r2 alone: its individual proxy point is not known."]
    assert [row["point"] for row in found.rows()] == ["r1 alone", "joint"]


def test_three_reward_models_have_three_coordinates():
    rng = np.random.default_rng(3)
    scores = rng.uniform(0, 1, (200, 3))
    path = np.column_stack([scores, -((scores - (0.3, 0.5, 0.6)) ** 2).sum(1)])
    joint = find_proxy_points({"all": path}, ("a", "b", "c"), degree=2).joint
    np.testing.assert_allclose(joint.best, (0.3, 0.5, 0.6), atol=0.03)
    assert joint.values.shape == joint.mask.shape == (22, 22, 22)


def with_nan():
    paths = fan((0.45, 0.45))
    paths["r2"][7, 2] = np.nan
    return paths


@pytest.mark.parametrize(
    ("paths", "names", "options", "words"),
    [
        (fan((0.4, 0.4), n=3), NAMES, {}, "points are too few for a surface of degree 3"),
        (with_nan(), NAMES, {}, "run 'r2', point 7: .*nan.*expected finite numbers"),
        ({"r1": np.zeros((30, 2))}, ("r1",), {}, "1 reward model: expected at least two"),
        ({"r1": np.zeros((30, 2))}, NAMES, {}, r"shape \(30, 2\): expected \[n, 3\]"),
        ({"sum": np.zeros((30, 3))}, NAMES, {}, "score of 'r1' is 0 everywhere"),
        ({"sum": np.outer(np.arange(30.0), np.ones(3))}, NAMES, {}, "lie on a line"),
        ({}, NAMES, {}, "there are no runs"),
        (fan((0.4, 0.4)), NAMES, {"degree": 7}, "degree = 7: expected a whole number between 1 and 6"),
        (fan((0.4, 0.4)), NAMES, {"min_density": 1e6}, "no place is as dense as that"),
        (fan((0.4, 0.4)), NAMES, {"min_density": float("nan")}, "min_density = nan"),
    ],
)
def test_bad_input_is_one_sentence(paths, names, options, words):
    with pytest.raises(UsageError, match=words):
        find_proxy_points(paths, names, **options)
