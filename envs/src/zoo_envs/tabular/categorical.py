"""Sampling by the inverse CDF, as the single and the batched environment share it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Categorical"]


class Categorical:
    """M categorical laws over S outcomes, compressed to B outcomes, the size of the largest support.

    Outcome of row m for a uniform u in [0,1): the first k with u < cum[m,k], then succ[m,k]. So equal
    uniforms give equal outcomes whichever of the methods is called.

    Attributes:
        succ: int64 [M,B], outcomes; from dense rows in increasing order, rows with a smaller support repeating
            their last one.
        cum: float64 [M,B], cumulative probabilities; 1 exactly from the last outcome of the row on.
    """

    succ: NDArray[np.int64]
    cum: NDArray[np.float64]

    def __init__(self, p: NDArray[np.float64]) -> None:
        """Compress `p` [M,S], whose rows are distributions."""
        support = p > 0
        size = support.sum(1)
        B = int(size.max())
        # A stable sort by ~support puts the possible outcomes first, in increasing order.
        order = np.argsort(~support, axis=1, kind="stable")[:, :B].astype(np.int64)
        last = (size - 1)[:, None]
        column = np.arange(B)
        self.succ = np.take_along_axis(order, np.minimum(column, last), axis=1)
        cum = np.minimum(np.cumsum(np.take_along_axis(p, order, axis=1), axis=1), 1.0)
        # Rounding may leave the last sum below 1; a u above it must still find an outcome.
        self.cum = np.where(column >= last, 1.0, cum)

    @classmethod
    def of(cls, P: Any) -> Categorical:
        """Return the laws of a kernel, dense [S,A,S] or scipy CSR [S*A,S], one for each row s*A + a."""
        if isinstance(P, np.ndarray):
            return cls(P.reshape(-1, P.shape[-1]))
        size = np.diff(P.indptr)
        stored = np.arange(size.max()) < size[:, None]
        succ, p = np.zeros(stored.shape, dtype=np.int64), np.zeros(stored.shape)
        succ[stored], p[stored] = P.indices, P.data
        return cls.listed(succ, p)

    @classmethod
    def listed(cls, succ: NDArray[np.int64], p: NDArray[np.float64]) -> Categorical:
        """Return the laws with outcomes `succ` [M,B], which may repeat, of probabilities `p` [M,B]."""
        law = cls.__new__(cls)
        last = p.shape[1] - 1 - np.argmax(p[:, ::-1] > 0, axis=1)[:, None]
        law.succ = np.ascontiguousarray(succ, dtype=np.int64)
        law.cum = np.where(np.arange(p.shape[1]) >= last, 1.0, np.minimum(np.cumsum(p, axis=1), 1.0))
        return law

    def index(self, row: int, u: float) -> int:
        """Return where the outcome of one `row` for the uniform `u` lies in ``succ.ravel()``."""
        B: int = self.succ.shape[1]
        return row * B + int(self.cum[row].searchsorted(u, side="right"))

    def index_many(self, rows: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return where the outcomes int64[n] of `rows` int64[n] for the uniforms `u` float64[n] lie."""
        B = self.succ.shape[1]
        if B == 1:
            return rows
        k: NDArray[np.int64] = np.add.reduce(self.cum.take(rows, axis=0) <= u[:, None], axis=1, dtype=np.int64)
        k += rows * B
        return k

    def draw(self, row: int, u: float) -> int:
        """Return the outcome of one `row` for the uniform `u`."""
        outcome: int = self.succ.item(self.index(row, u))
        return outcome

    def draw_many(self, rows: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the outcomes int64[n] of `rows` int64[n] for the uniforms `u` float64[n]."""
        return self.succ.take(self.index_many(rows, u))
