"""A run is judged, scaled and searched alike whatever units rewards and signals are given in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_reload.history import History
from zoo_reload.search import StepSearch

from zoo.tabular import InfeasibleCMDPError, TabularCMDP, Units, attainable_range, evaluate, solve_lp

SEARCHED = ["Reload", "GDA", "PID", "AugmentedLagrangian"]
POWERS = st.floats(-9.0, 9.0)


def rescaled(m: TabularCMDP, reward: float, signals: object) -> TabularCMDP:
    unit = np.broadcast_to(np.asarray(signals, dtype=np.float64), (m.num_constraints,))
    return replace(m, r=m.r * reward, c=m.c * unit[:, None, None], b=m.b * unit)


def distance(m: TabularCMDP, policy: np.ndarray) -> float:
    """Of the value from the optimum, or of a constraint from its threshold, in units of what policies make of it."""
    units, earned = Units.of(m), evaluate(m, policy)
    apart = abs(earned.J_r - solve_lp(m).value) / units.reward
    return max(apart, float((m.violation(earned.J) / units.signals).max(initial=0.0)))


def problem(seed: int) -> TabularCMDP:
    """Feasible, with one or two constraints of which at least one binds."""
    R = np.random.default_rng(seed)
    S, A, N = 6, 3, int(R.integers(1, 3))
    P, r, c = R.dirichlet(np.full(S, 0.3), (S, A)), R.random((S, A)), R.random((N, S, A))
    m = TabularCMDP(P, r, 0.9, np.full(S, 1 / S), c, np.zeros(N), ("<=",) * N)
    return m.with_thresholds(evaluate(m, R.dirichlet(np.ones(A), S)).J)


@settings(max_examples=4, deadline=None)
@given(reward=POWERS, powers=st.tuples(POWERS, POWERS), seed=st.integers(0, 30))
@pytest.mark.parametrize("name", SEARCHED)
def test_units_change_nothing(runs, name, reward, powers, seed):
    m = problem(seed)
    r, c = 10.0**reward, 10.0 ** np.array(powers[: m.num_constraints])
    # In the unit of each, rounding apart, the runs are the same; while the search lasts, so are their roundings.
    one, two = (runs.make(name, x, eta="auto", budget=200) for x in (m, rescaled(m, r, c)))
    rows, others = runs.drive(one), runs.drive(two)
    assert two.outcome.status == one.outcome.status
    for judged, other in zip(rows[:12], others[:12], strict=True):
        assert other["kkt/relative"] == pytest.approx(judged["kkt/relative"], rel=1e-5, abs=1e-9)
        assert other["err/relative"] == pytest.approx(judged["err/relative"], rel=1e-5, abs=1e-9)
        assert (other["eta"], other["eta_mu"]) == (judged["eta"], judged["eta_mu"])


@pytest.mark.parametrize("name", ["Reload", "PID", "AugmentedLagrangian"])
@pytest.mark.parametrize("units", [(1e-9, 1e9), (1e6, 1e-7)])
def test_the_same_policy_verdict_and_multipliers_in_other_units(runs, name, units):
    r, c = units
    m = problem(5)
    one, two = (runs.make(name, x, eta="auto", budget=3000) for x in (m, rescaled(m, r, c)))
    runs.drive(one), runs.drive(two)
    assert one.outcome.status == two.outcome.status == "converged"
    np.testing.assert_allclose(two.policy(), one.policy(), atol=1e-4)
    mu, scaled = (np.array(list(x.multipliers().values())) for x in (one, two))
    np.testing.assert_allclose(scaled * c / r, mu, atol=1e-4 * Units.of(m).reward)
    assert max(distance(m, one.policy()), distance(m, two.policy())) <= 1e-5


@pytest.mark.parametrize("unit", [1e-7, 1e-9, 1e5])
@pytest.mark.parametrize("eta", [128.0, 1.0])
def test_steps_that_do_not_fit_the_units_are_not_called_converged(runs, unit, eta):
    m = rescaled(problem(3), 1.0, unit)
    reload = runs.make("Reload", m, eta=eta, budget=400)
    runs.drive(reload)
    assert (reload.outcome.status == "converged") <= (distance(m, reload.policy()) <= 1e-5)


def test_err_vetoes_converged(runs):
    """A kkt within its tolerance does not bound err where multipliers are large."""
    reload = runs.make("Reload", "two-state", eta=1.0, tol=1e-3, budget=400)
    runs.drive(reload)
    assert reload.outcome.status == "converged"
    history = reload.trajectory.history
    rows = history.rows
    rows[-1, -2] = 0.02
    history.load(rows, 1.0)
    found = reload._outcome()
    assert found.status == "not_converged"
    assert "and yet err = 0.02 > 0.001" in found.message


def test_no_run_on_an_infeasible_problem_is_called_converged(runs):
    m = problem(1)
    low, high = attainable_range(m)[0]
    m = m.with_thresholds([low - 1e-7 * (high - low), *m.b[1:]])
    with pytest.raises(InfeasibleCMDPError):
        solve_lp(m)
    reload = runs.make("Reload", m, eta="auto", budget=600)
    runs.drive(reload)
    assert reload.outcome.status != "converged"


def test_the_cap_is_that_of_the_game_that_is_played(runs):
    """With costs in a small unit the multiplier is large in the environment's, and not in the game."""
    m = rescaled(problem(5), 1.0, 1e-7)
    reload = runs.make("Reload", m, eta="auto", budget=3000)
    runs.drive(reload)
    assert max(reload.multipliers().values()) > reload.config.cap
    assert reload.outcome.status == "converged"
    low = runs.make("Reload", m, eta="auto", budget=600, cap=0.01)
    runs.drive(low)
    assert "at its cap" in low.outcome.message and low.trajectory.x.mu.max() == 0.01


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("budget", [20, 90, 450, 1000])
def test_the_search_leaves_half_of_the_budget(runs, name, budget):
    algorithm = runs.make(name, "three-state", eta="auto", budget=budget)
    searching = 0
    while algorithm.env_steps < budget and not (algorithm.outcome and algorithm.outcome.final):
        algorithm.update()
        if algorithm.search.stage != "watch":
            searching = algorithm.env_steps
    assert isinstance(algorithm.search, StepSearch)
    assert searching <= budget / 2
    assert algorithm.search.stage == "watch"


def test_messages_count_the_steps_of_the_run(runs):
    reload = runs.make("Reload", "three-state", eta="auto", budget=3000)
    rows = runs.drive(reload)
    within = [row["k"] for row in rows if max(row["kkt/relative"], row["err/relative"]) <= 1e-6]
    since = int(reload.outcome.message.split("from step ")[1].split(" ")[0])
    assert since in within and since > reload.trajectory.k
    early = runs.make("Reload", "three-state", eta="auto", budget=3000)
    for _ in range(12):
        early.update()
    assert "at step 120" in early.outcome.message and early.trajectory.k == 20


def test_checks_of_earlier_versions_are_read_with_care():
    history = History(1)
    history.load(np.array([[10, 0.5, 0.25, 0.1, 2.0], [20, 1e-8, -1.0, 0.0, 2.0]]), smallest=0.1)
    assert history.kkt().tolist() == [5.0, 1e-7]
    assert history.converged_from(1e-6, 1e-6) == (20, 20)
    assert history.converged_from(1e-9, 1e-9) is None
    again = History(1)
    again.load(history.rows, smallest=7.0)
    np.testing.assert_array_equal(again.rows, history.rows)
