"""Ground costs between samples of the target, seen through the undo map f, and samples of the source.

Gupta et al. 2022 (arXiv:2211.14469) compare distributions of trajectories; its ground cost is not given in its
abstract. Ours, for target samples (o_t, a) and source samples (s_t, b), in units of the source's standard deviation:

==============  =====================================================================================
state           |f(o) - s|^2
state-action    |f(o) - s|^2 + lam_a [a != b]
transition      |f(o) - s|^2 + lam_a [a != b] + lam_d |(f(o') - f(o)) - (s' - s)|^2
trajectory      sum_t |f(o_t) - s_t|^2, a trajectory that has ended staying in its last state
==============  =====================================================================================

All are squared distances of *linear* features of the T states of a sample, C = |L f(o) - L s|^2 with L [B, T], plus
what the actions add; for affine f the best f given a plan is then one weighted least-squares problem. Displacements
have a unit of their own, their root mean square in the source, so that lam_d does not depend on the time step or the
grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.samples import Samples
from zoo_tvd.transport.solvers import squared_distances

Floats = NDArray[np.float64]
Kind: TypeAlias = Literal["state", "state-action", "transition", "trajectory"]
_STILL = 1e-12
"""spread, relative to the largest, below which a coordinate counts as constant and keeps the unit of the others"""


@dataclass(frozen=True, eq=False)
class Cost:
    """A ground cost, with the units of one source.

    Attributes:
        kind: one of the four kinds.
        L: linear features of the T states of a sample, scaled by the square roots of the weights, float64 [B, T].
        unit: scale of each coordinate of the source, float64 [d].
        lam_a: weight of differing actions; where they are continuous, of their standardised squared distance.
        action_unit: scale of each action coordinate, float64 [k]; None where actions are discrete or not in the cost.
    """

    kind: Kind
    L: Floats
    unit: Floats
    lam_a: float = 0.0
    action_unit: Floats | None = None

    @classmethod
    def of(cls, kind: Kind, source: Samples, *, lam_a: float, lam_d: float, isotropic: bool = False) -> Cost:
        """The cost in units of ``source``.

        Args:
            kind: the kind of cost.
            source: samples of the source with the number T of states of this kind.
            lam_a: weight of the actions, at least 0.
            lam_d: weight of the displacements, at least 0.
            isotropic: one unit for all coordinates, as orthogonal maps and permutations need.
        """
        variance = np.diag(source.moments()[1])
        if isotropic:
            variance = np.full_like(variance, variance.mean())
        variance = np.where(variance > _STILL * variance.max(), variance, variance.max() or 1.0)
        unit = np.sqrt(variance)
        T = source.states.shape[1]
        L = np.eye(T)
        if kind in ("state", "state-action"):
            L = np.eye(1, T)
        elif kind == "transition":
            moved = (source.states[:, 1] - source.states[:, 0]) / unit
            rms = float(np.sqrt((source.weights @ moved**2).mean())) or 1.0
            L = np.array([[1.0, 0.0], [-1.0, 1.0]]) * np.array([[1.0], [np.sqrt(lam_d) / rms]])
        counted = lam_a if kind in ("state-action", "transition") and source.actions is not None else 0.0
        action_unit = None
        if counted and source.actions is not None and source.actions.ndim > 2:
            spread = source.actions[:, 0].reshape(len(source), -1).std(axis=0)
            action_unit = np.where(spread > 0, spread, 1.0)
        return cls(kind, L, unit, counted, action_unit)

    def combined(self, states: Floats) -> Floats:
        """L s for states [n, T, d]: [n, B, d]."""
        if self.kind == "trajectory":  # L is the identity
            return states
        return np.asarray(np.einsum("bt,ntd->nbd", self.L, states))

    def features(self, states: Floats) -> Floats:
        """L s in units of the source, for states [n, T, d]: [n, B, d]."""
        return np.asarray(self.combined(states) / self.unit)

    def matrix(self, mapped: Floats, target: Samples, source: Samples) -> Floats:
        """The cost [n, m] of each target sample, its states mapped to ``mapped`` [n, T, d], with each source sample."""
        x, y = (self.features(states).reshape(len(states), -1) for states in (mapped, source.states))
        cost = squared_distances(x, y)
        if self.lam_a and target.actions is not None and source.actions is not None:
            cost += self.lam_a * self._differ(target.actions[:, 0], source.actions[:, 0])
        return cost

    def _differ(self, a: NDArray[np.generic], b: NDArray[np.generic]) -> Floats:
        if self.action_unit is None:
            return np.asarray(a[:, None] != b[None], dtype=np.float64)
        x, y = (np.asarray(part, dtype=np.float64).reshape(len(part), -1) / self.action_unit for part in (a, b))
        return squared_distances(x, y)
