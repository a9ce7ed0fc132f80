"""Sequences of tokens on which heads are scored: prompts, or random tokens that repeat."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_icl.adapters.repeated import repeated_tokens


@dataclass(frozen=True, eq=False)
class Tokens:
    """B sequences, padded on the right.

    Attributes:
        ids: int64 ``[B, T]``.
        real: which are no padding, bool ``[B, T]``.
        ordinary: which are neither padding nor special, bool ``[B, T]``.
    """

    ids: NDArray[np.int64]
    real: NDArray[np.bool_]
    ordinary: NDArray[np.bool_]

    def __len__(self) -> int:
        """B."""
        return len(self.ids)

    def part(self, rows: slice) -> Tokens:
        """Some sequences, without the columns that only pad them."""
        longest = int(self.real[rows].sum(1).max())
        return Tokens(self.ids[rows, :longest], self.real[rows, :longest], self.ordinary[rows, :longest])


def padded(sequences: Sequence[Sequence[int]], special: Collection[int]) -> Tokens:
    """Sequences of any lengths, at least one, as one array; ``special`` are ids that no score is taken of."""
    lengths = np.array([len(sequence) for sequence in sequences])
    real = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(real.shape, np.int64)
    ids[real] = np.concatenate([np.asarray(sequence, np.int64) for sequence in sequences])
    return Tokens(ids, real, real & ~np.isin(ids, list(special)))


def tokenized(prompts: Sequence[str], tokenizer: Any, longest: int | None, source: str) -> Tokens:
    """Prompts as the tokenizer reads them.

    Args:
        prompts: texts, by the lines of ``source``; empty ones are left out.
        tokenizer: of transformers.
        longest: tokens of the model's context; None: not known.
        source: where they come from, for messages.

    Raises:
        ValueError: there are none, or one has fewer than two ordinary tokens or is longer than the context.
    """
    sequences, special = [], set(tokenizer.all_special_ids)
    for line, prompt in enumerate(prompts, start=1):
        if not prompt.strip():
            continue
        sequence = tokenizer(prompt)["input_ids"]
        ordinary = sum(token not in special for token in sequence)
        if ordinary < 2:
            raise ValueError(
                f"line {line} of {source} has {ordinary} ordinary token{'s' * (ordinary != 1)}: expected at least 2."
            )
        if longest is not None and len(sequence) > longest:
            raise ValueError(
                f"line {line} of {source} is {len(sequence)} tokens long: the context of this model is {longest}."
            )
        sequences.append(sequence)
    if not sequences:
        raise ValueError(f"{source} has no prompts: expected one on each line.")
    return padded(sequences, special)


def random_repeated(
    known: NDArray[np.int64], period: int, size: int, rng: np.random.Generator, *, start: int | None = None
) -> Tokens:
    """Random tokens, repeated once, after ``start``; see ``repeated_tokens``.

    Args:
        known: ids to draw from, each once, without special ones.
        period: length of a copy.
        size: number of sequences.
        rng: draws the tokens.
        start: special token before the first copy; None: there is none.

    Raises:
        ValueError: there are too few tokens, or a number is out of range.
    """
    ids = known[repeated_tokens(len(known), period, size, rng)]
    if start is not None:
        ids = np.concatenate([np.full((size, 1), start), ids], axis=1)
    real = np.ones(ids.shape, bool)
    ordinary = real.copy()
    ordinary[:, : ids.shape[1] - 2 * period] = False
    return Tokens(ids, real, ordinary)
