"""Multipliers: the variable that is stepped, and its weight in the mixed advantage (arXiv:2310.04373, section 4).

With N constraints the policy follows ``task * A_task + sum_i share_i A_i``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from zoo_composite_rm.environment import Floats


class Multipliers(ABC):
    """The N multipliers of S members, through the variables [S, N] that are stepped.

    Args:
        equality: whether the constraints are equalities, whose multipliers have either sign.
        cap: see LagrangianConfig.
    """

    low: float
    """least value of a variable"""
    high: float
    """its largest value"""

    @abstractmethod
    def __init__(self, equality: bool, cap: float) -> None: ...

    @abstractmethod
    def shares(self, x: Floats) -> Floats:
        """The weights of the constraints' advantages, [S, N]."""

    @abstractmethod
    def task(self, x: Floats) -> Floats:
        """The weight of the task's advantage, [S]."""

    @abstractmethod
    def slope(self, x: Floats) -> Floats:
        """The derivative by x of what multiplies each constraint in the multipliers' loss, [S, N]."""

    @abstractmethod
    def fullness(self, x: Floats) -> Floats:
        """How much of its range a multiplier uses, in [0, 1], [S, N]."""

    def effective(self, x: Floats) -> Floats:
        """mu_i of the Lagrangian that the mixture stands for: shares over the task's weight, [S, N]."""
        return np.asarray(self.shares(x) / self.task(x)[:, None])

    def clip(self, x: Floats) -> Floats:
        """The nearest allowed x."""
        return np.clip(x, self.low, self.high)


class Projected(Multipliers):
    """x = mu, at least 0 but for equalities; weights (1, mu) / (1 + sum |mu|)."""

    def __init__(self, equality: bool, cap: float) -> None:
        self.low, self.high = -cap if equality else 0.0, cap

    def shares(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(x * self.task(x)[:, None])

    def task(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(1.0 / (1.0 + np.abs(x).sum(axis=1)))

    def slope(self, x: Floats) -> Floats:
        """1: the loss is linear in mu."""
        return np.ones_like(x)

    def fullness(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(np.abs(x) / self.high)


class Bounded(Multipliers):
    """x = m, weights N - sum_i sigma(m_i) and sigma(m_i) for a squashing sigma into at most (-1, 1)."""

    def __init__(self, equality: bool, cap: float) -> None:
        self.high = float(np.log(cap))
        self.low = -self.high

    def task(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray((1.0 - self.shares(x)).sum(axis=1))

    def fullness(self, x: Floats) -> Floats:
        """|sigma|, and 1 at the cap."""
        return np.where(np.abs(x) >= self.high, 1.0, np.abs(self.shares(x)))


class Sigmoid(Bounded):
    """For inequalities, as in the paper."""

    def shares(self, x: Floats) -> Floats:
        """sigma(m)."""
        return np.asarray(0.5 + 0.5 * np.tanh(x / 2))

    def slope(self, x: Floats) -> Floats:
        """sigma'(m)."""
        share = self.shares(x)
        return np.asarray(share * (1 - share))


class Tanh(Bounded):
    """For equalities, as in the paper."""

    def shares(self, x: Floats) -> Floats:
        """tanh(m)."""
        return np.tanh(x)

    def slope(self, x: Floats) -> Floats:
        """1 - tanh^2(m)."""
        return np.asarray(1 - np.tanh(x) ** 2)


KINDS: dict[str, type[Multipliers]] = {"projected": Projected, "sigmoid": Sigmoid, "tanh": Tanh}
"""by the option ``multiplier``"""
