"""Logged values of seeds, thinned to what a page can hold: mean and whole range in each bin, no peak left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.stats import Floats

DIGITS = 5
"""Significant digits of the numbers in a page."""
_TINY = 1e-290
"""Smaller numbers stay as they are: powers of ten end soon after."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of runs that differ only in their seed.

    Attributes:
        x: steps, increasing, ``[G]``: each logged step, or the middles of bins where there are too many.
        mean: over the seeds, of each seed's mean in the bin, ``[G]``.
        low, high: least and largest value that any seed logged in the bin, ``[G]``.
        count: seeds that logged a value in the bin, ``[G]``.
        binned: whether a bin holds several steps.
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    count: Floats
    binned: bool


def thin(seeds: Sequence[tuple[Floats, Floats]], points: int) -> Curve | None:
    """The curve of seeds given as (steps, values), in at most ``points`` bins.

    Values that are not finite are left out; None where no other is there.
    """
    x, y = (np.concatenate(parts) for parts in zip(*seeds, strict=True))
    whose = np.repeat(np.arange(len(seeds)), [len(own) for own, _ in seeds])
    kept = np.isfinite(x) & np.isfinite(y)
    x, y, whose = x[kept], y[kept], whose[kept]
    if not len(x):
        return None
    grid, slot = np.unique(x, return_inverse=True)
    binned = len(grid) > points
    if binned:
        edges = np.linspace(grid[0], grid[-1], points + 1)
        slot = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, points - 1)
        grid = 0.5 * (edges[1:] + edges[:-1])
    size = len(grid)
    cell = whose * size + slot
    values = np.bincount(cell, minlength=len(seeds) * size).reshape(len(seeds), size)
    sums = np.bincount(cell, weights=y, minlength=len(seeds) * size).reshape(len(seeds), size)
    count = (values > 0).sum(axis=0)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, slot, y)
    np.maximum.at(high, slot, y)
    some = count > 0
    with np.errstate(over="ignore"):
        mean = (sums[:, some] / np.maximum(values[:, some], 1)).sum(axis=0) / count[some]
    mean = np.clip(mean, low[some], high[some])  # rounding, and sums beyond the largest number
    return Curve(grid[some], mean, low[some], high[some], count[some].astype(float), binned)


def short(values: Floats) -> list[float | int]:
    """Numbers to ``DIGITS`` significant digits, whole ones without a point, as JSON holds them in few characters."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.where(values == 0, 0, np.floor(np.log10(np.abs(values))))
        shift = np.clip(DIGITS - 1 - exponent, -300, 300)
        up, down = 10.0 ** np.maximum(shift, 0), 10.0 ** np.maximum(-shift, 0)
        rounded = np.round(values * up / down) / up * down
    rounded = np.where(np.isfinite(rounded) & (np.abs(values) > _TINY), rounded, values)
    return [int(value) if value == int(value) and abs(value) < 1e15 else value for value in rounded.tolist()]
