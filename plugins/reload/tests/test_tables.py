"""T1 to T4 and T6 of docs/methods/reload.md, section 8; the figures are those of our first implementation, z_0 = 0."""

from __future__ import annotations

import numpy as np
import pytest

GARNET, CATCH = "garnet", "constrained-catch"


@pytest.mark.parametrize(
    ("env", "eta", "eta_mu", "counts"),
    [
        ("two-state", 1, 1, (70, 100, 190)),
        ("two-state", 2, 1, (50, 60, 100)),
        ("three-state", 3, 1, (280, 440, 1010)),
        ("three-state", 2, 1, (360, 650, 1480)),
        (GARNET, 20, 20, (20, 40, 170)),
        # Our first implementation had 20, 40, 110 here; the formulas from z_0 = 0 give 34, 60, 137.
        (CATCH, 30, 10, (40, 60, 130)),
    ],
)
def test_t1_the_last_iterate_of_reload_converges_in_the_stated_number_of_iterations(runs, env, eta, eta_mu, counts):
    reload = runs.make("Reload", env, eta=float(eta), eta_mu=float(eta_mu))
    rows = runs.drive(reload)
    for tol, count in zip((1e-2, 1e-3, 1e-6), counts, strict=True):
        assert runs.reached(rows, tol) <= 1.5 * count
    assert reload.outcome.status == "converged"
    assert reload.outcome.final
    assert rows[-1]["oscillation"] == runs.last_half(rows) <= 1e-5


@pytest.mark.parametrize(
    ("env", "eta", "eta_mu", "budget", "stated"),
    [
        ("two-state", 1, 1, 1000, 0.43),
        ("three-state", 3, 1, 2000, 0.76),
        (GARNET, 20, 20, 1000, 0.011),
        (CATCH, 30, 10, 200, 0.030),
    ],
)
def test_t1_gradient_descent_ascent_with_the_same_steps_fails(runs, env, eta, eta_mu, budget, stated):
    gda = runs.make("GDA", env, eta=float(eta), eta_mu=float(eta_mu), init_std=0.0, budget=budget)
    rows = runs.drive(gda)
    assert runs.last_half(rows) > 1e-3
    assert runs.last_half(rows) == pytest.approx(stated, rel=0.1)
    assert gda.outcome.status == "not_converged"
    assert not gda.outcome.final


@pytest.mark.parametrize(
    ("env", "eta", "eta_mu", "budget", "policy_only", "multiplier_only"),
    [
        ("two-state", 1, 1, 1000, 0.42, 0.37),
        ("three-state", 2, 1, 2000, 0.53, 0.42),
        (GARNET, 20, 20, 1000, 0.007, 0.006),
    ],
)
def test_t2_both_players_need_optimism(runs, env, eta, eta_mu, budget, policy_only, multiplier_only):
    steps = {"eta": float(eta), "eta_mu": float(eta_mu), "init_std": 0.0, "budget": budget}
    for optimistic, stated in (("policy", policy_only), ("multiplier", multiplier_only)):
        rows = runs.drive(runs.make("Reload", env, optimistic=optimistic, **steps))
        assert runs.last_half(rows) >= 5e-3
        assert runs.last_half(rows) == pytest.approx(stated, rel=0.15)


def test_optimism_for_nobody_is_gradient_descent_ascent(runs):
    steps = {"eta": 1.0, "eta_mu": 0.5, "budget": 100}
    none = runs.make("Reload", "three-state", optimistic="none", **steps)
    gda = runs.make("GDA", "three-state", **steps)
    assert runs.drive(none) == runs.drive(gda)


@pytest.mark.parametrize(("env", "eta"), [("two-state", 5.0), ("three-state", 3.0)])
def test_t3_too_large_a_step_is_reported_as_not_converged(runs, env, eta):
    reload = runs.make("Reload", env, eta=eta, eta_mu=eta, budget=700)
    rows = runs.drive(reload)
    assert rows[-1]["kkt"] > 1e-2
    assert reload.outcome.status == "not_converged"
    assert "oscillating" in reload.outcome.message
    assert f"{rows[-1]['kkt/relative']:.3g}" in reload.outcome.message


@pytest.mark.parametrize(
    ("name", "env", "eta", "stated"),
    [
        ("PID", "two-state", 1.0, 610),
        ("PID", "three-state", 2.0, 530),
        ("PID", GARNET, 20.0, 1710),
        ("AugmentedLagrangian", "two-state", 1.0, 160),
        ("AugmentedLagrangian", "three-state", 2.0, 450),
    ],
)
def test_t4_other_cures_work_too(runs, name, env, eta, stated):
    fields = {"eta_mu": 1.0} if name == "AugmentedLagrangian" else {}
    rows = runs.drive(runs.make(name, env, eta=eta, init_std=0.0, **fields))
    assert runs.reached(rows, 1e-6) == pytest.approx(stated, rel=0.05)


def test_t4_where_the_other_cures_stop(runs):
    lagrangian = runs.drive(runs.make("AugmentedLagrangian", GARNET, eta=20.0, budget=1500, check_every=30))
    assert runs.last_half(lagrangian) == pytest.approx(0.008, rel=0.1)
    biased = runs.make("RPGPD", "two-state", eta=1.0, tau=0.05, budget=2500, check_every=50)
    rows = runs.drive(biased)
    assert rows[-1]["err"] == pytest.approx(0.064, abs=0.001)
    assert rows[-1]["err"] == pytest.approx(rows[-10]["err"], rel=1e-3)
    assert "biased" in biased.outcome.message


def test_alternating_updates_do_not_cure_the_cycle(runs):
    rows = runs.drive(runs.make("Alternating", "two-state", eta=1.0, eta_mu=1.0, budget=1000, check_every=25))
    assert runs.last_half(rows) > 1e-2


def test_t6_averaging_is_slow(runs):
    two = runs.drive(runs.make("Average", "two-state", eta=1.0, eta_mu=1.0, init_std=0.0, budget=2000, check_every=100))
    assert two[-1]["err"] == pytest.approx(0.09, abs=0.01)
    garnet = runs.drive(runs.make("Average", GARNET, eta=20.0, eta_mu=5.0, init_std=0.0, budget=2200, check_every=20))
    assert runs.reached(garnet, 1e-3) == pytest.approx(1880, rel=0.05)


def test_the_average_is_a_mixture_of_occupancies(runs):
    average = runs.make("Average", "three-state", eta=2.0, eta_mu=1.0, budget=40)
    gda = runs.make("GDA", "three-state", eta=2.0, eta_mu=1.0, budget=40, check_every=1)
    values = [gda.trajectory.check().residuals.evaluation]
    values += [gda.trajectory.check().residuals.evaluation for _ in range(40) if gda.update()]
    row = runs.drive(average)[-1]
    assert row["value/reward"] == pytest.approx(np.mean([value.J_r for value in values]), abs=1e-12)
    names = average.game.original.names
    got = [row[f"value/{name}"] for name in names]
    np.testing.assert_allclose(got, np.mean([value.J for value in values], axis=0), atol=1e-12)
