"""Generalised policy improvement: act on the best of several representations, for rewards that may have changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, host


def gpi(Phi: Array, w: Array, states: Array, *, tie: float = 1e-12) -> NDArray[np.int64]:
    """The actions ``argmax_a max_i Phi_i[s, a] @ w`` (Barreto et al. 2017).

    Args:
        Phi: representations of N policies ``[N, n, A, n]``, or of one ``[n, A, n]``; SR, FR or lambda.
        w: the rewards that remain, ``[n]``, or for each copy ``[B, n]``; read again each step where they diminish.
        states: where the copies are, ``[B]``.
        tie: relative difference up to which values count as equal: rounding makes equal values differ. Of equal
            actions the lowest is taken.

    Returns:
        Actions ``[B]``.

    Raises:
        ValueError: shapes that do not fit, or a state out of range.
    """
    backend = Backend.of(Phi=Phi, w=w)
    table, weights = backend.dense(Phi), backend.dense(w)
    table = table[None] if len(table.shape) == 3 else table
    n = table.shape[-1]
    at = checks.indices(states, n, "states")
    if len(table.shape) != 4 or table.shape[1] != n or tuple(weights.shape) not in ((n,), (len(at), n)):
        raise ValueError(
            f"Phi has shape {tuple(Phi.shape)} and w {tuple(weights.shape)}: expected [N, n, A, n] and [n] or [B, n]."
        )
    Q = host((table[:, at] @ weights[..., None])[..., 0]).max(axis=0)
    best = Q.max(axis=1, keepdims=True)
    actions: NDArray[np.int64] = (best - tie * np.abs(best) <= Q).argmax(axis=1)
    return actions
