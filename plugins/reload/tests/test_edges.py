"""Degenerate and impossible problems."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_reload import config

from zoo.errors import InterfaceError, UsageError
from zoo.tabular import InfeasibleCMDPError, attainable_range, policy_iteration, solve_lp


def last(runs, *args, **fields):
    algorithm = runs.make(*args, **fields)
    return algorithm, runs.drive(algorithm)[-1]


@pytest.mark.parametrize("eta", [20.0, "auto"])
def test_no_constraints_gives_the_optimal_policy_and_no_multipliers(runs, small, eta):
    cmdp = small(c=np.empty((0, 5, 3)), b=[], senses=(), names=())
    reload, row = last(runs, "Reload", cmdp, eta=eta)
    plan = policy_iteration(cmdp)
    assert row["value/reward"] == pytest.approx(plan.value @ cmdp.rho, abs=1e-6)
    assert (reload.policy().argmax(axis=1) == plan.policy).all()
    assert reload.multipliers() == {}
    assert reload.outcome.status == "converged"


def test_a_slack_constraint_ends_with_multiplier_zero(runs, small):
    cmdp = small(b=[0.9])
    reload, row = last(runs, "Reload", cmdp, eta=20.0, eta_mu=5.0)
    assert reload.multipliers() == {"cost": 0.0}
    assert row["value/reward"] == pytest.approx(policy_iteration(cmdp).value @ cmdp.rho, abs=1e-6)


def test_gamma_zero(runs, small):
    cmdp = small(gamma=0.0, b=[0.3])
    reload, row = last(runs, "Reload", cmdp, eta=2.0, eta_mu=10.0)
    assert reload.outcome.status == "converged"
    assert row["value/reward"] == pytest.approx(solve_lp(cmdp).value, abs=1e-6)


def test_a_single_action_leaves_nothing_to_decide(runs, small):
    rng = np.random.default_rng(0)
    cmdp = small(P=rng.dirichlet(np.ones(5), size=(5, 1)), r=rng.random((5, 1)), c=rng.random((1, 5, 1)), b=[0.95])
    reload, row = last(runs, "Reload", cmdp, eta=1.0)
    assert row["err"] <= 1e-12
    assert (reload.policy() == 1).all()
    assert reload.act(np.array([0, 4])).tolist() == [0, 0]


@pytest.mark.parametrize("name", ["Reload", "Average"])
def test_unreachable_states_do_no_harm(runs, small, name):
    P = small().P.copy()
    P[:, :, 4] = 0.0
    cmdp = small(P=P / P.sum(axis=2, keepdims=True), rho=[0.5, 0.5, 0, 0, 0])
    algorithm, row = last(runs, name, cmdp, eta=10.0, eta_mu=2.0, budget=1000)
    assert row["err"] <= (1e-6 if name == "Reload" else 1e-2)
    np.testing.assert_allclose(algorithm.policy().sum(axis=1), 1.0)


def test_a_threshold_at_the_attainable_minimum_reports_the_cap(runs, small):
    least = attainable_range(small())[0, 0]
    reload, row = last(runs, "Reload", small(b=[least]), eta=10.0, eta_mu=100.0, cap=3.0, budget=1000)
    assert row["multiplier/cost"] == 3.0
    assert all(np.isfinite(value) for value in row.values())
    assert "the multiplier of 'cost' is at its cap" in reload.outcome.message
    assert row["value/cost"] == pytest.approx(least, abs=1e-6)


def test_a_cap_below_the_optimal_multiplier_is_named(runs, small):
    cmdp = small()
    cap = float(solve_lp(cmdp).multipliers[0]) / 2
    reload, row = last(runs, "Reload", cmdp, eta=10.0, eta_mu=10.0, cap=cap, budget=500)
    assert row["multiplier/cost"] == pytest.approx(cap)
    assert reload.outcome.status == "not_converged"
    assert "the multiplier of 'cost' is at its cap" in reload.outcome.message


def test_an_equality_may_have_a_negative_multiplier(runs, small):
    unconstrained = policy_iteration(small())
    cost = small(b=[0.0], senses=("==",))
    costs = np.eye(3)[unconstrained.policy]
    from zoo.tabular import evaluate

    target = float(evaluate(cost, costs).J[0]) + 0.05
    cmdp = small(b=[target], senses=("==",))
    reload, row = last(runs, "Reload", cmdp, eta=10.0, eta_mu=5.0)
    solution = solve_lp(cmdp)
    assert solution.multipliers[0] < 0
    assert row["err"] <= 1e-6
    assert reload.multipliers()["cost"] == pytest.approx(solution.multipliers[0], abs=1e-5)


@pytest.mark.parametrize("oracle", [True, False])
def test_an_infeasible_problem_names_the_constraint_and_never_raises(runs, small, oracle):
    least, _ = attainable_range(small())[0]
    cmdp = small(b=[least - 0.05])
    reload = runs.make("Reload", cmdp, eta=1.0, oracle=oracle, budget=600)
    first = reload.update()
    assert "gap" not in first
    assert reload.outcome.status == ("infeasible_suspected" if oracle else "not_converged")
    row = runs.drive(reload)[-1]
    assert reload.outcome.status == "infeasible_suspected"
    assert reload.outcome.final
    assert "'cost'" in reload.outcome.message
    assert all(np.isfinite(value) for value in row.values())
    assert np.isfinite(reload.state()["trajectory"]["history"]).all()
    if oracle:
        with pytest.raises(InfeasibleCMDPError) as caught:
            solve_lp(cmdp)
        assert caught.value.min_violation == pytest.approx(0.05, abs=1e-7)
        assert "0.05" in reload.outcome.message


def test_without_an_oracle_kkt_still_judges(runs):
    reload, row = last(runs, "Reload", "two-state", eta=1.0, oracle=False)
    assert reload.outcome.status == "converged"
    assert not {"gap", "err", "oscillation", "optimum/reward"} & row.keys()


def test_an_update_never_passes_the_budget(runs):
    reload = runs.make("Reload", "two-state", eta=1.0, budget=25)
    assert [row["k"] for row in runs.drive(reload)] == [10, 20, 25]


def test_observations_that_are_no_states_are_refused(runs):
    from zoo_envs.cmdps.constrained_catch import ConstrainedCatchVector
    from zoo_reload.agent import Reload

    ctx = runs.context("constrained-catch")
    grid = ConstrainedCatchVector(num_envs=1, observation="grid")
    wrong = type(ctx)(env=grid, seed=0, rng=ctx.rng, budget=10, problem=ctx.problem)
    with pytest.raises(InterfaceError, match=r"expected Discrete\(250\)"):
        Reload(wrong, config.ReloadConfig())
    with pytest.raises(InterfaceError, match=r"integers in \[0, 2\)"):
        runs.make("Reload", "two-state", eta=1.0).act(np.array([0, 2]))


def test_act_samples_the_policy_and_leaves_the_iterates_alone(runs):
    reload = runs.make("Reload", "two-state", eta=1.0)
    runs.drive(reload)
    before = reload.policy()
    states = np.repeat([0, 1], 20_000)
    actions = reload.act(states)
    assert actions.shape == states.shape
    for state in (0, 1):
        share = (actions[states == state] == 0).mean()
        # Four standard deviations of a proportion out of 20,000.
        assert share == pytest.approx(before[state, 0], abs=4 * 0.5 / np.sqrt(20_000))
    assert (reload.policy() == before).all()


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("ReloadConfig", {"eta": -1.0}, "eta = -1.0: expected a number above 0"),
        ("ReloadConfig", {"eta": 1.0, "eta_mu": float("nan")}, "eta_mu = nan"),
        ("ReloadConfig", {"check_every": 0}, "check_every = 0"),
        ("ReloadConfig", {"cap": 0.0}, "cap = 0.0"),
        ("ReloadConfig", {"init_std": -0.1}, "init_std = -0.1"),
        ("ReloadConfig", {"form": "occupancy", "optimistic": "none"}, "optimistic for both players"),
        ("PIDConfig", {"kp": -1.0}, "kp = -1.0"),
        ("RPGPDConfig", {"eta": 20.0}, "expected eta \\* tau < 1"),
        ("RPGPDConfig", {"eta_mu": 0.0}, "eta_mu = 0.0"),
        ("AugmentedLagrangianConfig", {"rho": -1.0}, "rho = -1.0"),
        ("AugmentedLagrangianConfig", {"eta_mu": -1.0}, "eta_mu = -1.0"),
    ],
)
def test_values_out_of_range_are_refused(name, fields, words):
    with pytest.raises(UsageError, match=words):
        getattr(config, name)(**fields)
