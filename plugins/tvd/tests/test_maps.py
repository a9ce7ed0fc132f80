"""Undo maps: closed forms against gradients and brute force, gradients against finite differences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from zoo_tvd.cost import Cost
from zoo_tvd.maps.affine import Affine, Orthogonal
from zoo_tvd.maps.base import Regression
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.maps.permutation import Permutation
from zoo_tvd.policy_term import envelope_gradient
from zoo_tvd.samples import Samples
from zoo_tvd.transfer import restored_map


def regression(kind: Any = "transition", n: int = 30, d: int = 2, seed: int = 0, isotropic: bool = False) -> Regression:
    rng = np.random.default_rng(seed)
    T = {"state": 1, "transition": 2, "trajectory": 5}[kind]
    source = Samples.of(rng.standard_normal((n, T, d)) * [1.0, 3.0][:d], rng.integers(2, size=(n, max(1, T - 1))))
    cost = Cost.of(kind, source, lam_a=1.0, lam_d=2.0, isotropic=isotropic)
    o = rng.standard_normal((n, T, d))
    return Regression(o, cost.features(source.states), rng.dirichlet(np.ones(n)), cost)


@pytest.mark.parametrize("kind", ["state", "transition", "trajectory"])
def test_the_affine_fit_leaves_no_gradient(kind: Any) -> None:
    to = regression(kind)
    f, fit = Affine.identity(2).fitted(to)
    assert fit.identifiable
    assert np.abs(envelope_gradient(f, to)).max() < 1e-12 * to.value(to.observations)
    rng = np.random.default_rng(1)
    for _ in range(5):  # convex: no other map is better
        assert to.value(f.moved(f.parameters + 0.1 * rng.standard_normal(6))(to.observations)) > to.value(
            f(to.observations)
        )


def test_rows_of_the_affine_fit_are_states_and_displacements() -> None:
    """The same map by plain least squares on [o, 1] -> t and sqrt(lam_d) [o' - o, 0] -> displacement."""
    to = regression("transition")
    root = np.sqrt(to.weights)[:, None]
    o, after = to.observations[:, 0], to.observations[:, 1]
    k = to.cost.L[1, 1]
    X = np.concatenate([np.c_[o, np.ones(30)] * root, np.c_[k * (after - o), np.zeros(30)] * root])
    Y = np.concatenate([to.targets[:, 0] * to.cost.unit * root, to.targets[:, 1] * to.cost.unit * root])
    solution = np.linalg.lstsq(X, Y, rcond=None)[0]
    f, _ = Affine.identity(2).fitted(to)
    np.testing.assert_allclose(np.r_[f.W.T, f.c[None]], solution, atol=1e-10)


def test_a_singular_regression_is_told_with_its_rank() -> None:
    to = regression("state")
    flat = Regression(to.observations[..., :1] * np.array([1.0, 2.0]), to.targets, to.weights, to.cost)
    f, fit = Affine.identity(2).fitted(flat)
    assert (fit.rank, fit.identifiable) == (2, False)
    with pytest.warns(RuntimeWarning, match="the affine map is not determined by these data.* rank 2 of 3"):
        fit.warn_if_undetermined("the affine map")
    assert np.isfinite(f.W).all()


@pytest.mark.parametrize("kind", ["state", "transition", "trajectory"])
def test_the_ridge_of_a_singular_regression_leaves_the_shift_alone(kind: Any) -> None:
    """One observation alone determines no W, but f is exact there, however far it lies from the origin."""
    to = regression(kind, n=1)
    still = Regression(np.full_like(to.observations, 3.0), to.targets, to.weights, to.cost)
    far = still.targets * to.cost.unit + 1e6 * to.cost.L.sum(axis=1)[:, None]
    for targets in (still.targets, far / to.cost.unit):
        f, fit = Affine.identity(2).fitted(Regression(still.observations, targets, to.weights, to.cost))
        assert fit.rank == 1
        ones = to.cost.L.sum(axis=1)
        mean = np.einsum("b,bd->d", ones, targets[0] * to.cost.unit) / (ones @ ones)
        np.testing.assert_allclose(f(np.full(2, 3.0)), mean, rtol=1e-12)


def test_procrustes_against_a_scan_of_all_angles() -> None:
    to = regression("transition", isotropic=True)
    f, fit = Orthogonal.identity(2).fitted(to)
    np.testing.assert_allclose(f.W @ f.W.T, np.eye(2), atol=1e-12)
    assert fit.identifiable
    best = np.inf
    for angle, sign in itertools.product(np.linspace(0, 2 * np.pi, 2001), (1.0, -1.0)):
        R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * np.array([1.0, sign])
        shift = to.weights @ (to.targets[:, 0] * to.cost.unit - to.observations[:, 0] @ R.T)
        best = min(best, to.value(Orthogonal(R, shift)(to.observations)))
    assert to.value(f(to.observations)) == pytest.approx(best, rel=1e-5)
    assert to.value(f(to.observations)) <= best


def test_the_permutation_against_all_of_them() -> None:
    rng = np.random.default_rng(3)
    d, n = 4, 40
    states = np.eye(d)[rng.integers(d, size=(n, 2))]
    source = Samples.of(states, rng.integers(2, size=(n, 1)))
    cost = Cost.of("transition", source, lam_a=1.0, lam_d=1.0, isotropic=True)
    noisy = cost.features(states) + 0.1 * rng.standard_normal((n, 2, d))
    to = Regression(states[..., rng.permutation(d)], noisy, np.full(n, 1 / n), cost)
    f, fit = Permutation.identity(d).fitted(to)
    values = {
        order: to.value(Permutation(np.array(order))(to.observations)) for order in itertools.permutations(range(d))
    }
    assert tuple(f.order) == min(values, key=values.__getitem__)
    assert fit.identifiable
    np.testing.assert_array_equal(f(to.observations), to.observations @ f.W.T)


@pytest.mark.parametrize("kind", ["affine", "mlp"])
def test_gradients_against_finite_differences(kind: str) -> None:
    to = regression("trajectory")
    rng = np.random.default_rng(4)
    f: Any = Affine(rng.standard_normal((2, 2)), rng.standard_normal(2))
    if kind == "mlp":
        f = MLP.beginning(f, to.observations.reshape(-1, 2), to.cost.unit, rng, hidden=5, steps=3, rate=0.01)
        f = f.moved(f.parameters + 0.3 * rng.standard_normal(len(f.parameters)))
    exact = envelope_gradient(f, to)
    for direction in np.eye(len(f.parameters))[:: max(1, len(f.parameters) // 12)]:
        h = 1e-6
        ends = [to.value(f.moved(f.parameters + s * h * direction)(to.observations)) for s in (1, -1)]
        assert exact @ direction == pytest.approx(
            (ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-5 * np.abs(exact).max()
        )


def test_an_mlp_begins_as_its_affine_part_and_improves() -> None:
    to = regression("state")
    rng = np.random.default_rng(5)
    f = MLP.beginning(Affine.identity(2), to.observations[:, 0], to.cost.unit, rng, hidden=8, steps=200, rate=0.01)
    np.testing.assert_allclose(f(to.observations), to.observations, atol=1e-12)
    better, _ = f.fitted(to)
    line, _ = Affine.identity(2).fitted(to)
    assert to.value(better(to.observations)) < 0.9 * to.value(line(to.observations)) < to.value(f(to.observations))


def test_every_map_survives_its_state() -> None:
    to = regression("state", isotropic=True)
    rng = np.random.default_rng(6)
    mlp = MLP.beginning(Affine.identity(2), to.observations[:, 0], to.cost.unit, rng, hidden=3, steps=2, rate=0.01)
    for f in (Affine.identity(2), Orthogonal.identity(2), Permutation.identity(2), mlp.fitted(to)[0]):
        again = restored_map({"kind": f.kind, **f.state()})
        assert type(again) is type(f)
        np.testing.assert_array_equal(again(to.observations), f(to.observations))
