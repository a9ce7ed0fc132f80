"""Action distributions whose divergence from the reference policy is a regulariser."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy import distributions as onpolicy

from zoo import Array
from zoo_rpo.distributions import Categorical, DiagonalGaussian, Distribution
from zoo_rpo.regularisers import Regulariser

__all__ = ["Regularised", "family_of"]


def family_of(base: onpolicy.Distribution) -> type[Distribution]:
    """The same family as it is called here."""
    return Categorical if isinstance(base, onpolicy.Categorical) else DiagonalGaussian


class Regularised(onpolicy.Distribution):
    """A family that reports Omega(pi, pi_0) where the other one reports KL(pi, reference).

    Args:
        base: the family.
        regulariser: Omega.
    """

    def __init__(self, base: onpolicy.Distribution, regulariser: Regulariser) -> None:
        self.base, self.family, self._regulariser = base, family_of(base), regulariser
        self.outputs, self.learned, self.encoded = base.outputs, base.learned, base.encoded
        self.action_shape, self.action_dtype = base.action_shape, base.action_dtype

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """As of the base."""
        return self.base.noise(rng, shape)

    def sample(self, outputs: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[Any]:
        """As of the base."""
        return self.base.sample(outputs, noise)

    def mode(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """As of the base."""
        return self.base.mode(outputs)

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """As of the base."""
        return self.base.to_env(actions)

    def encode(self, actions: NDArray[Any]) -> NDArray[np.float32]:
        """As of the base."""
        return self.base.encode(actions)

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> onpolicy.Scored:
        """With Omega in place of the divergence."""
        scored = self.base.score(outputs, actions)
        if reference is None:
            return scored
        p, q = self.family(outputs.mT), self.family(reference.mT)
        omega, by_p = self._regulariser.omega(p, q), self._regulariser.gradients(p, q)[0].mT
        return onpolicy.Scored(scored.log_prob, scored.entropy, omega, (scored, by_p))

    def gradient(self, scored: onpolicy.Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """Of the base, and the penalty's."""
        if scored.kl is None:
            return self.base.gradient(scored, d_log_prob, d_entropy, None)
        inner, by_p = scored.saved
        d = self.base.gradient(inner, d_log_prob, d_entropy, None)
        return d if d_kl is None else d + by_p * d_kl[:, None]
