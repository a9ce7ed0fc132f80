"""The constrained Markov decision process as arrays: the object that every exact method here works on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from zoo.errors import UsageError
from zoo.tabular.elimination import fills_up
from zoo.tabular.errors import InvalidCMDPError
from zoo.tabular.kernel import (
    ROW_SUM_TOLERANCE,
    as_array,
    distribution,
    expected_signal,
    kernel,
    read_only,
    read_only_csr,
    real,
    with_absorbing_states,
)
from zoo.terminal.streams import brief

SENSES = ("<=", ">=", "==")
_ENVIRONMENT = "zoo/Tabular-v0"


def _none() -> NDArray[np.float64]:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class TabularCMDP:
    """Maximise ``J_r`` subject to ``J_i sense_i b_i`` for every constraint ``i``.

    All values are normalised, ``J = (1 - gamma) E[sum_t gamma^t r_t]``: thresholds bound an average per step.
    The arrays are copied, checked and made read-only on construction.

    Args:
        P: transition kernel, dense ``[S, A, S]``, or dense or sparse ``[S*A, S]`` with row ``s*A + a``, or a list of
            one matrix ``[S, S]`` for each action; rows sum to 1 as precisely as they came (within 1e-8 in double
            precision), or to 0 in states that end an episode.
        r: task reward, ``[S, A]``, or of each transition, ``[S, A, S]``: its expectation is kept.
        gamma: discount, in [0, 1).
        rho: distribution of the first state, ``[S]``.
        c: constraint signals, ``[N, S, A]`` or ``[N, S, A, S]``.
        b: thresholds, ``[N]``, in the unit of one step's signal.
        senses: one of ``"<="``, ``">="``, ``"=="`` for each constraint.
        names: one name for each constraint; ``c0, c1, ...`` when empty.
        terminal: which states end an episode, ``[S]``; a state without any successor does, whether named or not. Such
            a state pays nothing (``r = 0``, ``c = 0``) and is kept as one that stays (``P[s, a, s] = 1``), so that
            values of the endless process are those of episodes.

    Raises:
        InvalidCMDPError: naming the first offending index.
    """

    P: NDArray[np.float64] | sp.csr_array
    r: NDArray[np.float64]
    gamma: float
    rho: NDArray[np.float64]
    c: NDArray[np.float64] = field(default_factory=_none)
    b: NDArray[np.float64] = field(default_factory=_none)
    senses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    terminal: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        """Copy, check and freeze."""
        S, A = _sizes(self.r, self.rho)
        assign: Callable[[str, object], None] = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        P, terminal = with_absorbing_states(kernel(self.P, S, A), _mask(self.terminal, S))
        c = as_array("c", self.c)
        assign("P", P)
        assign("r", expected_signal("r", self.r, P, S, A))
        assign("rho", distribution("rho", self.rho))
        assign("c", expected_signal("c", np.empty((0, S, A)) if c.size == 0 and len(c) == 0 else self.c, P, S, A))
        assign("b", real("b", self.b, 1))
        assign("gamma", _discount(self.gamma))
        assign("senses", tuple(self.senses))
        assign("names", tuple(self.names) or tuple(f"c{i}" for i in range(len(self.c))))
        assign("terminal", terminal)
        self.validate()

    @property
    def num_states(self) -> int:
        """``S``."""
        return int(self.r.shape[0])

    @property
    def num_actions(self) -> int:
        """``A``."""
        return int(self.r.shape[1])

    @property
    def num_constraints(self) -> int:
        """``N``."""
        return int(self.c.shape[0])

    @cached_property
    def kernel(self) -> sp.csr_array:
        """The transition kernel as one CSR matrix ``[S*A, S]``, row ``s*A + a``; explicit zeros are left out."""
        if isinstance(self.P, sp.csr_array):
            return self.P
        return read_only_csr(sp.csr_array(self.P.reshape(-1, self.num_states)))

    @cached_property
    def dense_elimination(self) -> bool:
        """Whether ``I - gamma P_pi`` is factorised as a dense matrix, which is quicker where its factors fill up."""
        return fills_up(self.kernel)

    @cached_property
    def padded_kernel(self) -> tuple[NDArray[np.float64], NDArray[np.int32]] | None:
        """The kernel's entries and columns as ``[S*A, B]``, rows filled up with zeros; ``None`` if that doubled it.

        Taking the rows of a policy from it is a plain gather, several times quicker than from a CSR matrix.
        """
        counts = np.diff(self.kernel.indptr)
        width = int(counts.max())
        if counts.size * width > 2 * self.kernel.nnz:
            return None
        filled = np.arange(width) < counts[:, None]
        data, columns = np.zeros(filled.shape), np.zeros(filled.shape, dtype=np.int32)
        data[filled], columns[filled] = self.kernel.data, self.kernel.indices
        return data, columns

    @cached_property
    def rewards(self) -> NDArray[np.float64]:
        """Task reward and constraint signals stacked, ``[N+1, S, A]``: row 0 is the reward."""
        return read_only(np.concatenate([self.r[None], self.c]))

    @cached_property
    def signs(self) -> NDArray[np.float64]:
        """``s_i``: +1 for ``<=`` and ``==``, -1 for ``>=``; a positive ``s_i (J_i - b_i)`` is bad."""
        return read_only(np.array([-1.0 if sense == ">=" else 1.0 for sense in self.senses]))

    @cached_property
    def equality(self) -> NDArray[np.bool_]:
        """Which constraints are equalities, ``[N]``."""
        mask = np.array([sense == "==" for sense in self.senses], dtype=np.bool_)
        mask.setflags(write=False)
        return mask

    def lagrangian_reward(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """``r - sum_i mu_i s_i c_i`` for the multipliers ``mu [N]``, shape ``[S, A]``."""
        return self.r - np.tensordot(mu * self.signs, self.c, axes=1)

    def signed_violation(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """``g_i = s_i (J_i - b_i)`` for ``costs = (J_1, ..., J_N)``; positive is bad."""
        return self.signs * (costs - self.b)

    def violation(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """``max(g_i, 0)`` for inequalities, ``|g_i|`` for equalities, ``[N]``."""
        g = self.signed_violation(costs)
        return np.where(self.equality, np.abs(g), np.maximum(g, 0.0))

    def validate(self) -> None:
        """Check every array.

        Raises:
            InvalidCMDPError: for the first negative or non-finite probability, row sum off by more than 1e-8, start
                distribution that does not sum to 1, discount outside [0, 1), wrong shape, non-finite ``r``, ``c`` or
                ``b``, unknown sense, repeated name, terminal state that can be left or pays.
        """
        S, A = self.r.shape
        N = len(self.c)
        _expect_shape("rho", self.rho, (S,))
        _expect_shape("c", self.c, (N, S, A))
        _expect_shape("b", self.b, (N,))
        for name, count in (("senses", len(self.senses)), ("names", len(self.names))):
            if count != N:
                raise InvalidCMDPError(f"{name} has {count} entries: expected {N}, one for each constraint in c.")
        for name in ("r", "c", "b"):
            self._expect_finite(name)
        self._validate_probabilities()
        self._validate_terminal()
        for i, sense in enumerate(self.senses):
            if sense not in SENSES:
                alike = {"<": "<=", "=<": "<=", ">": ">=", "=>": ">=", "=": "=="}.get(sense, "")
                raise InvalidCMDPError(
                    f"senses[{i}] = {sense!r}: expected one of {', '.join(map(repr, SENSES))}.",
                    f"Did you mean {alike!r}?" if alike else "",
                )
        for i, constraint in enumerate(self.names):
            if not isinstance(constraint, str) or not constraint or constraint in self.names[:i]:
                raise InvalidCMDPError(f"names[{i}] = {constraint!r}: expected a non-empty name used only once.")

    def _expect_finite(self, name: str) -> None:
        values: NDArray[np.float64] = getattr(self, name)
        if not np.isfinite(values).all():
            index = _first_index(~np.isfinite(values))
            raise InvalidCMDPError(f"{name}{_index(index)} = {values[index]}: expected a finite number.")

    def _validate_probabilities(self) -> None:
        for name in ("P", "rho"):
            p: Any = getattr(self, name)
            stored: NDArray[np.float64] = p.data if sp.issparse(p) else p
            bad = ~np.isfinite(stored) | (stored < 0)
            if bad.any():
                index = _first_index(bad)
                shown = self._sparse_index(p, index[0]) if sp.issparse(p) else index
                raise InvalidCMDPError(
                    f"{name}{_index(shown)} = {stored[index]}: expected a probability, finite and not negative."
                )
        sums = np.asarray(self.P.sum(axis=-1)).reshape(self.r.shape)
        off = np.abs(sums - 1.0) > ROW_SUM_TOLERANCE
        if off.any():
            s, a = _first_index(off)
            raise InvalidCMDPError(f"P[{s}, {a}] sums to {sums[s, a]:.12g}: expected 1 within {ROW_SUM_TOLERANCE:g}.")
        if abs(self.rho.sum() - 1.0) > ROW_SUM_TOLERANCE:
            raise InvalidCMDPError(f"rho sums to {self.rho.sum():.12g}: expected 1 within {ROW_SUM_TOLERANCE:g}.")

    def _validate_terminal(self) -> None:
        states = np.flatnonzero(self.terminal)
        if not states.size:
            return
        if isinstance(self.P, sp.csr_array):
            rows = states[:, None] * self.num_actions + np.arange(self.num_actions)
            stay = np.asarray(self.P[rows.ravel(), states.repeat(self.num_actions)]).reshape(rows.shape)
        else:
            stay = self.P[states, :, states]
        for text, value, wrong in (
            ("stays with probability {:.12g}: expected 1", stay, np.abs(stay - 1.0) > ROW_SUM_TOLERANCE),
            ("has reward {:.12g}: expected 0", self.r[states], self.r[states] != 0),
            *(
                (f"has signal {name!r} {{:.12g}}: expected 0", signal[states], signal[states] != 0)
                for name, signal in zip(self.names, self.c, strict=True)
            ),
        ):
            if wrong.any():
                index, action = _first_index(wrong)
                what = text.format(value[index, action])
                raise InvalidCMDPError(f"state {states[index]} is terminal and, under action {action}, {what}.")

    def _sparse_index(self, P: sp.csr_array, entry: int) -> tuple[int, ...]:
        row = int(np.searchsorted(P.indptr, entry, side="right")) - 1
        return (*divmod(row, self.num_actions), int(P.indices[entry]))

    def with_thresholds(self, b: ArrayLike) -> TabularCMDP:
        """The same process with thresholds ``b [N]``.

        Raises:
            InvalidCMDPError: if the shape does not fit or a number is not finite.
        """
        # Everything else has been checked and what is cached does not depend on b: a sweep calls this often.
        other = copy.copy(self)
        object.__setattr__(other, "b", real("b", b, 1))
        _expect_shape("b", other.b, (self.num_constraints,))
        other._expect_finite("b")
        return other

    @classmethod
    def from_model(cls, model: object) -> TabularCMDP:
        """Read ``P, r, gamma, rho`` and, where present, ``c, b, senses, names, terminal`` from any object.

        An optional attribute that is None counts as absent.

        Raises:
            InvalidCMDPError: if an attribute is missing or does not fit.
        """
        if isinstance(model, cls):
            return model
        missing = [name for name in ("P", "r", "gamma", "rho") if not hasattr(model, name)]
        if missing:
            raise InvalidCMDPError(
                f"{type(model).__name__} is not a tabular model: it has no attribute {', '.join(missing)}.",
                "A tabular model has P, r, gamma and rho, and for constraints c, b and senses.",
            )
        optional = ("c", "b", "senses", "names", "terminal")
        arguments: dict[str, Any] = {name: getattr(model, name, None) for name in optional}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        return cls(model.P, model.r, model.gamma, model.rho, **arguments)  # type: ignore[attr-defined]

    def save(self, path: str | Path) -> None:
        """Write to ``path``, ``.npz`` or ``.json`` by suffix, whole or not at all.

        Raises:
            UsageError: for another suffix.
        """
        _storage().save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> TabularCMDP:
        """Read a file that holds ``P, r, gamma, rho`` and optionally ``c, b, sense, eq, names, terminal``.

        Raises:
            InvalidCMDPError: if the file is missing, unreadable or describes no process.
        """
        model: TabularCMDP = _storage().load(Path(path))
        return model

    def to_env(self, seed: int | None = None) -> Any:
        """A gymnasium environment that samples this process, reset with ``seed``.

        Raises:
            UsageError: if no installed package registers ``zoo/Tabular-v0``.
        """
        gymnasium = import_module("gymnasium")
        try:
            # gymnasium imports the package before the colon, which registers the environment where nobody has yet.
            known = _ENVIRONMENT in gymnasium.registry
            env = gymnasium.make(_ENVIRONMENT if known else f"zoo_envs:{_ENVIRONMENT}", model=self)
        except (ImportError, gymnasium.error.UnregisteredEnv) as error:
            raise UsageError(
                f"no environment {_ENVIRONMENT} is registered, so this process cannot be simulated.",
                "pip install zoo-envs",
            ) from error
        env.reset(seed=seed)
        return env


def _storage() -> Any:
    # The file formats build the model and the model offers them as methods, so one side is bound late.
    return import_module("zoo.tabular.storage")


def _sizes(r: Any, rho: ArrayLike) -> tuple[int, int]:
    """S and A, of a reward ``[S, A]``, ``[S, A, S]``, or sparse ``[S*A, S]``."""
    if sp.issparse(r):
        S = len(real("rho", rho, 1))
        if S and r.shape[1] == S and r.shape[0] % S == 0:
            return S, r.shape[0] // S
        r = r.toarray()
    array = real("r", r)
    if array.ndim not in (2, 3):
        raise InvalidCMDPError(f"r has {array.ndim} dimensions, shape {array.shape}: expected 2, or 3 for transitions.")
    if 0 in array.shape:
        raise InvalidCMDPError(f"r has shape {array.shape}: there must be at least one state and one action.")
    return int(array.shape[0]), int(array.shape[1])


def _mask(value: ArrayLike, length: int) -> NDArray[np.bool_]:
    """A read-only copy as booleans, ``length`` times False where ``value`` says of no state that it is terminal."""
    mask = np.array(value)
    if not mask.any():  # so that dataclasses.replace may change the number of states
        mask = np.zeros(length, dtype=np.bool_)
    if mask.dtype != np.bool_:
        raise InvalidCMDPError(f"terminal is an array of {mask.dtype}: expected {length} booleans, one for each state.")
    _expect_shape("terminal", mask, (length,))
    mask.setflags(write=False)
    return mask


def _discount(value: object) -> float:
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError("text")
        gamma = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        what = " is text" if isinstance(value, (str, bytes)) else ""
        raise InvalidCMDPError(f"gamma = {brief(repr(value))}{what}: expected a number in [0, 1).") from error
    if not 0.0 <= gamma < 1.0:
        raise InvalidCMDPError(f"gamma = {value!r}: expected a number in [0, 1).")
    return gamma


def _expect_shape(name: str, array: Any, expected_signal: tuple[int, ...]) -> None:
    if array.shape != expected_signal:
        raise InvalidCMDPError(f"{name} has shape {array.shape}: expected {expected_signal}.")


def _first_index(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"
