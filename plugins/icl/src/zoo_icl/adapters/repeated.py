"""Random tokens, repeated once: the standard test for induction heads (Olsson et al. 2022, arXiv 2209.11895)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo_icl.probes import prev_token_strength, repeated_induction_strength


class PatternModel(Protocol):
    """A language model that gives its attention patterns."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""

    def patterns(self, tokens: NDArray[np.int64]) -> Sequence[Tensor]:
        """Attention ``[B, H, T, T]`` of every layer, for tokens ``[B, T]``."""


@dataclass(frozen=True, eq=False)
class RepeatedTokenScores:
    """Scores of every head, each in [0, 1].

    Attributes:
        induction: attention, in the second copy, to the token that followed in the first, ``[L, H]``.
        previous: attention to the token before, anywhere, ``[L, H]``.
    """

    induction: NDArray[np.float64]
    previous: NDArray[np.float64]

    def strongest(self) -> tuple[int, int]:
        """Layer and head of the best induction head."""
        layer, head = np.unravel_index(int(self.induction.argmax()), self.induction.shape)
        return int(layer), int(head)


def repeated_tokens(
    vocabulary: int, period: int, size: int, rng: np.random.Generator, *, start: int | None = None
) -> NDArray[np.int64]:
    """Sequences ``[start] r_1 ... r_L r_1 ... r_L`` with L = ``period`` different tokens r, drawn uniformly.

    All differ, so that an induction head has exactly one token to attend to.

    Args:
        vocabulary: tokens are 0 to ``vocabulary - 1``.
        period: length of a copy, at least 2.
        size: number of sequences, at least 1.
        rng: draws the tokens.
        start: token before the copies, which do not contain it; None: there is none.

    Returns:
        int64 ``[size, 2 period]``, with ``start`` one longer.

    Raises:
        ValueError: there are too few tokens, or a number is out of range.
    """
    outside = vocabulary if start is None else start
    count = vocabulary - (0 <= outside < vocabulary)
    if period < 2 or size < 1 or count < period:
        raise ValueError(
            f"{size} sequences of {period} different tokens from {count}: expected at least 1 sequence, at "
            "least 2 tokens, and as many to draw from."
        )
    # One draw a sequence: its work goes with the period, whatever the size of the vocabulary.
    copy = np.stack([rng.choice(count, period, replace=False) for _ in range(size)])
    if count < vocabulary:
        copy += copy >= outside
    before = np.empty((size, 0), np.int64) if start is None else np.full((size, 1), start)
    return np.concatenate([before, copy, copy], axis=1).astype(np.int64)


def repeated_token_test(
    model: PatternModel,
    rng: np.random.Generator,
    *,
    period: int = 25,
    size: int = 16,
    start: int | None = None,
    batch_size: int = 16,
) -> RepeatedTokenScores:
    """Score every head of ``model`` on repeated random tokens.

    A head that attends uniformly scores about ``1 / (1.5 period)`` on both.

    Args:
        model: an adapter.
        rng: draws the tokens.
        period: length of a copy.
        size: number of sequences.
        start: token before the first copy, such as the tokenizer's beginning of text.
        batch_size: sequences in one forward pass; does not change the result.

    Raises:
        ValueError: as ``repeated_tokens``, or ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size = {batch_size}: expected at least 1.")
    tokens = repeated_tokens(model.vocabulary, period, size, rng, start=start)
    first = tokens.shape[1] - 2 * period
    patterns: list[NDArray[np.float64]] = []
    for part in np.array_split(tokens, -(-size // batch_size)):
        layers = [layer.detach().double().cpu().numpy() for layer in model.patterns(part)]
        scores = [(repeated_induction_strength(a, period, first), prev_token_strength(a, "all")) for a in layers]
        patterns.append(np.array(scores) * (len(part) / size))
    induction, previous = np.sum(patterns, axis=0).swapaxes(0, 1)
    return RepeatedTokenScores(induction, previous)
