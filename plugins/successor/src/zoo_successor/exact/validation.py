"""Checks of inputs, each with one sentence that names the state (docs/methods/successor.md, section 9)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from zoo_successor.exact.backend import Array, Backend, host

ROW_SUM_TOLERANCE = 1e-8
"""How far above 1 the probabilities of a row may sum; a row closer to 1 than this loses nothing."""


class SingularRepresentationError(ValueError):
    """With gamma = 1 some states are visited forever, so that expected visits are infinite.

    Attributes:
        states: a recurrent class: states that lead to one another and to no others, without loss.
    """

    def __init__(self, states: NDArray[np.intp]) -> None:
        self.states = states
        listed = ", ".join(str(s) for s in states[:8]) + (", ..." if len(states) > 8 else "")
        super().__init__(
            f"gamma = 1 and the recurrent class of {len(states)} state(s) {listed} is never left: "
            "expected every state to reach a terminal one, or gamma < 1."
        )


def discount(gamma: float) -> float:
    """``gamma`` as a float.

    Raises:
        ValueError: it is not a number in [0, 1].
    """
    value = float(gamma)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"gamma = {value:g}: expected a number in [0, 1].")
    return value


def rows(P: Array, name: str = "P_pi", actions: int = 1, tolerance: float = ROW_SUM_TOLERANCE) -> None:
    """Check that every row of ``P [..., n]`` is a distribution, possibly losing mass (termination).

    Args:
        P: dense ``[n, n]`` or ``[n, A, n]``, or scipy.sparse ``[n*A, n]``.
        name: what to call it.
        actions: A.
        tolerance: how far above 1 a row may sum.

    Raises:
        ValueError: naming the first state (and action) with a negative or NaN entry or a sum above 1 + tolerance.
    """
    if sp.issparse(P):
        data = np.asarray(P.data)
        nonnegative = not data.size or bool(data.min() >= 0)
        sums = np.asarray(P.sum(axis=1))
        low = np.zeros(P.shape[0]) if nonnegative else np.minimum(P.tocsr().min(axis=1).toarray().ravel(), 0.0)
    else:
        low, sums = _row_minimum(P), P.sum(-1)
    # Comparisons with NaN are false, so that NaN counts as bad.
    good = (low >= 0) & (sums <= 1 + tolerance)
    if bool(good.all()):
        return
    where = tuple(int(i) for i in np.argwhere(~host(good))[0])
    s, a = where if len(where) > 1 else divmod(where[0], actions)
    named = f"state {s}" + (f", action {a}" if len(where) > 1 or actions > 1 else "")
    total, least = float(sums[where]), float(low[where])
    reason = f"sums to {total:.10g}" if least >= 0 else "has a negative or NaN entry"
    raise ValueError(f"{name}: the row of {named} {reason}: expected probabilities that sum to at most 1.")


def _row_minimum(P: Array) -> Array:
    return P.amin(-1) if hasattr(P, "amin") else P.min(-1)


def square(P: Array, name: str = "P_pi") -> int:
    """The number of states n of ``P [n, n]``.

    Raises:
        ValueError: another shape, or no state.
    """
    if len(P.shape) != 2 or P.shape[0] != P.shape[1] or P.shape[0] == 0:
        raise ValueError(f"{name} has shape {tuple(P.shape)}: expected [n, n] with at least one state.")
    return int(P.shape[0])


def mask(terminal: Array | None, n: int) -> NDArray[np.bool_] | None:
    """``terminal`` as bool[n] on the host; None if no state is terminal.

    Raises:
        ValueError: it is not a mask over the states (a list of indices is refused, not guessed at).
    """
    if terminal is None:
        return None
    chosen = host(terminal)
    if chosen.dtype != np.bool_ or chosen.shape != (n,):
        raise ValueError(f"terminal is {chosen.dtype}{list(chosen.shape)}: expected a mask, bool[{n}].")
    return chosen if bool(chosen.any()) else None


def require_nonsingular(P: Array, gamma: float) -> None:
    """Refuse chains whose ``I - gamma P_pi`` has no inverse; only with gamma = 1 can there be one.

    A class of states is recurrent if no transition leaves it and none of its rows loses mass.

    Raises:
        SingularRepresentationError: naming a recurrent class.
    """
    if gamma < 1.0:
        return
    graph = sp.csr_array(P if sp.issparse(P) else host(P))
    graph.eliminate_zeros()
    count, label = connected_components(graph, directed=True, connection="strong")
    edges = graph.tocoo()
    open_class = np.zeros(count, dtype=np.bool_)
    open_class[label[edges.row[label[edges.row] != label[edges.col]]]] = True
    open_class[label[np.asarray(graph.sum(axis=1)) < 1 - ROW_SUM_TOLERANCE]] = True
    if not open_class.all():
        raise SingularRepresentationError(np.flatnonzero(label == np.argmin(open_class)))


def factors(
    lam: Array, n: int, backend: Backend, *, allow_growth: bool = False, axes: int = 1, of: str = "state"
) -> Array:
    """The factor per visit as a float64 array that broadcasts against ``[n]``.

    Args:
        lam: one number, one for each state ``[n]``, or a function of the states ``[n]``.
        n: number of states.
        backend: where the result lives.
        allow_growth: accept factors above 1.
        axes: how many axes lam may have: more than 1 where several settings, ``[..., n]`` or ``[..., 1]``, make sense.
        of: what there are n of.

    Raises:
        ValueError: another shape, or a factor outside [0, 1] (below 0, with ``allow_growth``).
    """
    values = backend.dense(lam(np.arange(n)) if callable(lam) else lam)
    if len(values.shape) > axes or (len(values.shape) and values.shape[-1] not in (1, n)):
        raise ValueError(f"lam has shape {tuple(values.shape)}: expected one number, or one for each of {n} {of}s.")
    good = (values >= 0) & (values <= (np.inf if allow_growth else 1.0))
    if not bool(good.all()):
        where = tuple(np.argwhere(~host(good))[0])
        hint = "at least 0" if allow_growth else "in [0, 1] (growing rewards need allow_growth=True)"
        whose = f" of {of} {where[-1]}" if where and values.shape[-1] == n else ""
        raise ValueError(f"lam{whose} is {float(values[where]):g}: expected a number {hint}.")
    return values


def weight(lam: Array, d: Array, states: NDArray[np.intp] | None = None) -> Array:
    """What columns of M are divided by, ``lam + (1 - lam) d``, checked to be positive.

    That is ``lam rho < 1`` with ``rho = 1 - 1/d``: growing rewards keep a finite sum.

    Args:
        lam: what broadcasts to ``[..., k]``.
        d: visits to each state from itself, ``[k]``.
        states: which states these are; all of them if None.

    Raises:
        ValueError: naming the first state where the sum diverges, and the bound on its factor.
    """
    result = lam + (1 - lam) * d
    if bool((result > 0).all()):
        return result
    where = tuple(np.argwhere(~host(result > 0))[0])
    state = where[-1] if states is None else states[where[-1]]
    d_j, factor = float(d[where[-1]]), float((lam + 0 * result)[where])
    raise ValueError(f"lam of state {state} is {factor:g}: its sum diverges, expected below {d_j / (d_j - 1):.6g}.")


def indices(states: Array, n: int, name: str = "goals") -> NDArray[np.intp]:
    """State indices as intp[k]; one number is one state.

    Raises:
        ValueError: they are not whole numbers, or one is outside 0 .. n-1.
    """
    chosen = np.atleast_1d(host(states))
    if chosen.size == 0:
        return np.zeros(0, dtype=np.intp)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise ValueError(f"{name} is {chosen.dtype}{list(chosen.shape)}: expected a list of state indices.")
    outside = chosen[(chosen < 0) | (chosen >= n)]
    if outside.size:
        raise ValueError(f"{name} names state {outside[0]}: expected 0 to {n - 1}.")
    return chosen.astype(np.intp)


def finite(x: Array, name: str) -> None:
    """Check that all numbers are finite.

    Raises:
        ValueError: naming the first index that is not.
    """
    good = abs(x) < np.inf
    if not bool(good.all()):
        where = [int(i) for i in np.argwhere(~host(good))[0]]
        raise ValueError(f"{name}{where} is {float(x[tuple(where)])}: expected finite numbers.")
