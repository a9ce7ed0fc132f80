"""Rewards that shrink with each visit, against a loop that counts by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.grids.basic_grid import BasicGrid, BasicGridVector
from zoo_envs.grids.four_rooms import FourRooms, FourRoomsVector
from zoo_envs.grids.two_rooms import TwoRooms
from zoo_envs.reward_rules import Diminishing

CELLS = [7, 8, 9, 10, 13, 14, 15, 16, 19, 20, 21, 22, 25, 26, 27, 28]  # the room inside 6 by 6


@settings(max_examples=12, deadline=None)
@given(
    lam=st.sampled_from([0.0, 0.3, 1.0]),
    count_start=st.booleans(),
    end_below=st.sampled_from([None, 0.2]),
    recovery=st.sampled_from([None, 1, 4]),
    seed=st.integers(0, 10**6),
)
def test_against_a_loop_that_counts(
    lam: float, count_start: bool, end_below: float | None, recovery: int | None, seed: int
) -> None:
    goals, pays = (15, 7, 26), (1.0, 4.0, 0.5)
    options: dict[str, Any] = {"lam": lam, "count_start": count_start, "end_below": end_below, "start": None}
    options["recovery"] = recovery
    options |= {"goals": goals, "goal_rewards": pays, "noise": 0.3, "max_episode_steps": 20}
    env = BasicGridVector(3, **options)
    base = dict(zip(goals, pays, strict=True))
    counts: list[Counter[int]] = [Counter() for _ in range(3)]
    elapsed = [0] * 3
    arrived: list[dict[int, int]] = [{} for _ in range(3)]  # when a cell was last arrived in, else 0

    def remembered(copy: int, cell: int) -> int:
        forgotten = 0 if recovery is None else (elapsed[copy] - arrived[copy].get(cell, 0)) // recovery
        return max(0, counts[copy][cell] - forgotten)

    def left(copy: int, cell: int) -> float:
        return base.get(cell, 0.0) * float(lam) ** remembered(copy, cell)

    def begin(copy: int, state: int) -> None:
        counts[copy], elapsed[copy] = Counter({CELLS[state]: 1} if count_start else {}), 0
        arrived[copy] = {}
        assert CELLS[state] not in base

    obs, infos = env.reset(seed=seed)
    for copy in range(3):
        begin(copy, obs[copy])
    for actions in np.random.default_rng(seed).integers(0, 4, (45, 3)):
        for copy in range(3):
            expected = [left(copy, cell) for cell in CELLS]
            np.testing.assert_allclose(infos["remaining"][copy], expected, rtol=1e-12)
        obs, rewards, terminations, truncations, infos = env.step(actions)
        for copy in range(3):
            done = terminations[copy] or truncations[copy]
            state = infos["final_obs"][copy] if done else obs[copy]
            assert rewards[copy] == pytest.approx(left(copy, CELLS[state]), rel=1e-12)
            counts[copy][CELLS[state]] = remembered(copy, CELLS[state]) + 1
            elapsed[copy] += 1
            arrived[copy][CELLS[state]] = elapsed[copy]
            over = end_below is not None and all(left(copy, cell) < end_below for cell in goals)
            assert terminations[copy] == over
            assert truncations[copy] == (not over and elapsed[copy] == 20)
            if done:
                last = infos["final_info"]["remaining"][copy]
                np.testing.assert_allclose(last, [left(copy, cell) for cell in CELLS], rtol=1e-12)
                begin(copy, obs[copy])


def test_walking_the_four_rooms_by_hand() -> None:
    # From cell 79 beside goal 80 (which pays 5): in, out, in, out, in.
    env = FourRooms(task="diminishing", start=79, lam=0.5)
    _, info = env.reset(seed=0)
    state = env.grid.cells.tolist().index(80)
    assert info["remaining"][state] == 5.0 and info["remaining"].sum() == 20.0
    paid = [env.step(action)[1] for action in (1, 3, 1, 3, 1)]
    assert paid == [5.0, 0.0, 2.5, 0.0, 1.25]
    assert env.step(3)[4]["remaining"][state] == 0.625


@pytest.mark.parametrize("count_start", [False, True])
def test_the_start_counts_only_if_asked(count_start: bool) -> None:
    rule = Diminishing(np.array([10.0, 0.0]), 0.5, count_start=count_start).prepared(1)
    rule.begin(np.ones(1, dtype=np.bool_), np.array([0]))
    first = rule.arrive(np.array([0]), lambda where: np.zeros(0))[0][0]
    assert first == (5.0 if count_start else 10.0)
    assert rule.memory["visits"].tolist() == [[2, 0] if count_start else [1, 0]]


def test_an_episode_ends_when_little_is_left() -> None:
    # 1 -> .5 -> .25 -> .125 -> .0625: four visits to the only goal, on every second step.
    env = FourRooms(task="diminishing", start=12, goals=(13,), goal_rewards=(1.0,))
    env.reset(seed=0)
    ends = [env.step(action)[2] for action in (1, 3, 1, 3, 1, 3, 1)]
    assert ends == [False] * 6 + [True]
    never = FourRooms(task="diminishing", start=12, goals=(13,), goal_rewards=(1.0,), end_below=None)
    never.reset(seed=0)
    assert not any(never.step(action)[2] for action in (1, 3) * 19)


def test_announced_as_an_attribute() -> None:
    for env in (TwoRooms(), FourRoomsVector(2, task="diminishing", count_start=True, lam=0.25)):
        spec = env.diminishing
        assert spec.base.shape == spec.lam.shape == (env.grid.num_states,)
        assert spec.base.dtype == spec.lam.dtype == np.float64
        r = env.model().P @ spec.base
        np.testing.assert_allclose(env.model().r, r, atol=1e-15)
    assert spec.count_start is True and (spec.lam == 0.25).all()
    assert {int(env.grid.cells[s]): spec.base[s] for s in np.flatnonzero(spec.base)} == {24: 10.0, 41: 5.0, 80: 5.0}
    assert not hasattr(FourRooms(), "diminishing")
    assert not hasattr(FourRooms(task="goals"), "diminishing")


def test_snapshot_holds_the_visits() -> None:
    env = BasicGrid()
    env.reset(seed=0)
    for action in (1, 0, 1, 0):  # 26, 20, 21, 15
        reward = env.step(action)[1]
    assert reward == 1.0
    snapshot = env.get_state()
    assert snapshot["visits"].tolist() == [int(cell in (26, 20, 21, 15)) for cell in CELLS]
    assert [env.step(action)[1] for action in (2, 0)] == [0.0, 0.5]
    other = BasicGrid()
    other.set_state(snapshot)
    assert [other.step(action)[1] for action in (2, 0)] == [0.0, 0.5]
    with pytest.raises(ValueError, match="snapshot entry 'visits' must hold integers of shape"):
        env.set_state(snapshot | {"visits": np.zeros(3, dtype=np.int64)})
    with pytest.raises(ValueError, match="entry 'visits', which is missing"):
        env.set_state({key: value for key, value in snapshot.items() if key != "visits"})
    assert env.step(2)[4]["remaining"][CELLS.index(15)] == 0.25


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lam": 1.5}, r"lam must be a number in \[0, 1\], got 1.5"),
        ({"lam": -0.1}, r"lam must be a number in \[0, 1\], got -0.1"),
        ({"lam": float("nan")}, r"lam must be a number in \[0, 1\], got nan"),
        ({"end_below": -1.0}, "end_below must be a finite number of at least 0, got -1.0"),
        ({"goals": (15, 8)}, "goals has 2 cells and 1 rewards: expected one for each"),
        ({"goals": (15, 15), "goal_rewards": (1.0, 2.0)}, r"goals names a cell twice: \[15, 15\]"),
        ({"goals": (5,)}, "goals = 5 is a wall; the nearest free cell is 10"),
        ({"goals": (36,)}, r"goals must be an integer in \[0, 35\], got 36"),
        ({"goal_rewards": (float("inf"),)}, "a reward of goals must be a finite number"),
        ({"start": 15}, "start = 15 is a goal: an episode must begin elsewhere"),
        ({"start": 0}, "start = 0 is a wall; the nearest free cell is 7"),
        ({"gamma": 1.0}, r"gamma must be a number in \[0, 1\)"),
    ],
)
def test_refused(options: dict[str, Any], sentence: str) -> None:
    for build in (BasicGrid, BasicGridVector):
        with pytest.raises(ValueError, match=sentence):
            build(**options)
