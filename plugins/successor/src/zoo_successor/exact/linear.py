"""The linear algebra of ``A = I - gamma P_pi``: its inverse, and solves without it.

``A`` is an M-matrix whose rows are diagonally dominant: positive diagonal, nothing positive beside it. Eliminated in an
order that keeps the diagonal as pivots, every entry of the factors and of the inverse is a sum of terms of one sign.
Nothing cancels, and the inverse has exact zeros where a state cannot be reached, which planning relies on. LAPACK
picks those pivots by itself where *columns* are dominant: it is given the transpose, which in Fortran's order is the
array as it lies in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy.linalg as sl
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import splu

from zoo_successor.exact import inputs
from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, compressed

Floats: TypeAlias = NDArray[np.float64]
Solver: TypeAlias = Callable[[Array], Array]
"""``b [n, k]`` to ``A^-1 b``; ``b`` is left as it is."""

MAX_SPARSE_DENSITY = 0.1
"""Below this fraction of nonzero entries a chain is treated as sparse."""
MAX_DENSE_STATES = 200
"""Up to this many states LAPACK is quickest, whatever the structure."""
MIN_BLOCK_SIZE = 32
"""Blocks are at least so wide: narrower ones spend their time in calls."""
MIN_BANDS = 8
"""Block elimination pays where at least this many blocks as wide as the band fit beside one another."""


def checked_chain(P: Array, gamma: float, terminal: Array | None, backend: Backend) -> tuple[Array, float]:
    """``P_pi`` ready for ``inverse`` and ``solver``, and gamma, after all checks of the input.

    Raises:
        ValueError: a row that is not a distribution, a gamma outside [0, 1], a wrong shape or mask.
        SingularRepresentationError: gamma = 1 and a class of states that is never left.
    """
    n = checks.square(P)
    gamma = checks.discount(gamma)
    P = inputs.checked_rows(P, backend)
    P = _chain(P, backend, checks.mask(terminal, n))
    checks.require_nonsingular(P, gamma)
    return P, gamma


def checked_inverse(P: Array, gamma: float, terminal: Array | None, backend: Backend) -> Array:
    """``inverse`` of a chain that comes from a caller; raises as ``checked_chain``."""
    return inverse(*checked_chain(P, gamma, terminal, backend), backend)


def _chain(P: Array, backend: Backend, terminal: NDArray[np.bool_] | None) -> Array:
    """``P_pi`` with the rows of terminal states empty: a ``csr_array`` where it is sparse, else dense."""
    n = P.shape[0]
    if (
        n > MAX_DENSE_STATES
        and backend.kind != "torch"
        and not sp.issparse(P)
        and np.count_nonzero(P != 0) < MAX_SPARSE_DENSITY * n * n
    ):
        P = compressed(P)
    if sp.issparse(P):
        P = sp.csr_array(P, dtype=np.float64)
        return P if terminal is None else sp.csr_array(sp.diags_array(1.0 - terminal) @ P)
    return P if terminal is None else P * backend.from_numpy(1.0 - terminal)[:, None]


def flatten_kernel(P: Array, backend: Backend) -> Array:
    """The kernel ``[n, A, n]`` (or sparse ``[n*A, n]``) as rows ``[n*A, n]`` to multiply with, sparse where it pays."""
    if sp.issparse(P):
        return sp.csr_array(P, dtype=np.float64)
    P = backend.dense(P)
    rows = P.reshape(-1, P.shape[-1])
    if backend.kind == "torch" or np.count_nonzero(rows != 0) >= MAX_SPARSE_DENSITY * rows.size:
        return rows
    return compressed(rows)


def inverse(P: Array, gamma: float, backend: Backend) -> Array:
    """The successor representation ``M = (I - gamma P_pi)^-1 [n, n]``, dense, of a chain from ``checked_chain``.

    Cost: ``2 n^3`` operations; about ``4 n^2 b`` where states can be ordered so that transitions lead at most ``b``
    places away (a grid with ``b`` cells a side).
    """
    if sp.issparse(P):
        position = np.argsort(reverse_cuthill_mckee(P, symmetric_mode=False))
        edges = P.tocoo()
        band = int(np.abs(position[edges.row] - position[edges.col]).max(initial=0))
        if len(position) > MAX_DENSE_STATES and band * MIN_BANDS <= len(position):
            return _band_inverse(P, gamma, position, max(band, MIN_BLOCK_SIZE))
        P = P.toarray()
    A = _dense_system(P, gamma)
    return backend.xp.linalg.inv(A.mT).mT if backend.kind == "torch" else _dense_inverse(A)


def solver(P: Array, gamma: float, backend: Backend) -> Solver:
    """One factorisation of ``I - gamma P_pi``, sparse where the chain is; no matrix of n x n is made then."""
    if sp.issparse(P):
        A = sp.csc_array(sp.eye_array(P.shape[0]) - gamma * P)
        # Dominance makes pivoting needless: the ordering may then look at the pattern alone, which keeps fill-in low.
        lu = splu(A, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        return lambda b: lu.solve(b)
    A = _dense_system(P, gamma)
    if backend.kind == "torch":
        xp, factors = backend.xp, backend.xp.linalg.lu_factor(A.mT)
        return lambda b: xp.linalg.lu_solve(*factors, b, adjoint=True)
    transposed = sl.lu_factor(A.T, overwrite_a=True, check_finite=False)
    return lambda b: sl.lu_solve(transposed, b, trans=1, check_finite=False)


def _dense_system(P: Array, gamma: float) -> Array:
    A = P * -gamma
    diagonal = np.arange(P.shape[0])
    A[diagonal, diagonal] += 1.0
    return A


def _dense_inverse(A: Floats) -> Floats:
    """The inverse of C-ordered ``A``, in its place."""
    lu, pivots, _ = sl.lapack.dgetrf(A.T, overwrite_a=True)
    work, _ = sl.lapack.dgetri_lwork(A.shape[0])
    inverted, _ = sl.lapack.dgetri(lu, pivots, lwork=int(work), overwrite_lu=True)
    result: Floats = inverted.T
    return result


def _band_inverse(P: sp.csr_array, gamma: float, position: NDArray[np.intp], b: int) -> Floats:
    """Block elimination of a chain whose transitions lead at most ``b`` places away, state s standing at ``place[s]``.

    With blocks of ``b`` states A is block tridiagonal. Downwards, with ``D_1 = A_11`` and
    ``D_i = A_ii - A_i,i-1 D_i-1^-1 A_i-1,i``, the rows are ``Y_i = D_i^-1 (I_i - A_i,i-1 Y_i-1)``; upwards
    ``M_i = Y_i - D_i^-1 A_i,i+1 M_i+1``. Columns never leave their place, rows return to it at the end.
    """
    n = len(position)
    blocks = -(-n // b)
    A = sp.csr_array(sp.eye_array(n) - gamma * P).tocoo()
    row, column = position[A.row], position[A.col]
    block = row // b
    bands = np.zeros((blocks, b, 3 * b))
    bands[block, row - block * b, column - (block - 1) * b] = A.data
    padding = np.arange(n - (blocks - 1) * b, b)
    bands[-1, padding, b + padding] = 1.0
    state = np.argsort(position)
    M = np.zeros((blocks, b, n))
    scaled_upper: list[Floats] = []
    for i in range(blocks):
        lower, D, upper = np.split(bands[i], 3, axis=1)
        inverted = _dense_inverse(D - lower @ scaled_upper[-1] if i else D.copy())
        if i:
            np.matmul(-(inverted @ lower), M[i - 1], out=M[i])
        here = state[i * b : (i + 1) * b]
        M[i][:, here] += inverted[:, : len(here)]
        scaled_upper.append(inverted @ upper)
    for i in range(blocks - 2, -1, -1):
        M[i] -= scaled_upper[i] @ M[i + 1]
    result: Floats = M.reshape(-1, n)[position]
    return result
