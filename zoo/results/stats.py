"""Statistics over runs and episodes (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice")."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Confidence of every interval the zoo prints."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, int], Floats]
"""Maps an array and the axis of the sample to the statistic along that axis."""

_CHUNK = 4_000_000


def mean(x: Floats, axis: int) -> Floats:
    """Arithmetic mean along ``axis``."""
    return np.asarray(x.mean(axis=axis))


def iqm(x: ArrayLike, axis: int = 0) -> Floats:
    """Interquartile mean along ``axis``: a quarter of the values, rounded down, is dropped at each end."""
    ordered = np.sort(np.asarray(x, dtype=np.float64), axis=axis)
    count = ordered.shape[axis]
    cut = count // 4
    return np.asarray(np.take(ordered, np.arange(cut, count - cut), axis=axis).mean(axis=axis))


def bootstrap(
    x: ArrayLike, statistic: Statistic, rng: np.random.Generator, *, resamples: int = 2000
) -> tuple[Floats, Floats]:
    """Percentile bootstrap interval of a statistic over the first axis, at ``LEVEL``.

    Args:
        x: the sample, ``[n, ...]``.
        statistic: for example ``mean`` or ``iqm``.
        rng: where the resamples are drawn from.
        resamples: how many.

    Returns:
        Lower and upper end, each of the statistic's shape.
    """
    sample = np.asarray(x, dtype=np.float64)
    n = len(sample)
    size = max(1, _CHUNK // max(1, sample.size))  # so that long curves of many seeds stay small in memory
    found = []
    for first in range(0, resamples, size):
        drawn = rng.integers(n, size=(min(size, resamples - first), n))
        found.append(statistic(sample[drawn], 1))
    tail = 50.0 * (1.0 - LEVEL)
    low, high = np.percentile(np.concatenate(found), [tail, 100.0 - tail], axis=0)
    return np.asarray(low), np.asarray(high)
