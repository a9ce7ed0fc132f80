"""Gaussian elimination of ``I - gamma P_pi``: sparse, or dense where the factors fill up."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

DENSE_STATES = 250
"""Up to this many states a dense factorisation takes a millisecond or two, whatever the structure."""
MOST_DENSE_STATES = 6_000
"""Beyond this many, a dense matrix (288 MB) is not made, whatever the structure."""
MOST_FILL = 0.2
"""Sparse factors with more than this part of the entries of a dense matrix take longer than dense ones (measured on
random models of 200 to 2,000 states with 1 to 16 successors: as long at .19, four times as long at .6)."""


def factorise(P_pi: sp.csr_array, gamma: float) -> Any:
    """Sparse LU of ``I - gamma P_pi``.

    Each diagonal entry exceeds the rest of its row, so elimination is stable without exchanging rows, and the
    ordering may be a symmetric one: where transitions are local, that halves the fill. A state that a great
    many others lead to makes such an ordering slow; COLAMD sets it aside.
    """
    S = P_pi.shape[0]
    matrix = sp.csc_array(sp.eye_array(S, format="csr") - gamma * P_pi)
    if np.bincount(P_pi.indices, minlength=S).max(initial=0) > 10.0 * np.sqrt(S):
        return splu(matrix)
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def fills_up(kernel: sp.csr_array) -> bool:
    """Whether dense elimination is the quicker one for policies of a kernel ``[S*A, S]``.

    Where size alone does not tell, by the fill of one sparse factorisation, that of the uniform policy.
    """
    pairs, S = kernel.shape
    if not DENSE_STATES < S <= MOST_DENSE_STATES:
        return bool(S <= DENSE_STATES)
    A = pairs // S
    mixing = sp.csr_array((np.full(pairs, 1.0 / A), np.arange(pairs), np.arange(0, pairs + 1, A)), shape=(S, pairs))
    return bool(factorise(mixing @ kernel, 0.5).nnz > MOST_FILL * S * S)
