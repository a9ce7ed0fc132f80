"""Strengths of heads, measured on attention patterns (docs/methods/icl.md, section 4).

A pattern is A ``[B, H, T, T]``: rows are queries, columns keys, each row sums to 1. A sequence of N pairs and a query
has T = 2N + 1 tokens: exemplars at even positions, labels at odd ones, the query last. ``y`` int ``[B, N+1]`` holds the
labels of the context and, last, the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoo import Array
from zoo_icl.probes.arrays import as_float, like, mean_of, namespace

Positions = Literal["labels", "all"]


@dataclass(frozen=True, eq=False)
class InductionStrength:
    """How much more the query attends to right labels than to wrong ones.

    Attributes:
        heads: mean over the usable sequences, ``[H]``, in [-1, 1]; NaN if there are none.
        sequences: of each sequence, ``[B, H]``; NaN where it is not usable.
        n_used: sequences with a right and a wrong label in the context.
    """

    heads: Array
    sequences: Array
    n_used: int


def attention_to_labels(pattern: Array) -> Array:
    """Attention from the query to each label of the context, ``[B, H, N]``.

    Raises:
        ValueError: the pattern is not one of N pairs and a query.
    """
    _check(pattern, pairs=True)
    return pattern[:, :, -1, 1::2]


def induction_strength(pattern: Array, y: Array, *, correct: Array | None = None) -> InductionStrength:
    """Attention of the query to right labels minus that to wrong ones.

    For two pairs this is the measure of Singh et al. 2024 (arXiv 2404.07129); for more, attention is summed over the
    right and over the wrong labels, which is our definition.

    Args:
        pattern: A of the last layer, ``[B, H, T, T]``.
        y: labels, int ``[B, N+1]``; a label is right where it equals the target.
        correct: index of the one right pair in the context, int ``[B]``, to use instead where labels repeat.

    Raises:
        ValueError: the shapes do not fit, or an index is not in the context.
    """
    attention = attention_to_labels(pattern)
    xp = namespace(attention)
    pairs = attention.shape[2]
    if tuple(y.shape) != (len(pattern), pairs + 1):
        raise ValueError(f"labels {tuple(y.shape)} for a pattern of {len(pattern)} sequences of {pairs} pairs: "
                         f"expected ({len(pattern)}, {pairs + 1}).")  # fmt: skip
    if correct is None:
        right = y[:, :-1] == y[:, -1:]
    else:
        if len(correct) and (int(correct.min()) < 0 or int(correct.max()) >= pairs):
            raise ValueError(f"right pairs {int(correct.min())} to {int(correct.max())}: expected 0 to {pairs - 1}.")
        right = correct[:, None] == like(np.arange(pairs), correct)
    usable = xp.any(right, 1) & ~xp.all(right, 1)
    sign = 2 * as_float(right, attention) - 1
    strength = (attention * sign[:, None, :]).sum(2)
    undefined = xp.full_like(strength, float("nan"))
    return InductionStrength(
        mean_of(strength, usable), xp.where(usable[:, None], strength, undefined), int(usable.sum())
    )


def prev_token_strength(pattern: Array, positions: Positions = "labels") -> Array:
    """Mean attention of a token to the one before it, ``[H]``, in [0, 1].

    Args:
        pattern: A of the first layer, ``[B, H, T, T]``.
        positions: "labels": from labels (odd places); "all": from every token but the first.

    Raises:
        ValueError: the pattern has another shape, or no such positions.
    """
    return prev_token_sequences(pattern, positions).mean(0)


def prev_token_sequences(pattern: Array, positions: Positions = "labels") -> Array:
    """``prev_token_strength`` of each sequence, ``[B, H]``."""
    _check(pattern, pairs=False)
    rows = _row_index(pattern.shape[-1], positions)
    index = like(rows, pattern)
    return pattern[:, :, index, index - 1].mean(2)


def prev_token_baseline(tokens: int, positions: Positions = "labels") -> float:
    """``prev_token_strength`` of a head that attends uniformly: row t gives ``1 / (t + 1)`` to each token up to itself.

    Args:
        tokens: T, at least 2.
        positions: as above. For five tokens the labels give 0.375.
    """
    return float(np.mean(1.0 / (_row_index(tokens, positions) + 1.0)))


def prev_token_excess(pattern: Array, positions: Positions = "labels") -> Array:
    """``prev_token_strength`` above that of uniform attention, ``[H]``."""
    return prev_token_strength(pattern, positions) - prev_token_baseline(pattern.shape[-1], positions)


def mean_pattern(pattern: Array, y: Array, item: int = 0) -> Array:
    """Mean over the sequences whose only right label is that of pair ``item``, ``[H, T, T]``; NaN if there are none.

    The order of the pairs is random, so that a mean over all sequences would show no preference.
    """
    right = y[:, :-1] == y[:, -1:]
    return mean_of(pattern, right[:, item] & (right.sum(1) == 1))


def repeated_induction_strength(pattern: Array, period: int, start: int = 0) -> Array:
    """Mean attention to the token that followed in the first copy, on repeated random tokens, ``[H]``, in [0, 1].

    The token at t in the second copy came first at t - period; an induction head attends to t - period + 1 (Olsson et
    al. 2022, arXiv 2209.11895). The mean is over the second copy alone.

    Args:
        pattern: A, ``[B, H, T, T]``.
        period: length of one copy.
        start: tokens before the first copy.

    Raises:
        ValueError: the pattern does not have two copies.
    """
    _check(pattern, pairs=False)
    if period < 1 or start < 0 or start + 2 * period != pattern.shape[-1]:
        raise ValueError(f"period {period} after {start} tokens in a pattern of {pattern.shape[-1]}: expected "
                         "start + 2 * period tokens.")  # fmt: skip
    rows = like(np.arange(start + period, start + 2 * period), pattern)
    return pattern[:, :, rows, rows - period + 1].mean(2).mean(0)


def _row_index(tokens: int, positions: Positions) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if positions not in ("labels", "all"):
        raise ValueError(f"positions {positions!r}: expected 'labels' or 'all'.")
    if tokens < 2:
        raise ValueError(f"{tokens} token has none before it: expected at least 2.")
    return np.arange(1, tokens, 2 if positions == "labels" else 1)


def _check(pattern: Array, *, pairs: bool) -> None:
    shape = tuple(pattern.shape)
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ValueError(f"a pattern of shape {shape}: expected [B, H, T, T].")
    if pairs and (shape[3] % 2 == 0 or shape[3] < 3):
        raise ValueError(f"a pattern of {shape[3]} tokens: expected 2 N + 1 for N pairs and a query.")
