"""Grids: walls from rows of text, free cells as states, moves that walls block, noisy moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import integer, real

__all__ = ["DIAGONALS", "FOUR", "STAY", "Grid"]

FOUR = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""Up, right, down, left as (rows, columns)."""
DIAGONALS = ((-1, 1), (1, 1), (1, -1), (-1, -1))
"""Up-right, down-right, down-left, up-left."""
STAY = ((0, 0),)


@dataclass(frozen=True, eq=False)
class Grid:
    """R rows and C columns of cells, of which the S free ones are the states, in the order of their flat index.

    Attributes:
        walls: bool [R,C], read only.
    """

    walls: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self.walls.flags.writeable = False

    @classmethod
    def of(cls, rows: Sequence[str]) -> Grid:
        """Return the grid drawn by `rows`, where "#" is a wall and everything else is free."""
        return cls(np.array([[cell == "#" for cell in row] for row in rows]))

    @classmethod
    def room(cls, rows: int, columns: int) -> Grid:
        """Return an empty room of `rows` by `columns` cells, those at the border being walls."""
        walls = np.ones((rows, columns), dtype=np.bool_)
        walls[1:-1, 1:-1] = False
        return cls(walls)

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Flat index row*C + column of each state, int64 [S], increasing."""
        cells: NDArray[np.int64] = np.flatnonzero(~self.walls)
        cells.flags.writeable = False
        return cells

    @property
    def num_states(self) -> int:
        """The number of states, S."""
        return int(self.cells.size)

    def state(self, name: str, cell: object) -> int:
        """Return the state in the flat `cell`; `name` is what the cell is called in an error.

        Raises:
            ValueError: there is no such cell, or it is a wall; the nearest free cell is named.
        """
        C = self.walls.shape[1]
        flat = integer(name, cell, 0, self.walls.size - 1)
        if self.walls.flat[flat]:
            distances = np.abs(self.cells // C - flat // C) + np.abs(self.cells % C - flat % C)
            raise ValueError(f"{name} = {flat} is a wall; the nearest free cell is {self.cells[distances.argmin()]}")
        return int(np.searchsorted(self.cells, flat))

    def reward_table(self, name: str, cells: Sequence[int], rewards: Sequence[float]) -> NDArray[np.float64]:
        """Return float64 [S] with `rewards` in the states of the flat `cells` and 0 elsewhere.

        Raises:
            ValueError: the lengths differ, a reward is not finite, a cell is named twice or is not a free cell.
        """
        states = [self.state(name, cell) for cell in cells]
        if len(rewards) != len(states):
            raise ValueError(f"{name} has {len(states)} cells and {len(rewards)} rewards: expected one for each")
        if len(set(states)) != len(states):
            raise ValueError(f"{name} names a cell twice: {list(cells)}")
        table = np.zeros(self.num_states)
        table[states] = [real(f"a reward of {name}", reward, -math.inf) for reward in rewards]
        return table

    def start(self, cell: int | None, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the law of the first state [S]: the flat `cell`, or None: uniform on the states `allowed` bool[S].

        Raises:
            ValueError: `cell` is not a free cell, or not allowed.
        """
        law = allowed.astype(np.float64)
        if cell is not None:
            state = self.state("start", cell)
            if not allowed[state]:
                raise ValueError(f"start = {cell} is a goal: an episode must begin elsewhere")
            law[:] = np.arange(self.num_states) == state
        law /= law.sum()
        return law

    def neighbours(self, moves: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        """Return the state that each of the D `moves` leads to, int64 [S,D]; moves against a wall or the edge stay.

        Only the cell that is entered counts: diagonal moves pass between two walls that touch at a corner.
        """
        R, C = self.walls.shape
        down, right = np.array(moves).T
        row, column = np.add.outer(self.cells // C, down), np.add.outer(self.cells % C, right)
        inside = (row >= 0) & (row < R) & (column >= 0) & (column < C)
        target = np.where(inside, row * C + column, 0)
        blocked = ~inside | self.walls.ravel()[target]
        return np.where(blocked, np.arange(self.num_states)[:, None], np.searchsorted(self.cells, target))

    def outcomes(self, moves: Sequence[tuple[int, int]], *, noise: float = 0.0, wall_penalty: float = 0.0) -> Outcomes:
        """Return what each of the D `moves`, which are the actions, may lead to.

        Args:
            moves: (rows, columns) of each action.
            noise: probability that the move is drawn uniformly from all D instead, in [0, 1].
            wall_penalty: cost of a blocked move, at least 0.

        Raises:
            ValueError: `noise` or `wall_penalty` is outside its range.
        """
        D, noise, penalty = len(moves), real("noise", noise, 0, 1), real("wall_penalty", wall_penalty, 0)
        target = self.neighbours(moves)
        moving = np.array([move != (0, 0) for move in moves])
        blocked = (target == np.arange(self.num_states)[:, None]) & moving
        pay = np.where(blocked, -penalty, 0.0)
        if noise == 0:
            return Outcomes.certain(target, pay)
        law = (1 - noise) * np.eye(D) + noise / D
        shape = (self.num_states, D, D)  # [S, action, move that is made]
        spread = [np.broadcast_to(table[:, None], shape) for table in (target, pay)]
        return Outcomes(spread[0], np.broadcast_to(law, shape), spread[1])
