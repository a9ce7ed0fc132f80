"""The natural unit of the reward and of each signal: how much their values can differ between policies.

Rewards and costs come in dollars, joules or Newton millimetres. Whether a distance is small, or a constraint met, can
only be said beside what policies can make of it, so solvers and verdicts compare in these units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoo.tabular.model import TabularCMDP
from zoo.tabular.plan import modified_policy_iteration, policy_iteration, policy_iteration_pays

_RESOLVED = 1e-5
"""Of the largest attainable magnitude: differences much smaller than this are lost in the rounding of the values."""
_NOISE = 1e-11
"""Of the largest attainable magnitude: a smaller range is none, but for rounding."""
_TOLERANCES = (1e-3, 1e-6, 1e-9)
_DISTANT = 16.0
"""A middle this many ranges away from 0 is taken from the signal."""


def attainable_range(cmdp: TabularCMDP, signals: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Least and largest ``J`` over all policies, of each of ``signals [K, S, A]`` on its own: ``[K, 2]``.

    Two unconstrained problems for each, all solved together; exact by policy iteration where that pays, else
    within 1e-9 of ``max signal - min signal``.

    Args:
        cmdp: the process.
        signals: the constraint signals when not given.
    """
    x = cmdp.c if signals is None else signals
    if len(x) == 0:
        return np.empty((0, 2))
    both = np.concatenate([-x, x])
    if policy_iteration_pays(cmdp):
        plan = policy_iteration(cmdp, both)
    else:
        magnitude = np.ptp(both, axis=(1, 2), keepdims=True)
        magnitude[magnitude == 0.0] = 1.0
        plan = modified_policy_iteration(cmdp, both / magnitude, tol=1e-9)
        plan = replace(plan, value=plan.value * magnitude[:, 0])
    ends = plan.value @ cmdp.rho
    return np.stack([-ends[: len(x)], ends[len(x) :]], axis=1) + 0.0


@dataclass(frozen=True, eq=False)
class Units:
    """The range of ``J_r`` and of each ``J_i`` over all policies.

    Where all policies earn the same (but for rounding), the magnitude of that stands in; where a signal is 0
    throughout, the size of its threshold; else 1.
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
        magnitude = np.abs(ends).max(axis=1)
        magnitude[mixed] = attainable_range(cmdp, np.abs(x[mixed]))[:, 1]
        return cls.from_ranges(cmdp, ends[:, 1] - ends[:, 0], magnitude)

    @classmethod
    def from_ranges(cls, cmdp: TabularCMDP, width: NDArray[np.float64], magnitude: NDArray[np.float64]) -> Units:
        """From the ranges and the largest magnitudes of ``J_r, J_1, ..., J_N``, ``[N+1]`` each."""
        units = np.where(width > _NOISE * magnitude, np.maximum(width, _RESOLVED * magnitude), magnitude)
        zero = units == 0.0
        units[zero] = np.abs(np.concatenate([[0.0], cmdp.b]))[zero]
        units[units == 0.0] = 1.0
        return cls(float(units[0]), units[1:])

    def original(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers ``[N]`` of the process in these units as reward per unit of signal."""
        return mu * self.reward / self.signals


@dataclass(frozen=True, eq=False)
class Scaling:
    """Powers of two within a factor of about 2 of the ranges, and what to take away first: for a solver's sake.

    To scale by powers of two rounds nothing. An occupancy sums to 1, so that a constant may be taken from a signal and
    its threshold alike: where values are large beside their range, such as temperatures in kelvin, their middle is.
    """

    units: Units
    shift: NDArray[np.float64]
    """of the reward and of each signal, in their own units, ``[N+1]``"""

    @classmethod
    def of(cls, cmdp: TabularCMDP) -> Scaling:
        """By a few quick sweeps: more only where the range is small beside the signal itself."""
        x = cmdp.rewards
        magnitude = np.abs(x).max(axis=(1, 2))
        magnitude[magnitude == 0.0] = 1.0
        both = np.concatenate([x, -x]) / np.tile(magnitude, 2)[:, None, None]
        for tol in _TOLERANCES:
            high, low = np.split(modified_policy_iteration(cmdp, both, tol=tol).value @ cmdp.rho, 2)
            high, low = high * magnitude, -low * magnitude
            width, middle = high - low, (high + low) / 2
            if (np.maximum(width, _RESOLVED * magnitude) >= 8 * tol * magnitude).all():
                break
        width = np.where(width > 2 * tol * magnitude, width, 0.0)
        units = Units.from_ranges(cmdp, width, np.maximum(np.abs(high), np.abs(low)))
        power = np.exp2(np.round(np.log2([units.reward, *units.signals])))
        shift = np.where(np.abs(middle) > _DISTANT * power, middle, 0.0)
        return cls(Units(float(power[0]), power[1:]), shift)

    def scaled(self, cmdp: TabularCMDP) -> TabularCMDP:
        """The process as the solver sees it; that its terminal states pay nothing is no longer so."""
        r = (cmdp.r - self.shift[0]) / self.units.reward
        c = (cmdp.c - self.shift[1:, None, None]) / self.units.signals[:, None, None]
        return replace(cmdp, r=r, c=c, b=self.thresholds(cmdp.b), terminal=np.zeros(cmdp.num_states, dtype=np.bool_))

    def thresholds(self, b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the solver, ``[N]``, for ``b [N]``."""
        return (b - self.shift[1:]) / self.units.signals

    def unscaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The solver's ``J_r, J_1, ..., J_N`` in their own units, ``[N+1]``."""
        original: NDArray[np.float64] = self.shift + values * np.array([self.units.reward, *self.units.signals])
        return original


def _mixed(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which signals ``[K, S, A]`` have both signs, so that their magnitude is not that of their ends."""
    mixed: NDArray[np.bool_] = (x.min(axis=(1, 2)) < 0.0) & (x.max(axis=(1, 2)) > 0.0)
    return mixed
