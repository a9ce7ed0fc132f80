"""f(o) = Pi o for one-hot states, with Pi a permutation, by assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from zoo_tvd.maps.base import Fit, Regression, UndoMap

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Permutation(UndoMap):
    """f(o)_k = o_{order[k]}.

    Attributes:
        order: int64 [d], which entry of the observation is entry k of the state.
    """

    order: NDArray[np.int64]
    kind: ClassVar[str] = "permutation"

    @classmethod
    def identity(cls, d: int) -> Self:
        """f(o) = o."""
        return cls(np.arange(d))

    @property
    def W(self) -> Floats:
        """The permutation matrix Pi, [d, d]."""
        return np.eye(len(self.order))[self.order]

    def __call__(self, o: Floats) -> Floats:
        """The entries of o in the order of the permutation, [..., d]."""
        return np.asarray(o[..., self.order])

    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """The assignment that maximises sum_i u_i t_i . L Pi o_i, which is linear in Pi as |L Pi o| does not change."""
        x = to.cost.combined(to.observations)
        agreement = np.einsum("n,nbk,nbl->kl", to.weights, to.targets, x)
        rows, columns = linear_sum_assignment(agreement, maximize=True)
        order = np.empty(len(rows), dtype=np.int64)
        order[rows] = columns
        # Where a source state has no samples the assignment is not determined, unless it is the only such state.
        num_nonzero_rows = int((np.abs(agreement).max(axis=1) > 0).sum())
        return type(self)(order), Fit(
            min(num_nonzero_rows + (num_nonzero_rows == len(order) - 1), len(order)), len(order)
        )

    def state(self) -> dict[str, Any]:
        """The order."""
        return {"order": self.order}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """From the order."""
        return cls(np.array(state["order"], dtype=np.int64))
