"""A batch of sequences: N exemplars with labels, and a query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BURSTY", "DISTRACTOR", "OTHER", "QUERY", "SequenceBatch"]

OTHER, BURSTY, DISTRACTOR, QUERY = range(4)
"""Kinds of slot: drawn independently; of the query's class; of the distractor's class; the query itself."""


@dataclass(frozen=True)
class SequenceBatch:
    """B sequences of N context slots and, in slot N, the query.

    Attributes:
        x: float32[B,N+1,D], exemplars.
        y: int64[B,N+1], labels of the context slots, then the target.
        classes: int64[B,N+1], which class each exemplar is of.
        exemplars: int64[B,N+1], which exemplar of its class.
        kinds: int8[B,N+1], OTHER, BURSTY, DISTRACTOR or QUERY.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    classes: NDArray[np.int64]
    exemplars: NDArray[np.int64]
    kinds: NDArray[np.int8]

    def __len__(self) -> int:
        """Return B, the number of sequences."""
        return len(self.y)
