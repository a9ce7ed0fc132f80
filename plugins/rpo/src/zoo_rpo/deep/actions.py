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
    """The class of ``zoo_rpo.distributions`` for a family of ``zoo_onpolicy``."""
    return Categorical if isinstance(base, onpolicy.Categorical) else DiagonalGaussian


class Regularised(onpolicy.Distribution):
    """A family of action distributions whose divergence from the reference policy pi_0 is Omega(pi, pi_0).

    Args:
        base: the family, whose own divergence is KL(pi, pi_0).
        regulariser: Omega.
    """

    def __init__(self, base: onpolicy.Distribution, regulariser: Regulariser) -> None:
        self.base, self.family, self._regulariser = base, family_of(base), regulariser
        self.outputs, self.learned, self.encoded = base.outputs, base.learned, base.encoded
        self.action_shape, self.action_dtype = base.action_shape, base.action_dtype

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """See the base family."""
        return self.base.noise(rng, shape)

    def sample(self, outputs: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[Any]:
        """See the base family."""
        return self.base.sample(outputs, noise)

    def mode(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """See the base family."""
        return self.base.mode(outputs)

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """See the base family."""
        return self.base.to_env(actions)

    def encode(self, actions: NDArray[Any]) -> NDArray[np.float32]:
        """See the base family."""
        return self.base.encode(actions)

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> onpolicy.Scored:
        """Log probability, entropy and Omega; see the base family."""
        scored = self.base.score(outputs, actions)
        if reference is None:
            return scored
        p, q = self.family(outputs.mT), self.family(reference.mT)
        omega, by_p = self._regulariser.omega(p, q), self._regulariser.gradients(p, q)[0].mT
        return onpolicy.Scored(scored.log_prob, scored.entropy, omega, (scored, by_p))

    def gradient(self, scored: onpolicy.Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """The gradient of the base family plus that of the penalty, [S, W, M]."""
        if scored.kl is None:
            return self.base.gradient(scored, d_log_prob, d_entropy, None)
        inner, by_p = scored.saved
        d = self.base.gradient(inner, d_log_prob, d_entropy, None)
        return d if d_kl is None else d + by_p * d_kl[:, None]
