"""First-occupancy planning and value iteration, against breadth-first search on an own copy of the maze."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_envs.grids.escape import EscapeVector
from zoo_envs.grids.four_rooms import FourRoomsVector
from zoo_successor.config import FRPConfig, ValueIterationConfig
from zoo_successor.learning.arrival import arrival_discounts
from zoo_successor.planning.agents import FirstOccupancyPlanner, ValueIteration

from zoo import Context, Grid, Problem, UsageError
from zoo.tabular import TabularCMDP
from zoo.testing import check_algorithm

MOVES = ("up", "right", "down", "left")


def context(env):
    model = TabularCMDP.from_model(env.model())
    env.reset(seed=0)
    problem = Problem(model=lambda: model, grid=Grid.of(env.grid))
    return Context(env=env, seed=0, rng=np.random.default_rng(0), problem=problem)


def planner(env=None, **fields):
    env = FourRoomsVector(num_envs=2, task="goals") if env is None else env
    return FirstOccupancyPlanner(context(env), FRPConfig(**fields))


def until_done(algorithm):
    rows = []
    while algorithm.outcome is None or not algorithm.outcome.final:
        rows.append(algorithm.update())
    return rows


@pytest.mark.parametrize(
    ("name", "config"),
    [("frp", {}), ("frp", {"policies": "24,80", "reread": True}), ("value-iteration", {"sweeps": 9})],
)
def test_conformance(name, config):
    check_algorithm(name, "four-rooms", config=config, env_config={"task": "goals"}, num_envs=2)


def test_sweeps_reach_the_stated_shares_and_end_at_shortest_paths(four_rooms):
    algorithm = planner()
    rows = until_done(algorithm)
    assert [round(row["optimal"], 3) for row in rows[:4]] == [0.139, 0.514, 0.909, 1.0]
    assert algorithm.outcome.status == "converged"
    expected = 0.95 ** four_rooms.distances(*MOVES)
    np.testing.assert_allclose(algorithm.value, expected, atol=1e-12)
    assert rows[-1]["gap"] == pytest.approx(0.0, abs=1e-12)


def test_a_limit_on_segments_is_kept_and_told():
    algorithm = planner(max_segments=2)
    rows = until_done(algorithm)
    assert len(rows) == 2
    assert rows[-1]["optimal"] == pytest.approx(0.514, abs=5e-4)
    assert algorithm.outcome.status == "not_converged"


@pytest.mark.parametrize("reread", [False, True])
def test_acting_reaches_the_goal_as_soon_as_can_be(four_rooms, reread):
    env = FourRoomsVector(num_envs=64, start=None, goal=41)
    algorithm = planner(env, goal=41, reread=reread)
    until_done(algorithm)
    obs, _ = env.reset(seed=3)
    algorithm.forget()
    expected = four_rooms.distances(*MOVES)[obs, four_rooms.state[41]]
    taken, running = np.zeros(64), np.ones(64, dtype=bool)
    for _ in range(40):
        obs, _, over, cut, _ = env.step(algorithm.act(obs))
        taken += running
        running &= ~(over | cut)
        algorithm.forget(over | cut)
    np.testing.assert_array_equal(taken, expected)


def test_policies_for_every_goal_walk_shortest_paths(four_rooms):
    algorithm = planner()
    until_done(algorithm)
    moves, distances = four_rooms.moves(*MOVES), four_rooms.distances(*MOVES)
    for goal in (0, 30, 67):
        s = np.arange(68)
        chosen = algorithm.policy_for(goal)
        for _ in range(int(distances[:, goal].max())):
            s = np.where(s == goal, s, moves[chosen[s], s])
        assert (s == goal).all()


def test_what_cannot_be_reached_has_value_0_and_the_first_policy_acts():
    algorithm = planner(policies="20", goal=100)
    rows = until_done(algorithm)
    assert rows[-1]["reachable"] == 1.0  # the start is the goal
    plan = algorithm.plan_for(int(algorithm.ctx.problem.grid.state(100)))
    others = np.arange(68) != plan.goal
    unreachable = others & ~plan.reachable
    assert unreachable.any()
    assert plan.segments(int(np.flatnonzero(unreachable)[0])) is None
    states = np.flatnonzero(unreachable)
    np.testing.assert_array_equal(algorithm.act(states), algorithm.policies[0][states])


@pytest.mark.parametrize(("barrier", "direct", "subgoals"), [(False, 0.99**10, 0), (True, 0.0, 1)])
def test_a_barrier_adds_one_subgoal(barrier, direct, subgoals):
    algorithm = planner(EscapeVector(num_envs=1, size=13, barrier=barrier))
    row = until_done(algorithm)[-1]
    assert row["direct"] == pytest.approx(direct, abs=1e-9)
    assert row["value"] == pytest.approx(0.99**10, abs=1e-9)
    assert row["subgoals"] == subgoals


def test_in_noise_the_plan_is_a_lower_bound():
    algorithm = planner(FourRoomsVector(num_envs=1, task="goals", noise=0.3))
    row = until_done(algorithm)[-1]
    assert row["gap"] > 0
    assert (algorithm.value <= arrival_discounts(algorithm.ctx.problem.tabular, 0.95) + 1e-12).all()


def test_without_knowing_of_the_noise_the_plan_is_that_of_the_quiet_maze():
    deaf = planner(FourRoomsVector(num_envs=1, task="goals", noise=0.5), determinise=True)
    quiet = planner()
    until_done(deaf)
    until_done(quiet)
    np.testing.assert_array_equal(deaf.value, quiet.value)
    np.testing.assert_array_equal(deaf.policy_for(30), quiet.policy_for(30))


def test_walls_and_strange_policies_are_refused():
    with pytest.raises(UsageError, match="cell 60 is a wall; the nearest free cell is 48"):
        planner(goal=60)
    with pytest.raises(UsageError, match="cell 3 is a wall"):
        planner(policies="24,3")
    with pytest.raises(UsageError, match="policies = 'action': expected 'actions', or cells such as '80,24'"):
        FRPConfig(policies="action")
    with pytest.raises(UsageError, match="max_segments = -1"):
        FRPConfig(max_segments=-1)


def test_value_iteration_sweep_by_sweep():
    ctx = context(FourRoomsVector(num_envs=1))
    algorithm = ValueIteration(ctx, ValueIterationConfig())
    rows = until_done(algorithm)
    assert rows[0]["residual"] == 1.0  # the goal pays 1
    assert algorithm.outcome.status == "converged"
    goal = int(np.flatnonzero(ctx.problem.tabular.terminal)[0])
    start = int(ctx.problem.tabular.rho.argmax())
    soon = arrival_discounts(ctx.problem.tabular, 0.95)[start, goal]
    # The reward comes with the step that arrives, one discount earlier, and is normalised.
    assert rows[-1]["value/reward"] == pytest.approx((1 - 0.95) * soon / 0.95)
    limited = ValueIteration(ctx, ValueIterationConfig(sweeps=4))
    assert len(until_done(limited)) == 4
    assert limited.outcome.status == "not_converged"


def test_four_sweeps_know_the_way_only_near_the_goal(four_rooms):
    algorithm = ValueIteration(context(FourRoomsVector(num_envs=1, task="goals")), ValueIterationConfig(sweeps=4))
    until_done(algorithm)
    goal = four_rooms.state[80]
    moves, distances = four_rooms.moves(*MOVES), four_rooms.distances(*MOVES)[:, goal]
    chosen = algorithm.policy_for(goal)
    closer = distances[moves[chosen, np.arange(68)]] < distances
    near = (distances > 0) & (distances <= 5)
    assert closer[near].all()
    assert not closer[distances > 5].all()
    assert (chosen[distances > 5] == 0).all()
