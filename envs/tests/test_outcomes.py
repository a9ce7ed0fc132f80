"""Events with rewards of their own: what is drawn, what the model makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zoo_envs.tabular.model
import zoo_envs.tabular.transitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from zoo_envs.grids.escape import Escape
from zoo_envs.tabular.categorical import Categorical
from zoo_envs.tabular.grid import DIAGONALS, FOUR, STAY, Grid
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.tabular.vector_env import SampledVectorEnv, TabularVectorEnv


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


def test_large_models_are_sparse_and_equal_the_dense_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = Escape(size=9, noise=0.2)
    for module in (zoo_envs.tabular.model, zoo_envs.tabular.transitions):
        monkeypatch.setattr(module, "DENSE_ENTRIES", 100)
    sparse = Escape(size=9, noise=0.2)
    P, S = sparse.model().P, sparse.grid.num_states
    assert P.format == "csr" and P.shape == (8 * S, S) and not P.data.flags.writeable
    np.testing.assert_allclose(P.toarray().reshape(S, 8, S), dense.model().P, atol=1e-15)
    np.testing.assert_array_equal(sparse.model().r, dense.model().r)
    # Sampled from CSR alone, and from the dense arrays, the same uniforms lead to the same states.
    rounded = np.round(P.toarray() * 1024) / 1024  # sums of powers of two are exact in every order
    rounded[np.arange(8 * S), rounded.argmax(1)] += 1 - rounded.sum(1)
    arrays = {"r": np.zeros((S, 8)), "gamma": 0.9, "rho": dense.model().rho}
    pair = [TabularVectorEnv(TabularModel(kernel, **arrays), 50) for kernel in (csr_array(rounded), rounded)]
    assert pair[0].model().P.format == "csr" and isinstance(pair[1].model().P, np.ndarray)
    states = [env.reset(seed=3)[0] for env in pair]
    for actions in np.random.default_rng(0).integers(0, 8, (30, 50)):
        states = [env.step(actions)[0] for env in pair]
        np.testing.assert_array_equal(*states)


def test_size_of_a_large_arena() -> None:
    P = Escape(size=41).model().P
    assert P.format == "csr" and P.nnz == 12_000 and P.shape == (12_000, 1500)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda P: P.data.__setitem__(8 * 3 + 1, -0.5), r"P\[0, 3, 1\] must be a finite probability"),
        (lambda P: P.data.__setitem__(8 * 9 + 1, 0.5), r"P\[1, 1\] must sum to 1"),
        (lambda P: P.resize((64, 9)), r"P must have shape \[64, 8\] where it is sparse, got \[64, 9\]"),
    ],
)
def test_a_bad_sparse_kernel_is_named(monkeypatch: pytest.MonkeyPatch, change: Any, sentence: str) -> None:
    monkeypatch.setattr(zoo_envs.tabular.model, "DENSE_ENTRIES", 10)
    P = csr_array(np.full((64, 8), 0.125))
    arrays = {"r": np.zeros((8, 8)), "gamma": 0.9, "rho": np.full(8, 0.125)}
    TabularModel(P, **arrays)
    change(P)
    with pytest.raises(ValueError, match=sentence):
        TabularModel(P, **arrays)
    terminal = np.arange(8) == 5
    with pytest.raises(ValueError, match="terminal state 5 must lead to itself"):
        TabularModel(csr_array(np.full((64, 8), 0.125)), **arrays, terminal=terminal)
