"""Parametrisations of the multipliers: the variable x that gradient steps change, and the weights that it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats


class Multipliers(ABC):
    """The N multipliers of S members, as functions of the variables x [S, N] that gradient steps change; x_0 = 0.

    Args:
        sign: s_i, -1 for ``>=``, else +1, [N].
        equality: which constraints are equalities, bool[N].
        cap: the option ``cap`` of PPOLagrangianConfig.
    """

    low: Floats
    """lower bounds of x, [N]"""
    high: Floats
    """upper bounds of x, [N]"""

    def __init__(self, sign: Floats, equality: NDArray[np.bool_], cap: float) -> None:
        self._sign, self._equality = sign, equality

    @abstractmethod
    def weights(self, x: Floats) -> Floats:
        """The weights of the advantages of reward and constraints, [S, 1 + N]; their absolute values sum to 1."""

    @abstractmethod
    def slope(self, x: Floats) -> Floats:
        """The factor of g_i in the gradient step of x_i, [S, N]: 1, or the derivative of the share by x_i."""

    def effective(self, x: Floats) -> Floats:
        """mu_i of the Lagrangian J_r - sum mu_i g_i to which the weights are proportional, [S, N]."""
        weights = self.weights(x)
        return np.asarray(-weights[:, 1:] * self._sign / weights[:, :1])

    def clip(self, x: Floats) -> Floats:
        """The nearest allowed x."""
        return np.clip(x, self.low, self.high)


class Projected(Multipliers):
    """x = mu, at least 0 except for equalities; weights as in docs/methods/reload.md, equation 12."""

    def __init__(self, sign: Floats, equality: NDArray[np.bool_], cap: float) -> None:
        super().__init__(sign, equality, cap)
        self.high = np.full(len(sign), cap)
        self.low = np.where(equality, -self.high, 0.0)

    def weights(self, x: Floats) -> Floats:
        """See Multipliers."""
        weights = np.concatenate([np.ones((len(x), 1)), -self._sign * x], axis=1)
        return np.asarray(weights / np.abs(weights).sum(axis=1, keepdims=True))

    def slope(self, x: Floats) -> Floats:
        """See Multipliers."""
        return np.ones_like(x)

    def effective(self, x: Floats) -> Floats:
        """See Multipliers."""
        return x.copy()


class Sigmoid(Multipliers):
    """x = m, shares sigma(m_i), or tanh(m_i) for equalities (after arXiv:2310.04373).

    The reward has the weight (N - sum |share_i|) / N and constraint i the weight -s_i share_i / N. The absolute value,
    which the paper does not take, and the division keep the sum of absolute weights at 1, equalities included.
    """

    def __init__(self, sign: Floats, equality: NDArray[np.bool_], cap: float) -> None:
        super().__init__(sign, equality, cap)
        self.high = np.full(len(sign), np.log(cap))
        self.low = -self.high

    def _share(self, x: Floats) -> Floats:
        return np.where(self._equality, np.tanh(x), 0.5 + 0.5 * np.tanh(x / 2))

    def weights(self, x: Floats) -> Floats:
        """See Multipliers."""
        # 1 - |share|, written so that it does not lose precision where the share is nearly 1.
        complement = np.where(self._equality, 2 / (1 + np.exp(2 * np.abs(x))), 1 / (1 + np.exp(x)))
        N = max(x.shape[1], 1)
        reward = complement.sum(axis=1, keepdims=True) if x.shape[1] else np.ones((len(x), 1))
        return np.asarray(np.concatenate([reward, -self._sign * self._share(x)], axis=1) / N)

    def slope(self, x: Floats) -> Floats:
        """See Multipliers."""
        share = self._share(x)
        return np.where(self._equality, 1 - share**2, share * (1 - share))
