"""Which turned and flipped pictures are shapes of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 28
TURNS = 8
"""quarter turns, each also flipped"""
APART = 0.35
"""Distance below which two shapes are one: of their pictures, over the root mean square of their lengths."""
_BLOCK = 1024


def turned(pictures: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Pictures ``[..., 28, 28]`` after ``turn`` quarter turns, those from 4 on flipped first."""
    flipped = pictures[..., ::-1] if turn >= TURNS // 2 else pictures
    return np.rot90(flipped, turn % (TURNS // 2), axes=(-2, -1))


def distinct(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Shapes that are ``APART`` from one another: by the order of pictures, then of turns.

    A shape that is nearer to one that is kept already is dropped: of 4 turns of a circle one is left.

    Args:
        pictures: one of each character, ``[P, 28, 28]``.

    Returns:
        Picture and turn of each shape, ``[C, 2]``.
    """
    every = np.concatenate([turned(pictures, turn) for turn in range(TURNS)])
    # Sixteen shades: sums of products are then exact in single precision, in whatever order they are taken.
    flat = (every.reshape(len(every), -1) >> 4).astype(np.float32)
    squares = (flat * flat).sum(1)
    kept: list[int] = []
    for start in range(0, len(flat), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(flat)))
        free = squares[block] > 0
        if kept:
            free &= ~_near(flat, squares, block, np.array(kept)).any(1)
        within = _near(flat, squares, block, block)
        for place in np.flatnonzero(free):  # in order, since each that is kept drops later ones
            if free[place]:
                kept.append(int(block[place]))
                free[place + 1 :] &= ~within[place, place + 1 :]
    shapes = np.array(kept)
    return np.stack([shapes % len(pictures), shapes // len(pictures)], axis=1)


def _near(
    flat: NDArray[np.float32], squares: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether shapes are less than ``APART`` from others, ``[rows, columns]``."""
    both = squares[rows, None] + squares[columns]
    return both - 2.0 * (flat[rows] @ flat[columns].T) < APART**2 * both / 2.0
