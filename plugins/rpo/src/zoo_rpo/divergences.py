"""Kullback-Leibler divergence, total variation and entropy of discrete distributions, exact, in nats.

Arrays are numpy's or torch's; the last axis holds the probabilities of the actions, and all axes before it are batch
axes that broadcast. For distributions with gradients, and for Gaussians, see ``zoo_rpo.distributions``.

Example:
    >>> import numpy as np
    >>> from zoo_rpo.divergences import entropy, kl, tv
    >>> p, q = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    >>> float(tv(p, q)), float(kl(q, p)), float(kl(p, q))
    (0.5, 0.6931471805599453, inf)
    >>> float(entropy(p))
    0.6931471805599453
"""

from __future__ import annotations

from typing import Any

import numpy as np
from zoo_onpolicy.arrays import namespace

from zoo import Array

__all__ = ["entropy", "kl", "tv"]

_SUM_TOLERANCE = 1e-4
"""how far the probabilities of a distribution may be off 1 in sum"""


def kl(p: Array, q: Array) -> Array:
    """KL(p, q) = sum p log(p / q), with 0 log 0 = 0; infinite where q = 0 < p.

    Args:
        p: probabilities [..., A].
        q: probabilities [..., A].

    Returns:
        [...], at least 0 up to rounding.

    Raises:
        ValueError: an entry is negative or NaN, or a distribution's sum is off 1 by more than 1e-4.
    """
    p, q = _checked("p", p), _checked("q", q)
    xp = namespace(p)
    positive = p > 0
    log_p = xp.log(xp.where(positive, p, xp.ones_like(p)))
    log_q = xp.log(xp.where(positive & (q > 0), q, xp.ones_like(q)))
    terms = p * (log_p - log_q)
    return xp.where((positive & (q <= 0)).any(-1), float("inf"), terms.sum(-1))


def tv(p: Array, q: Array) -> Array:
    """Total variation 1/2 sum |p - q|, in [0, 1]; arguments and errors as of ``kl``."""
    return abs(_checked("p", p) - _checked("q", q)).sum(-1) / 2


def entropy(p: Array) -> Array:
    """H(p) = -sum p log p, with 0 log 0 = 0, in [0, log A]; arguments and errors as of ``kl``."""
    p = _checked("p", p)
    xp = namespace(p)
    return -(p * xp.log(xp.where(p > 0, p, xp.ones_like(p)))).sum(-1)


def _checked(name: str, p: Any) -> Array:
    p = p if hasattr(p, "shape") else np.asarray(p, dtype=np.float64)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} has shape {tuple(p.shape)}: expected probabilities along the last axis.")
    if bool((p != p).any()):
        raise ValueError(f"{name} holds a NaN: expected probabilities.")
    if bool((p < 0).any()):
        raise ValueError(f"{name} holds {float(p.min()):g}: expected probabilities of at least 0.")
    off = float(abs(p.sum(-1) - 1).max()) if p.size != 0 and 0 not in p.shape else 0.0
    if off > _SUM_TOLERANCE:
        raise ValueError(f"{name} is off 1 in sum by {off:.2g}: expected probabilities along the last axis.")
    return p
