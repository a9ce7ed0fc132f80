"""Action distributions for the loss with KL(pi_w, pi_theta) in place of KL(pi_theta, pi_w)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from zoo_onpolicy import distributions as on_policy
from zoo_onpolicy.backend import compact
from zoo_onpolicy.distributions import Scored
from zoo_rpo.distributions import Categorical, DiagonalGaussian, Distribution

from zoo import Array

__all__ = ["ForwardCategorical", "ForwardGaussian"]


class _Forward(on_policy.Distribution):
    """A mixin: the divergence of p from a fixed reference q is KL(q, p)."""

    family: ClassVar[type[Distribution]]

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """See Distribution."""
        scored = super().score(outputs, actions)  # type: ignore[safe-super]
        if reference is None:
            return scored
        p, q = self.family(outputs.mT), self.family(reference.mT)
        by_p = compact(q.kl_gradients(p)[1].mT)
        return replace(scored, kl=q.kl(p), saved=(*scored.saved, by_p))

    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """See Distribution."""
        if scored.kl is None or d_kl is None:
            return super().gradient(scored, d_log_prob, d_entropy, d_kl)  # type: ignore[safe-super]
        *saved, by_p = scored.saved
        rest = replace(scored, kl=None, saved=tuple(saved))
        return super().gradient(rest, d_log_prob, d_entropy, None) + by_p * d_kl[:, None]  # type: ignore[safe-super]


class ForwardCategorical(_Forward, on_policy.Categorical):
    """Discrete actions with KL(q, p)."""

    family = Categorical


class ForwardGaussian(_Forward, on_policy.Gaussian):
    """Box actions with KL(q, p)."""

    family = DiagonalGaussian
