"""Events with rewards of their own: what is drawn, what the model makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.dynamics import Categorical
from zoo_envs.grid import DIAGONALS, FOUR, STAY, Grid
from zoo_envs.outcomes import Outcomes
from zoo_envs.sampled_vector import SampledVectorEnv


@settings(max_examples=40, deadline=None)
@given(M=st.integers(1, 5), B=st.integers(1, 5), seed=st.integers(0, 10**6), holes=st.floats(0, 0.8))
def test_listed_outcomes_are_drawn_by_their_sums(M: int, B: int, seed: int, holes: float) -> None:
    g = np.random.default_rng(seed)
    p = g.random((M, B)) * (g.random((M, B)) >= holes)
    p[p.sum(1) == 0, 0] = 1.0
    p /= p.sum(1, keepdims=True)
    succ = g.integers(0, 3, (M, B))
    law = Categorical.listed(succ, p)
    rows, u = g.integers(0, M, 30), g.random(30)
    u[:2] = 0.0, np.nextafter(1.0, 0.0)
    places = law.index_many(rows, u)
    assert places.tolist() == [law.index(int(row), float(x)) for row, x in zip(rows, u, strict=True)]
    assert (places // B == rows).all()
    assert (p.ravel()[places] > 0).all()
    below = np.array([p[row, : place % B].sum() for row, place in zip(rows, places, strict=True)])
    assert (below <= u + 1e-12).all() and (u < below + p.ravel()[places] + 1e-12).all()
    assert law.draw_many(rows, u).tolist() == succ.ravel()[places].tolist()


def test_rounding_never_leads_to_an_impossible_event() -> None:
    # The sum is as far below 1 as a model may be, and the last event is impossible.
    law = Categorical.listed(np.array([[4, 5, 6]]), np.array([[0.5, 0.5 - 5e-9, 0.0]]))
    assert law.draw(0, np.nextafter(1.0, 0.0)) == 5


def test_model_of_events_by_hand() -> None:
    succ = np.array([[[1, 1, 0]], [[0, 2, 2]], [[0, 0, 0]]])
    p = np.array([[[0.5, 0.25, 0.25]], [[0.5, 0.5, 0.0]], [[1.0, 0.0, 0.0]]])
    pay = np.array([[[8.0, 4.0, 0.0]], [[2.0, 0.0, 9.0]], [[7.0, 0.0, 0.0]]])
    outcomes = Outcomes(succ, p, pay).plus(np.array([0.0, 100.0, 1000.0]))
    terminal = np.array([False, False, True])
    model = outcomes.ending(terminal).model(0.5, np.array([1.0, 0.0, 0.0]), terminal)
    np.testing.assert_array_equal(model.P[:, 0], [[0.25, 0.75, 0], [0.5, 0, 0.5], [0, 0, 1]])
    np.testing.assert_array_equal(model.r[:, 0], [5 + 75, 1 + 500, 0])
    assert model.terminal.tolist() == [False, False, True]
    np.testing.assert_array_equal(outcomes.model(0.5, np.array([1.0, 0, 0])).P[2, 0], [1, 0, 0])


def test_stacks_tell_events_of_equal_mean_apart() -> None:
    succ, p = np.zeros((1, 1, 2), dtype=np.int64), np.full((1, 1, 2), 0.5)
    calm, wild = (Outcomes(succ, p, np.array([[[-size, size]]])) for size in (1.0, 5.0))
    members = [SampledVectorEnv(o.model(0.9, np.ones(1)), 2, outcomes=o) for o in (calm, calm, wild)]
    assert SampledVectorEnv.stacked(members[:2]) is not None
    assert SampledVectorEnv.stacked(members[1:]) is None


@pytest.mark.parametrize("moves", [FOUR, FOUR + DIAGONALS, FOUR + STAY])
def test_the_edge_of_a_grid_holds_like_a_wall(moves: tuple[tuple[int, int], ...]) -> None:
    open_grid, walled = Grid.of(["..#", "..."]), Grid.of(["#####", "#..##", "#...#", "#####"])
    np.testing.assert_array_equal(open_grid.neighbours(moves), walled.neighbours(moves))
    assert open_grid.cells.tolist() == [0, 1, 3, 4, 5]


def test_nearest_free_cell() -> None:
    grid = Grid.of(["###.", "####", ".###"])
    for cell, nearest in ((2, 3), (4, 8), (11, 3), (9, 8)):
        with pytest.raises(ValueError, match=f"x = {cell} is a wall; the nearest free cell is {nearest}"):
            grid.state("x", cell)
    assert grid.state("x", 8) == 1
