"""The parts of reload-ppo by themselves: weights of the mixture, Monte Carlo values, what is said of a run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from zoo_reload.ppo.config import ReloadPPOConfig
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.episodes import Episodes
from zoo_reload.sampling.history import RolloutHistory
from zoo_reload.sampling.multipliers import Projected, Sigmoid

from zoo.errors import UsageError

SIGN = np.array([1.0, -1.0, 1.0])
EQUALITY = np.array([False, False, True])
CAP = 1e4


@settings(deadline=None)
@given(x=arrays(np.float64, (4, 3), elements=st.floats(-2 * CAP, 2 * CAP)))
@pytest.mark.parametrize("kind", [Projected, Sigmoid])
def test_the_mixture_is_the_lagrangian_on_a_bounded_scale(kind, x):
    multipliers = kind(SIGN, EQUALITY, CAP)
    x = multipliers.clip(x)
    weights, mu = multipliers.weights(x), multipliers.effective(x)
    assert np.isfinite(mu).all()
    np.testing.assert_allclose(np.abs(weights).sum(axis=1), 1.0)
    assert (weights[:, 0] > 0).all()
    assert (mu[:, ~EQUALITY] >= 0).all()
    # A cost lowers what the policy follows, a utility raises it.
    np.testing.assert_allclose(weights[:, 1:] / weights[:, :1], -SIGN * mu, rtol=1e-9, atol=1e-300)


def test_one_sigmoid_stands_for_the_exponential_of_its_variable():
    x = np.array([[-3.0], [0.0], [2.0]])
    found = Sigmoid(np.array([-1.0]), np.array([False]), CAP)
    np.testing.assert_allclose(found.effective(x), np.exp(x))
    np.testing.assert_allclose(found.weights(x)[:, 1], 1 / (1 + np.exp(-x[:, 0])))


@pytest.mark.parametrize("kind", [Projected, Sigmoid])
def test_slopes_are_derivatives_of_the_shares(kind):
    """Of N |weight_i| for bounded weights, of mu itself for projected ones."""
    multipliers, x, h = kind(SIGN, EQUALITY, CAP), np.array([[0.3, 0.7, -0.4]]), 1e-6

    def share(x):
        if kind is Projected:
            return multipliers.effective(x)
        return -3 * SIGN * multipliers.weights(x)[:, 1:]

    found = (share(x + h) - share(x - h)) / (2 * h)
    np.testing.assert_allclose(multipliers.slope(x), found, rtol=1e-6)


@pytest.mark.parametrize("kind", [Projected, Sigmoid])
def test_without_constraints_the_reward_is_all(kind):
    multipliers = kind(np.zeros(0), np.zeros(0, dtype=bool), CAP)
    np.testing.assert_array_equal(multipliers.weights(np.zeros((2, 0))), [[1.0], [1.0]])
    assert multipliers.effective(np.zeros((2, 0))).shape == (2, 0)


def naive(signals, terminated, truncated, unit, gamma):
    """Values of one member's signals [H, T, B], episode by episode."""
    total, weight, number, steps = np.zeros(len(signals)), 0.0, 0, 0.0
    for copy in range(signals.shape[2]):
        begin = 0
        for t in range(signals.shape[1]):
            if not (terminated[t, copy] or truncated[t, copy]):
                continue
            c = signals[:, begin : t + 1, copy].astype(np.float64)
            T = c.shape[1]
            powers = np.ones(T) if gamma is None else gamma ** np.arange(T)
            if unit == "episode":
                value, count = c @ powers, 1.0
            elif gamma is None:
                value, count = c.sum(axis=1), T
            else:
                # After a terminal state come zeros forever; a time limit hides what would have come.
                seen = powers.sum() if not terminated[t, copy] else 1 / (1 - gamma)
                value, count = c @ powers / seen, 1.0
            total, weight, number, begin = total + value, weight + count, number + 1, t + 1
            steps += powers.sum()
    if not number:
        return np.zeros(len(signals)), 0, 1.0
    return total / weight, number, steps / number if unit == "episode" else 1.0


@pytest.mark.parametrize(("unit", "gamma"), [("step", 0.8), ("step", None), ("episode", 0.8), ("episode", None)])
def test_values_equal_those_of_each_episode_on_its_own(unit, gamma):
    rng = np.random.default_rng(0)
    signals = rng.random((3, 2, 40, 4)).astype(np.float32)
    terminated, truncated = rng.random((2, 3, 40, 4)) < 0.1
    terminated[2], truncated[2] = False, False
    episodes = Episodes(3, 2, 4, unit, gamma)
    found, number, steps = episodes.add(signals, terminated, truncated)
    for member in range(3):
        value, count, length = naive(signals[member], terminated[member], truncated[member], unit, gamma)
        assert steps[member] == pytest.approx(length)
        assert number[member] == count
        np.testing.assert_allclose(found[member], value, rtol=1e-6)
    assert number[2] == 0


