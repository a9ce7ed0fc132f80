"""Discs and strokes with smooth edges, laid on a picture in place."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Colour", "disc", "stroke"]

Colour: TypeAlias = tuple[int, int, int]
Picture: TypeAlias = NDArray[np.uint8]


def disc(picture: Picture, x: float, y: float, radius: float, colour: Colour) -> None:
    """Lay a disc on `picture` uint8 [H, W, 3], all in pixels from the upper left corner."""
    stroke(picture, (x, y), (x, y), 2 * radius, colour)


def stroke(
    picture: Picture, start: tuple[float, float], end: tuple[float, float], width: float, colour: Colour
) -> None:
    """Lay a straight stroke with round ends on `picture`, from `start` to `end`, each (x, y) in pixels."""
    (x0, y0), (x1, y1) = start, end
    reach = width / 2 + 1
    H, W = picture.shape[:2]
    top, bottom = max(0, int(min(y0, y1) - reach)), min(H, int(max(y0, y1) + reach) + 1)
    left, right = max(0, int(min(x0, x1) - reach)), min(W, int(max(x0, x1) + reach) + 1)
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    dx, dy = x1 - x0, y1 - y0
    along = ((x - x0) * dx + (y - y0) * dy) / ((dx * dx + dy * dy) or 1.0)
    along = along.clip(0.0, 1.0)
    distance = np.hypot(x - x0 - along * dx, y - y0 - along * dy)
    cover = (width / 2 - distance + 0.5).clip(0.0, 1.0)[..., None]  # share of each pixel that is covered
    part = picture[top:bottom, left:right]
    part[:] = np.rint(part * (1 - cover) + np.array(colour) * cover)
