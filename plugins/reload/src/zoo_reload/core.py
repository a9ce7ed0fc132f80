"""The mathematics of one iteration, as pure functions of arrays (docs/methods/reload.md, section 4).

S states, A actions, N constraints. Every function takes any leading axes before those it names, so that one call
serves one run or many. Values are normalised: ``J = (1 - gamma) E[sum_t gamma^t r_t]``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

FLOOR = -700.0
"""Lowest logit relative to the best action of its state: exp(-700) is still a positive double."""


def softmax(z: Floats) -> Floats:
    """The policy ``pi [..., S, A]`` of the logits ``z [..., S, A]``: softmax over the last axis."""
    weights = np.exp(z - z.max(axis=-1, keepdims=True))
    pi: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return pi


def lagrangian_q(Q: Floats, mu: Floats, s: Floats) -> Floats:
    """``Q_k = Q_r - sum_i mu_i s_i Q_i``.

    Args:
        Q: action values ``[..., N+1, S, A]``: reward first, then the constraints.
        mu: multipliers ``[..., N]`` of the same iterate.
        s: signs ``[N]``, -1 for ">=" and +1 otherwise.

    Returns:
        ``[..., S, A]``.
    """
    *lead, heads, S, A = Q.shape
    weights = np.concatenate([np.ones((*lead, 1)), -mu * s], axis=-1)
    flat = Q.reshape(*lead, heads, S * A)
    result: Floats = np.matmul(weights[..., None, :], flat).reshape(*lead, S, A)
    return result


def extrapolate(x: Floats, x_previous: Floats) -> Floats:
    """The optimistic gradient ``2 x_k - x_{k-1}``."""
    return 2.0 * x - x_previous


def natural_gradient_step(z: Floats, eta: float | Floats, direction: Floats) -> Floats:
    """``z_{k+1} = z_k + eta * direction``, minus the row maximum, clipped below at -700; all ``[..., S, A]``."""
    z = z + eta * direction
    z -= z.max(axis=-1, keepdims=True)
    return np.maximum(z, FLOOR)


def projected_step(mu: Floats, eta_mu: float | Floats, direction: Floats, lo: Floats, cap: Floats) -> Floats:
    """``mu_{k+1} = clip(mu_k + eta_mu * direction, lo, cap)``; a positive violation raises the multiplier."""
    return np.clip(mu + eta_mu * direction, lo, cap)
