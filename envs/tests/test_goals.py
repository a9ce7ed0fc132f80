"""Goal families: exact values, first states, features and rules against independent counts."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
from zoo_envs.goals.cart_pole import CartPoleGoals, CartPoleGoalsVector
from zoo_envs.goals.features import GoalFeatures, IrrelevantFeatures
from zoo_envs.goals.four_rooms import FourRoomsGoals, FourRoomsGoalsVector, rooms
from zoo_envs.goals.pendulum import PendulumGoals, PendulumGoalsVector
from zoo_envs.grids.four_rooms import four_rooms_grid


@pytest.mark.skipif(find_spec("dm_control") is None, reason="the extra dmc is not installed")
def test_a_family_of_the_control_suite_repeats_actions_and_poses_what_it_is_given() -> None:
    from zoo_envs.goals.control_suite import WalkerFamily

    with pytest.raises(ValueError, match="tasks must be some of stand, walk, run, each once, got"):
        WalkerFamily(tasks=("jump",))
    env = WalkerFamily(action_repeat=4, max_episode_steps=10)
    run = list(env.tasks.tasks())[2]
    obs, info = env.reset(seed=0, options={"task": run})
    assert (info["task"], info["task_index"]) == ("run", 2)
    assert obs[-3:].tolist() == [0.0, 0.0, 1.0]
    ends = [env.step(np.zeros(6))[3] for _ in range(3)]
    assert ends == [False, False, True]  # 4 + 4 + 2 control steps
    assert run.make().reset(seed=0)[0].shape == obs.shape


def test_the_rooms_are_those_of_the_paper() -> None:
    grid = four_rooms_grid()
    assert np.bincount(rooms()).tolist() == [17, 16, 17, 18]  # doors (5,1), (2,5), and both of column 7 and row 8
    by_cell = dict(zip(grid.cells.tolist(), rooms().tolist(), strict=True))
    assert [by_cell[11 * r + c] for r, c in ((5, 1), (2, 5), (5, 7), (8, 5))] == [0, 2, 3, 3]


def test_first_states_are_uniform_on_the_start_rooms_without_the_goal() -> None:
    env = FourRoomsGoalsVector(4000, goals=(12, 108), start_rooms=(1,), features=0)
    (first, _) = env.tasks.tasks()
    obs, _ = env.reset(seed=0, options={"task": first})
    starts = obs[:, :68].argmax(1)
    counts = np.bincount(starts, minlength=68)
    allowed = (rooms() == 1) & (four_rooms_grid().cells != 12)
    assert (counts[~allowed] == 0).all()
    expected = 4000 / allowed.sum()
    assert ((counts[allowed] - expected) ** 2 / expected).sum() < 40  # chi-squared, 14 degrees of freedom


def test_the_exact_value_is_that_of_a_greedy_walk() -> None:
    """Walk down a table of distances found by search, and discount by counting."""
    env = FourRoomsGoals(features=0)
    gamma, target = 0.9, env.family.target
    for task in list(env.tasks.tasks())[::5]:
        goal = int(env.family.states[task.goal])
        distance = {goal: 0}
        frontier = [goal]
        while frontier:
            frontier = [s for s in range(68) if s not in distance and any(int(t) in frontier for t in target[s])]
            steps = max(distance.values()) + 1
            distance |= dict.fromkeys(frontier, steps)
        values = [gamma ** (distance[int(s)] - 1) for s in env.family.starts]
        assert env.optimal_value(task, gamma) == pytest.approx(np.mean(values), rel=1e-12)


def test_published_rewards() -> None:
    env = FourRoomsGoals(goals=(12,), start_rooms=(1,), reward="published", features=0, observation="coordinates")
    env.reset(seed=0)
    env._row[0, 0] = four_rooms_grid().state("cell", 13)
    assert env.step(0)[1:3] == (-1.0, False)  # against the wall above
    obs, reward, terminated, *_ = env.step(3)
    assert (reward, terminated, obs.tolist()) == (50.0, True, [1.0, 1.0, 1.0])


def test_after_the_rule_has_changed_each_goal_has_the_next_ones_name() -> None:
    env = FourRoomsGoals(goals=(12, 108), observation="coordinates", features=0)
    changed = list(env.tasks.changed.tasks())
    assert [task.id for task in changed] == ["goal-12-named-108", "goal-108-named-12"]
    obs, _ = env.reset(seed=0, options={"task": changed[0]})
    assert obs[2:].tolist() == [0.0, 1.0]
    assert FourRoomsGoals(goals=(12,)).tasks.changed is None
    assert env.tasks.from_dict(changed[0].to_dict()) == changed[0]


def test_irrelevant_features_are_signs_that_are_drawn_anew() -> None:
    drawn = IrrelevantFeatures(3).draw(np.random.default_rng(0), 4000)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    assert np.abs(drawn.mean(0)).max() < 5 / 4000**0.5
    assert abs(IrrelevantFeatures(1, "normal").draw(np.random.default_rng(0), 4000).std() - 1) < 0.06
    assert GoalFeatures(3).encode(np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    env = FourRoomsGoals(features=5)
    seen = [env.reset(seed=0)[0][-5:], env.step(0)[0][-5:], env.step(0)[0][-5:]]
    assert len({tuple(row) for row in seen}) > 1
    assert env.feature_groups["noise"] == slice(136, 141)


def test_the_common_goal_is_drawn_as_often_as_it_should() -> None:
    env = FourRoomsGoalsVector(3000, goals=(12, 108), common=0.8)
    _, infos = env.reset(seed=0)
    assert abs((infos["task_index"] == 0).mean() - 0.8) < 5 * 0.4 / 3000**0.5


def test_the_pendulum_is_gymnasiums_where_the_goal_is_upright() -> None:
    ours, theirs = PendulumGoals(goals=(0.0,), observe_goal=False), gymnasium.make("Pendulum-v1")
    ours.reset(seed=0)
    theirs.reset(seed=0)
    theirs.unwrapped.state = ours._row[0, :2].copy()
    rng = np.random.default_rng(0)
    for _ in range(50):
        action = rng.uniform(-2, 2, 1).astype(np.float32)
        mine, other = ours.step(action), theirs.step(action)
        np.testing.assert_allclose(mine[0], other[0], rtol=1e-5, atol=1e-5)
        assert mine[1] == pytest.approx(float(other[1]), rel=1e-5)


def test_the_cart_is_paid_for_being_near_its_goal() -> None:
    env = CartPoleGoals(goals=(-1.2,), observe_goal=False)
    env.reset(seed=0)
    obs, reward, *_ = env.step(1)
    assert reward == pytest.approx(1 - (float(obs[0]) + 1.2) / 2.4, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FourRoomsGoals(goals=(0,)), "a goal = 0 is a wall; the nearest free cell is 12"),
        (lambda: FourRoomsGoals(goals=()), "goals must be at least one cell, each once, got []"),
        (lambda: FourRoomsGoals(common=2.0), "common must be a number in [0, 1], got 2.0"),
        (lambda: FourRoomsGoals(features=-1), "features must be an integer of at least 0, got -1"),
        (lambda: FourRoomsGoals(start_rooms=(7,)), "a start room must be an integer in [0, 3], got 7"),
        (lambda: FourRoomsGoals(observation="smell"), "observation must be features, coordinates or cell, got 'smell'"),
        (lambda: PendulumGoalsVector(2, goals=(0.1, 0.1)), "goals must be at least one angle, each once"),
        (lambda: CartPoleGoalsVector(2, goals=(3.0,)), "a goal must be a number in [-2.4, 2.4], got 3.0"),
        (lambda: FourRoomsGoals().reset(options={"task": 3}), "options['task'] must be a GoalTask or None, got 3"),
        (lambda: PendulumGoals().step(np.array([np.nan])), "call reset() first"),
        (
            lambda: FourRoomsGoals().tasks.from_dict({"goal": 99, "cue": 0}),
            "goal must be an integer in [0, 15], got 99",
        ),
    ],
)
def test_bad_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises((ValueError, gymnasium.error.ResetNeeded), match=re.escape(message)):
        make()
