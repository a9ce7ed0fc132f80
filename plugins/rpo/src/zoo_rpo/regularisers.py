"""Regularisers Omega(p, q) of a policy p towards a default policy q: penalties in nats, subtracted from the reward.

Moskovitz, Arbel, Parker-Holder and Pacchiano (arXiv:2111.02994) compare these. Each gives its value and its
derivatives by the parameters of both, so that the policy descends it at the states that it visits (only through
p(.|s), not through which states are visited), and a learned default descends the same penalty.

Example:
    >>> import numpy as np
    >>> from zoo_rpo.distributions import Categorical
    >>> p, q = Categorical(np.zeros(2)), Categorical(np.array([2.0, 0.0]))
    >>> by_p, by_q = KLForward().gradients(p, q)  # two actions: p - q
    >>> bool(np.allclose(by_p, p.p - q.p))
    True
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from zoo_onpolicy.backend import namespace

from zoo import Array, UsageError
from zoo_rpo.distributions import Distribution

__all__ = ["Distral", "KLForward", "KLReverse", "LogBarrier", "MaxEnt", "NoRegulariser", "Regulariser", "TVPO"]


@dataclass(frozen=True)
class Regulariser(ABC):
    """A penalty on p(.|s) given q(.|s). A subclass is a frozen dataclass; its fields are its options."""

    default: ClassVar[str] = "distilled"
    """name of the default policy that is used with it unless another is named"""

    @abstractmethod
    def omega(self, p: Distribution, q: Distribution) -> Array:
        """The penalty [...] in each state of the batch."""

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """Its derivatives by the parameters of p and of q, each [..., W].

        Unless a subclass writes them out, they come from torch's autograd: right for whatever ``omega`` computes
        with operators and with functions that numpy and torch have alike, and many times slower.
        """
        return autograd(self, p, q)


def autograd(regulariser: Regulariser, p: Distribution, q: Distribution) -> tuple[Array, Array]:
    """The derivatives of ``omega`` by the parameters of p and of q, computed by torch, in the kind of array given."""
    import torch

    as_numpy = not isinstance(p.parameters, torch.Tensor)
    tensors = [torch.as_tensor(x.parameters).detach().clone().requires_grad_() for x in (p, q)]
    batch = regulariser.omega(type(p)(tensors[0]), type(q)(tensors[1]))
    gradients = torch.autograd.grad(batch.sum(), tensors, allow_unused=True)
    derivatives = [torch.zeros_like(x) if d is None else d for d, x in zip(gradients, tensors, strict=True)]
    return tuple(d.numpy() for d in derivatives) if as_numpy else tuple(derivatives)  # type: ignore[return-value]


def _zeros(distribution: Distribution) -> Array:
    return namespace(distribution.parameters).zeros_like(distribution.parameters)


class NoRegulariser(Regulariser):
    """``none``: 0."""

    default = "uniform"

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """0."""
        return 0.0 * p.entropy()

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """0."""
        return _zeros(p), _zeros(q)


class MaxEnt(Regulariser):
    """``maxent``: -H(p)."""

    default = "uniform"

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """-H(p)."""
        return -p.entropy()

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """See Regulariser; the derivative by q is 0."""
        return -p.entropy_gradient(), _zeros(q)


class LogBarrier(Regulariser):
    """``log-barrier``: KL(u, p) with u uniform."""

    default = "uniform"

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """KL(u, p)."""
        return p.uniform().kl(p)

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """See Regulariser; the derivative by q is 0."""
        return p.uniform().kl_gradients(p)[1], _zeros(q)


class KLForward(Regulariser):
    """``kl-forward``: KL(q, p)."""

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """KL(q, p)."""
        return q.kl(p)

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """The derivatives of the divergence."""
        by_q, by_p = q.kl_gradients(p)
        return by_p, by_q


class TVPO(KLForward):
    """``tv``: KL(q, p), where q is the majority vote, the default that minimises the expected total variation."""

    default = "majority-vote"


class KLReverse(Regulariser):
    """``kl-reverse``: KL(p, q)."""

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """KL(p, q)."""
        return p.kl(q)

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """The derivatives of the divergence."""
        return p.kl_gradients(q)


@dataclass(frozen=True)
class Distral(Regulariser):
    """``distral``: KL(p, q) - H(p) / eta_h (Teh et al. 2017, arXiv:1707.04175)."""

    eta_h: float = 1.0
    """the entropy's weight is 1 / eta_h"""

    def __post_init__(self) -> None:
        """Check the range."""
        if not (math.isfinite(self.eta_h) and self.eta_h > 0):
            raise UsageError(f"eta_h = {self.eta_h}: expected a number above 0.")

    def omega(self, p: Distribution, q: Distribution) -> Array:
        """KL(p, q) - H(p) / eta_h."""
        return p.kl(q) - p.entropy() / self.eta_h

    def gradients(self, p: Distribution, q: Distribution) -> tuple[Array, Array]:
        """The derivatives of the divergence and of the entropy."""
        by_p, by_q = p.kl_gradients(q)
        return by_p - p.entropy_gradient() / self.eta_h, by_q
