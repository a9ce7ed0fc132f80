"""Rendering of a state: text for ``render_mode="ansi"``, an image for ``"rgb_array"``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.shapes import Colour, disc, stroke

__all__ = ["BoardView", "CellView", "StateView"]

_SIDE, _SMALLEST, _LARGEST = 384, 8, 48
"""pixels: what the longer side of a board should take, and the limits of a cell"""
_EDGE = 0.93
"""how much of its colour a cell has at its upper and left edge, so that cells can be counted"""
_FREE, _WALL, _GOAL, _AGENT = range(4)
_CELL_PALETTE: tuple[Colour, ...] = ((240, 240, 240), (90, 90, 90), (44, 160, 44), (31, 119, 180))


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
    """Renders a state as a board of cells, each of one kind, with pieces on some.

    Attributes:
        ground: state -> kinds int64 [rows, columns]; a new array.
        pieces: state -> (flat cell, kind) of each piece; of two in one cell, the text shows the last.
        glyphs: one character per kind.
        palette: colour per kind.
        bars: kinds of pieces that are drawn as a bar instead of a disc.
    """

    ground: Callable[[int], NDArray[np.int64]]
    pieces: Callable[[int], Sequence[tuple[int, int]]]
    glyphs: str
    palette: tuple[Colour, ...]
    bars: tuple[int, ...] = ()

    def text(self, state: int, marked: Sequence[int] = ()) -> str:
        """Return the board, one line per row."""
        board = self.kinds(state, marked)
        for cell, kind in self.pieces(state):
            board.flat[cell] = kind
        return "".join("".join(self.glyphs[kind] for kind in row) + "\n" for row in board)

    def pixels(self, state: int, marked: Sequence[int] = ()) -> NDArray[np.uint8]:
        """Return the board as uint8 [n rows, n columns, 3], with n from 8 to 48 so that it is about 384 pixels long."""
        board = self.kinds(state, marked)
        n = int(np.clip(_SIDE // max(board.shape), _SMALLEST, _LARGEST))
        picture = np.array(self.palette, dtype=np.uint8)[board].repeat(n, axis=0).repeat(n, axis=1)
        for edge in (picture[::n], picture[:, ::n]):
            edge[:] = edge * _EDGE
        for cell, kind in self.pieces(state):
            row, column = divmod(cell, board.shape[1])
            if kind in self.bars:
                low = (row + 0.72) * n
                stroke(picture, ((column + 0.25) * n, low), ((column + 0.75) * n, low), 0.3 * n, self.palette[kind])
            else:
                disc(picture, (column + 0.5) * n, (row + 0.5) * n, 0.34 * n, self.palette[kind])
        return picture

    def kinds(self, state: int, marked: Sequence[int]) -> NDArray[np.int64]:
        """Return the kind of each cell beneath the pieces, int64 [rows, columns]."""
        return self.ground(state)


@dataclass(frozen=True)
class CellView(BoardView):
    """Renders a state as a cell of one board: walls grey, the agent a blue disc, goals and marked states green.

    Attributes:
        cells: int64 [S], the flat cell of each state.
    """

    cells: NDArray[np.int64] = field(kw_only=True)

    @classmethod
    def of(cls, walls: NDArray[np.bool_], cells: NDArray[np.int64], goals: Sequence[int] = ()) -> CellView:
        """Return the view of a board with `walls` bool [rows, columns] and states `goals` that are always green."""
        board = np.where(walls, _WALL, _FREE)
        board.flat[cells[list(goals)]] = _GOAL
        return cls(
            len(cells), lambda state: board.copy(), lambda state: [(int(cells[state]), _AGENT)], ".#G@", _CELL_PALETTE,
            cells=cells,
        )  # fmt: skip

    def kinds(self, state: int, marked: Sequence[int]) -> NDArray[np.int64]:
        """Return the kind of each cell beneath the agent, int64 [rows, columns]."""
        board = self.ground(state)
        board.flat[self.cells[list(marked)]] = _GOAL
        return board
