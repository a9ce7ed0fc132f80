"""Exact lambda features ``f_i`` of given base features ``phi_i`` (docs/methods/successor.md, section 4)."""

from __future__ import annotations

import numpy as np

from zoo_successor.exact import linear
from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, host
from zoo_successor.exact.inputs import chain


def features(P_pi: Array, phi: Array, gamma: float, lam: Array = 1.0, terminal: Array | None = None) -> Array:
    """``f = phi ⊙ (1 + lam gamma P_pi f) + gamma (1 - phi) ⊙ P_pi f``, solved for every feature.

    lam = 1 gives successor features; lam = 0 with binary phi gives first-occupancy features: the discount of the time
    until a feature is first active. One-hot phi gives ``exact.diminishing``.

    With ``c = 1 - (1 - lam) phi_i`` the system is ``(diag(c) (I - gamma P_pi) + diag(1 - c)) f = phi_i``, so that
    ``f = M y`` where ``y`` solves ``diag(c) y + diag(1 - c) M y = phi_i``: y is zero where phi_i is, which leaves one
    small system on the states where the feature is active.

    Args:
        P_pi: transition probabilities ``[n, n]``.
        phi: base features ``[n, D]`` in [0, 1], where the recursion is a contraction.
        gamma: discount in [0, 1].
        lam: factor in [0, 1]: a number, or one for each feature ``[D]``.
        terminal: mask bool[n].

    Returns:
        ``[n, D]`` float64, dense.

    Raises:
        ValueError: phi outside [0, 1], naming state and feature; as for ``exact.successor``.
        SingularRepresentationError: as for ``exact.successor``.
    """
    P_pi = chain(P_pi)
    backend = Backend.of(P_pi=P_pi, phi=phi, lam=lam)
    n = checks.square(P_pi)
    phi = backend.dense(phi)
    if len(phi.shape) != 2 or phi.shape[0] != n:
        raise ValueError(f"phi has shape {tuple(phi.shape)}: expected [n, D] with n = {n}.")
    good = host((phi >= 0) & (phi <= 1))
    if not good.all():
        s, i = np.argwhere(~good)[0]
        raise ValueError(f"phi of state {s}, feature {i} is {float(phi[s, i]):g}: expected a number in [0, 1].")
    D = phi.shape[1]
    factor = checks.factors(lam, D, backend, of="feature")
    P, gamma = linear.checked_chain(P_pi, gamma, terminal, backend)
    if bool((factor == 1).all()):
        return linear.solver(P, gamma, backend)(phi)
    M = linear.inverse(P, gamma, backend)
    y = 0 * phi
    shrink = (1 - factor) * phi
    for i in range(D):
        active = np.flatnonzero(host(phi[:, i]))
        B, b = M[active][:, active], shrink[active, i]
        y[active, i] = backend.xp.linalg.solve((b * B.T).T + backend.xp.diag(1 - b), phi[active, i])
    return M @ y
