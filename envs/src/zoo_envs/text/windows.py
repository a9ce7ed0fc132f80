"""Windows of tokens: what an observation is, and how a language model reads many of them at little cost.

A window int64[D] holds the tokens so far at its right end. Before them stands a number that is no token, `nothing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reading", "appended", "reading", "window"]

Windows = NDArray[np.int64]


def window(tokens: Sequence[int], width: int, nothing: int) -> Windows:
    """Return the window int64[width] of `tokens`, the last of them if there are more."""
    kept = list(tokens)[-width:]
    return np.array([nothing] * (width - len(kept)) + kept, dtype=np.int64)


def appended(windows: Windows, tokens: NDArray[np.int64]) -> Windows:
    """Return `windows` [n,D] with `tokens` [n] written at the right end; what stood first falls out."""
    return np.concatenate([windows[:, 1:], tokens[:, None]], axis=1)


@dataclass(frozen=True, eq=False)
class Reading:
    """M windows as U sequences, each of which has all those windows in it that are its beginnings.

    A causal model reads every beginning of a sequence while it reads the sequence.

    Attributes:
        tokens: int64[U,L], at the left; what follows a sequence is 0 and is read by nobody.
        sequence: int64[M], the sequence that has window m as its beginning.
        last: int64[M], the place of the window's last token in it.
    """

    tokens: Windows
    sequence: NDArray[np.int64]
    last: NDArray[np.int64]


def reading(windows: Windows, nothing: int) -> Reading:
    """Return how to read `windows` int64[M,D], each with one token at least."""
    M, D = windows.shape
    empty = (windows == nothing).sum(1)
    columns = np.arange(D) + empty[:, None]
    aligned = np.where(columns < D, np.take_along_axis(windows, columns.clip(max=D - 1), axis=1), -1)
    # In lexicographic order, -1 first, all continuations of a window follow it directly: if it is the beginning of
    # any other, then of the next.
    order = np.lexsort(aligned.T[::-1])
    rows = aligned[order]
    whole = np.ones(M, dtype=np.bool_)
    whole[:-1] = ~((rows[:-1] == rows[1:]) | (rows[:-1] < 0)).all(1)
    sequence = np.empty(M, dtype=np.int64)
    sequence[order] = np.cumsum(whole) - whole
    length = D - int(empty.min())
    return Reading(rows[whole, :length].clip(min=0), sequence, D - empty - 1)
