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
from zoo_onpolicy.backend import namespace

from zoo import Array

__all__ = ["checked", "entropy", "kl", "tv"]

_SUM_TOLERANCE = 1e-4
"""how far the probabilities of a distribution may be off 1 in sum"""


def kl(p: Array, q: Array) -> Array:
    """KL(p, q) = sum p log(p / q), with 0 log 0 = 0; infinite where q = 0 < p.

    Args:
        p: probabilities [..., A]; real numbers. Gradients of torch go through, infinite where KL is.
        q: probabilities [..., A]; batch axes broadcast, the axis of the actions does not.

    Returns:
        [...], at least 0 up to rounding; numpy's scalar where there is no batch.

    Raises:
        ValueError: p and q are not of one kind of array or do not fit in shape; an entry is no real number, negative or
            NaN; or a distribution's sum is off 1 by more than 1e-4.
    """
    p, q = _pair(p, q)
    xp = namespace(p)
    positive = p > 0
    with np.errstate(divide="ignore"):  # log 0 where KL is infinite
        log_ratio = xp.log(xp.where(positive, p, xp.ones_like(p))) - xp.log(xp.where(positive, q, xp.ones_like(q)))
    return (p * log_ratio).sum(-1)


def tv(p: Array, q: Array) -> Array:
    """Total variation 1/2 sum |p - q|, in [0, 1]; arguments and errors as of ``kl``."""
    p, q = _pair(p, q)
    return abs(p - q).sum(-1) / 2


def entropy(p: Array) -> Array:
    """H(p) = -sum p log p, with 0 log 0 = 0, in [0, log A]; arguments and errors as of ``kl``."""
    p = checked("p", p)
    xp = namespace(p)
    return 0.0 - (p * xp.log(xp.where(p > 0, p, xp.ones_like(p)))).sum(-1)


def _pair(p: Any, q: Any) -> tuple[Array, Array]:
    """Both checked, and against each other."""
    p, q = checked("p", p), checked("q", q)
    if isinstance(p, np.ndarray) != isinstance(q, np.ndarray):
        raise ValueError("p and q are of numpy and of torch: expected arrays of one kind.")
    try:
        np.broadcast_shapes(p.shape[:-1], q.shape[:-1])
        fits = p.shape[-1] == q.shape[-1]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"p has shape {list(p.shape)} and q {list(q.shape)}: expected as many actions, and batches that broadcast."
        )
    return p, q


def checked(name: str, p: Any) -> Array:
    """Probabilities [..., A] of floating point.

    Raises:
        ValueError: as of ``kl``, of what is called ``name``.
    """
    tensor = hasattr(p, "detach")
    p = p if tensor else np.asarray(p)
    kind = str(p.dtype)
    if "int" in kind:
        p = p.double() if tensor else p.astype(np.float64)
    elif "float" not in kind:
        raise ValueError(f"{name} holds {kind.removeprefix('torch.')}: expected probabilities, which are real numbers.")
    values = p.detach() if tensor else p
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"{name} has shape {tuple(values.shape)}: expected probabilities along the last axis.")
    if bool((values != values).any()):
        raise ValueError(f"{name} holds a NaN: expected probabilities.")
    if bool((values < 0).any()):
        raise ValueError(f"{name} holds {float(values.min()):g}: expected probabilities of at least 0.")
    off = float(abs(values.sum(-1) - 1).max()) if 0 not in values.shape else 0.0
    if off > _SUM_TOLERANCE:
        raise ValueError(f"{name} is off 1 in sum by {off:.2g}: expected probabilities along the last axis.")
    return p
