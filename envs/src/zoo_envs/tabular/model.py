"""The exact arrays behind a tabular environment (Altman, Constrained Markov Decision Processes, 1999)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.validation import real

__all__ = ["TabularModel"]

_ROW_TOLERANCE = 1e-8
_ROUNDINGS = 8.0  # of sums of numbers in a coarser type, in units of its precision times the root of their number
DENSE_ENTRIES = 2**22
"""Kernels of up to this number of entries S*A*S are dense; larger ones stay sparse, if given as sparse."""


def _no_floats() -> NDArray[np.float64]:
    return np.zeros(0)


def _no_states() -> NDArray[np.bool_]:
    return np.zeros(0, dtype=np.bool_)


def _laws(name: str, value: object) -> NDArray[np.float64]:
    """As `_frozen`; rows of less than double precision whose sum is 1 up to rounding are normalised."""
    array = _frozen(name, value)
    divisors = _divisors(array.sum(-1), np.asarray(value).dtype, array.shape[-1]) if array.ndim else np.ones(1)
    if (divisors != 1).any():
        array = array / divisors[..., None]
        array.flags.writeable = False
    return array


def _divisors(sums: Any, dtype: np.dtype[Any], width: int) -> NDArray[np.float64]:
    """Return the sums that are 1 up to the rounding of a type coarser than double, and 1 for all other rows."""
    coarse = dtype.kind == "f" and dtype.itemsize < 8
    within = _ROUNDINGS * float(np.finfo(dtype).eps) * float(np.sqrt(width)) if coarse else 0.0
    return np.where(np.abs(sums - 1) <= within, sums, 1.0) if coarse else np.ones_like(sums)


def _ended(P: Any, terminal: NDArray[np.bool_]) -> tuple[Any, NDArray[np.bool_]]:
    """Return `P` with self-loops in states that have no successor, and the mask with these states added."""
    S = terminal.size
    sparse = not isinstance(P, np.ndarray)
    empty = np.asarray(abs(P).sum(axis=1) == 0 if sparse else (P == 0).all(-1)).reshape(S, -1)
    ends = terminal | empty.all(1)
    s, a = np.nonzero(empty & ends[:, None])
    if s.size:
        if sparse:
            P = (P + type(P)((np.ones(s.size), (s * empty.shape[1] + a, s)), shape=P.shape)).tocsr()
        else:
            P = np.array(P)
            P[s, a, s] = 1.0
            P.flags.writeable = False
        ends.flags.writeable = False
        return P, ends
    return P, terminal


def _frozen(name: str, value: object) -> NDArray[np.float64]:
    """Return a read-only float64 copy of `value`, or raise ValueError naming `name`."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a rectangular array of numbers") from None
    array.flags.writeable = False
    return array


def _first(bad: NDArray[np.bool_]) -> str:
    return str([int(i) for i in np.argwhere(bad)[0]])


def _kernel(value: Any, S: int, A: int) -> Any:
    """Return a read-only copy of the kernel: dense [S,A,S], or CSR [S*A,S] where the one given is sparse and large."""
    if not hasattr(value, "tocsr"):  # not a scipy.sparse matrix; tested without importing scipy
        P = _laws("P", value)
        return P.reshape(S, A, S) if P.shape == (S * A, S) else P
    if value.shape != (S * A, S):
        raise ValueError(f"P must have shape [{S * A}, {S}] where it is sparse, got {list(value.shape)}")
    if S * A * S <= DENSE_ENTRIES:
        return _laws("P", value.toarray()).reshape(S, A, S)
    kernel = value.tocsr().astype(np.float64, copy=True)
    kernel.sum_duplicates()
    kernel.data /= np.repeat(_divisors(np.asarray(kernel.sum(axis=1)).ravel(), value.dtype, S), np.diff(kernel.indptr))
    for part in (kernel.data, kernel.indices, kernel.indptr):
        part.flags.writeable = False
    return kernel


