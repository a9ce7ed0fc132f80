"""The description length of weights: KL(nu || p) of factorised normal weights nu and the log-uniform prior p.

Written in what numpy and torch have alike, so that the layer differentiates it by autograd and the control policy of
``mdl-c-vdo-po``, which has no graph, by the derivatives below. The approximation and its constants are those of
Molchanov, Ashukha and Vetrov 2017 (arXiv:1701.05369, eq. 14).
"""

from __future__ import annotations

from zoo_onpolicy.backend import namespace

from zoo import Array

__all__ = ["K1", "K2", "K3", "THRESHOLD", "kl_gradients", "kl_per_weight", "log_alpha"]

K1, K2, K3 = 0.63576, 1.87320, 1.48695
CLIP = 10.0
"""log alpha is kept in [-10, 10]"""
THRESHOLD = 3.0
"""weights with log alpha at or above it count as pruned"""
_TINY = 1e-16


def log_alpha(mu: Array, log_sigma: Array) -> Array:
    """log(sigma^2 / mu^2) of each weight, clipped to [-10, 10]."""
    xp = namespace(mu)
    return (2 * log_sigma - xp.log(mu * mu + _TINY)).clip(-CLIP, CLIP)


def kl_per_weight(alpha: Array) -> Array:
    """KL of one weight from the prior, up to a constant: -[k1 sigmoid(k2 + k3 a) - log(1 + exp(-a)) / 2 - k1].

    At least 0, decreasing in ``alpha`` (a = log alpha), 0 in the limit: a weight that is all noise is free.
    """
    xp = namespace(alpha)
    return K1 - K1 / (1 + xp.exp(-(K2 + K3 * alpha))) + xp.log1p(xp.exp(-alpha)) / 2


def kl_gradients(mu: Array, log_sigma: Array) -> tuple[Array, Array]:
    """Derivatives of the sum of ``kl_per_weight(log_alpha(mu, log_sigma))`` with respect to mu and log sigma."""
    xp = namespace(mu)
    alpha = 2 * log_sigma - xp.log(mu * mu + _TINY)
    s = 1 / (1 + xp.exp(-(K2 + K3 * alpha.clip(-CLIP, CLIP))))
    by_alpha = -K1 * K3 * s * (1 - s) - 0.5 / (1 + xp.exp(alpha.clip(-CLIP, CLIP)))
    by_alpha = by_alpha * (abs(alpha) < CLIP)
    return -2 * mu / (mu * mu + _TINY) * by_alpha, 2 * by_alpha
