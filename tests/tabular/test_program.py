from __future__ import annotations

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import UsageError, ZooError
from zoo.tabular import (
    InfeasibleCMDPError,
    InvalidCMDPError,
    OccupancyProgram,
    TabularCMDP,
    evaluate,
    policy_iteration,
    solve_lp,
)
from zoo.tabular import solve as solve_module

from .models import catch, garnet, garnet_arrays, hazard_grid, three_state, two_state


def _garnet_of_the_paper() -> TabularCMDP:
    """Thresholds half-way between those of the unconstrained optimum and of the optimum of ``-sum_i c_i``."""
    P, r, c = garnet_arrays(20, 4, 3, 2, seed=1)
    bare = TabularCMDP(P, r, 0.9, np.full(20, 0.05))
    free, least = (np.eye(4)[policy_iteration(bare, reward).policy] for reward in (r, -c.sum(axis=0)))
    both = replace(bare, c=c, b=np.zeros(2), senses=("<=", "<="))
    low, high = evaluate(both, least).J, evaluate(both, free).J
    return both.with_thresholds(low + 0.5 * (high - low))


@pytest.mark.parametrize(
    ("cmdp", "value", "mu"),
    [
        (two_state(0.5), 0.5, [1.0]),
        (two_state(0.3), 0.7, [1.0]),
        (two_state(0.8, gamma=0.7), 0.2, [1.0]),
        (three_state(), 0.876066, [0.777778, 1.660960]),
        (_garnet_of_the_paper(), 0.804071, [0.247187, 0.288814]),
        (hazard_grid(), 0.799861, [6.402166]),
        (catch(0.5), 0.086858, [0.0]),
        (catch(0.6), 0.084829, [0.477393]),
        (catch(0.7), 0.031768, [0.646467]),
    ],
)
def test_stated_optima(cmdp: TabularCMDP, value: float, mu: list[float]) -> None:
    found = solve_lp(cmdp)
    # The statement rounds to six decimals; Garnet's fourth-to-last digit comes from thresholds rounded alike.
    assert found.value == pytest.approx(value, abs=6e-7)
    assert found.multipliers == pytest.approx(mu, abs=1.1e-6)
    earned = evaluate(cmdp, found.policy)
    assert earned.J_r == pytest.approx(found.value, abs=1e-9)
    assert pytest.approx(found.costs, abs=1e-9) == earned.J
    assert np.all(cmdp.violation(earned.J) <= 1e-9)
    assert found.status == "optimal" and -1e-9 <= found.duality_gap <= 1e-8


def test_paper_garnet_thresholds() -> None:
    assert _garnet_of_the_paper().b == pytest.approx([0.392024, 0.350511], abs=5e-7)


def test_two_state_policy_is_stochastic_and_stays_at_one() -> None:
    policy = solve_lp(two_state()).policy
    assert 0.0 < policy[0, 0] < 1.0 and policy[1, 0] == pytest.approx(1.0)


def test_slack_constraint_has_multiplier_exactly_zero() -> None:
    assert solve_lp(hazard_grid(limit=0.0103)).multipliers.tolist() == [0.0]
    assert solve_lp(hazard_grid(limit=0.0102)).multipliers[0] > 0.0


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    S=st.integers(1, 6),
    A=st.integers(1, 3),
    gamma=st.sampled_from([0.0, 0.5, 0.95]),
    senses=st.lists(st.sampled_from(["<=", ">=", "=="]), max_size=3),
)
def test_highs_equals_cvxpy_and_is_optimal(seed: int, S: int, A: int, gamma: float, senses: list[str]) -> None:
    m = garnet(S=S, A=A, branching=min(2, S), gamma=gamma, N=len(senses), seed=seed)
    m = replace(m, senses=tuple(senses))
    ours, theirs = solve_lp(m), solve_lp(m, "clarabel")
    assert ours.value == pytest.approx(theirs.value, abs=1e-7)
    d = ours.occupancy
    assert d.min() >= 0 and d.sum() == pytest.approx(1.0, abs=1e-9)
    flow = d.sum(axis=1) - gamma * np.einsum("sat,sa->t", m.P, d)
    assert np.allclose(flow, (1 - gamma) * m.rho, atol=1e-9)
    assert np.all(m.violation(ours.costs) <= 1e-9) and np.all(ours.multipliers[~m.equality] >= 0)
    # Strong duality through dynamic programming, which shares no code with the simplex method.
    dual = m.rho @ policy_iteration(m, m.lagrangian_reward(ours.multipliers)).value
    assert dual + (ours.multipliers * m.signs) @ m.b == pytest.approx(ours.value, abs=1e-8)
    # Weak duality: any other multipliers give an upper bound.
    other = np.abs(np.random.default_rng(seed).normal(size=len(senses)))
    bound = m.rho @ policy_iteration(m, m.lagrangian_reward(other)).value + (other * m.signs) @ m.b
    assert bound >= ours.value - 1e-10


