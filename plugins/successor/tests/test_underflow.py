"""A goal so far away that its discount is no double is reachable all the same."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from zoo_successor.exact import representations as exact
from zoo_successor.learning.arrival import actions_towards, arrival_discounts, log_arrival_discounts
from zoo_successor.learning.problem import shortest_paths
from zoo_successor.planning.frp import frp, frp_all

from zoo.tabular import TabularCMDP

GAMMA = 1e-4  # underflows after 81 steps


def line(n: int, noise: float = 0.0) -> TabularCMDP:
    """Action 0 leads right, action 1 left; with ``noise`` either stays where it is."""
    s = np.arange(n)
    moves = (np.minimum(s + 1, n - 1), np.maximum(s - 1, 0))
    rows = np.concatenate([2 * s, 2 * s + 1] * 2)
    columns = np.concatenate([*moves, s, s])
    weights = np.repeat([1 - noise, noise], 2 * n)
    return TabularCMDP(
        sp.csr_array((weights, (rows, columns)), shape=(2 * n, n)), np.zeros((n, 2)), GAMMA, np.eye(n)[0]
    )


@pytest.mark.parametrize("segments", [None, 12])
def test_plans_reach_goals_beyond_the_smallest_double(segments):
    """Two policies that know half of a corridor each: every segment is a double, and their product is not."""
    n = 120
    right = np.eye(n, k=1) + np.diag(np.arange(n) == n - 1)
    chains = []
    for i in range(4):  # each walks right in its own quarter, and stays elsewhere
        inside = (np.arange(n) >= 30 * i) & (np.arange(n) < 30 * (i + 1))
        chains.append(np.where(inside[:, None], right, np.eye(n)))
    F = np.stack([exact.first_occupancy(chain, GAMMA) for chain in chains])
    plan = frp(F, n - 1, segments)
    assert plan.value[0] == 0.0
    assert plan.reachable.all()
    np.testing.assert_allclose(plan.log_value, np.log(GAMMA) * (n - 1 - np.arange(n)), rtol=1e-12)
    assert [subgoal for _, subgoal in plan.segments(0)] == [30, 60, 90, n - 1]
    everywhere = frp_all(F, segments)
    np.testing.assert_array_equal(everywhere[n - 1].log_value, plan.log_value)
    assert not everywhere[0].reachable[1:].any() and everywhere[0].segments(5) is None


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_soonest_arrival_and_its_actions(noise):
    m, goal = line(150, noise), 140
    steps = np.abs(np.arange(150) - goal)
    # One step costs gamma (1 - noise) / (1 - gamma noise) in expectation: a geometric number of tries.
    each = np.log(GAMMA * (1 - noise) / (1 - GAMMA * noise))
    np.testing.assert_allclose(log_arrival_discounts(m, GAMMA, goals=[goal])[:, 0], each * steps, rtol=1e-10)
    assert arrival_discounts(m, GAMMA, goals=[goal])[0, 0] == 0.0
    expected = np.where(np.arange(150) < goal, 0, 1)
    for found in (actions_towards(m, GAMMA, [goal])[0], shortest_paths(m, [goal], GAMMA)[0]):
        away = np.arange(150) != goal
        np.testing.assert_array_equal(found[away], expected[away])


def test_what_no_policy_reaches_stays_unreachable():
    P = np.zeros((100, 1, 100))
    s = np.arange(99)
    P[s, 0, s + 1] = P[99, 0, 99] = 1.0
    m = TabularCMDP(P, np.zeros((100, 1)), GAMMA, np.eye(100)[0])
    logs = log_arrival_discounts(m, GAMMA)
    expected = np.where(np.subtract.outer(s, s) <= 0, np.log(GAMMA) * -np.subtract.outer(s, s), -np.inf)
    np.testing.assert_allclose(logs[:99, :99], expected, rtol=1e-12)


def test_far_states_walk_towards_the_goal_long_before_anything_underflows():
    """Discounts below 1e-13 were ties for the planner, and ties take the lowest action."""
    m = line(60)
    np.testing.assert_array_equal(shortest_paths(m, [0], 0.5)[0][1:], 1)
