"""Exact representations of a policy: successor (SR), first-occupancy (FR), diminishing (lambda) and general visits.

Tables are ``X[s, j]``: row, where you are; column, the state predicted; the state occupied at t = 0 counts as a visit.
All of them are one matrix inverse and a scaling of its columns apart (docs/methods/successor.md, equation 6):
with ``M = (I - gamma P_pi)^-1`` and ``d = diag M``,

    F = M / d,    Phi_lambda = M / (lambda + (1 - lambda) d),    G = F sum_k u_k rho^k,    rho = 1 - 1/d.

Arrays are numpy, scipy.sparse (any container) or torch, or nested lists; results are of the same kind (tables: a
``csr_array`` for scipy.sparse) and on the same device, and float64 whatever came in: rows that sum to 1 but for the
rounding of the precision they came in are made to.

A terminal state counts its one visit and has no successor. It is one whose row is empty, or one in the mask
``terminal`` bool[n], whatever its row; ``TabularCMDP`` reads both in the same way. A self-loop that is not in the mask
is not an end: it counts forever.

Sources: Dayan 1993 (SR); Moskovitz et al., ICLR 2022, arXiv:2109.13863 (FR); NeurIPS 2023, arXiv:2309.03710 (lambda).
"""

from __future__ import annotations

from zoo_successor.exact import linear
from zoo_successor.exact import validation as checks
from zoo_successor.exact.actions import backup, policy_chain, state_action
from zoo_successor.exact.backend import Array, Backend
from zoo_successor.exact.columns import Factorisation, columns, value
from zoo_successor.exact.features import features
from zoo_successor.exact.inputs import chain, row_sum_tolerance
from zoo_successor.exact.validation import SingularRepresentationError

__all__ = [
    "Factorisation",
    "SingularRepresentationError",
    "backup",
    "columns",
    "derivative",
    "diagonal",
    "diminishing",
    "features",
    "first_occupancy",
    "from_successor",
    "policy_chain",
    "state_action",
    "successor",
    "to_successor",
    "utility",
    "value",
]


def successor(P_pi: Array, gamma: float, terminal: Array | None = None) -> Array:
    """``M[s, j] = E[sum_t gamma^t 1(s_t = j) | s_0 = s]``, in [0, 1/(1-gamma)].

    Args:
        P_pi: transition probabilities of the policy ``[n, n]``; a row may sum to less than 1 (the rest ends it).
        gamma: discount in [0, 1]; 1 needs every state to reach an end.
        terminal: mask bool[n].

    Raises:
        ValueError: naming the state whose row is not a distribution, or what is wrong with gamma or the mask.
        SingularRepresentationError: gamma = 1 and a recurrent class, which it names.
    """
    P_pi = chain(P_pi)
    backend = Backend.of(P_pi=P_pi)
    return backend.to_caller(linear.checked_inverse(P_pi, gamma, terminal, backend))


def first_occupancy(P_pi: Array, gamma: float, terminal: Array | None = None) -> Array:
    """``F[s, j] = E[gamma^T_j | s_0 = s]`` in [0, 1], with T_j the first time at j; 0 where j is never reached.

    Arguments and errors as for ``successor``.
    """
    return diminishing(P_pi, gamma, 0.0, terminal)


def diminishing(
    P_pi: Array, gamma: float, lam: Array, terminal: Array | None = None, *, allow_growth: bool = False
) -> Array:
    """``Phi[s, j] = E[sum_t gamma^t lam_j^{n_t(j)} 1(s_t = j) | s_0 = s]``, n_t(j) the visits to j before t.

    Args:
        P_pi: as for ``successor``.
        gamma: as for ``successor``.
        lam: factor per visit in [0, 1]: a number, one for each state ``[n]``, or a function of the states ``[n]``.
            1 gives the SR, 0 the FR.
        terminal: mask bool[n].
        allow_growth: accept ``lam > 1`` where ``lam_j rho_j < 1``, rho_j the mean discount of the first return to j.

    Raises:
        ValueError: as for ``successor``; lam out of range, naming the state.
        SingularRepresentationError: as for ``successor``.
    """
    P_pi = chain(P_pi)
    backend = Backend.of(P_pi=P_pi, lam=lam)
    n = checks.square(P_pi)
    factor = checks.factors(lam, n, backend, allow_growth=allow_growth)
    M = linear.checked_inverse(P_pi, gamma, terminal, backend)
    weight = checks.weight(factor, M.diagonal())
    if backend.kind == "torch":
        return M / weight  # in place would break automatic differentiation
    M /= weight
    return backend.to_caller(M)