def test_no_feasible_deterministic_policy_beats_it() -> None:
    m = garnet(S=4, A=3, branching=2, N=2, seed=5)
    runs = [evaluate(m, np.eye(3)[list(pi)]) for pi in itertools.product(range(3), repeat=4)]
    feasible = [run.J_r for run in runs if m.violation(run.J).max() <= 0]
    found = solve_lp(m).value
    assert feasible and max(feasible) <= found + 1e-12 < max(run.J_r for run in runs)


@pytest.mark.parametrize("cmdp", [two_state(), three_state(), _garnet_of_the_paper(), hazard_grid(), catch()])
def test_multipliers_are_sensitivities(cmdp: TabularCMDP) -> None:
    base = solve_lp(cmdp)
    for i, mu in enumerate(base.multipliers):
        tightened = cmdp.b - 1e-4 * cmdp.signs * (np.arange(len(cmdp.b)) == i)
        assert solve_lp(cmdp.with_thresholds(tightened)).value - base.value == pytest.approx(-mu * 1e-4, rel=0.02)


@pytest.mark.parametrize("solver", ["highs", "clarabel", "cvxpy:HIGHS"])
def test_equality_with_a_negative_multiplier(solver: str) -> None:
    # Heat forced above what the optimum wants: raising b lowers the value, so relaxing "upwards" hurts and mu < 0.
    m = replace(two_state(), senses=("==",))
    found = solve_lp(m, solver)
    assert found.costs[0] == pytest.approx(0.5, abs=1e-8) and found.value == pytest.approx(0.5, abs=1e-8)
    assert found.multipliers[0] == pytest.approx(-1.0, abs=1e-6)
    assert solve_lp(m.with_thresholds([0.5 + 1e-4]), solver).value == pytest.approx(0.5 - 1e-4, abs=1e-8)


def test_duplicated_constraint_determines_only_the_sum() -> None:
    m = three_state()
    double = replace(m, c=m.c[[0, 0, 1]], b=m.b[[0, 0, 1]], senses=("<=",) * 3, names=("h1", "h2", "e"))
    one, two = solve_lp(m), solve_lp(double)
    assert two.value == pytest.approx(one.value, abs=1e-10)
    assert two.multipliers[:2].sum() == pytest.approx(one.multipliers[0], abs=1e-8)


def test_no_constraints_equals_policy_iteration() -> None:
    m = three_state()
    bare = TabularCMDP(m.P, m.r, m.gamma, m.rho)
    found = solve_lp(bare)
    assert found.multipliers.shape == (0,) and found.costs.shape == (0,)
    assert found.value == pytest.approx(m.rho @ policy_iteration(bare).value, abs=1e-12)


def test_one_action_and_gamma_zero() -> None:
    one = replace(garnet(A=1), b=np.ones(2))
    assert solve_lp(one).value == pytest.approx(evaluate(one, np.ones((20, 1))).J_r, abs=1e-10)
    myopic = replace(three_state(), gamma=0.0)
    # Only state 0 counts: mix 0.2 of the hot action worth 1 with 0.8 of the one worth 0.1.
    assert solve_lp(myopic).value == pytest.approx(0.2 * 1.0 + 0.8 * 0.1, abs=1e-10)


@pytest.mark.parametrize("solver", ["highs", "clarabel"])
def test_unreachable_states_act_greedily_for_the_lagrangian(solver: str) -> None:
    # State 2 has two actions, the first one better for the reward and worse for the Lagrangian; nothing leads to it.
    m = two_state()
    P, r, c = np.zeros((3, 2, 3)), np.zeros((3, 2)), np.zeros((1, 3, 2))
    P[:2, :, :2], r[:2], c[0, :2] = m.P, m.r, m.c[0]
    P[2, :, 2] = 1.0
    r[2], c[0, 2] = [0.5, 0.0], [0.0, 0.9]
    found = solve_lp(replace(m, P=P, r=r, c=c, rho=np.array([1.0, 0.0, 0.0])), solver)
    assert found.occupancy[2].sum() == pytest.approx(0.0, abs=1e-8)
    assert found.policy[2].tolist() == [0.0, 1.0]


