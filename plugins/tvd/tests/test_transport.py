"""Transport against a linear program, closed forms and finite differences."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from zoo_tvd import gradient, ot_distance
from zoo_tvd.transport.solvers import sliced_barycentres, solve_exact, solve_sinkhorn, squared_distances


def program(a: Any, b: Any, cost: Any) -> float:
    """The transport problem as a linear program, by HiGHS."""
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    found = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b]), method="highs")
    return float(found.fun)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10_000), st.sampled_from(["sqeuclidean", "cityblock"]))
@settings(max_examples=25, deadline=None)
def test_value_and_plan_are_those_of_the_linear_program(n: int, m: int, seed: int, metric: str) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 2)), rng.standard_normal((m, 2))
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    value, plan = ot_distance(x, y, a, b, metric)
    cost = cdist(x, y, metric)
    assert value == pytest.approx(program(a, b, cost), rel=1e-9, abs=1e-12)
    assert value == pytest.approx(float((plan * cost).sum()), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(plan.sum(1), a, atol=1e-12)
    np.testing.assert_allclose(plan.sum(0), b, atol=1e-12)


def test_on_a_line_the_coupling_is_monotone(cloud: Any) -> None:
    x, y = cloud(40, 1, 1)[0], cloud(40, 1, 2)[0]
    expected = np.mean((np.sort(x[:, 0]) - np.sort(y[:, 0])) ** 2)
    assert ot_distance(x[:, 0], y[:, 0])[0] == pytest.approx(expected, rel=1e-12)


def test_masses_scale_the_value(cloud: Any) -> None:
    (x, a), (y, b) = cloud(5), cloud(7, seed=1)
    value, plan = ot_distance(x, y, 3 * a, 3 * b)
    assert value == pytest.approx(3 * ot_distance(x, y, a, b)[0])
    assert plan.sum() == pytest.approx(3)


def test_a_function_may_be_the_metric(cloud: Any) -> None:
    x, y = cloud(4)[0], cloud(4, seed=1)[0]
    assert ot_distance(x, y, metric=lambda p, q: cdist(p, q))[0] == pytest.approx(
        ot_distance(x, y, metric="euclidean")[0]
    )


def test_the_gradient_is_that_of_the_value(cloud: Any) -> None:
    (x, a), (y, b) = cloud(9), cloud(6, seed=1)
    _, plan = ot_distance(x, y, a, b)
    direction = np.random.default_rng(2).standard_normal(x.shape)
    h = 1e-5
    numeric = (ot_distance(x + h * direction, y, a, b)[0] - ot_distance(x - h * direction, y, a, b)[0]) / (2 * h)
    assert float((gradient(plan, x, y) * direction).sum()) == pytest.approx(numeric, rel=1e-6)


def test_potentials_certify_the_value_and_are_centred(cloud: Any) -> None:
    (x, u), (y, v) = cloud(12), cloud(9, seed=1)
    cost = squared_distances(x, y)
    found = solve_exact(u, v, cost)
    assert u @ found.potential == pytest.approx(0, abs=1e-12)
    assert u @ found.potential + v @ found.other_potential == pytest.approx(found.value, rel=1e-9)  # no gap of duality
    assert (found.potential[:, None] + found.other_potential <= cost + 1e-9).all()


def test_potentials_of_a_neighbour_lead_to_the_same_value(cloud: Any) -> None:
    (x, u), (y, v) = cloud(60), cloud(50, seed=1)
    near, cost = solve_exact(u, v, squared_distances(x + 0.05, y)), squared_distances(x, y)
    warm = solve_exact(u, v, cost, (near.potential, near.other_potential))
    assert warm.value == pytest.approx(solve_exact(u, v, cost).value, rel=1e-9)


def test_the_entropic_plan_costs_more_and_less_so_with_less_entropy(cloud: Any) -> None:
    (x, u), (y, v) = cloud(15), cloud(12, seed=1)
    cost = squared_distances(x, y)
    least = solve_exact(u, v, cost).value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last one is slow to converge
        values = [solve_sinkhorn(u, v, cost, eps).value for eps in (1.0, 0.2, 0.02)]
    assert values[0] > values[1] > values[2] > least
    assert values[2] == pytest.approx(least, rel=0.02)
    found = solve_sinkhorn(u, v, cost)
    np.testing.assert_allclose(found.plan.sum(1), u, rtol=1e-12)
    value, plan = ot_distance(x, y, u, v, solver="entropic")
    assert value == pytest.approx(found.value)
    assert plan.shape == (15, 12)


def test_sliced_targets_are_exact_where_one_cloud_is_the_other_shifted(cloud: Any) -> None:
    x, u = cloud(50, 3)
    shift = np.array([0.7, -0.2, 1.1])
    value, targets = sliced_barycentres(x, x + shift, u, u, np.random.default_rng(0))
    np.testing.assert_allclose(targets, x + shift, atol=1e-9)
    assert value == pytest.approx(shift @ shift, rel=1e-9)


def test_sliced_targets_keep_the_mean(cloud: Any) -> None:
    (x, u), (y, v) = cloud(30, 4), cloud(45, 4, seed=1)
    _, targets = sliced_barycentres(x, y, u, v, np.random.default_rng(0))
    np.testing.assert_allclose(u @ targets, v @ y, atol=1e-9)


def test_a_tensor_with_a_gradient_is_refused(cloud: Any) -> None:
    import torch

    with pytest.raises(ValueError, match="x cannot be read"):
        ot_distance(torch.ones(2, 1, requires_grad=True), [[1.0]])


@pytest.mark.parametrize("solver", ["exact", "entropic"])
def test_points_without_mass_have_no_part(solver: str, cloud: Any) -> None:
    x, y = cloud(4)[0], cloud(5, seed=1)[0]
    value, plan = ot_distance(x, y, [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25, 0], solver=solver)
    least, few = ot_distance(x[:2], y[:4], [0.5, 0.5], [0.25] * 4, solver=solver)
    assert value == pytest.approx(least, rel=1e-9)
    np.testing.assert_allclose(plan[:2, :4], few, atol=1e-12)
    assert plan[2:].sum() == plan[:, 4].sum() == 0


def test_far_from_the_origin_nothing_cancels(cloud: Any) -> None:
    x, y = cloud(6)[0], cloud(7, seed=1)[0]
    far, near = ot_distance(x + 1e8, y + 1e8)[0], ot_distance(x, y)[0]
    assert far == pytest.approx(near, rel=1e-6)


@given(st.integers(-450, 400), st.sampled_from(["exact", "entropic"]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_unit_of_the_points_does_not_matter(power: int, solver: str, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    x, y, unit = rng.standard_normal((20, 3)), rng.standard_normal((26, 3)), 2.0**power
    masses = (rng.dirichlet(np.ones(20)), rng.dirichlet(np.ones(26))) if weighted else (None, None)
    value, plan = ot_distance(x, y, *masses, solver=solver)
    other, its = ot_distance(unit * x, unit * y, *masses, solver=solver)
    assert other == pytest.approx(unit**2 * value, rel=1e-9, abs=0)
    np.testing.assert_allclose(its, plan, atol=1e-9)


def test_the_unit_of_the_masses_does_not_matter(cloud: Any) -> None:
    (x, a), (y, b) = cloud(5), cloud(7, seed=1)
    value = ot_distance(x, y, a, b)[0]
    for unit in (1e-12, 1e12):
        assert ot_distance(x, y, unit * a, unit * b)[0] == pytest.approx(unit * value, rel=1e-9, abs=0)
        with pytest.raises(ValueError, match="the masses differ"):
            ot_distance(x, y, unit * a, 1.001 * unit * b)


def test_sinkhorn_where_most_points_are_one() -> None:
    x, y = np.r_[np.zeros(8), 1.0], np.r_[np.zeros(7), 2.0, 3.0]
    exactly, nearly = (ot_distance(x, y, solver=solver)[0] for solver in ("exact", "entropic"))
    for unit in (1.0, 1e-3):
        assert ot_distance(unit * x, unit * y, solver="entropic")[0] == pytest.approx(unit**2 * nearly, rel=1e-6, abs=0)
    assert nearly == pytest.approx(exactly, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0.5, 0.5]], [[1.0], [2.0]], [[1.0], [2.0]]), r"shape \[1, 2\]: expected \[2, 2\]"),
        (([0.5, 0.5], [[1.0], [2.0]], [[1.0]]), r"shape \[2\]: expected \[2, 1\]"),
        (([[np.nan]], [[1.0]], [[1.0]]), "the plan is not finite"),
        (([[1.0]], [[1.0]], [[1.0, 2.0]]), "1 coordinates and y has 2"),
    ],
)
def test_a_gradient_needs_a_plan_between_its_points(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gradient(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], [[1.0]]), "x is empty"),
        (([[np.nan]], [[1.0]]), r"x\[0, 0\] is not finite"),
        (([[1.0]], [[1.0, 2.0]]), "1 coordinates and y has 2"),
        (([[1.0]], [[1.0]], [1.0], [1.1]), "the masses differ"),
        (([[1.0]], [[1.0]], [0.5, 0.5], None), r"expected \[1\]"),
        (([[1.0]], [[1.0]], [-1.0], [-1.0]), "at least 0"),
        (([[1.0]], [[1.0]], None, None, "taxi"), "no metric"),
        (([[1.0]], [[1.0]], None, None, None), "a name or a function"),
        (([[0.0, 0.0]], [[1.0, 0.0]], None, None, "cosine"), r"between x\[0\] and y\[0\] is nan"),
        (([0.0, 1.0, 2.0], [1.0, 3.0], None, None, "correlation"), "expected finite costs"),
        (([[1e200]], [[1.0]]), "is inf: expected finite costs"),
        (([[1.0 + 1j]], [[1.0]]), "x has entries of type complex128"),
        (([[1.0]], [["a"]]), "y has entries of type <U1"),
        (([[1.0]], [[1.0]], [1j]), "the weights of x has entries|entries of type complex"),
        (([[1.0, 2.0], [3.0]], [[1.0]]), "x cannot be read as an array"),
        ((None, [[1.0]]), "x has entries of type object"),
        (([[1.0]], [[1.0]], None, None, lambda x, y: np.zeros(3)), "1 x 1 finite costs"),
    ],
)
def test_bad_input_is_told(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ot_distance(*arguments)
    with pytest.raises(ValueError, match="solver must be"):
        ot_distance([[1.0]], [[1.0]], solver="simplex")
