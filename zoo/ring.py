"""Buffers that are written row after row, such as a replay buffer, as parts of a state.

Like ``zoo.api``, this module imports no numpy at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class RingBuffer:
    """An array whose rows are written in order; once it is full, the oldest row is overwritten.

    In the ``state()`` of an algorithm it stands for the array itself, which is not copied: a checkpoint writes only the
    rows that are new since the last one, into files that all checkpoints share. A row may not change after it was
    written, until it is overwritten.

    Attributes:
        array: numpy array [capacity, ...]; row i of all that were ever written lies at ``i % capacity``. In
            ``load_state`` it has only the rows that were written, ``[min(written, capacity), ...]``, at their places.
        written: how many rows were ever written.
        capacity: of the buffer.
    """

    array: Any
    written: int
    capacity: int

    @property
    def rows(self) -> int:
        """How many rows hold something."""
        return min(self.written, self.capacity)
