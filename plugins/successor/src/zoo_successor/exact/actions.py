"""State-action forms: the first action is given, the policy follows (docs/methods/successor.md, section 2)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from zoo_successor.exact import inputs, linear
from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, compressed, host


def policy_chain(P: Array, pi: Array) -> Array:
    """``P_pi[s, t] = sum_a pi[s, a] P[s, a, t]``.

    Args:
        P: kernel ``[n, A, n]``, or scipy.sparse ``[n*A, n]`` with row ``s*A + a``, or a list of one ``[n, n]`` for each
            action.
        pi: action probabilities ``[n, A]``.

    Returns:
        ``[n, n]`` float64, of the kind of P.

    Raises:
        ValueError: shapes that do not fit, or the state whose row is not a distribution.
    """
    P, pi = _checked(P, pi)
    n, A = pi.shape
    if sp.issparse(P):
        choose = sp.csr_array((pi.reshape(-1), np.arange(n * A), np.arange(n + 1) * A), shape=(n, n * A))
        return sp.csr_array(choose @ P)
    # Batched row vector times matrix: contracts the actions in one pass over P.
    return (pi[:, None, :] @ P)[:, 0, :]


def state_action(
    P: Array, pi: Array, gamma: float, lam: Array = 1.0, terminal: Array | None = None, *, allow_growth: bool = False
) -> Array:
    """``Phi[s, a, j]``: as ``exact.diminishing``, after the action a in s; lam = 1 gives the SR, 0 the FR.

    Args:
        P: kernel ``[n, A, n]``, or scipy.sparse ``[n*A, n]``.
        pi: the policy that follows, ``[n, A]``.
        gamma: discount in [0, 1].
        lam: factor per visit: a number, one for each state ``[n]``, or a function of the states.
        terminal: mask bool[n]: no action leads anywhere from there.
        allow_growth: accept ``lam > 1`` where the sum stays finite.

    Returns:
        ``[n, A, n]``; for scipy.sparse a ``csr_array [n*A, n]``.

    Raises:
        ValueError: as for ``policy_chain`` and ``exact.diminishing``.
        SingularRepresentationError: as for ``exact.successor``.
    """
    P, pi = _checked(P, pi, lam=lam)
    chain = policy_chain(P, pi)
    backend = Backend.of(P=P)
    n = chain.shape[0]
    factor = checks.factors(lam, n, backend, allow_growth=allow_growth)
    M = linear.checked_inverse(chain, gamma, terminal, backend)
    Phi = M / checks.weight(factor, M.diagonal())
    return _lookahead(P, Phi, checks.discount(gamma), factor, checks.mask(terminal, n), backend)


def backup(P: Array, Phi: Array, gamma: float, lam: Array = 1.0, terminal: Array | None = None) -> Array:
    """One step of look-ahead: ``Phi[s, a, j]`` from the table ``Phi[s, j]`` of the policy that follows.

    ``Phi[s, a, j] = 1(s=j) + gamma (1 - (1 - lam_j) 1(s=j)) sum_t P[s, a, t] Phi[t, j]``. Averaged over the actions of
    the same policy it is the recursion of the lambda representation, whose fixed point the table is.

    Args:
        P: kernel ``[n, A, n]``, or scipy.sparse ``[n*A, n]``.
        Phi: ``[n, n]``.
        gamma: discount in [0, 1].
        lam: factor per visit, at least 0, as for ``state_action``.
        terminal: mask bool[n].

    Returns:
        ``[n, A, n]``; for scipy.sparse a ``csr_array [n*A, n]``.

    Raises:
        ValueError: shapes that do not fit, or a number out of range.
    """
    Phi = inputs.chain(Phi, "Phi")
    n = checks.square(Phi, "Phi")
    P = inputs.kernel(P, n)
    backend = Backend.of(P=P, Phi=Phi, lam=lam)
    P = inputs.checked_rows(P, backend, "P", actions=P.shape[0] // n if sp.issparse(P) else P.shape[1])
    factor = checks.factors(lam, n, backend, allow_growth=True)
    return _lookahead(P, backend.dense(Phi), checks.discount(gamma), factor, checks.mask(terminal, n), backend)


def _lookahead(
    P: Array, Phi: Array, gamma: float, lam: Array, terminal: NDArray[np.bool_] | None, backend: Backend
) -> Array:
    n = Phi.shape[0]
    A = P.shape[0] // n if sp.issparse(P) else P.shape[1]
    rows = linear.flatten_kernel(P, backend)
    X = gamma * (rows @ Phi).reshape(n, A, n)
    if terminal is not None:
        X[terminal] = 0.0
    s = np.arange(n)
    X[s, :, s] = 1 + (X[s, :, s].T * lam).T
    return compressed(X.reshape(n * A, n)) if backend.kind == "sparse" else X


def _checked(P: Array, pi: Array, **others: Array) -> tuple[Array, Array]:
    """Kernel and policy in double precision, checked; ``others`` must live where they do."""
    pi = inputs.chain(pi, "pi")
    if len(pi.shape) != 2:
        raise ValueError(f"pi has shape {tuple(pi.shape)}: expected [n, A].")
    P = inputs.kernel(P, *pi.shape)
    backend = Backend.of(P=P, pi=pi, **others)
    P, pi = inputs.checked_rows(P, backend, "P", actions=pi.shape[1]), inputs.checked_rows(pi, backend, "pi")
    pi = pi.toarray() if sp.issparse(pi) else pi
    short = host(pi.sum(-1)) < 1 - checks.ROW_SUM_TOLERANCE
    if short.any():
        raise ValueError(f"pi: the row of state {short.argmax()} sums to less than 1: expected action probabilities.")
    return P, pi
