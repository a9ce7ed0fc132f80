"""Which observations are images, and which of their axes are channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from zoo import Array

SMALLEST = 36
"""pixels on a side that the convolutions need"""


@dataclass(frozen=True)
class ImageLayout:
    """An image of bytes.

    Attributes:
        shape: as the environment gives it: [H, W], [H, W, C] or [C, H, W], or several of one kind stacked in front.
        channels: the axes that are no rows or columns: the shortest of three, and that of the stack.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...]

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> ImageLayout | None:
        """The layout; None where observations are no images, or too small ones."""
        shape = space.shape or ()
        if not is_bytes(space) or not 2 <= len(shape) <= 4:
            return None
        colour = len(shape) - 3 + int(np.argmin(shape[-3:])) if len(shape) > 2 else None
        channels = (*range(len(shape) - 3), *([] if colour is None else [colour]))
        sides = [size for axis, size in enumerate(shape) if axis not in channels]
        return cls(shape, channels) if min(sides) >= SMALLEST else None

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = (size for axis, size in enumerate(self.shape) if axis not in self.channels)
        return rows, columns

    @property
    def depth(self) -> int:
        """Number of channels, those of a stack together."""
        return int(np.prod([self.shape[axis] for axis in self.channels], dtype=int))

    def planes(self, flat: Array) -> Array:
        """Images [M, depth, H, W] from flattened ones [M, D], as a torch tensor."""
        batch = flat.reshape(-1, *self.shape)
        order = [*self.channels, *(axis for axis in range(len(self.shape)) if axis not in self.channels)]
        return batch.permute(0, *(axis + 1 for axis in order)).reshape(-1, self.depth, *self.sides)


def is_bytes(space: spaces.Space[Any]) -> bool:
    """Whether observations are bytes from 0 to 255."""
    return isinstance(space, spaces.Box) and space.dtype == np.uint8 and bool((space.high == 255).all())