def from_successor(M: Array, lam: Array, *, allow_growth: bool = False) -> Array:
    """``Phi_lambda`` from the SR ``M [n, n]`` in O(n^2); ``lam`` and ``allow_growth`` as for ``diminishing``.

    Raises:
        ValueError: M is not square or its diagonal is below 1; lam out of range.
    """
    M = chain(M, "M")
    backend = Backend.of(M=M, lam=lam)
    factor = checks.factors(lam, checks.square(M, "M"), backend, allow_growth=allow_growth)
    d, M = _visits(M, backend), backend.dense(M)
    return backend.to_caller(M / checks.weight(factor, d))


def to_successor(Phi: Array, lam: Array) -> Array:
    """The SR from ``Phi_lambda [n, n]`` for ``0 < lam <= 1``: the inverse of ``from_successor``.

    Raises:
        ValueError: as for ``diagonal``.
    """
    Phi = chain(Phi, "Phi")
    backend = Backend.of(Phi=Phi, lam=lam)
    d = diagonal(Phi, lam)
    factor = checks.factors(lam, checks.square(Phi, "Phi"), backend)
    return backend.to_caller(backend.dense(Phi) * checks.weight(factor, d))


def diagonal(Phi: Array, lam: Array) -> Array:
    """``d = diag M [n]`` from ``Phi_lambda``: ``d_j = lam_j Phi_jj / (1 - (1 - lam_j) Phi_jj)``.

    Raises:
        ValueError: some lam_j is 0: an FR has ones on its diagonal and no memory of d.
    """
    Phi = chain(Phi, "Phi")
    backend = Backend.of(Phi=Phi, lam=lam)
    factor = checks.factors(lam, checks.square(Phi, "Phi"), backend)
    if bool((factor == 0).any()):
        raise ValueError("lam = 0: a first-occupancy representation does not determine the successor representation.")
    own = backend.dense(Phi).diagonal()
    return factor * own / (1 - (1 - factor) * own)


def derivative(M: Array, lam: Array) -> Array:
    """``dPhi[s, j] / dlam_j = M[s, j] (d_j - 1) / (lam_j + (1 - lam_j) d_j)^2 >= 0``, for tuning lam in [0, 1].

    Raises:
        ValueError: as for ``from_successor``.
    """
    M = chain(M, "M")
    backend = Backend.of(M=M, lam=lam)
    factor = checks.factors(lam, checks.square(M, "M"), backend)
    d, M = _visits(M, backend), backend.dense(M)
    return backend.to_caller(M * ((d - 1) / checks.weight(factor, d) ** 2))


def utility(P_pi: Array, gamma: float, utilities: Array, terminal: Array | None = None) -> Array:
    """``G[s, j] = E[sum_t gamma^t u_{j, n_t(j)} 1(s_t = j)]``: the k-th visit to j (k = 0, 1, ...) pays ``u_jk``.

    Covers at most K servings, harmonic rewards, satiation and then disgust; visits past the end of the list pay 0.

    Args:
        P_pi: as for ``successor``.
        gamma: as for ``successor``.
        utilities: ``[K]`` for all states, or ``[n, K]``; any finite numbers.
        terminal: mask bool[n].

    Raises:
        ValueError: as for ``successor``; another shape of utilities, or one that is not finite.
        SingularRepresentationError: as for ``successor``.
    """
    P_pi = chain(P_pi)
    backend = Backend.of(P_pi=P_pi, utilities=utilities)
    n = checks.square(P_pi)
    u = backend.dense(utilities)
    if len(u.shape) not in (1, 2) or (len(u.shape) == 2 and u.shape[0] != n):
        raise ValueError(f"utilities has shape {tuple(u.shape)}: expected [K], or [n, K] with n = {n}.")
    checks.finite(u, "utilities")
    M = linear.checked_inverse(P_pi, gamma, terminal, backend)
    d = M.diagonal()
    rho = 1 - 1 / d
    total = 0 * d
    for k in range(u.shape[-1] - 1, -1, -1):
        total = u[..., k] + rho * total
    return backend.to_caller(M * (total / d))


def _visits(M: Array, backend: Backend) -> Array:
    """``d = diag M``, at least 1 in any SR."""
    d = backend.dense(M).diagonal()
    if not bool((d >= 1 - row_sum_tolerance(M)).all()):
        raise ValueError("M has a diagonal entry below 1: expected a successor representation, which counts the start.")
    return d
