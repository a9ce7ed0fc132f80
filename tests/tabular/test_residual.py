from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.tabular import TabularCMDP, evaluate, policy_iteration, residuals, solve_lp

from .models import catch, garnet, hazard_grid, three_state, two_state


@pytest.mark.parametrize("cmdp", [two_state(), three_state(), garnet(), hazard_grid(), catch()])
def test_zero_at_the_optimum(cmdp: TabularCMDP) -> None:
    best = solve_lp(cmdp)
    found = residuals(cmdp, best.policy, best.multipliers, solution=best)
    assert found.kkt <= 1e-8 and found.err <= 1e-8 and abs(found.gap) <= 1e-7
    assert np.all(found.violations <= 1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_definitions_by_enumeration(seed: int) -> None:
    m, rng = garnet(S=3, A=2, branching=2, N=2, seed=seed), np.random.default_rng(seed)
    m = TabularCMDP(m.P, m.r, m.gamma, m.rho, m.c, m.b, ("<=", ">="))
    pi, mu, cap = rng.dirichlet(np.ones(2), size=3), 2 * rng.random(2), np.array([3.0, 5.0])
    best = solve_lp(m)
    found = residuals(m, pi, mu, solution=best, cap=cap)
    own = evaluate(m, pi)
    g = np.array([own.J[0] - m.b[0], m.b[1] - own.J[1]])

    def lagrangian(policy: np.ndarray) -> float:
        e = evaluate(m, policy)
        return e.J_r - mu @ np.array([e.J[0] - m.b[0], m.b[1] - e.J[1]])

    # The inner maximum sits at a deterministic policy, the inner minimum at a corner of the box.
    most = max(lagrangian(np.eye(2)[list(a)]) for a in itertools.product(range(2), repeat=3))
    least = min(own.J_r - np.array(corner) @ g for corner in itertools.product([0, cap[0]], [0, cap[1]]))
    assert found.gap == pytest.approx(most - least, abs=1e-10) and found.gap >= -1e-12
    kkt = max(most - lagrangian(pi), g.max(), np.abs(mu * g).max())
    assert found.kkt == pytest.approx(kkt, abs=1e-10)
    assert found.err == pytest.approx(max(abs(own.J_r - best.value), g.max(), 0.0), abs=1e-10)
    assert found.violations == pytest.approx(np.maximum(g, 0))


def test_equality_counts_both_sides() -> None:
    m = two_state()
    m = TabularCMDP(m.P, m.r, m.gamma, m.rho, m.c, m.b, ("==",))
    over = residuals(m, np.array([[0.0, 1.0], [1.0, 0.0]]), [0.0], cap=10.0)
    assert over.violations == pytest.approx([0.5]) and over.kkt >= 0.5
    assert over.gap == pytest.approx(1.0 - (0.0 - 10 * 0.5))


def test_default_cap_comes_from_the_solution() -> None:
    m, pi = three_state(), np.eye(3)[[0, 0, 0]]
    best = solve_lp(m)
    cap = 2 * (1 + best.multipliers.max())
    given_cap, from_solution = residuals(m, pi, [1, 1], cap=cap), residuals(m, pi, [1, 1], solution=best)
    assert given_cap.gap == pytest.approx(from_solution.gap) and given_cap.err is None


def test_kkt_needs_no_oracle() -> None:
    found = residuals(three_state(), np.full((3, 3), 1 / 3), np.zeros(2))
    assert found.kkt > 0 and found.gap is None and found.err is None


def test_no_constraints() -> None:
    m = garnet(N=0)
    pi = np.eye(4)[policy_iteration(m).policy]
    best = solve_lp(m)
    found = residuals(m, pi, np.empty(0), solution=best)
    assert found.kkt == pytest.approx(0, abs=1e-12) and found.gap == pytest.approx(0, abs=1e-12)


def test_warm_start_and_known_evaluation_change_nothing() -> None:
    m, pi, mu = catch(), np.full((250, 3), 1 / 3), np.array([0.4])
    cold = residuals(m, pi, mu)
    warm = residuals(m, pi, mu, warm=cold.best_response, evaluation=evaluate(m, pi))
    poor = residuals(m, pi, mu, warm=np.zeros(250, dtype=np.int64))
    assert cold.kkt == pytest.approx(warm.kkt, abs=1e-12) == pytest.approx(poor.kkt, abs=1e-12)
    assert np.array_equal(cold.best_response, warm.best_response)


@pytest.mark.parametrize("mu", [[0.0], [0.0, np.nan], [[0.0, 0.0]]])
def test_bad_multipliers(mu: list[float]) -> None:
    with pytest.raises(UsageError, match="expected 2 finite numbers"):
        residuals(three_state(), np.full((3, 3), 1 / 3), mu)
