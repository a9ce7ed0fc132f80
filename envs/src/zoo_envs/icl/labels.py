"""Labels of the slots of a context and of its query (docs/methods/icl.md, section 1)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.batch import BURSTY, DISTRACTOR, OTHER, QUERY

__all__ = ["Assigned", "Fixed", "Flip", "Labels", "Relabel", "split_pairs"]

Ints = NDArray[np.int64]
_ATTEMPTS = 10_000


class Labels(Protocol):
    """A rule that labels sequences."""

    def label(self, classes: Ints, kinds: NDArray[np.int8], rng: np.random.Generator) -> Ints:
        """Return labels int64[B,N+1] for classes int64[B,N+1] and kinds int8[B,N+1], the target last."""


@dataclass(frozen=True)
class Fixed:
    """The label of a class is its index, or its index modulo `modulus`."""

    modulus: int | None = None

    def label(self, classes: Ints, kinds: NDArray[np.int8], rng: np.random.Generator) -> Ints:
        """See `Labels`; draws nothing."""
        return classes.copy() if self.modulus is None else classes % self.modulus


@dataclass(frozen=True)
class Flip:
    """Fixed labels of the query's class and the distractor swapped in the context; the query takes the swapped one."""

    fixed: Fixed

    def label(self, classes: Ints, kinds: NDArray[np.int8], rng: np.random.Generator) -> Ints:
        """See `Labels`; draws nothing. There must be a distractor."""
        labels = self.fixed.label(classes, kinds, rng)
        own = labels[:, -1:]
        slot = np.argmax(kinds == DISTRACTOR, axis=1)[:, None]
        distractor_label = np.take_along_axis(labels, slot, axis=1)
        of_query = (kinds == BURSTY) | (kinds == QUERY)
        return np.where(of_query, distractor_label, np.where(kinds == DISTRACTOR, own, labels))


@dataclass(frozen=True)
class Assigned:
    """Fixed labels; that of the query overwrites the label of one context slot, uniformly chosen."""

    fixed: Fixed

    def label(self, classes: Ints, kinds: NDArray[np.int8], rng: np.random.Generator) -> Ints:
        """See `Labels`."""
        labels = self.fixed.label(classes, kinds, rng)
        slot = rng.integers(0, labels.shape[1] - 1, len(labels))
        labels[np.arange(len(labels)), slot] = labels[:, -1]
        return labels


@dataclass(frozen=True, eq=False)
class Relabel:
    """Two labels drawn anew for each sequence: one for the query's class, one for the distractor.

    Attributes:
        pairs: int64[n,2], unordered pairs to draw from, uniformly; which of the two comes first is random.
    """

    pairs: Ints

    def label(self, classes: Ints, kinds: NDArray[np.int8], rng: np.random.Generator) -> Ints:
        """See `Labels`; slots of kind OTHER keep the index of their class."""
        size = len(classes)
        pair = self.pairs[rng.integers(0, len(self.pairs), size)]
        first = rng.integers(0, 2, size)
        rows = np.arange(size)
        query_label, distractor_label = pair[rows, first][:, None], pair[rows, 1 - first][:, None]
        return np.where(kinds == OTHER, classes, np.where(kinds == DISTRACTOR, distractor_label, query_label))


def split_pairs(num_labels: int, split: Sequence[int], rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return the pairs of range(L), permuted and split into train, val and test: int64[n,2] each.

    Every label occurs in a training pair; a permutation where one does not is drawn again.

    Raises:
        ValueError: L < 2, the split does not add up to L(L-1)/2, or the training pairs cannot hold every label.
    """
    if num_labels < 2:
        raise ValueError(f"num_labels must be at least 2 to relabel, got {num_labels}")
    pairs = np.array(list(itertools.combinations(range(num_labels), 2)), dtype=np.int64)
    if min(split) < 0 or sum(split) != len(pairs):
        raise ValueError(
            f"pair_split {tuple(split)} adds up to {sum(split)}: {num_labels} labels have {len(pairs)} pairs"
        )
    train, val = split[0], split[0] + split[1]
    if 2 * train >= num_labels:
        for _ in range(_ATTEMPTS):
            shuffled = rng.permutation(pairs)
            if len(np.unique(shuffled[:train])) == num_labels:
                return shuffled[:train], shuffled[train:val], shuffled[val:]
    raise ValueError(f"{train} training pairs do not hold all {num_labels} labels: give pair_split more of them")
