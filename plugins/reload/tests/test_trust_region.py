"""CPO's step against a convex solver, and its Fisher information against the divergence that it is the curvature of."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import distribution_on
from zoo_onpolicy.networks import MLP
from zoo_onpolicy.tabular_policy import Table
from zoo_reload.ppo.comparators.natural_gradient import Fisher
from zoo_reload.ppo.comparators.trust_region import constrained_step


def problem(seed, constraints):
    """g, B, c, H, delta of a random problem in six dimensions."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    H = root @ root.T + 0.1 * np.eye(6)
    return rng.normal(size=6), rng.normal(size=(constraints, 6)), rng.normal(scale=0.2, size=constraints), H, 0.05


def stepped(g, B, c, H, delta):
    """The step, and whether no step meets all constraints."""
    vectors = np.vstack([g[None], B])
    inverse = np.linalg.solve(H, vectors.T).T
    weights, lost = constrained_step((vectors @ inverse.T)[None], c[None], np.array([delta]))
    return weights[0] @ inverse, bool(lost[0])


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), constraints=st.integers(0, 3))
def test_the_step_is_the_optimum_of_the_convex_program(seed, constraints):
    g, B, c, H, delta = problem(seed, constraints)
    found, lost = stepped(g, B, c, H, delta)
    x = cvxpy.Variable(6)
    within = [cvxpy.quad_form(x, cvxpy.psd_wrap(H)) / 2 <= delta]
    solver = cvxpy.Problem(cvxpy.Maximize(g @ x), within + ([c + B @ x <= 0] if constraints else []))
    solver.solve(solver=cvxpy.CLARABEL)
    assert found @ H @ found / 2 <= delta * (1 + 1e-9)
    if lost:
        assert solver.status != cvxpy.OPTIMAL or np.abs(solver.constraints[0].dual_value).max() > 1e6
    else:
        assert (c + B @ found <= 1e-7).all()
        assert g @ found == pytest.approx(solver.value, abs=1e-6 * np.sqrt(g @ np.linalg.solve(H, g)))


def test_out_of_reach_the_furthest_constraint_falls_as_fast_as_it_can():
    g, B, _, H, delta = problem(3, 2)
    found, lost = stepped(g, B, np.array([0.5, 50.0]), H, delta)
    assert lost
    x = cvxpy.Variable(6)
    steepest = cvxpy.Problem(cvxpy.Minimize(B[1] @ x), [cvxpy.quad_form(x, cvxpy.psd_wrap(H)) / 2 <= delta])
    steepest.solve(solver=cvxpy.CLARABEL)
    assert B[1] @ found == pytest.approx(steepest.value, rel=1e-6)


def test_members_do_not_see_one_another():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 4, 8))
    gram, c, delta = root @ root.mT, rng.normal(size=(5, 3)), rng.random(5)
    weights, lost = constrained_step(gram, c, delta)
    for i in range(5):
        alone, alone_lost = constrained_step(gram[i : i + 1], c[i : i + 1], delta[i : i + 1])
        np.testing.assert_allclose(weights[i], alone[0], rtol=1e-9)
        assert lost[i] == alone_lost[0]


def networks():
    rng, two = np.random.default_rng(0), spaces.Discrete(3)
    obs = rng.normal(size=(2, 20, 4)).astype(np.float32)
    box = spaces.Box(-1, 1, (2,), np.float32)
    states = rng.integers(0, 5, size=(2, 20))
    options = NetworkConfig(net_arch=(8,), policy_gain=1.0)
    several = spaces.MultiDiscrete([2, 3])
    for space, seen, kind in ((two, obs, MLP), (box, obs, MLP), (two, states, Table), (several, obs, MLP)):
        distribution = distribution_on(space)
        network = kind(2, 4 if kind is MLP else 5, 2, distribution, options, "cpu")
        for member in range(2):
            network.initialise(member, rng)
        network.parameters.flat += rng.normal(scale=0.3, size=network.parameters.flat.shape).astype(np.float32)
        yield distribution, network, seen


@pytest.mark.parametrize("case", [0, 1, 2, 3])
def test_the_fisher_information_is_the_curvature_of_the_divergence(case):
    distribution, network, obs = list(networks())[case]
    outputs = network.policy(obs)
    fisher = Fisher(network, distribution, obs, outputs, 0.0, "cpu")
    rng = np.random.default_rng(1)
    at = network.parameters.flat.astype(np.float64)
    seen = obs.astype(np.float64) if obs.ndim == 3 else obs
    actions = np.zeros((2, distribution.encoded, obs.shape[1]))
    for _ in range(3):
        v = rng.normal(size=at.shape)
        h = 1e-4
        reference = network.policy(seen, at)
        kl = [
            distribution.score(network.policy(seen, at + side * h * v), actions, reference).kl.mean(axis=1)
            for side in (1, -1)
        ]
        np.testing.assert_allclose((v * fisher.product(v)).sum(axis=1), (kl[0] + kl[1]) / h**2, rtol=1e-3)


def test_conjugate_gradients_invert_the_damped_information():
    distribution, network, obs = next(iter(networks()))
    fisher = Fisher(network, distribution, obs, network.policy(obs), 0.1, "cpu")
    b = np.random.default_rng(2).normal(size=network.parameters.flat.shape)
    x = fisher.solve(b, 60)
    np.testing.assert_allclose(fisher.product(x), b, atol=1e-3 * np.abs(b).max())
    assert np.isfinite(fisher.solve(b * 0.0, 3)).all()
