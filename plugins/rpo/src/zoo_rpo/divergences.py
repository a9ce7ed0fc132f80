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
"""largest difference of the sum of probabilities from 1"""


def kl(p: Array, q: Array) -> Array:
    """KL(p, q) = sum p log(p / q), with 0 log 0 = 0; infinite where q = 0 < p.

    Args:
        p: probabilities [..., A]. With torch it can be differentiated; the gradient is infinite where KL is.
        q: probabilities [..., A]; batch axes broadcast, the axis of the actions does not.

    Returns:
        [...], at least 0 up to rounding; a numpy scalar where there is no batch axis.

    Raises:
        ValueError: p and q are not the same kind of array, or their shapes do not fit; an entry is not a real number,
            negative or NaN; or the sum of a distribution differs from 1 by more than 1e-4.
    """
    p, q = _pair(p, q)
    xp = namespace(p)
    positive = p > 0
    with np.errstate(divide="ignore"):  # log 0 where KL is infinite
        log_ratio = xp.log(xp.where(positive, p, xp.ones_like(p))) - xp.log(xp.where(positive, q, xp.ones_like(q)))
    return (p * log_ratio).sum(-1)


def tv(p: Array, q: Array) -> Array:
    """Total variation 1/2 sum |p - q|, in [0, 1]; arguments and errors as for ``kl``."""
    p, q = _pair(p, q)
    return abs(p - q).sum(-1) / 2


def entropy(p: Array) -> Array:
    """H(p) = -sum p log p, with 0 log 0 = 0, in [0, log A]; arguments and errors as for ``kl``."""
    p = checked("p", p)
    xp = namespace(p)
    return 0.0 - (p * xp.log(xp.where(p > 0, p, xp.ones_like(p)))).sum(-1)


def _pair(p: Any, q: Any) -> tuple[Array, Array]:
    """P and q, each checked, and whether their kinds and shapes fit."""
    p, q = checked("p", p), checked("q", q)
    if isinstance(p, np.ndarray) != isinstance(q, np.ndarray):
        raise ValueError("one of p and q is a numpy array and the other a torch tensor: expected the same kind.")
    try:
        np.broadcast_shapes(p.shape[:-1], q.shape[:-1])
        fits = p.shape[-1] == q.shape[-1]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"p has shape {list(p.shape)} and q {list(q.shape)}: expected the same number of actions, and batch axes "
            "that broadcast."
        )
    return p, q


def checked(name: str, p: Any) -> Array:
    """``p`` as floating-point probabilities [..., A].

    Raises:
        ValueError: as for ``kl``; the message calls them ``name``.
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
    error = float(abs(values.sum(-1) - 1).max()) if 0 not in values.shape else 0.0
    if error > _SUM_TOLERANCE:
        raise ValueError(
            f"the sum of {name} differs from 1 by {error:.2g}: expected probabilities along the last axis."
        )
    return p
