"""Transition kernels read from a caller's arrays: containers, precisions, ends of episodes, rewards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from zoo.tabular.errors import InvalidCMDPError
from zoo.terminal.streams import brief

ROW_SUM_TOLERANCE = 1e-8
"""How far from 1 the probabilities of a row may sum, where they came in double precision."""
_ROUNDINGS = 8.0


def row_tolerance(eps: float, width: int) -> float:
    """How far from 1 a distribution of ``width`` numbers may sum: 1e-8, or what the rounding of a coarser type leaves.

    Each number is rounded, and so is every sum on the way to normalising them: errors of either sign, which add up as
    the square root of ``width``.

    Args:
        eps: of the floating-point type that the numbers came in, such as 1.2e-7 for float32.
        width: how many there are.
    """
    return max(ROW_SUM_TOLERANCE, _ROUNDINGS * eps * math.sqrt(width))


def _eps(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).eps) if np.issubdtype(dtype, np.floating) else 0.0


def real(name: str, value: ArrayLike, ndim: int | None = None) -> NDArray[np.float64]:
    """A read-only float64 copy; an array that nobody can write to is shared instead.

    Raises:
        InvalidCMDPError: it is not an array of real numbers, or not of ``ndim`` dimensions.
    """
    array = as_array(name, value, np.float64)
    if ndim is not None and array.ndim != ndim:
        raise InvalidCMDPError(f"{name} has {array.ndim} dimensions, shape {array.shape}: expected {ndim}.")
    if array is value and not array.flags.writeable and array.base is None and array.flags.c_contiguous:
        return array
    return read_only(np.array(array, order="C"))


def as_array(name: str, value: Any, dtype: Any = None) -> NDArray[Any]:
    """``numpy.asarray``, whose refusals become sentences.

    Raises:
        InvalidCMDPError: it is not an array of numbers, but a list of sparse matrices, a tensor with grad, text ...
    """
    if isinstance(value, (list, tuple)) and any(sp.issparse(part) for part in value):
        raise InvalidCMDPError(
            f"{name} is a list that holds sparse matrices, of shape {_shapes(value)}: expected an array.",
            f"np.stack([x.toarray() for x in {name}]) makes one of matrices of one shape.",
        )
    try:
        array = np.asarray(value, dtype=dtype)
        if array.dtype.kind in "OUS":
            raise TypeError(f"it holds {array.flat[0]!r}" if array.size else f"its type is {array.dtype}")
    except (TypeError, ValueError, RuntimeError) as error:  # RuntimeError: what torch raises
        text = brief(error).rstrip(".")
        hint = f"{name}.detach() has its values alone." if getattr(value, "requires_grad", False) is True else ""
        raise InvalidCMDPError(f"{name} is not an array of real numbers: {text}.", hint) from error
    return array


def _shapes(parts: Sequence[Any]) -> str:
    return " and ".join(sorted({str(np.shape(part)) for part in parts}))


def distribution(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """A probability vector, made to sum to 1 where it came in less than double precision and nearly does."""
    given = as_array(name, value)
    array = real(name, value, 1)
    total = array.sum()
    if _low_precision(given.dtype) and 0 < abs(total - 1.0) <= row_tolerance(_eps(given.dtype), array.size):
        return read_only(array / total)
    return array


def kernel(P: Any, S: int, A: int) -> NDArray[np.float64] | sp.csr_array:
    """``P`` as a read-only array ``[S, A, S]``, or where it is sparse as a CSR matrix ``[S*A, S]``.

    Accepted are dense ``[S, A, S]``, dense or sparse ``[S*A, S]`` with row ``s*A + a``, and a list of one matrix
    ``[S, S]`` for each action. Rows in less than double precision that sum to 1 but for its rounding are made to.

    Raises:
        InvalidCMDPError: it is nothing of the sort; where the axes are another layout, it is named.
    """
    P, dtype = _stacked(P, S, A)
    if sp.issparse(P):
        if P.shape != (S * A, S):
            raise InvalidCMDPError(f"P has shape {P.shape}: expected {(S * A, S)}.")
        if isinstance(P, sp.csr_array) and not P.data.flags.writeable and P.data.dtype == np.float64:
            return P
        sparse = sp.csr_array(P, dtype=np.float64, copy=True)
        try:
            sparse.check_format(full_check=True)
        except ValueError as error:
            raise InvalidCMDPError(f"P is not a valid sparse matrix: {error}.") from error
        if _low_precision(dtype):
            sparse.data /= np.repeat(_divisors(sparse, dtype), np.diff(sparse.indptr))
        return read_only_csr(sparse)
    array = real("P", P)
    if array.shape == (S * A, S):
        array = read_only(array.reshape(S, A, S))
    if array.ndim != 3:
        raise InvalidCMDPError(f"P has {array.ndim} dimensions, shape {array.shape}: expected 3.")
    if array.shape != (S, A, S):
        for layout, shape, axes in (("[A, S, S']", (A, S, S), "0, 1"), ("[S, S', A]", (S, S, A), "1, 2")):
            if array.shape == shape:
                raise InvalidCMDPError(
                    f"P has shape {array.shape}, the layout {layout}: expected [S, A, S'], {(S, A, S)}.",
                    f"np.swapaxes(P, {axes}) has it.",
                )
        raise InvalidCMDPError(f"P has shape {array.shape}: expected {(S, A, S)}.")
    if _low_precision(dtype):
        return read_only(array / _divisors(array, dtype)[..., None])
    return array


def _stacked(P: Any, S: int, A: int) -> tuple[Any, np.dtype[Any]]:
    """One array or sparse matrix, and the type its numbers came in."""
    if not isinstance(P, (list, tuple)) or not P or not all(hasattr(part, "shape") for part in P):
        return P, np.dtype(P.dtype) if sp.issparse(P) else as_array("P", P).dtype
    dtype = np.result_type(*(part.dtype if sp.issparse(part) else as_array("P", part).dtype for part in P))
    if not all(tuple(part.shape) == (S, S) for part in P) or (len(P) != A and len(P) != S):
        if any(sp.issparse(part) for part in P):
            raise InvalidCMDPError(
                f"P is a list of {len(P)} matrices of shape {_shapes(P)}: expected one of {(S, S)} for each of the {A} "
                "actions."
            )
        return P, dtype
    if any(sp.issparse(part) for part in P):
        # Row s*A + a is row s of the matrix of action a.
        rows = np.arange(S * A).reshape(A, S).T.reshape(-1)
        return sp.csr_array(sp.vstack([sp.csr_array(part) for part in P], format="csr"))[rows], dtype
    if A == S:
        raise InvalidCMDPError(
            f"P is a list of {A} matrices {(S, S)}, one for each action or one for each state: expected an array "
            "[S, A, S'].",
            "np.stack(P, axis=1) where there is one for each action, np.stack(P) where there is one for each state.",
        )
    return np.stack([np.asarray(part) for part in P], axis=1), dtype


def with_absorbing_states(
    P: NDArray[np.float64] | sp.csr_array, terminal: NDArray[np.bool_]
) -> tuple[NDArray[np.float64] | sp.csr_array, NDArray[np.bool_]]:
    """A state whose rows are all empty has no successor: it is terminal, and is stored as one that stays.

    Returns:
        ``P`` with a self-loop in every empty row of a terminal state, and the mask ``[S]`` with such states added.
    """
    S = len(terminal)
    empty = np.asarray(abs(P).sum(axis=1) == 0 if isinstance(P, sp.csr_array) else (P == 0).all(axis=2)).reshape(S, -1)
    terminal = terminal | empty.all(axis=1)
    filled = empty & terminal[:, None]
    if filled.any():
        s, a = np.nonzero(filled)
        if isinstance(P, sp.csr_array):
            loops = sp.csr_array((np.ones(len(s)), (s * empty.shape[1] + a, s)), shape=P.shape)
            P = read_only_csr(sp.csr_array(P + loops))
        else:
            P = np.array(P)
            P[s, a, s] = 1.0
            read_only(P)
    terminal.setflags(write=False)
    return P, terminal


def expected_signal(name: str, x: Any, P: NDArray[np.float64] | sp.csr_array, S: int, A: int) -> NDArray[np.float64]:
    """A reward or signal of transitions, ``[..., S, A, S]``, as what a state and action lead one to expect.

    One that has no axis for the successor is returned as it is.

    Raises:
        InvalidCMDPError: an axis too many, and it is not that of the successor.
    """
    lead = 0 if name == "r" else 1
    array = as_array(name, x.toarray() if sp.issparse(x) else x)
    if sp.issparse(x) and array.shape == (S * A, S):
        array = array.reshape(S, A, S)
    if array.ndim != 3 + lead:
        return real(name, array, 2 + lead)
    if array.shape[lead:] != (S, A, S):
        raise InvalidCMDPError(
            f"{name} has shape {array.shape}: expected {'[N, ' * lead or '['}S, A] or, for each successor, "
            f"{'[N, ' * lead or '['}S, A, S'], with S = {S} and A = {A}."
        )
    flat = real(name, array).reshape(-1, S * A, S)
    with np.errstate(invalid="ignore"):
        if isinstance(P, sp.csr_array):
            means = [np.asarray(P.multiply(part).sum(axis=1)).reshape(S, A) for part in flat]
        else:
            means = [np.einsum("xt,xt->x", P.reshape(S * A, S), part).reshape(S, A) for part in flat]
    return read_only(np.stack(means) if lead else means[0])


def read_only(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same array, read-only."""
    array.setflags(write=False)
    return array


def read_only_csr(matrix: sp.csr_array) -> sp.csr_array:
    """The same matrix, without duplicate entries and read-only."""
    matrix.sum_duplicates()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    return matrix


def _low_precision(dtype: np.dtype[Any]) -> bool:
    return _eps(dtype) > float(np.finfo(np.float64).eps)


def _divisors(P: Any, dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """The sums of rows that are 1 but for rounding; 1 for the others."""
    sums = np.asarray(P.sum(axis=-1))
    return np.where(np.abs(sums - 1.0) <= row_tolerance(_eps(dtype), P.shape[-1]), sums, 1.0)
