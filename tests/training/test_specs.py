"""What environments tell beyond gymnasium: rewards that diminish, and the grid their states lie on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.walks import LENGTH, Together
from zoo import DiminishingRewards, Grid
from zoo.errors import InterfaceError, UsageError
from zoo.training.environments.make_env import Recorder, problem_of

WALLS = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]], dtype=bool)
CELLS = [5, 6, 9]


def test_a_factor_for_all_states_is_one_for_each() -> None:
    spec = DiminishingRewards.of(SimpleNamespace(base=[1, 0, 2], lam=0.5, count_start=1))
    assert spec.base.tolist() == [1.0, 0.0, 2.0] and spec.lam.tolist() == [0.5, 0.5, 0.5]
    assert spec.base.dtype == spec.lam.dtype == np.float64
    assert spec.count_start is True and spec.num_states == 3
    assert DiminishingRewards.of(spec) is spec
    assert not DiminishingRewards([1.0], [0.0]).count_start  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read-only"):
        spec.lam[0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lam": [0.5, 1.5, 0.2]}, r"diminishing\.lam\[1\] = 1\.5: expected a factor in \[0, 1\]"),
        ({"lam": -0.1}, r"diminishing\.lam = -0\.1: expected a factor"),
        ({"lam": [0.5, 0.5]}, r"diminishing\.lam has shape \(2,\): expected one number, or \(3,\)"),
        ({"base": [[1.0]]}, r"diminishing\.base has shape \(1, 1\)"),
        ({"base": []}, r"diminishing\.base has shape \(0,\)"),
        ({"base": [1.0, np.nan, 0.0]}, r"diminishing\.base\[1\] is not finite"),
        ({"base": ["a"]}, r"diminishing\.base is not an array of numbers"),
    ],
)
def test_bad_diminishing_rewards_are_refused(change: dict[str, Any], message: str) -> None:
    good = {"base": [1.0, 0.0, 2.0], "lam": 0.5, "count_start": False}
    with pytest.raises(InterfaceError, match=message):
        DiminishingRewards.of(SimpleNamespace(**{**good, **change}))


def test_missing_attributes_are_named() -> None:
    with pytest.raises(InterfaceError, match="diminishing lacks the attribute 'lam'"):
        DiminishingRewards.of(SimpleNamespace(base=[1.0]))
    with pytest.raises(InterfaceError, match="grid lacks the attribute 'cells'"):
        Grid.of(SimpleNamespace(walls=WALLS))


def test_cells_lead_to_states() -> None:
    grid = Grid.of(SimpleNamespace(walls=WALLS.tolist(), cells=CELLS))
    assert [grid.state(cell) for cell in CELLS] == [0, 1, 2] and grid.num_states == 3
    assert grid.cells.dtype == np.int64 and Grid.of(grid) is grid


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (16, r"cell 16 is outside the grid of 4 x 4 cells: expected 0 to 15\."),
        (-1, r"cell -1 is outside the grid"),
        (11, r"cell 11 is a wall; the nearest free cell is 6\."),
        (10, r"cell 10 is a wall; the nearest free cell is 6\."),  # 6 and 9 are as near: the lower one
        (13, r"cell 13 is a wall; the nearest free cell is 9\."),
    ],
)
def test_a_cell_without_a_state_names_the_nearest(cell: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Grid(WALLS, np.array(CELLS)).state(cell)


def test_a_free_cell_may_hold_no_state() -> None:
    with pytest.raises(UsageError, match=r"no state lies in cell 6; the nearest cell with one is 5\."):
        Grid(WALLS, np.array([5, 9])).state(6)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_the_nearest_free_cell_is_the_nearest(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    free = sorted(data.draw(st.sets(st.integers(0, rows * columns - 1), min_size=1)))
    walls = np.ones((rows, columns), dtype=bool)
    walls.flat[free] = False
    grid = Grid(walls, np.array(free))
    for cell in range(rows * columns):
        if cell in free:
            assert grid.cells[grid.state(cell)] == cell
            continue
        away = [abs(cell // columns - other // columns) + abs(cell % columns - other % columns) for other in free]
        with pytest.raises(UsageError, match=rf"nearest free cell is {free[away.index(min(away))]}\."):
            grid.state(cell)


@pytest.mark.parametrize(
    ("walls", "cells", "message"),
    [
        (WALLS, [5, 6, 16], r"grid\.cells\[2\] = 16: expected a cell from 0 to 15"),
        (WALLS, [-1, 6], r"grid\.cells\[0\] = -1"),
        (WALLS, [5, 10], r"grid\.cells\[1\] = 10: this cell is a wall"),
        (WALLS, [6, 5], r"not strictly increasing at state 1"),
        (WALLS, [5, 5], r"not strictly increasing at state 1"),
        (WALLS, [5.0], r"grid\.cells is float64 of shape \(1,\): expected integers"),
        (WALLS.astype(int), [5], r"grid\.walls is int64 of shape \(4, 4\): expected booleans"),
        (WALLS[0], [5], r"grid\.walls is bool of shape \(4,\)"),
    ],
)
def test_a_bad_grid_is_refused(walls: Any, cells: list[Any], message: str) -> None:
    with pytest.raises(InterfaceError, match=message):
        Grid(walls, np.array(cells))


class Told(Together):
    """A walk with all that an environment may tell, its model sparse."""

    diminishing = SimpleNamespace(base=np.arange(LENGTH), lam=0.3, count_start=False)
    grid = SimpleNamespace(walls=np.zeros((2, LENGTH // 2), dtype=bool), cells=np.arange(LENGTH))
    states = LENGTH

    def model(self) -> Any:
        S = self.states
        P = sp.csr_matrix(np.repeat(np.eye(S), 2, axis=0))
        ends = np.arange(S) == 1
        return SimpleNamespace(P=P, r=np.zeros((S, 2)), gamma=0.9, rho=np.eye(S)[0], terminal=ends)


def test_a_problem_has_what_the_environment_tells() -> None:
    problem = problem_of(Recorder(Told(2), None))
    assert problem.diminishing is not None and problem.diminishing.lam.tolist() == [0.3] * LENGTH
    assert problem.grid is not None and problem.grid.state(5) == 5
    assert sp.issparse(problem.tabular.P) and problem.tabular.terminal.tolist() == [s == 1 for s in range(LENGTH)]
    bare = problem_of(Recorder(Together(2), None))
    assert bare.diminishing is None and bare.grid is None and bare.model is None


@pytest.mark.parametrize("name", ["diminishing", "grid"])
def test_another_number_of_states_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = {
        "diminishing": SimpleNamespace(base=[1.0], lam=0.3, count_start=False),
        "grid": SimpleNamespace(walls=WALLS, cells=CELLS),
    }
    monkeypatch.setattr(Told, name, short[name])
    with pytest.raises(InterfaceError, match=rf"{name} speaks of \d states, and the observations are Discrete\(8\)"):
        problem_of(Recorder(Told(2), None))
