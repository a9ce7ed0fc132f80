"""The step of CPO (Achiam, Held, Tamar and Abbeel 2017, arXiv:1705.10528, equations 10 to 14), for N constraints.

    maximise g.x   subject to   c_i + b_i.x <= 0 for each i,   x.Hx / 2 <= delta

has its solution in the span of H^-1 g and H^-1 b_1, ..., H^-1 b_N, so that only their products with g and b are
needed. Where a set T of the constraints holds with equality, and the trust region does (section 6.1 for one of them),

    x = -H^-1 B y + (H^-1 g - H^-1 B w) / lambda,   y = S^-1 c,  w = S^-1 r,
    lambda = sqrt((q - r.w) / (2 delta - c.y)),     q = g.H^-1 g,  r = B.H^-1 g,  S = B.H^-1 B,

all of T alone. The solution is the best such x that meets the other constraints too. Where there is none the step
reduces the constraint that is furthest away, x = -sqrt(2 delta / b.H^-1 b) H^-1 b (equation 14).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats

_ROUNDING = 1e-9
"""tolerance of the constraints that must hold, relative to how far a step can move each of them"""


def constrained_step(gram: Floats, c: Floats, delta: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The step of each of S members as weights of H^-1 g and of each H^-1 b_i.

    Args:
        gram: products v.H^-1 w of g, b_1, ..., b_N with one another, [S, 1 + N, 1 + N].
        c: the violations, [S, N].
        delta: the trust region, at least 0, [S].

    Returns:
        Weights [S, 1 + N], and whether no step within the trust region meets all constraints, bool[S].
    """
    S, N = c.shape
    best, value = np.zeros((S, 1 + N)), np.full(S, -np.inf)
    reach = np.sqrt(np.maximum(2 * delta[:, None] * np.diagonal(gram, axis1=1, axis2=2)[:, 1:], 0.0))
    for size in range(N + 1):
        for tight in combinations(range(N), size):
            x, exists = _on_boundary(gram, c, delta, np.array(tight, dtype=int))
            left = c + np.einsum("sij,sj->si", gram[:, 1:], x)
            meets = (left <= _ROUNDING * (reach + np.abs(c))).all(axis=1)
            gain = np.einsum("sj,sj->s", gram[:, 0], x)
            better = exists & meets & (gain > value)
            best, value = np.where(better[:, None], x, best), np.where(better, gain, value)
    lost = ~np.isfinite(value)
    if lost.any():
        members = np.flatnonzero(lost)
        furthest = (c / np.maximum(reach, np.finfo(float).tiny)).argmax(axis=1)[members]
        size_of = gram[members, 1 + furthest, 1 + furthest]
        best[members, 1 + furthest] = -np.sqrt(2 * delta[members] / np.maximum(size_of, np.finfo(float).tiny))
    return best, lost


def _on_boundary(gram: Floats, c: Floats, delta: Floats, tight: NDArray[np.int_]) -> tuple[Floats, NDArray[np.bool_]]:
    """The x of the module's docstring for T = ``tight``, as weights, and whether it exists."""
    at = 1 + tight
    q, r, S = gram[:, 0, 0], gram[:, 0, at], gram[:, at[:, None], at]
    inverse = np.linalg.pinv(S, hermitian=True)
    y, w = (np.einsum("sij,sj->si", inverse, v) for v in (c[:, tight], r))
    room = 2 * delta - (c[:, tight] * y).sum(axis=1)
    along = q - (r * w).sum(axis=1)
    # Nothing is left to gain where g is a combination of the gradients of T.
    free = along > _ROUNDING * np.abs(q)
    step = np.where(free, np.sqrt(np.maximum(room, 0.0) / np.where(free, along, 1.0)), 0.0)
    x = np.zeros((len(c), gram.shape[1]))
    x[:, 0] = step
    x[:, at] = -y - w * step[:, None]
    return x, room >= 0