def test_threshold_at_the_attainable_limit() -> None:
    # Slater's condition fails here; the multiplier may be anything, the value may not.
    m = three_state().with_thresholds([0.0, 0.0])
    found = solve_lp(m)
    assert np.isfinite(found.value) and np.abs(found.costs).max() <= 1e-9
    # Rounding of the threshold, within the solver's tolerance and beyond it; a real contradiction is refused.
    for rounding in (1e-12, 5e-9):
        barely = OccupancyProgram(m.with_thresholds([-rounding, 0.0]))
        assert barely.solve().value == pytest.approx(found.value, abs=1e-6)
        barely.set_thresholds(three_state().b)
        assert barely.solve().value == pytest.approx(0.876066, abs=6e-7)
    with pytest.raises(InfeasibleCMDPError):
        solve_lp(m.with_thresholds([-1e-6, 0.0]))


@pytest.mark.parametrize("solver", ["highs", "clarabel"])
def test_infeasible_names_the_constraint_and_the_least_violation(solver: str) -> None:
    m = three_state().with_thresholds([-0.1, 0.3])
    with pytest.raises(InfeasibleCMDPError, match=r"'heat'.*0\.1\.") as caught:
        solve_lp(m, solver)
    assert caught.value.min_violation == pytest.approx(0.1, abs=1e-9) and caught.value.constraint == "heat"
    attained = evaluate(m, caught.value.policy_min_violation)
    assert m.violation(attained.J).max() == pytest.approx(0.1, abs=1e-8)


def test_infeasible_catch_and_conflicting_constraints() -> None:
    with pytest.raises(InfeasibleCMDPError) as caught:
        solve_lp(catch(0.8))
    assert caught.value.min_violation == pytest.approx(0.8 - 0.774922, abs=1e-6)
    m = two_state()
    conflict = replace(m, c=m.c[[0, 0]], b=np.array([0.3, 0.5]), senses=("<=", ">="), names=("at most", "at least"))
    with pytest.raises(InfeasibleCMDPError, match="together") as caught:
        solve_lp(conflict)
    assert set(caught.value.constraints) == {"at most", "at least"}
    assert caught.value.min_violation == pytest.approx(0.1, abs=1e-9)


def test_infeasible_equality_below_its_range() -> None:
    m = replace(two_state(), senses=("==",), b=np.array([-0.25]))
    with pytest.raises(InfeasibleCMDPError) as caught:
        solve_lp(m)
    assert caught.value.min_violation == pytest.approx(0.25, abs=1e-9)


def test_sweep_equals_cold_solves_in_any_order() -> None:
    m = _garnet_of_the_paper()
    rows = m.b * np.random.default_rng(0).uniform(0.97, 1.2, size=(8, 1))
    swept = OccupancyProgram(m).sweep(rows)
    for b, found in zip(rows, swept, strict=True):
        cold = solve_lp(m.with_thresholds(b))
        assert found.value == pytest.approx(cold.value, abs=1e-9)
        assert pytest.approx(found.costs, abs=1e-9) == evaluate(m, found.policy).J
        assert np.all(found.costs <= b + 1e-9)


def test_sweep_names_the_infeasible_row_and_survives_it() -> None:
    program = OccupancyProgram(two_state())
    with pytest.raises(InfeasibleCMDPError, match="row 1 of the thresholds"):
        program.sweep([[0.5], [1.5]])
    program.set_thresholds([0.25])
    assert program.solve().value == pytest.approx(0.75, abs=1e-10)


def test_bad_arguments() -> None:
    program = OccupancyProgram(three_state())
    with pytest.raises(UsageError, match=r"expected \(M, 2\)"):
        program.sweep([0.1, 0.2])
    with pytest.raises(InvalidCMDPError, match=r"b has shape \(1,\)"):
        program.set_thresholds([0.1])
    with pytest.raises(UsageError, match="no solver called 'high'") as caught:
        solve_lp(three_state(), "high")
    assert "highs" in caught.value.hint
    with pytest.raises(UsageError, match="CLARABEL"):
        solve_lp(three_state(), "cvxpy:nonesuch")


def test_solver_failure_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import cvxpy

    def fail(*_: object, **__: object) -> None:
        raise cvxpy.SolverError("numerical trouble")

    monkeypatch.setattr(cvxpy.Problem, "solve", fail)
    with pytest.raises(ZooError, match="CLARABEL gave up: numerical trouble"):
        solve_lp(three_state(), "clarabel")
    program = OccupancyProgram(hazard_grid())
    program._highs.setOptionValue("simplex_iteration_limit", 0)
    with pytest.raises(ZooError, match="HiGHS stopped"):
        program.solve()


def test_large_programs_are_announced(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "zoo.tabular"):
        solve_lp(three_state())
        assert not caplog.records
        monkeypatch.setattr(solve_module, "LARGE", 8)
        solve_lp(three_state())
    assert "9 state-action pairs" in caplog.text