def _check_kernel(P: Any, A: int) -> None:
    """Raise ValueError naming the first index where `P` is not a kernel."""
    if isinstance(P, np.ndarray):
        _check_distribution("P", P)
        return
    bad = ~np.isfinite(P.data) | (P.data < 0)
    sums = np.asarray(P.sum(axis=1)).ravel()
    off = np.flatnonzero(bad)
    if off.size:
        row = int(np.searchsorted(P.indptr, off[0], side="right")) - 1
        where = [row // A, row % A, int(P.indices[off[0]])]
        raise ValueError(f"P{where} must be a finite probability of at least 0, got {P.data[off[0]]}")
    _check_sums("P", sums.reshape(-1, A))


def _check_distribution(name: str, p: NDArray[np.float64]) -> None:
    """Raise ValueError naming the first index where `p` is not a distribution along its last axis."""
    bad = ~np.isfinite(p) | (p < 0)
    if bad.any():
        raise ValueError(f"{name}{_first(bad)} must be a finite probability of at least 0, got {p[bad][0]}")
    _check_sums(name, p.sum(-1))


def _check_sums(name: str, sums: NDArray[np.float64]) -> None:
    off = np.abs(sums - 1) > _ROW_TOLERANCE
    if off.any():
        where = _first(off) if off.ndim else ""
        raise ValueError(f"{name}{where} must sum to 1 within {_ROW_TOLERANCE:g}, its sum is {sums[off].flat[0]}")


def _mask(value: object, S: int) -> NDArray[np.bool_]:
    """Return a read-only copy of the terminal mask [S]; nothing given means no state."""
    array = np.array(value)
    if array.size == 0:
        array = np.zeros(S, dtype=np.bool_)
    if array.shape != (S,) or array.dtype != np.bool_:
        raise ValueError(f"terminal must be bool of shape [{S}], got {array.dtype} of shape {list(array.shape)}")
    array.flags.writeable = False
    return array


def _check_absorbing(terminal: NDArray[np.bool_], P: Any, r: NDArray[np.float64], c: NDArray[np.float64]) -> None:
    """Raise ValueError naming the first terminal state that can be left, or that pays or signals anything."""
    states, A = np.flatnonzero(terminal), r.shape[1]
    if not states.size:
        return
    rows = P.reshape(r.size, -1) if isinstance(P, np.ndarray) else P
    own = states[:, None] * A + np.arange(A)  # [terminal states, A]
    stays = np.asarray(rows[own.ravel(), states.repeat(A)]).reshape(own.shape)
    left = (stays < 1 - _ROW_TOLERANCE).any(1)
    paid = (r[states] != 0).any(1) | (c[:, states] != 0).any((0, 2))
    for bad, what in ((left, "must lead to itself under every action"), (paid, "must have r = 0 and c = 0")):
        if bad.any():
            raise ValueError(f"terminal state {states[bad][0]} {what}")


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A constrained MDP as float64 arrays, validated and read only.

    Values are normalised: J(pi) = (1-gamma) E[sum_t gamma^t x_t], so thresholds are per-step averages.

    Attributes:
        P: kernel, rows sum to 1 within 1e-8: dense [S,A,S], or scipy CSR [S*A,S] with row s*A+a where it was given
            sparse and has more than `DENSE_ENTRIES` entries.
        r: task reward [S,A]; one of transitions, [S,A,S] with a dense kernel, is averaged over the successors.
        gamma: discount in [0,1).
        rho: start law [S].
        c: constraint signals [N,S,A].
        b: thresholds [N].
        senses: N of "<=", ">=", "==".
        names: N distinct names; c0, c1, ... if empty.
        terminal: bool [S], all False if left out; a state without any successor counts as well. An episode ends on
            arrival in such a state; in the arrays it is absorbing and pays nothing.
    """

    P: Any
    r: NDArray[np.float64]
    gamma: float
    rho: NDArray[np.float64]
    c: NDArray[np.float64] = field(default_factory=_no_floats)
    b: NDArray[np.float64] = field(default_factory=_no_floats)
    senses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    terminal: NDArray[np.bool_] = field(default_factory=_no_states)

    def __post_init__(self) -> None:
        """Validate.

        Raises:
            ValueError: a wrong shape, a negative or non-finite entry, a row that does not sum to 1, gamma
                outside [0,1), an unknown sense, or a terminal state that is left or pays; the first offending
                index is named.
        """
        r = _frozen("r", self.r)
        if r.ndim not in (2, 3) or 0 in r.shape:
            raise ValueError(f"r must have shape [S,A] with S, A at least 1, got {list(r.shape)}")
        S, A = r.shape[:2]
        P = _kernel(self.P, S, A)
        terminal = _mask(self.terminal, S)
        if P.shape in ((S, A, S), (S * A, S)):
            P, terminal = _ended(P, terminal)
        if r.ndim == 3 and isinstance(P, np.ndarray) and P.shape == r.shape == (S, A, S):
            r = _frozen("r", (P * r).sum(-1))
        rho, b = _laws("rho", self.rho), _frozen("b", self.b)
        N = b.size
        c = _frozen("c", self.c)
        if c.size == 0:
            c = c.reshape(0, S, A)
        for name, array, shape in (
            ("P", P, (S, A, S) if isinstance(P, np.ndarray) else P.shape),
            ("r", r, (S, A)),
            ("rho", rho, (S,)),
            ("b", b, (N,)),
            ("c", c, (N, S, A)),
        ):
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")
        _check_kernel(P, A)
        _check_distribution("rho", rho)
        for name, array in (("r", r), ("c", c), ("b", b)):
            bad = ~np.isfinite(array)
            if bad.any():
                raise ValueError(f"{name}{_first(bad)} must be finite, got {array[bad][0]}")
        _check_absorbing(terminal, P, r, c)
        names = tuple(self.names) or tuple(f"c{i}" for i in range(N))
        spec = ConstraintSpec(names, b, tuple(self.senses))
        values: dict[str, object] = {"P": P, "r": r, "rho": rho, "c": c, "b": spec.thresholds, "terminal": terminal}
        values |= {"names": spec.names, "senses": spec.senses}
        values |= {"gamma": real("gamma", self.gamma, 0, 1, open_above=True)}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def num_states(self) -> int:
        """The number of states, S."""
        return int(self.r.shape[0])

    @property
    def num_actions(self) -> int:
        """The number of actions, A."""
        return int(self.r.shape[1])

    @property
    def num_constraints(self) -> int:
        """The number of constraints, N."""
        return int(self.b.shape[0])

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """The constraints as an environment announces them: per step, discounted."""
        return ConstraintSpec(self.names, self.b, self.senses)

    @classmethod
    def of(cls, source: Any) -> TabularModel:
        """Return the model of any object with attributes P, r, gamma, rho, c, b, senses and names.

        `P` may be dense [S,A,S], or dense or scipy-sparse [S*A,S] with row s*A+a. An attribute `terminal` is read
        where there is one.

        Raises:
            ValueError: an attribute is missing, or the arrays are not a CMDP.
        """
        if isinstance(source, cls):
            return source
        keys = ("P", "r", "gamma", "rho", "c", "b", "senses", "names")
        missing = [key for key in keys if not hasattr(source, key)]
        if missing:
            raise ValueError(
                f"model must have the attributes {', '.join(keys)}; {type(source).__name__} lacks {', '.join(missing)}"
            )
        terminal = getattr(source, "terminal", None)
        return cls(
            **{key: getattr(source, key) for key in keys}, terminal=_no_states() if terminal is None else terminal
        )
