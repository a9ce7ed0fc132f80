"""Sampling from exact arrays: the one inverse-CDF rule that the single and the batched form share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Categorical"]


class Categorical:
    """M categorical laws over S outcomes, compressed to their B = max support size most possible outcomes.

    Outcome of row m for a uniform u in [0,1): the first k with u < cum[m,k], then succ[m,k]. So equal
    uniforms give equal outcomes whichever of the two methods is called.

    Attributes:
        succ: int64 [M,B], outcomes in increasing order; rows with a smaller support repeat their last one.
        cum: float64 [M,B], cumulative probabilities; 1 exactly from the last outcome of the row on.
    """

    succ: NDArray[np.int64]
    cum: NDArray[np.float64]

    def __init__(self, p: NDArray[np.float64]) -> None:
        """Compress `p` [M,S], whose rows are distributions."""
        support = p > 0
        size = support.sum(1)
        B = int(size.max())
        # A stable sort by "impossible" puts the possible outcomes first, in increasing order.
        order = np.argsort(~support, axis=1, kind="stable")[:, :B].astype(np.int64)
        last = (size - 1)[:, None]
        column = np.arange(B)
        self.succ = np.take_along_axis(order, np.minimum(column, last), axis=1)
        cum = np.minimum(np.cumsum(np.take_along_axis(p, order, axis=1), axis=1), 1.0)
        # Rounding may leave the last sum below 1; a u above it must still find an outcome.
        self.cum = np.where(column >= last, 1.0, cum)
        self._flat = self.succ.reshape(-1)
        self._B = B

    def draw(self, row: int, u: float) -> int:
        """Return the outcome of one `row` for the uniform `u`."""
        return int(self.succ[row, self.cum[row].searchsorted(u, side="right")])

    def draw_many(self, rows: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the outcomes int64[n] of `rows` int64[n] for the uniforms `u` float64[n]."""
        if self._B == 1:
            return self._flat.take(rows)
        k: NDArray[np.int64] = np.add.reduce(self.cum.take(rows, axis=0) <= u[:, None], axis=1, dtype=np.int64)
        k += rows * self._B
        return self._flat.take(k)
