"""The interface of undo maps, and the regression by which a map is fitted to a plan."""

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
    t_i = sum_j P_ij L s_j / u_i, plus a term that does not depend on f. This is imitation: o_i has the label t_i.

    Attributes:
        observations: o, float64 [n, T, d_T].
        targets: t in units of the source, float64 [n, B, d_S].
        weights: u, float64 [n], of sum 1.
        cost: the ground cost, which has L and the units.
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
    """The rank of a regression's design matrix, and the full rank, at which the map is determined."""

    rank: int
    full: int

    @property
    def identifiable(self) -> bool:
        """Whether the data determine the map, given the plan."""
        return self.rank >= self.full

    def warn_if_undetermined(self, what: str) -> None:
        """Warn if the map called ``what``, such as "the affine map", is not determined by the data."""
        if not self.identifiable:
            warnings.warn(
                f"{what} is not determined by these data: its regression has rank {self.rank} of {self.full}",
                RuntimeWarning,
                stacklevel=3,
            )


class UndoMap(ABC):
    """A map f: R^{d_T} -> R^{d_S}. Maps are immutable: fitting returns a new one."""

    kind: ClassVar[str]

    @abstractmethod
    def __call__(self, o: Floats) -> Floats:
        """f(o) for observations [..., d_T]: [..., d_S]."""

    @abstractmethod
    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """The map that minimises the regression ``to`` (or, with gradient steps, reduces it), and its rank."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Arrays and plain data from which ``restored`` makes this map."""

    @classmethod
    @abstractmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The map that ``state`` describes."""


class Differentiable(UndoMap):
    """A map that is differentiable by its parameters."""

    @property
    @abstractmethod
    def parameters(self) -> Floats:
        """A copy of all parameters as one vector, [p]."""

    @abstractmethod
    def moved(self, parameters: Floats) -> Self:
        """This map with other parameters [p]."""

    @abstractmethod
    def pulled_back(self, o: Floats, g: Floats) -> Floats:
        """The derivative by the parameters [p] of sum g.f(o), for observations [N, d_T] and cotangents g [N, d_S]."""
