"""Rendering of a state: text for ``render_mode="ansi"``, an image for ``"rgb_array"``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoardView", "CellView", "StateView"]

_CELL_PIXELS = 16
_WALL, _FREE, _GOAL, _AGENT = range(4)
_CELL_PALETTE = ((128, 128, 128), (240, 240, 240), (44, 160, 44), (31, 119, 180))


@dataclass(frozen=True)
class StateView:
    """Renders a state as its number."""

    num_states: int

    def text(self, state: int, marked: Sequence[int] = ()) -> str:
        """Return one line that names `state`."""
        return f"state {state} of {self.num_states}\n"

    def pixels(self, state: int, marked: Sequence[int] = ()) -> NDArray[np.uint8]:
        """Refuse: there is nothing to draw.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this environment has no picture; use render_mode='ansi'")


@dataclass(frozen=True)
class BoardView(StateView):
    """Renders a state as a board of cells, each of one kind.

    Attributes:
        layout: state -> kinds int64 [rows, columns].
        glyphs: one character per kind.
        palette: uint8 [kinds, 3], colour per kind.
    """

    layout: Callable[[int], NDArray[np.int64]]
    glyphs: str
    palette: tuple[tuple[int, int, int], ...]

    def text(self, state: int, marked: Sequence[int] = ()) -> str:
        """Return the board, one line per row."""
        return "".join("".join(self.glyphs[kind] for kind in row) + "\n" for row in self.kinds(state, marked))

    def pixels(self, state: int, marked: Sequence[int] = ()) -> NDArray[np.uint8]:
        """Return the board as uint8 [16 rows, 16 columns, 3]."""
        colours = np.array(self.palette, dtype=np.uint8)[self.kinds(state, marked)]
        return colours.repeat(_CELL_PIXELS, axis=0).repeat(_CELL_PIXELS, axis=1)

    def kinds(self, state: int, marked: Sequence[int]) -> NDArray[np.int64]:
        """Return the kind of each cell, int64 [rows, columns]."""
        return self.layout(state)


@dataclass(frozen=True)
class CellView(BoardView):
    """Renders a state as a cell of one board: walls grey, the agent blue, goals and marked states green.

    Attributes:
        cells: int64 [S], the flat cell of each state.
    """

    cells: NDArray[np.int64]

    @classmethod
    def of(cls, walls: NDArray[np.bool_], cells: NDArray[np.int64], goals: Sequence[int] = ()) -> CellView:
        """Return the view of a board with `walls` bool [rows, columns] and states `goals` that are always green."""
        board = np.where(walls, _WALL, _FREE)
        board.flat[cells[list(goals)]] = _GOAL
        return cls(len(cells), lambda state: board.copy(), "#.G@", _CELL_PALETTE, cells)

    def kinds(self, state: int, marked: Sequence[int]) -> NDArray[np.int64]:
        """Return the kind of each cell, int64 [rows, columns]; the agent hides what lies under it."""
        board = self.layout(state)
        board.flat[self.cells[list(marked)]] = _GOAL
        board.flat[self.cells[state]] = _AGENT
        return board
