"""What every undo map can do, and the regression that it is fitted by."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.cost import Cost

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regression:
    """The weighted regression onto a plan's barycentres, to which a plan held fixed reduces the transport objective.

    For a plan P with row sums u, sum_ij P_ij |L f(o_i) - L s_j|^2 equals sum_i u_i |L f(o_i) - t_i|^2, with
    t_i = sum_j P_ij L s_j / u_i, plus a part that f does not change. This is imitation: each o_i has a teacher t_i.

    Attributes:
        observations: o, float64 [n, T, d_T].
        targets: t in units of the source, float64 [n, B, d_S].
        weights: u, float64 [n], of sum 1.
        cost: has L and the units.
    """

    observations: Floats
    targets: Floats
    weights: Floats
    cost: Cost

    def residual(self, mapped: Floats) -> Floats:
        """L f - t in units of the source [n, B, d_S], for mapped states [n, T, d_S]."""
        return np.asarray(self.cost.features(mapped) - self.targets)

    def value(self, mapped: Floats) -> float:
        """sum_i u_i |L f(o_i) - t_i|^2."""
        return float(self.weights @ np.square(self.residual(mapped)).sum(axis=(1, 2)))

    def gradient(self, mapped: Floats) -> Floats:
        """Its derivative by the mapped states, [n, T, d_S]: 2 u_i L^T (L f(o_i) - t_i) / unit."""
        residual = self.residual(mapped) * (2.0 * self.weights)[:, None, None]
        return np.asarray(np.einsum("bt,nbd->ntd", self.cost.L, residual) / self.cost.unit)


@dataclass(frozen=True)
class Fit:
    """What a regression could tell: the rank of its design, and the rank at which the map is determined."""

    rank: int
    full: int

    @property
    def identifiable(self) -> bool:
        """Whether the data determine the map, given the plan."""
        return self.rank >= self.full

    def tell(self, what: str) -> None:
        """Warn where ``what``, such as "the affine map", is not determined; once a run or call, by the caller."""
        if not self.identifiable:
            warnings.warn(
                f"{what} is not determined by these data: its regression has rank {self.rank} of {self.full}",
                RuntimeWarning,
                stacklevel=3,
            )


class UndoMap(ABC):
    """A map f: R^{d_T} -> R^{d_S}. Maps are values: fitting returns another."""

    kind: ClassVar[str]

    @abstractmethod
    def __call__(self, o: Floats) -> Floats:
        """f(o) for observations [..., d_T]: [..., d_S]."""

    @abstractmethod
    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """The map that fits ``to`` best (or better, where it is found by gradient steps), and what determined it."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Arrays and plain data from which ``restored`` makes this map."""

    @classmethod
    @abstractmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The map that ``state`` describes."""


class Differentiable(UndoMap):
    """A map with parameters that gradients can be taken by."""

    @property
    @abstractmethod
    def parameters(self) -> Floats:
        """All parameters, one after another, [p]; a copy."""

    @abstractmethod
    def moved(self, parameters: Floats) -> Self:
        """This map with other parameters [p]."""

    @abstractmethod
    def pulled_back(self, o: Floats, g: Floats) -> Floats:
        """The derivative by the parameters [p] of sum g.f(o), for observations [N, d_T] and cotangents g [N, d_S]."""
