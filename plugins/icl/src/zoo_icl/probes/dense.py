"""Every sequence of two pairs that a set of classes and label pairs allows (docs/methods/icl.md, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DenseSet:
    """All M sequences, in a fixed order.

    Attributes:
        classes: of the two context items and of the query, ``[M, 3]``.
        labels: of the same, the target last, ``[M, 3]``.
        correct: index of the pair that the query repeats, ``[M]``.
    """

    classes: Ints
    labels: Ints
    correct: Ints

    def __len__(self) -> int:
        """M."""
        return len(self.classes)


def dense_evaluation_set(classes: ArrayLike, label_pairs: ArrayLike) -> DenseSet:
    """All ordered pairs of classes with all ordered pairs of labels, the query repeating either.

    With C classes and P pairs these are ``C (C - 1) * 2 P * 2`` sequences: 78,400 for 50 and 8.

    Args:
        classes: the classes, all different, ``[C]``, C >= 2.
        label_pairs: unordered pairs of different labels, ``[P, 2]``.

    Raises:
        ValueError: classes or pairs repeat, or are too few.
    """
    names = np.asarray(classes, dtype=np.int64)
    pairs = np.asarray(label_pairs, dtype=np.int64).reshape(-1, 2)
    if names.ndim != 1 or len(names) < 2 or len(np.unique(names)) < len(names):
        raise ValueError(f"classes of shape {names.shape}: expected a list of at least 2, all different.")
    unordered = np.sort(pairs, axis=1)
    if not len(pairs) or (unordered[:, 0] == unordered[:, 1]).any() or len(np.unique(unordered, axis=0)) < len(pairs):
        raise ValueError(f"{len(pairs)} label pairs: expected at least one, each of two labels, none twice.")
    first, second = np.nonzero(~np.eye(len(names), dtype=bool))
    items = np.stack([names[first], names[second]], axis=1)
    ordered = np.concatenate([pairs, pairs[:, ::-1]])
    i, j, correct = (
        grid.ravel() for grid in np.meshgrid(range(len(items)), range(len(ordered)), (0, 1), indexing="ij")
    )
    exemplars, named = items[i], ordered[j]
    each = np.arange(len(correct))
    return DenseSet(
        np.column_stack([exemplars, exemplars[each, correct]]), np.column_stack([named, named[each, correct]]), correct
    )
