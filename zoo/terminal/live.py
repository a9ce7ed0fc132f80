"""A few lines at the bottom of a terminal that are written anew, whatever becomes of its width."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from zoo.terminal.streams import visible


class LiveLines:
    """Lines that replace one another on a terminal.

    Where the terminal has become narrower since they were written, it has broken them: as many rows are erased as
    they take now, so that none of them stays behind.

    Args:
        stream: the terminal.
        width: columns, where the terminal does not tell.
    """

    def __init__(self, stream: TextIO, width: int = 80) -> None:
        self._stream = stream
        self._default = width
        self._shown: list[int] = []

    @property
    def width(self) -> int:
        """Columns of the terminal now, without the last one: a full row would break."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns or self._default
        except (OSError, ValueError, AttributeError):
            columns = self._default
        return max(1, columns - 1)

    def show(self, lines: Sequence[str]) -> None:
        """Replace what is shown."""
        width = self.width
        lines = [visible(line.replace("\n", " ")) for line in lines]
        cropped = [line if cell_len(line) <= width else set_cell_size(line, width) for line in lines]
        self._stream.write(self._erasure() + "\n".join(cropped))
        self._stream.flush()
        self._shown = [cell_len(line) for line in cropped]

    def clear(self) -> None:
        """Show nothing."""
        self._stream.write(self._erasure())
        self._stream.flush()
        self._shown = []

    def _erasure(self) -> str:
        """From the end of the last line to the beginning of the first, and everything below away."""
        if not self._shown:
            return ""
        columns = self.width + 1
        rows = sum(max(1, -(-length // columns)) for length in self._shown)
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + "\x1b[J"
