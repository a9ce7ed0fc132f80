"""Zipf distribution of classes by rank, with exact sampling under exclusion of ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RankDistribution"]

_TOTAL = 2.0**53


class RankDistribution:
    """p(rank r) proportional to (r+1)^-alpha on C ranks; uniform for alpha = 0.

    Weights are integers (of a sum near 2^53 where alpha > 0), so that excluding ranks is exact: no rounding can let an
    excluded one through.
    """

    def __init__(self, count: int, alpha: float = 0.0) -> None:
        """Build the distribution of C = `count` ranks.

        Raises:
            ValueError: `count` is below 1, or `alpha` is negative or so large that the last rank has no weight left.
        """
        if count < 1:
            raise ValueError(f"a class must be drawn from at least 1 class, got {count}")
        if not 0 <= alpha < np.inf:
            raise ValueError(f"zipf_alpha must be a finite number of at least 0, got {alpha!r}")
        self.count = count
        if alpha == 0:
            self._weight = np.ones(count, dtype=np.int64)
        else:
            p = np.arange(1, count + 1) ** -float(alpha)
            self._weight = np.rint(p / p.sum() * _TOTAL).astype(np.int64)
        if self._weight[-1] == 0:
            raise ValueError(f"zipf_alpha {alpha} leaves the last of {count} classes no weight: expected less")
        self._end = np.cumsum(self._weight)
        self._start = self._end - self._weight

    def draw(self, size: int, rng: np.random.Generator, without: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return ranks int64[size].

        Args:
            size: how many.
            rng: randomness.
            without: ranks int64[size,k], distinct within a row, that draw i excludes; p is renormalised.
        """
        if without is None:
            place = rng.integers(0, self._end[-1], size)
        else:
            ranks = np.sort(without, axis=1)
            weight, start = self._weight[ranks], self._start[ranks]
            place = rng.integers(0, self._end[-1] - weight.sum(1))
            for k in range(ranks.shape[1]):  # put the gaps back, from the left
                place += np.where(place >= start[:, k], weight[:, k], 0)
        return np.searchsorted(self._end, place, side="right")
