"""The grids against breadth-first searches and walks over their pictures, written here for the tests."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from zoo_envs.grids.basic_grid import BasicGrid, basic_grid_policy
from zoo_envs.grids.escape import Escape, EscapeVector
from zoo_envs.grids.four_rooms import FourRooms, FourRoomsVector, HiddenGoals, four_rooms_grid
from zoo_envs.grids.two_rooms import TwoRooms

STEPS = [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]  # up right down left UR DR DL UL


def picture(env: Any) -> list[str]:
    """Rows of text with the walls."""
    env.render_mode = "ansi"
    env.reset(seed=0)
    text: str = env.render()
    return text.splitlines()


def walk(rows: list[str], cell: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    r, c = cell[0] + step[0], cell[1] + step[1]
    return cell if rows[r][c] == "#" else (r, c)


def check_dynamics(env: Any, steps: list[tuple[int, int]], eps: float = 0.0, goal: int | None = None) -> None:
    """Compare the model with the moves over the picture; `goal` is a cell that ends the episode."""
    rows, model = picture(env), env.model()
    free = [(r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell != "#"]
    width = len(rows[0])
    assert env.grid.cells.tolist() == [r * width + c for r, c in free]
    assert env.grid.walls.tolist() == [[cell == "#" for cell in row] for row in rows]
    for s, cell in enumerate(free):
        for a in range(len(steps)):
            expected = np.zeros(len(free))
            expected[free.index(walk(rows, cell, steps[a]))] += 1 - eps
            for other in steps:
                expected[free.index(walk(rows, cell, other))] += eps / len(steps)
            if goal == cell[0] * width + cell[1]:
                expected = np.eye(len(free))[s]
            np.testing.assert_allclose(model.P[s, a], expected, atol=1e-12, err_msg=f"cell {cell}, action {a}")


def distances(env: Any, goal: int) -> NDArray[np.int64]:
    """Steps from every state to `goal` by breadth-first search over the model; -1 where it is out of reach."""
    P = env.model().P
    found = np.full(len(P), -1)
    found[goal] = 0
    queue = deque([goal])
    while queue:
        here = queue.popleft()
        for before in np.flatnonzero(P[:, :, here].any(1)):
            if found[before] < 0:
                found[before] = found[here] + 1
                queue.append(int(before))
    return found


@pytest.mark.parametrize(
    ("env", "steps", "eps", "goal"),
    [
        (FourRooms(task="goals"), STEPS[:4], 0.0, None),
        (FourRooms(), STEPS[:4], 0.0, 20),
        (FourRooms(noise=0.3, stay=True, goal=24), [*STEPS[:4], (0, 0)], 0.3, 24),
        (FourRooms(task="diminishing", noise=1.0), STEPS[:4], 1.0, None),
        (TwoRooms(noise=0.1), [*STEPS[:4], (0, 0)], 0.1, None),
        (BasicGrid(), STEPS[:4], 0.0, None),
        (BasicGrid(size=4, goals=(5,), start=None), STEPS[:4], 0.0, None),
        (Escape(size=9, noise=0.2), STEPS, 0.2, 7 * 9 + 4),
        (Escape(size=9, moves=4, barrier=False), STEPS[:4], 0.0, 7 * 9 + 4),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "grid") else None,
)
def test_dynamics_by_walking_over_the_picture(
    env: Any, steps: list[tuple[int, int]], eps: float, goal: int | None
) -> None:
    check_dynamics(env, steps, eps, goal)


def test_counts_doors_and_starts() -> None:
    rooms = four_rooms_grid()
    assert rooms.num_states == 68
    rows, columns = np.divmod(rooms.cells, 11)
    doors = {(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if r == 5 or c == 5}
    assert doors == {(2, 5), (8, 5), (5, 1), (5, 7)}
    for env, cell in ((FourRooms(), 100), (BasicGrid(), 25), (TwoRooms(), 108), (Escape(), 21 + 10)):
        assert env.grid.cells[env.reset(seed=0)[0]] == cell
        assert env.grid.cells.dtype == np.int64 and env.grid.walls.dtype == np.bool_
    two = TwoRooms().grid
    assert two.num_states == 73 and np.flatnonzero(~two.walls[5]).tolist() == [5]
    barrier = Escape(size=25).grid.walls & ~Escape(size=25, barrier=False).grid.walls
    assert np.argwhere(barrier).tolist() == [[12, column] for column in range(6, 19)]


@pytest.mark.parametrize(
    ("size", "barrier", "moves", "steps"),
    [(25, True, 8, 22), (25, False, 8, 22), (25, True, 4, 36), (25, False, 4, 22), (21, True, 8, 18)],
)
def test_length_of_the_escape(size: int, barrier: bool, moves: int, steps: int) -> None:
    env = Escape(size=size, barrier=barrier, moves=moves)
    start = env.reset(seed=0)[0]
    assert distances(env, int(np.flatnonzero(env.model().terminal)[0]))[start] == steps


def test_diagonal_moves_squeeze_past_the_barrier() -> None:
    env = Escape(size=9)  # the barrier is on row 4, columns 2 to 6
    cells = env.grid.cells.tolist()
    above, beside = cells.index(3 * 9 + 2), cells.index(4 * 9 + 1)
    assert env.model().P[above, 6, beside] == 1  # down-left, into the gap, past the barrier's end
    assert env.model().P[cells.index(3 * 9 + 3), 6, cells.index(3 * 9 + 3)] == 1  # onto the barrier: stays


def test_arriving_in_the_shelter_pays_and_ends() -> None:
    env = EscapeVector(1, size=4, barrier=False)
    env.reset(seed=0)
    _, rewards, terminations, _, infos = env.step(np.array([2]))
    assert (rewards[0], terminations[0]) == (20.0, True)
    assert env.grid.cells[infos["final_obs"][0]] == 2 * 4 + 2
    assert env.model().r.max() == 20 and env.model().gamma == 0.99


def test_noise_of_rewards_is_normal_and_has_mean_zero() -> None:
    from scipy.stats import kstest

    env = EscapeVector(4000, size=8, reward_noise=2.0, max_episode_steps=None)
    env.reset(seed=3)
    rewards = np.concatenate([env.step(np.zeros(4000, dtype=np.int64))[1] for _ in range(3)])
    assert kstest(rewards / 2.0, "norm").pvalue > 1e-3
    assert kstest(rewards / 2.2, "norm").pvalue < 1e-3


@pytest.mark.parametrize("task", ["goal", "goals", "diminishing"])
def test_a_wall_costs_what_it_should(task: str) -> None:
    env = FourRooms(task=task, wall_penalty=0.25, stay=True)
    env.reset(seed=0)
    # From cell 100, the lower left corner: down and left are walls, up and right are free; staying is no move.
    assert [env.step(action)[1] for action in (2, 3, 4, 0, 2, 1)] == [-0.25, -0.25, 0, 0, 0, 0]
    assert env.model().r[env.reset()[0]].tolist() == [0, 0, -0.25, -0.25, 0]


def test_default_rewards_of_the_tasks() -> None:
    paid = {}
    for task in ("goal", "goals", "diminishing"):
        env = FourRooms(task=task, goal=89, goals=(89,), goal_rewards=(3.0,))
        env.reset(seed=0)
        paid[task] = [env.step(2)[1], env.step(0)[1], env.model().gamma, env._core.limit]
    assert paid == {"goal": [0, 1, 0.95, 75], "goals": [-1, 50, 0.95, 75], "diminishing": [0, 3, 0.97, 40]}
    never = FourRooms(max_episode_steps=None)
    never.reset(seed=0)
    assert not any(never.step(2)[3] for _ in range(100))


def test_hidden_goals_are_found_move_and_end_the_episode() -> None:
    env = FourRoomsVector(50, task="goals", noise=1.0, goal=89, num_goals=3, max_episode_steps=None, wall_penalty=0.0)
    env.reset(seed=0)
    relocated = 0
    found, first = np.zeros(50, dtype=np.int64), int(np.flatnonzero(env.grid.cells == 89)[0])
    for _ in range(800):
        before = env.get_state()["goal"]
        obs, rewards, terminations, _, infos = env.step(np.zeros(50, dtype=np.int64))
        arrived = obs.copy()
        arrived[terminations] = infos["final_obs"][terminations].astype(np.int64) if terminations.any() else 0
        hit = arrived == before
        np.testing.assert_array_equal(rewards, np.where(hit, 50.0, 0.0))
        found += hit
        np.testing.assert_array_equal(terminations, found == 3)
        found[terminations] = 0
        after = env.get_state()["goal"]
        assert (after[terminations] == first).all() and (after[~hit] == before[~hit]).all()
        moves = hit & ~terminations
        assert (after[moves] != arrived[moves]).all()
        relocated += int(moves.sum())
    assert relocated > 40


def test_a_found_goal_moves_to_any_other_state_uniformly() -> None:
    n, S = 40_000, 5
    rule = HiddenGoals(S, first=2, reward=1.0, goals=9, relocate=True).prepared(n)
    everywhere = np.ones(n, dtype=np.bool_)
    rule.begin(everywhere, np.zeros(n, dtype=np.int64))
    g = np.random.default_rng(0)
    rule.arrive(np.full(n, 2), lambda where: g.random(int(where.sum())))
    counts = np.bincount(rule.memory["goal"], minlength=S)
    assert counts[2] == 0
    error = np.sqrt(n / 4 * 3 / 4)
    assert (np.abs(np.delete(counts, 2) - n / 4) < 4 * error).all()


def test_a_goal_that_stays_pays_whenever_it_is_arrived_at() -> None:
    env = FourRooms(task="goals", goal=89, reset_goal=False, stay=True, num_goals=3)
    env.reset(seed=0)
    outcomes = [env.step(action)[1:3] for action in (0, 4, 2, 0)]
    assert outcomes == [(50.0, False), (50.0, False), (0.0, False), (50.0, True)]


def test_uniform_starts_leave_out_goals() -> None:
    for options in ({"goal": 24}, {"task": "goals", "goal": 24}, {"task": "diminishing"}):
        env = FourRoomsVector(2000, start=None, **options)
        seen = set(env.grid.cells[env.reset(seed=0)[0]].tolist())
        goals = {80, 24, 41} if options.get("task") == "diminishing" else {24}
        assert seen == set(env.grid.cells.tolist()) - goals


def test_policy_of_the_evaluation_mismatch() -> None:
    env = BasicGrid()
    policy = basic_grid_policy()
    assert policy.dtype == np.int64 and policy.shape == (16,)
    state, cells = env.reset(seed=0)[0], []
    for _ in range(13):
        state = env.step(int(policy[int(state)]))[0]  # type: ignore[call-overload]
        cells.append(int(env.grid.cells[state]))
    assert cells == [19, 13, 7, 8, 9, 10, 16, 15, 14, 8, 9, 10, 16]


def test_evaluation_mismatch_has_the_published_size() -> None:
    # docs/methods/successor.md, section 8.3: the policy's true value, by counting, against what SR and FR say of it.
    env, policy = BasicGrid(), basic_grid_policy()
    successor = env.model().P[np.arange(16), policy].argmax(1)
    values = {}
    for lam in (0.0, 0.5, 1.0):  # FR, the environment's own, SR
        values[lam] = np.zeros(16)
        for start in range(16):
            state, visits = start, 0
            for t in range(400):
                if env.grid.cells[state] == 15:
                    values[lam][start] += 0.9**t * lam**visits
                    visits += 1
                state = int(successor[state])
    assert np.mean((values[0.0] - values[0.5]) ** 2) == pytest.approx(0.0498, abs=5e-5)
    assert np.mean((values[1.0] - values[0.5]) ** 2) == pytest.approx(0.2268, abs=5e-5)


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (FourRooms, {"task": "maze"}, "task must be one of goal, goals, diminishing, got 'maze'"),
        (FourRooms, {"goal": 60}, "goal = 60 is a wall; the nearest free cell is 48"),
        (FourRooms, {"goal": 121}, r"goal must be an integer in \[0, 120\], got 121"),
        (FourRooms, {"start": 20}, "start = 20 is a goal: an episode must begin elsewhere"),
        (FourRooms, {"start": 5}, "start = 5 is a wall"),
        (FourRooms, {"noise": 1.5}, r"noise must be a number in \[0, 1\], got 1.5"),
        (FourRooms, {"wall_penalty": -1.0}, "wall_penalty must be a finite number of at least 0, got -1.0"),
        (FourRooms, {"goal_reward": float("nan")}, "a reward of goal must be a finite number, got nan"),
        (FourRooms, {"task": "goals", "num_goals": 0}, "num_goals must be an integer of at least 1, got 0"),
        (FourRooms, {"gamma": 1.2}, r"gamma must be a number in \[0, 1\), got 1.2"),
        (FourRooms, {"max_episode_steps": 0}, "max_episode_steps must be an integer of at least 1, got 0"),
        (BasicGrid, {"size": 2}, "size must be an integer of at least 3, got 2"),
        (TwoRooms, {"goals": (59, 12, 20)}, "goals = 59 is a wall; the nearest free cell is 48"),
        (Escape, {"size": 7}, "size must be an integer of at least 8, got 7"),
        (Escape, {"moves": 5}, "moves must be 4 or 8, got 5"),
        (Escape, {"reward_noise": -1.0}, "reward_noise must be a finite number of at least 0, got -1.0"),
    ],
)
def test_refused(build: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(**options)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(TypeError, match="nois"):
        FourRooms(nois=0.1)