def test_an_episode_may_begin_in_an_earlier_rollout_and_survives_a_checkpoint():
    rng = np.random.default_rng(1)
    signals = rng.random((1, 1, 10, 2)).astype(np.float32)
    never = np.zeros((1, 10, 2), dtype=bool)
    ends = never.copy()
    ends[0, [3, 7], [0, 1]] = True
    whole, first, second = (Episodes(1, 1, 2, "step", 0.9) for _ in range(3))
    expected = whole.add(signals, ends, never)
    assert first.add(signals[:, :, :3], ends[:, :3], never[:, :3])[1] == 0
    second.load_state(0, first.state(0))
    found = second.add(signals[:, :, 3:], ends[:, 3:], never[:, 3:])
    np.testing.assert_allclose(found[0], expected[0])
    first.forget(0)
    begun_anew, *_ = first.add(signals[:, :, 3:], ends[:, 3:], never[:, 3:])
    assert begun_anew != expected[0]


def test_a_constant_signal_has_its_own_value_however_early_the_time_limit():
    truncated = np.zeros((1, 6, 1), dtype=bool)
    truncated[0, 2], truncated[0, 5] = True, True
    ones = np.ones((1, 1, 6, 1), np.float32)
    assert Episodes(1, 1, 1, "step", 0.99).add(ones, ~truncated & False, truncated)[0] == pytest.approx(1.0)
    # Where the state is terminal, 1 - gamma^3 is all there ever was.
    found, *_ = Episodes(1, 1, 1, "step", 0.99).add(ones, truncated, truncated & False)
    assert found == pytest.approx(1 - 0.99**3)


CONSTRAINTS = Constraints(names=("heat", "noise"), thresholds=np.array([0.5, 1.0]), senses=("<=", "=="))
BOUNDS = np.array([10.0, 10.0])


def test_violations_are_signed_by_the_sense():
    J = np.array([[0.7, 0.8], [0.2, 1.5]])
    np.testing.assert_allclose(CONSTRAINTS.gradient(J), [[0.2, -0.2], [-0.3, 0.5]])
    np.testing.assert_allclose(CONSTRAINTS.violation(J), [[0.2, 0.2], [0.0, 0.5]])


def test_a_constraint_that_stays_violated_while_its_multiplier_rises_is_named():
    history = RolloutHistory(2)
    assert history.outcome(CONSTRAINTS, 1e-3, BOUNDS) is None
    for k in range(40):
        history.add(1.0 + k % 2, np.array([0.3, 0.0]), np.array([0.1 * k, 0.0]))
    found = history.outcome(CONSTRAINTS, 1e-3, BOUNDS)
    assert (found.status, found.final) == ("infeasible_suspected", False)
    assert "constraint 'heat' stays violated, now by 0.3" in found.message
    assert history.oscillation() == 1.0
    assert history.outcome(CONSTRAINTS, 0.05, BOUNDS) is None
    history.add(1.5, np.array([0.0, 0.0]), np.array([4.0, 0.0]))
    assert history.outcome(CONSTRAINTS, 1e-3, BOUNDS) is None
    history.add(1.5, np.array([0.0, 0.0]), np.array([4.0, -10.0]))
    found = history.outcome(CONSTRAINTS, 1e-3, BOUNDS)
    assert (found.status, found.message) == ("not_converged", "the multiplier of 'noise' is at its cap.")


def test_oscillation_forgets_the_first_half():
    history = RolloutHistory(1)
    for value in (9.0, -9.0, 1.0, 1.5):
        history.add(value, np.zeros(1), np.zeros(1))
    assert history.oscillation() == 0.5


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"lr_mu": -0.1}, "lr_mu = -0.1: expected a finite number of at least 0"),
        ({"lr_mu": (0.1, float("nan"))}, "lr_mu = nan"),
        ({"cap": 1.0}, "cap = 1.0: expected a finite number of more than 1"),
        ({"kappa": -1.0}, "kappa = -1.0"),
        ({"tol": 0.0}, "tol = 0.0"),
        ({"thresholds": {"heat": float("inf")}}, r"thresholds\['heat'\] = inf"),
        ({"gamma": 1.5}, "gamma = 1.5"),
    ],
)
def test_options_out_of_range_are_refused(fields, words):
    with pytest.raises(UsageError, match=words):
        ReloadPPOConfig(**fields)
