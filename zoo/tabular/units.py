"""The natural unit of the reward and of each signal: how much their values can differ between policies.

Rewards and costs come in dollars, joules or Newton millimetres. Whether a distance is small, or a constraint met, can
only be said beside what policies can make of it, so solvers and verdicts compare in these units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoo.tabular.evaluation import DENSE_STATES
from zoo.tabular.model import TabularCMDP
from zoo.tabular.plan import modified_policy_iteration, policy_iteration

_RESOLVED = 1e-5
"""Of the largest attainable magnitude: differences much smaller than this are lost in the rounding of the values."""
_ROUGH = (1e-3, 1e-6, 1e-9)


def attainable_range(cmdp: TabularCMDP, signals: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Least and largest ``J`` over all policies, of each of ``signals [K, S, A]`` on its own: ``[K, 2]``.

    Two unconstrained problems for each, all solved together; exact up to 500 states, then within 1e-9 of
    ``max signal - min signal``.

    Args:
        cmdp: the process.
        signals: the constraint signals when not given.
    """
    x = cmdp.c if signals is None else signals
    if len(x) == 0:
        return np.empty((0, 2))
    both = np.concatenate([-x, x])
    if cmdp.num_states <= DENSE_STATES:
        plan = policy_iteration(cmdp, both)
    else:
        size = np.ptp(both, axis=(1, 2), keepdims=True)
        size[size == 0.0] = 1.0
        plan = modified_policy_iteration(cmdp, both / size, tol=1e-9)
        plan = replace(plan, value=plan.value * size[:, 0])
    ends = plan.value @ cmdp.rho
    return np.stack([-ends[: len(x)], ends[len(x) :]], axis=1) + 0.0


@dataclass(frozen=True, eq=False)
class Units:
    """The range of ``J_r`` and of each ``J_i`` over all policies.

    Where all policies earn the same (but for rounding), a small share of the largest attainable magnitude stands in;
    where a signal is 0 throughout, the size of its threshold; else 1.
    """

    reward: float
    """one, in the unit of the reward"""
    signals: NDArray[np.float64]
    """``[N]``, each in the unit of its signal"""

    @classmethod
    def of(cls, cmdp: TabularCMDP) -> Units:
        """Exactly, by dynamic programming: see :func:`attainable_range`."""
        x = cmdp.rewards
        ends = attainable_range(cmdp, x)
        mixed = _mixed(x)
        size = np.abs(ends).max(axis=1)
        size[mixed] = attainable_range(cmdp, np.abs(x[mixed]))[:, 1]
        return cls._from(cmdp, ends[:, 1] - ends[:, 0], size)

    @classmethod
    def rough(cls, cmdp: TabularCMDP) -> Units:
        """Powers of two within a factor of about 2 of the ranges, quickly: to scale by them rounds nothing."""
        x = cmdp.rewards
        size = np.abs(x).max(axis=(1, 2))
        size[size == 0.0] = 1.0
        x = x / size[:, None, None]
        mixed = _mixed(x)
        every = np.concatenate([x, -x, np.abs(x[mixed])])
        for tol in _ROUGH:
            ends = modified_policy_iteration(cmdp, every, tol=tol).value @ cmdp.rho
            width = ends[: len(x)] + ends[len(x) : 2 * len(x)]
            largest = np.maximum(np.abs(ends[: len(x)]), np.abs(ends[len(x) : 2 * len(x)]))
            largest[mixed] = ends[2 * len(x) :]
            if (np.maximum(width, _RESOLVED * largest) >= 8 * tol).all():
                break
        units = cls._from(cmdp, np.where(width > 2 * tol, width, 0.0) * size, np.maximum(largest, 0.0) * size)
        power = np.exp2(np.round(np.log2([units.reward, *units.signals])))
        return cls(float(power[0]), power[1:])

    @classmethod
    def _from(cls, cmdp: TabularCMDP, width: NDArray[np.float64], size: NDArray[np.float64]) -> Units:
        found = np.maximum(width, _RESOLVED * size)
        nothing = found == 0.0
        found[nothing] = np.abs(np.concatenate([[0.0], cmdp.b]))[nothing]
        found[found == 0.0] = 1.0
        return cls(float(found[0]), found[1:])

    def scaled(self, cmdp: TabularCMDP) -> TabularCMDP:
        """``cmdp`` in these units: ``r``, ``c`` and ``b`` divided by them."""
        signals = self.signals
        return replace(cmdp, r=cmdp.r / self.reward, c=cmdp.c / signals[:, None, None], b=cmdp.b / signals)

    def original(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers ``[N]`` of the scaled process as multipliers of the original: reward per unit of signal."""
        return mu * self.reward / self.signals


def _mixed(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which signals ``[K, S, A]`` have both signs, so that their magnitude is not that of their ends."""
    found: NDArray[np.bool_] = (x.min(axis=(1, 2)) < 0.0) & (x.max(axis=(1, 2)) > 0.0)
    return found
