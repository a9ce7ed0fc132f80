"""Windows of tokens: what an observation is, and how a language model reads many of them at little cost.

A window int64[D] holds the tokens so far at its right end, and is padded on the left with `padding`, which is
not a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reading", "appended", "reading", "window"]

Windows = NDArray[np.int64]


def window(tokens: Sequence[int], width: int, padding: int) -> Windows:
    """Return the window int64[width] of `tokens`, the last of them if there are more."""
    kept = list(tokens)[-width:]
    return np.array([padding] * (width - len(kept)) + kept, dtype=np.int64)


def appended(windows: Windows, tokens: NDArray[np.int64]) -> Windows:
    """Return `windows` [n,D] with `tokens` [n] written at the right end; what stood first falls out."""
    return np.concatenate([windows[:, 1:], tokens[:, None]], axis=1)


@dataclass(frozen=True, eq=False)
class Reading:
    """M windows as U sequences, each of which has all those windows in it that are its beginnings.

    A causal model reads every beginning of a sequence while it reads the sequence.

    Attributes:
        parts: the sequences int64[U_p,L_p], left-aligned, those of about the same length together; the padding
            after a sequence is 0 and never used.
        place: int64[M], where the window's last token is among the tokens of all parts, one after the other.
    """

    parts: list[Windows]
    place: NDArray[np.int64]


def reading(windows: Windows, padding: int, at_once: int = 64) -> Reading:
    """Return how to read `windows` int64[M,D], each with one token at least, `at_once` sequences in a part."""
    M, D = windows.shape
    empty = (windows == padding).sum(1)
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
    sequences, lengths = rows[whole], (D - empty)[order][whole]
    parts: list[Windows] = []
    begin = np.empty(len(sequences), dtype=np.int64)  # of each sequence among all tokens
    total = 0
    by_length = np.argsort(lengths, kind="stable")
    for together in np.split(by_length, range(at_once, len(by_length), at_once)):
        longest = int(lengths[together[-1]])
        parts.append(sequences[together, :longest].clip(min=0))
        begin[together] = total + longest * np.arange(len(together))
        total += parts[-1].size
    return Reading(parts, begin[sequence] + D - empty - 1)
