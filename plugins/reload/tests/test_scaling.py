"""The unit of a cost, and the length of an episode, change no step: only the multiplier's unit follows the cost's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_reload.ppo.agent import PPOLagrangian, ReloadPPO
from zoo_reload.ppo.comparators.agents import CPO, CRPO, FOCOPS, PPOPID
from zoo_reload.sampling.scale import Scale


def follow(run, updates=4):
    rows = [run.update() for _ in range(updates)]
    return rows, run.state()["weights"]


@pytest.mark.parametrize("cls", [ReloadPPO, PPOLagrangian, PPOPID, CRPO, FOCOPS, CPO])
@settings(deadline=None, max_examples=3)
@given(power=st.integers(-12, 12))
def test_other_units_of_costs_and_limits_change_the_multipliers_unit_alone(costly, cls, power):
    """Powers of two round nothing, so that everything is equal bit for bit."""
    unit = 2.0**power
    plain, scaled = costly(cls), costly(cls, unit=unit)
    rows, weights = follow(plain)
    other_rows, other_weights = follow(scaled)
    np.testing.assert_array_equal(weights, other_weights)
    for row, other in zip(rows, other_rows, strict=True):
        for name in row:
            in_unit = {"value/cost": unit, "threshold/cost": unit, "violation/cost": unit, "violation": unit}
            in_unit["multiplier/cost"] = 1 / unit
            if name not in ("penalised_return", "oscillation"):
                assert other[name] == pytest.approx(row[name] * in_unit.get(name, 1.0), rel=1e-12), name
    assert rows[0]["violation/cost"] > 0


@pytest.mark.parametrize("cls", [ReloadPPO, PPOPID, FOCOPS])
def test_a_multiplier_moves_alike_whatever_the_length_of_an_episode(costly, cls):
    """The same policy and the same limit per step: 40 steps of one episode, or of four."""
    long, short = costly(cls, steps=40), costly(cls, steps=10)
    for run in (long, short):
        run.update()
    assert long.multipliers()["cost"] == pytest.approx(short.multipliers()["cost"], rel=1e-12)
    assert long.multipliers()["cost"] > 0


def test_the_unit_is_the_largest_signal_first_seen_and_before_that_the_threshold():
    scale = Scale(2, np.array([0.5, 0.0]))
    np.testing.assert_array_equal(scale.unit, [[0.5, 1.0], [0.5, 1.0]])
    signals = np.zeros((2, 2, 3, 1))
    signals[0, 0, 1], signals[1, 1, 2] = -4.0, 0.25
    scale.see(signals)
    np.testing.assert_array_equal(scale.unit, [[4.0, 1.0], [0.5, 0.25]])
    scale.see(10 * signals + 1)
    np.testing.assert_array_equal(scale.unit, [[4.0, 1.0], [1.0, 0.25]])
    again = Scale(2, np.array([0.5, 0.0]))
    again.load_state(1, {"scale": scale.state(0)})
    np.testing.assert_array_equal(again.unit[1], [4.0, 1.0])
