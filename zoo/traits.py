"""Declarations of an environment: its constraints, rewards that diminish, the grid its states lie on.

An environment need not use these classes: any object with the same attributes will do, and is checked by ``of``.
Like ``zoo.api``, this module imports no numpy at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import InterfaceError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SENSES = ("<=", ">=", "==")


@dataclass(frozen=True, eq=False)
class ConstraintSpec:
    """The constraints of an environment (docs/interfaces.md); ``len(names)`` may be 0.

    Attributes:
        names: K distinct names, in the order of ``info["constraints"]``.
        thresholds: float64[K], in ``unit``.
        senses: K of ``"<="``, ``">="``, ``"=="``: how the signal's value must stand to the threshold.
        unit: ``"step"``: thresholds bound the per-step average; ``"episode"``: the sum over an episode.
        discounted: whether the value is the normalised discounted sum rather than the plain average.

    Raises:
        InterfaceError: lengths differ, a name repeats, a threshold is not finite, a sense or unit is unknown.
    """

    names: tuple[str, ...]
    thresholds: np.ndarray
    senses: tuple[str, ...]
    unit: str = "step"
    discounted: bool = True

    def __post_init__(self) -> None:
        import numpy as np

        thresholds = np.array(self.thresholds, dtype=np.float64)
        thresholds.flags.writeable = False
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "senses", tuple(self.senses))
        object.__setattr__(self, "thresholds", thresholds)
        count = len(self.names)
        if thresholds.shape != (count,) or len(self.senses) != count:
            raise InterfaceError(
                f"constraint_spec has {count} names, thresholds of shape {thresholds.shape} and "
                f"{len(self.senses)} senses: expected one threshold and one sense for each name."
            )
        if len(set(self.names)) != count:
            raise InterfaceError(f"constraint_spec names a constraint twice: {', '.join(self.names)}.")
        for name, threshold, sense in zip(self.names, thresholds, self.senses, strict=True):
            if sense not in SENSES:
                raise InterfaceError(f"constraint {name!r} has sense {sense!r}: expected one of {', '.join(SENSES)}.")
            if not np.isfinite(threshold):
                raise InterfaceError(f"constraint {name!r} has threshold {threshold}: expected a finite number.")
        if self.unit not in ("step", "episode"):
            raise InterfaceError(f"constraint_spec has unit {self.unit!r}: expected 'step' or 'episode'.")

    @classmethod
    def of(cls, spec: Any) -> ConstraintSpec:
        """The same constraints as ``spec``, any object with these attributes, checked."""
        if isinstance(spec, cls):
            return spec
        try:
            return cls(spec.names, spec.thresholds, spec.senses, spec.unit, bool(spec.discounted))
        except AttributeError as error:
            raise InterfaceError(f"constraint_spec lacks the attribute {error.name!r}.") from None


@dataclass(frozen=True, eq=False)
class DiminishingRewards:
    """Rewards that shrink with each visit: the k-th counted visit to state s (k = 0, 1, ...) pays base[s] lam[s]^k.

    It is paid on arrival, and counted then; counts are of one episode (Moskovitz et al. 2023, arXiv 2309.03710). The
    observation does not hold them, and ``model().r`` is the expected reward where no visit has been counted.

    Attributes:
        base: float64[S], what the first counted visit pays.
        lam: float64[S], factor per visit, in [0, 1]; a single number is meant for every state.
        count_start: whether being in a state at t = 0 counts as a visit (it never pays).
        recovery: one visit to a state is forgotten whenever this many steps have passed since the last arrival there or
            the last visit that was forgotten; None: rewards do not come back.

    Raises:
        InterfaceError: a shape does not fit, a number is not finite, a factor is outside [0, 1], a recovery is below 1.
    """

    base: NDArray[np.float64]
    lam: NDArray[np.float64]
    count_start: bool = False
    recovery: int | None = None

    def __post_init__(self) -> None:
        import numpy as np

        base = _floats("diminishing.base", self.base)
        if base.ndim != 1 or not base.size:
            raise InterfaceError(f"diminishing.base has shape {base.shape}: expected one number for each state.")
        lam = _floats("diminishing.lam", self.lam)
        if lam.shape not in ((), base.shape):
            raise InterfaceError(f"diminishing.lam has shape {lam.shape}: expected one number, or {base.shape}.")
        bad = np.flatnonzero((lam < 0) | (lam > 1))
        if bad.size:
            where = f"[{bad[0]}]" if lam.ndim else ""
            raise InterfaceError(f"diminishing.lam{where} = {lam.flat[bad[0]]}: expected a factor in [0, 1].")
        lam = np.broadcast_to(lam, base.shape).copy()
        for name, array in (("base", base), ("lam", lam)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "count_start", bool(self.count_start))
        if self.recovery is not None and not (isinstance(self.recovery, int) and self.recovery >= 1):
            raise InterfaceError(
                f"diminishing.recovery = {self.recovery!r}: expected an integer of at least 1, or None."
            )

    @property
    def num_states(self) -> int:
        """The number of states, S."""
        return int(self.base.size)

    @classmethod
    def of(cls, spec: Any) -> DiminishingRewards:
        """The same as ``spec``, any object with these attributes, checked."""
        if isinstance(spec, cls):
            return spec
        try:
            return cls(spec.base, spec.lam, spec.count_start, getattr(spec, "recovery", None))
        except AttributeError as error:
            raise InterfaceError(f"diminishing lacks the attribute {error.name!r}.") from None


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the states of an environment lie on a board of R rows and C columns; cell = row * C + column.

    Attributes:
        walls: bool[R, C], True where no state can be.
        cells: int64[S], the cell of each state, strictly increasing.

    Raises:
        InterfaceError: the shapes are wrong, or a state lies outside the board, in a wall or not in order.
    """

    walls: NDArray[np.bool_]
    cells: NDArray[np.int64]

    def __post_init__(self) -> None:
        import numpy as np

        walls, cells = np.array(self.walls), np.array(self.cells)
        if walls.ndim != 2 or not walls.size or walls.dtype != np.bool_:
            raise InterfaceError(f"grid.walls is {walls.dtype} of shape {walls.shape}: expected booleans [R, C].")
        if cells.ndim != 1 or not cells.size or cells.dtype.kind not in "iu":
            raise InterfaceError(f"grid.cells is {cells.dtype} of shape {cells.shape}: expected integers [S].")
        cells = cells.astype(np.int64)
        outside = np.flatnonzero((cells < 0) | (cells >= walls.size))
        if outside.size:
            state = outside[0]
            raise InterfaceError(
                f"grid.cells[{state}] = {cells[state]}: expected a cell from 0 to {walls.size - 1}, row * C + column."
            )
        inside = np.flatnonzero(walls.ravel()[cells])
        if inside.size:
            raise InterfaceError(f"grid.cells[{inside[0]}] = {cells[inside[0]]}: this cell is a wall.")
        unordered = np.flatnonzero(np.diff(cells) <= 0)
        if unordered.size:
            raise InterfaceError(f"grid.cells is not strictly increasing at state {unordered[0] + 1}.")
        for name, array in (("walls", walls), ("cells", cells)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def num_states(self) -> int:
        """The number of states, S."""
        return int(self.cells.size)

    def state(self, cell: int) -> int:
        """The state that lies in ``cell``.

        Raises:
            UsageError: the cell is outside the board, or no state lies in it; the nearest that is one is named
                (fewest steps between neighbours, walls ignored; the lowest of several).
        """
        import numpy as np

        rows, columns = self.walls.shape
        if not 0 <= cell < rows * columns:
            raise UsageError(
                f"cell {cell} is outside the grid of {rows} x {columns} cells: expected 0 to {rows * columns - 1}."
            )
        state = int(np.searchsorted(self.cells, cell))
        if state < self.num_states and self.cells[state] == cell:
            return state
        (row, column), (r, c) = divmod(cell, columns), np.divmod(self.cells, columns)
        nearest = self.cells[np.argmin(np.abs(r - row) + np.abs(c - column))]
        if self.walls[row, column]:
            raise UsageError(f"cell {cell} is a wall; the nearest free cell is {nearest}.")
        raise UsageError(f"no state lies in cell {cell}; the nearest cell with one is {nearest}.")

    @classmethod
    def of(cls, spec: Any) -> Grid:
        """The same as ``spec``, any object with these attributes, checked."""
        if isinstance(spec, cls):
            return spec
        try:
            return cls(spec.walls, spec.cells)
        except AttributeError as error:
            raise InterfaceError(f"grid lacks the attribute {error.name!r}.") from None


def _floats(name: str, value: Any) -> NDArray[np.float64]:
    """A float64 copy.

    Raises:
        InterfaceError: it holds something else, or a number that is not finite.
    """
    import numpy as np

    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InterfaceError(f"{name} is not an array of numbers: {error}.") from None
    if not np.isfinite(array).all():
        where = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise InterfaceError(f"{name}{where if where else ''} is not finite.")
    return array
