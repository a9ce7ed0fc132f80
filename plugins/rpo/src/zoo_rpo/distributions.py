"""Batches of action distributions as objects, for regularisers and default policies.

A distribution is given by its parameters, the outputs of a network or a table: logits for discrete actions, mean and
log standard deviation for continuous ones. Derivatives of divergences with respect to these parameters are
written out; with torch tensors autograd works as well, and tests compare the two.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import namespace

from zoo import Array, UsageError

__all__ = ["FLOOR", "Categorical", "DiagonalGaussian", "Distribution"]

FLOOR = 1e-6
"""least probability that a default policy gives an action, so that divergences from it stay finite"""


class Distribution(ABC):
    """Distributions of actions in a batch [...] of states.

    Args:
        parameters: [..., W], numpy's or torch's.
    """

    def __init__(self, parameters: Array) -> None:
        self.parameters = parameters

    @abstractmethod
    def log_prob(self, actions: Array) -> Array:
        """Log probability (density) [...] of one action for each state of the batch."""

    @abstractmethod
    def mode(self) -> Array:
        """The most probable action of each state."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> NDArray[Any]:
        """One action for each state, as numpy's array."""

    @abstractmethod
    def entropy(self) -> Array:
        """The entropy in nats, [...]."""

    @abstractmethod
    def entropy_gradient(self) -> Array:
        """The derivative of the entropy with respect to the parameters, [..., W]."""

    @abstractmethod
    def kl(self, other: Self) -> Array:
        """KL(self, other) in nats, [...]."""

    @abstractmethod
    def kl_gradients(self, other: Self) -> tuple[Array, Array]:
        """Derivatives of KL(self, other) with respect to the parameters of ``self`` and of ``other``, each [..., W]."""

    @abstractmethod
    def uniform(self) -> Self:
        """The uniform distribution over the same actions.

        Raises:
            UsageError: there is none, because the actions are unbounded.
        """

    def floored(self) -> Self:
        """The distribution with probabilities of at least ``FLOOR`` before normalisation; densities are unchanged."""
        return self


class Categorical(Distribution):
    """Discrete actions; the parameters are logits [..., A].

    Example:
        >>> import numpy as np
        >>> p, q = Categorical(np.zeros((3, 2))), Categorical.of(np.array([0.9, 0.1]))
        >>> p.kl(q).round(4).tolist()
        [0.5108, 0.5108, 0.5108]
    """

    def __init__(self, logits: Array) -> None:
        super().__init__(logits)
        xp = namespace(logits)
        shifted = logits - xp.amax(logits, -1)[..., None]
        self.log_p = shifted - xp.log(xp.exp(shifted).sum(-1))[..., None]
        """log probabilities [..., A]"""
        self.p = xp.exp(self.log_p)
        """probabilities [..., A]"""

    @classmethod
    def of(cls, probabilities: Array) -> Self:
        """The distribution with these probabilities [..., A], raised to at least ``FLOOR`` and normalised."""
        xp = namespace(probabilities)
        return cls(xp.log(probabilities.clip(FLOOR, None)))

    def log_prob(self, actions: Array) -> Array:
        """Log probability [...] of actions int64[...]."""
        if isinstance(self.log_p, np.ndarray):
            return np.take_along_axis(self.log_p, np.asarray(actions)[..., None], -1)[..., 0]
        return self.log_p.gather(-1, actions[..., None])[..., 0]

    def mode(self) -> Array:
        """The most probable action, int64[...]; of several the lowest."""
        return self.log_p.argmax(-1)

    def sample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Actions int64[...]."""
        p: NDArray[np.float64] = np.asarray(self.p.detach() if hasattr(self.p, "detach") else self.p)
        below = p.cumsum(-1)[..., :-1] <= rng.random((*p.shape[:-1], 1))
        return np.asarray(below.sum(-1))

    def entropy(self) -> Array:
        """The entropy in nats, in [0, log A]."""
        return -(self.p * self.log_p).sum(-1)

    def entropy_gradient(self) -> Array:
        """dH/dz = -p (log p + H)."""
        return -self.p * (self.log_p + self.entropy()[..., None])

    def kl(self, other: Self) -> Array:
        """Sum of p log(p / q)."""
        return (self.p * (self.log_p - other.log_p)).sum(-1)

    def kl_gradients(self, other: Self) -> tuple[Array, Array]:
        """By the logits of p: p (log(p / q) - KL), by those of q: q - p."""
        log_ratio = self.log_p - other.log_p
        return self.p * (log_ratio - (self.p * log_ratio).sum(-1)[..., None]), other.p - self.p

    def uniform(self) -> Self:
        """Probabilities 1 / A."""
        return type(self)(namespace(self.parameters).zeros_like(self.parameters))

    def floored(self) -> Self:
        """Probabilities of at least ``FLOOR``, normalised."""
        return self.of(self.p)


class DiagonalGaussian(Distribution):
    """Continuous actions with independent components; the parameters are mean and log standard deviation [..., 2 D]."""

    def __init__(self, parameters: Array) -> None:
        super().__init__(parameters)
        self.dim = parameters.shape[-1] // 2
        self.mean, self.log_std = parameters[..., : self.dim], parameters[..., self.dim :]

    def log_prob(self, actions: Array) -> Array:
        """Log density of actions [..., D]."""
        z = (actions - self.mean) * namespace(self.mean).exp(-self.log_std)
        return -0.5 * (z * z).sum(-1) - self.log_std.sum(-1) - 0.5 * self.dim * math.log(2 * math.pi)

    def mode(self) -> Array:
        """The mean."""
        return self.mean

    def sample(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Actions float64[..., D]."""
        mean, log_std = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (self.mean, self.log_std))
        drawn: NDArray[np.float64] = mean + np.exp(log_std) * rng.standard_normal(mean.shape)
        return drawn

    def entropy(self) -> Array:
        """The differential entropy: sum of log std, plus D/2 log(2 pi e)."""
        return self.log_std.sum(-1) + 0.5 * self.dim * math.log(2 * math.pi * math.e)

    def entropy_gradient(self) -> Array:
        """0 by the mean, 1 by the log standard deviation."""
        xp = namespace(self.mean)
        return xp.concat([xp.zeros_like(self.mean), xp.ones_like(self.log_std)], -1)

    def kl(self, other: Self) -> Array:
        """Sum of log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2."""
        _, spread, scaled = self._relative_to(other)
        return (other.log_std - self.log_std + (spread + scaled * (self.mean - other.mean) - 1) / 2).sum(-1)

    def kl_gradients(self, other: Self) -> tuple[Array, Array]:
        """See Distribution."""
        xp, spread, scaled = self._relative_to(other)
        by_p = xp.concat([scaled, spread - 1], -1)
        by_q = xp.concat([-scaled, 1 - spread - scaled * (self.mean - other.mean)], -1)
        return by_p, by_q

    def _relative_to(self, other: Self) -> tuple[Any, Array, Array]:
        """The array module, (s_p / s_q)^2, and (m_p - m_q) / s_q^2."""
        xp = namespace(self.mean)
        return xp, xp.exp(2 * (self.log_std - other.log_std)), (self.mean - other.mean) * xp.exp(-2 * other.log_std)

    def uniform(self) -> Self:
        """Not defined, because the actions are unbounded."""
        raise UsageError("there is no uniform distribution over continuous actions: choose another regulariser.")
