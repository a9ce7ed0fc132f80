"""Chains and kernels as callers have them: containers, layouts and precisions, read into one kind."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import scipy.sparse as sp

from zoo.tabular import row_tolerance
from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, is_torch


def chain(P: Any, name: str = "P_pi") -> Array:
    """A numpy array, a ``csr_array`` or a torch tensor, of any scipy.sparse container or nested list.

    Raises:
        ValueError: it is not an array of numbers.
    """
    if sp.issparse(P):
        return sp.csr_array(P)
    if is_torch(P) or type(P) is np.ndarray:
        return P
    try:
        array = np.asarray(P)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of numbers: expected equally long rows.") from error
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}: expected real numbers.")
    return array


def kernel(P: Any, n: int, actions: int | None = None) -> Array:
    """A kernel ``[n, A, n]``, or scipy.sparse ``[n*A, n]`` with row ``s*A + a``.

    A list of one matrix ``[n, n]`` for each action is read as such.

    Args:
        P: the kernel.
        n: number of states.
        actions: A; None: whatever P has.

    Raises:
        ValueError: another shape, whose layout is named where it is one; or a list that may be of states or actions.
    """
    P = _stacked(P, n)
    shape = tuple(P.shape)
    if sp.issparse(P):
        fits = shape[1] == n and shape[0] == (n * actions if actions else shape[0] // n * n) > 0
        expected = f"({n * actions if actions else 'n*A'}, {n})"
    else:
        fits = len(shape) == 3 and shape[::2] == (n, n) and (not actions or shape[1] == actions)
        expected = str((n, actions, n)) if actions else f"({n}, A, {n})"
    if fits:
        return P
    layout = ""
    if len(shape) == 3 and shape[1:] == (n, n):
        layout = ", the layout [A, n, n] with one matrix for each action"
    elif len(shape) == 3 and shape[:2] == (n, n):
        layout = ", the layout [n, n, A] with the actions last"
    of_pi = f", as pi has shape {(n, actions)}" if actions else ""
    raise ValueError(f"P has shape {shape}{layout}: expected {expected}{of_pi}.")


def _stacked(P: Any, n: int) -> Array:
    parts = P if isinstance(P, (list, tuple)) and P and all(hasattr(part, "shape") for part in P) else None
    if parts is None or not all(tuple(part.shape) == (n, n) for part in parts):
        return chain(P, "P")
    if any(sp.issparse(part) for part in parts):
        rows = np.arange(n * len(parts)).reshape(-1, n).T.reshape(-1)
        return sp.csr_array(sp.vstack([sp.csr_array(part) for part in parts], format="csr"))[rows]
    if len(parts) == n:
        raise ValueError(
            f"P is a list of {n} matrices {(n, n)}, one for each action or one for each state: "
            "expected an array [n, A, n], stacked along axis 1 or axis 0."
        )
    xp: Any = sys.modules["torch"] if is_torch(parts[0]) else np
    return xp.stack([*parts], 1)


def checked_rows(P: Array, backend: Backend, name: str = "P_pi", actions: int = 1) -> Array:
    """Rows ``P [..., n]`` in double precision, checked; those that sum to 1 but for the rounding they came with, do.

    Raises:
        ValueError: as for ``checks.rows``.
    """
    eps, tolerance = _eps(P), row_sum_tolerance(P)
    P = sp.csr_array(P, dtype=np.float64) if sp.issparse(P) else backend.dense(P)
    checks.rows(P, name, actions=actions, tolerance=tolerance)
    if eps <= float(np.finfo(np.float64).eps):
        return P
    sums = np.asarray(P.sum(axis=1)) if sp.issparse(P) else P.sum(-1)
    near = abs(sums - 1) <= tolerance
    if sp.issparse(P):
        scale = np.where(near, sums, 1.0)
        return sp.csr_array((P.data / np.repeat(scale, np.diff(P.indptr)), P.indices, P.indptr), shape=P.shape)
    scale = backend.xp.where(near, sums, backend.xp.ones_like(sums))
    return P / (scale.detach() if backend.kind == "torch" else scale)[..., None]


def row_sum_tolerance(x: Array) -> float:
    """How far from 1 what should be 1 in ``x [..., n]`` may be, because of the precision that it came in."""
    return row_tolerance(_eps(x), int(x.shape[-1]))


def _eps(x: Array) -> float:
    """Of the floating-point type of ``x``; 0 for whole numbers."""
    if is_torch(x):
        return float(sys.modules["torch"].finfo(x.dtype).eps) if x.dtype.is_floating_point else 0.0
    return float(np.finfo(x.dtype).eps) if x.dtype.kind == "f" else 0.0
