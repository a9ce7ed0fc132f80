"""How a state is shown: text for ``render_mode="ansi"``, an image for ``"rgb_array"``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoardView", "StateView"]

_CELL_PIXELS = 16


@dataclass(frozen=True)
class StateView:
    """A state is only a number."""

    num_states: int

    def text(self, state: int) -> str:
        """Return one line that names `state`."""
        return f"state {state} of {self.num_states}\n"

    def pixels(self, state: int) -> NDArray[np.uint8]:
        """Refuse: there is nothing to draw.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this environment has no picture; use render_mode='ansi'")


@dataclass(frozen=True)
class BoardView(StateView):
    """A state is a board of cells, each of one kind.

    Attributes:
        layout: state -> kinds int64 [rows, columns].
        glyphs: one character per kind.
        palette: uint8 [kinds, 3], colour per kind.
    """

    layout: Callable[[int], NDArray[np.int64]]
    glyphs: str
    palette: tuple[tuple[int, int, int], ...]

    def text(self, state: int) -> str:
        """Return the board, one line per row."""
        return "".join("".join(self.glyphs[kind] for kind in row) + "\n" for row in self.layout(state))

    def pixels(self, state: int) -> NDArray[np.uint8]:
        """Return the board as uint8 [16 rows, 16 columns, 3]."""
        colours = np.array(self.palette, dtype=np.uint8)[self.layout(state)]
        return colours.repeat(_CELL_PIXELS, axis=0).repeat(_CELL_PIXELS, axis=1)
