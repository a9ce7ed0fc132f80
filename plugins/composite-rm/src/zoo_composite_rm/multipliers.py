"""Multipliers: the variable that is optimised, and its weight in the mixed advantage (arXiv:2310.04373, section 4).

With N constraints the policy follows ``task_weight A_task + sum_i constraint_weight_i A_i``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from zoo_composite_rm.environment import Floats


class Multipliers(ABC):
    """The N multipliers of S members, through the variables [S, N] that are optimised.

    Args:
        equality: whether the constraints are equalities, whose multipliers have either sign.
        cap: see LagrangianConfig.
    """

    low: float
    """smallest value of a variable"""
    high: float
    """largest value of a variable"""

    @abstractmethod
    def __init__(self, equality: bool, cap: float) -> None: ...

    @abstractmethod
    def constraint_weights(self, x: Floats) -> Floats:
        """The weights of the constraints' advantages, [S, N]."""

    @abstractmethod
    def task_weight(self, x: Floats) -> Floats:
        """The weight of the task's advantage, [S]."""

    @abstractmethod
    def slope(self, x: Floats) -> Floats:
        """The derivative by x of what multiplies each constraint in the multipliers' loss, [S, N]."""

    @abstractmethod
    def range_used(self, x: Floats) -> Floats:
        """The fraction of its range that a multiplier uses, in [0, 1], [S, N]."""

    def effective(self, x: Floats) -> Floats:
        """mu_i of the Lagrangian that the mixture is equivalent to: weights over the task's, [S, N]."""
        return np.asarray(self.constraint_weights(x) / self.task_weight(x)[:, None])

    def clip(self, x: Floats) -> Floats:
        """The nearest allowed x."""
        return np.clip(x, self.low, self.high)


class Projected(Multipliers):
    """x = mu, at least 0 but for equalities; weights (1, mu) / (1 + sum |mu|)."""

    def __init__(self, equality: bool, cap: float) -> None:
        self.low, self.high = -cap if equality else 0.0, cap

    def constraint_weights(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(x * self.task_weight(x)[:, None])

    def task_weight(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(1.0 / (1.0 + np.abs(x).sum(axis=1)))

    def slope(self, x: Floats) -> Floats:
        """1: the loss is linear in mu."""
        return np.ones_like(x)

    def range_used(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray(np.abs(x) / self.high)


class Bounded(Multipliers):
    """x = m, weights N - sum_i sigma(m_i) and sigma(m_i) for a bounded sigma with values in (-1, 1)."""

    def __init__(self, equality: bool, cap: float) -> None:
        self.high = float(np.log(cap))
        self.low = -self.high

    def task_weight(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.asarray((1.0 - self.constraint_weights(x)).sum(axis=1))

    def range_used(self, x: Floats) -> Floats:
        """|sigma|, and 1 at the cap."""
        return np.where(np.abs(x) >= self.high, 1.0, np.abs(self.constraint_weights(x)))


class Sigmoid(Bounded):
    """For inequalities, as in the paper."""

    def constraint_weights(self, x: Floats) -> Floats:
        """sigma(m)."""
        return np.asarray(0.5 + 0.5 * np.tanh(x / 2))

    def slope(self, x: Floats) -> Floats:
        """sigma'(m)."""
        sigma = self.constraint_weights(x)
        return np.asarray(sigma * (1 - sigma))


class Tanh(Bounded):
    """For equalities, as in the paper."""

    def constraint_weights(self, x: Floats) -> Floats:
        """tanh(m)."""
        return np.tanh(x)

    def slope(self, x: Floats) -> Floats:
        """1 - tanh^2(m)."""
        return np.asarray(1 - np.tanh(x) ** 2)


KINDS: dict[str, type[Multipliers]] = {"projected": Projected, "sigmoid": Sigmoid, "tanh": Tanh}
"""classes by the value of the option ``multiplier``"""
