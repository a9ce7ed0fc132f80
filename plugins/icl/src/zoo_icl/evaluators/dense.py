"""The dense evaluation set of an environment: every sequence of two training classes and a training pair of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_icl.probes import dense_evaluation_set


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Exemplars of classes, looked up slice by slice, because all at once may not fit in memory.

    Attributes:
        features: one exemplar of each class, ``[C, D]``.
        classes: int64 ``[M, N+1]``.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """``[len(part), N+1, D]``."""
        return self.features[self.classes[part]]


@dataclass(frozen=True, eq=False)
class Dense:
    """A batch of sequences whose exemplars are looked up in slices.

    Attributes:
        x: exemplars.
        y: labels int64 ``[M, N+1]``, the target last.
    """

    x: Any
    y: NDArray[np.int64]


def dense_batch(source: Any) -> Dense:
    """All sequences of ``source``, an environment as ``icl-exemplars``; of several exemplars the first, without noise.

    Raises:
        UsageError: contexts are not of two pairs, or labels are not drawn from pairs.
    """
    recipe = getattr(getattr(source, "task", None), "train", None)
    pairs = getattr(getattr(recipe, "labels", None), "pairs", None)
    if recipe is None or pairs is None or source.context != 2:
        raise UsageError(
            "the dense set is of sequences of two pairs with labels drawn from pairs: expected an environment with "
            "context 2 and labels relabel."
        )
    dense_set = dense_evaluation_set(np.arange(*recipe.classes), pairs)
    return Dense(Exemplars(recipe.features[:, recipe.exemplars[0]], dense_set.classes), dense_set.labels)
