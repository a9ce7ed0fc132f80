"""The score-function part of the gradient, by finite differences over a policy whose every trajectory is enumerated."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from zoo_tvd.alternation import plan
from zoo_tvd.config import TvDConfig
from zoo_tvd.cost import Cost
from zoo_tvd.maps.affine import Affine
from zoo_tvd.policy_term import envelope_gradient, policy_gradient
from zoo_tvd.samples import Samples
from zoo_tvd.source.exact import ExactPolicy

from zoo.tabular import TabularCMDP

POINTS = np.array([[-1.0, 0.3], [0.2, -0.8], [0.9, 0.7]])


def policy() -> ExactPolicy:
    """Smooth, over three cells."""
    P = np.zeros((3, 2, 3))
    P[:, 0, 1], P[:, 1, 2] = 1.0, 1.0
    none = np.zeros((0, 3, 2))
    r = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.4]])
    cmdp = TabularCMDP(P, r, 0.5, np.array([1.0, 0.0, 0.0]), none, np.zeros(0), (), ())
    return ExactPolicy(cmdp, POINTS, bandwidth=0.6, epsilon=0.3)


def distribution(f: Affine, pi: ExactPolicy) -> Samples:
    """Every trajectory of three steps of a deterministic walk, with its probability under pi_f."""
    cells = np.array([[0.4, 0.1], [-0.5, 0.6], [0.3, -0.9], [1.1, 0.2]])
    states, actions, weights = [], [], []
    for taken in itertools.product((0, 1), repeat=3):
        at, walk, p = 0, [0], 1.0
        for a in taken:
            p *= float(pi.probabilities(f(cells[at : at + 1]))[0, a])
            at = (at + 1 + a) % 4
            walk.append(at)
        states.append(cells[walk])
        actions.append(taken)
        weights.append(p)
    return Samples(np.array(states), np.array(actions), np.array(weights))


def test_both_parts_together_are_the_derivative_of_the_objective() -> None:
    pi, rng = policy(), np.random.default_rng(0)
    source = Samples.of(rng.standard_normal((5, 4, 2)))
    cost = Cost.of("trajectory", source, lam_a=0.0, lam_d=0.0)
    f = Affine(np.array([[0.8, -0.3], [0.2, 1.1]]), np.array([0.1, -0.2]))

    def objective(g: Affine) -> float:
        return plan(g, distribution(g, pi), source, cost).value

    here = distribution(f, pi)
    assert here.weights.sum() == pytest.approx(1)
    planned = plan(f, here, source, cost)
    assert planned.coupling is not None
    first = envelope_gradient(f, planned.regression)
    second = policy_gradient(f, here, planned.coupling.potential, pi)
    assert np.abs(second).max() > 0.01 * np.abs(first).max()  # it matters
    wrong = (planned.coupling.plan * cost.matrix(f(here.states), here, source)).sum(1) / here.weights
    other = policy_gradient(f, here, wrong - here.weights @ wrong, pi)
    for direction in np.eye(6):
        h = 1e-5
        numeric = (
            objective(f.moved(f.parameters + h * direction)) - objective(f.moved(f.parameters - h * direction))
        ) / (2 * h)
        assert (first + second) @ direction == pytest.approx(numeric, rel=1e-4, abs=1e-6)
    assert (
        np.abs(other - second).max() > 0.01 * np.abs(second).max()
    )  # the plan's cost in place of the potential is not it


def test_the_score_is_the_derivative_of_the_logarithm() -> None:
    pi, s, h = policy(), np.array([[0.3, -0.2], [0.7, 0.5]]), 1e-6
    for action in (0, 1):
        exact = pi.score(s, np.full(2, action))
        assert exact is not None
        for axis, move in enumerate(h * np.eye(2)):
            ends = [np.log(pi.probabilities(s + sign * move)[:, action]) for sign in (1, -1)]
            np.testing.assert_allclose(exact[:, axis], (ends[0] - ends[1]) / (2 * h), rtol=1e-6)


def test_padding_after_the_end_has_no_score() -> None:
    pi, f = policy(), Affine.identity(2)
    states = np.random.default_rng(1).standard_normal((2, 3, 2))
    short = Samples(states, np.array([[0, -1], [1, 0]]), np.array([0.5, 0.5]))
    phi = np.array([1.0, 0.0])
    expected = pi.score(states[:1, 0], np.array([0]))
    assert expected is not None
    np.testing.assert_allclose(policy_gradient(f, short, phi, pi), f.pulled_back(states[:1, 0], 0.5 * expected))


@pytest.mark.parametrize("side", ["target", "source"])
def test_the_data_follow_the_policy_whose_score_is_taken(side: str, lab: Any) -> None:
    found = lab.make("TvD", 600, episodes=400, horizon=10, policy_term=True, bandwidth=0.4, epsilon=0.3)
    collect = found.observe if side == "target" else found.observe_source
    samples = collect(True, whole=True, rng=np.random.default_rng(0))
    running = samples.actions >= 0
    states, actions = samples.states[:, :-1][running], samples.actions[running]
    p = found.policy_source.probabilities(states)
    apart = (np.eye(4)[actions] - p).sum(axis=0) / np.sqrt((p * (1 - p)).sum(axis=0))
    assert np.abs(apart).max() < 4.5  # standard errors


@pytest.mark.parametrize("cost", ["state", "state-action", "transition"])
def test_the_policy_term_is_of_trajectories_alone(cost: Any) -> None:
    with pytest.raises(ValueError, match="policy_term needs cost = trajectory"):
        TvDConfig(policy_term=True, cost=cost)
