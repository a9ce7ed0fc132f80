"""Nelder and Mead's simplex search as a state machine: the caller evaluates what it proposes.

The rules are those of Lagarias et al. 1998 with the coefficients of arXiv:2310.04373 (alpha 1, gamma 2, rho 0.5,
sigma 0.5), every proposal clipped to bounds. Values are minimised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoo import UnknownNameError, UsageError

Floats = NDArray[np.float64]
Point: TypeAlias = Mapping[str, float]
Move = Literal["vertex", "reflect", "expand", "contract outside", "contract inside"]

REFLECTION, EXPANSION, CONTRACTION, SHRINKAGE = 1.0, 2.0, 0.5, 0.5
"""alpha, gamma, rho, sigma"""
_FACTORS: Mapping[Move, float] = {
    "reflect": REFLECTION,
    "expand": REFLECTION * EXPANSION,
    "contract outside": REFLECTION * CONTRACTION,
    "contract inside": -CONTRACTION,
}
"""how far beyond the centroid, seen from the worst vertex and in units of their distance"""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A measured value, its point, and the version of the policy it was measured with."""

    point: list[float]
    value: float
    version: int


class NelderMead:
    """Ask for a point, measure it, tell its value; repeat.

    Coordinates have names, so that nothing depends on their order.

    Args:
        vertices: N + 1 points of N coordinates each; they are evaluated in this order, after clipping.
        bounds: lowest and highest value of each coordinate.
        cache_tol: what ``recall`` takes as the same point: each coordinate within this fraction of the measured one.

    Raises:
        UsageError: a point is not a mapping, a number is not finite, a range is empty, or N + 1 is not the number of
            points.
        UnknownNameError: points and bounds do not name the same coordinates.
    """

    def __init__(
        self, vertices: Sequence[Point], bounds: Mapping[str, tuple[float, float]], *, cache_tol: float = 0.0
    ) -> None:
        self.names = tuple(bounds)
        low, high = (self._array({name: pair[i] for name, pair in bounds.items()}) for i in (0, 1))
        for name, least, most in zip(self.names, low, high, strict=True):
            if least > most:
                raise UsageError(f"bounds of {name!r} are {least:g} and {most:g}: expected the lower one first.")
        if len(vertices) != len(self.names) + 1:
            raise UsageError(
                f"a simplex of {len(vertices)} points: expected {len(self.names) + 1} for the coordinates "
                f"{', '.join(self.names)}."
            )
        if not (math.isfinite(cache_tol) and cache_tol >= 0):
            raise UsageError(f"cache_tol = {cache_tol}: expected a finite number of at least 0.")
        self._low, self._high, self._cache_tol = low, high, cache_tol
        self._simplex: Floats = np.stack([self._clip(self._array(vertex)) for vertex in vertices])
        self._values: Floats = np.full(len(vertices), np.inf)
        self._pending = self._simplex[0]
        self._move: Move = "vertex"
        self._vertex = 0
        """the vertex to measure next while the move is "vertex": all at the start, all but the best after a shrink"""
        self._reflected: Measurement | None = None
        self._last: Measurement | None = None

    def ask(self) -> dict[str, float]:
        """The point to measure next; the same one until ``tell``."""
        return self._named(self._pending)

    def recall(self, version: int) -> float | None:
        """The value of a point like the pending one, if it was the last one measured, and with the same policy.

        A value measured with an earlier version of the policy is never reused: the policy has changed since.
        """
        last = self._last
        if last is None or last.version != version:
            return None
        near = np.abs(self._pending - last.point) <= self._cache_tol * np.abs(last.point)
        return last.value if near.all() else None

    def tell(self, value: float, *, version: int = 0) -> None:
        """The value of the pending point, measured with the given version of the policy.

        Raises:
            UsageError: it is not finite.
        """
        if not math.isfinite(value):
            raise UsageError(f"the value of {self.ask()} is {value}: expected a finite number.")
        self._last = Measurement(point=self._pending.tolist(), value=float(value), version=version)
        if self._move == "vertex":
            self._simplex[self._vertex], self._values[self._vertex] = self._pending, value
            self._vertex += 1
            if self._vertex < len(self._values):
                self._pending = self._simplex[self._vertex]
            else:
                self._start_iteration()
        elif self._move == "reflect":
            self._after_reflection(self._last)
        else:
            self._after_second_proposal(self._last)

    def _after_reflection(self, measured: Measurement) -> None:
        best, second_worst, worst = self._values[0], self._values[-2], self._values[-1]
        if best <= measured.value < second_worst:
            self._accept(measured)
            return
        self._reflected = measured
        if measured.value < best:
            self._propose("expand")
        else:
            self._propose("contract outside" if measured.value < worst else "contract inside")

    def _after_second_proposal(self, measured: Measurement) -> None:
        reflected = self._reflected
        assert reflected is not None  # noqa: S101  a reflection came before
        better = {
            "expand": measured.value < reflected.value,
            "contract outside": measured.value <= reflected.value,
            "contract inside": measured.value < self._values[-1],
        }[self._move]
        if better:
            self._accept(measured)
        elif self._move == "expand":
            self._accept(reflected)
        else:
            self._shrink()

    def _accept(self, measured: Measurement) -> None:
        self._simplex[-1], self._values[-1] = measured.point, measured.value
        self._start_iteration()

    def _start_iteration(self) -> None:
        order = np.argsort(self._values, kind="stable")
        self._simplex, self._values = self._simplex[order], self._values[order]
        self._reflected = None
        self._propose("reflect")

    def _propose(self, move: Move) -> None:
        centroid, worst = self._simplex[:-1].mean(axis=0), self._simplex[-1]
        self._move = move
        factor = _FACTORS[move]
        self._pending = self._clip((1 + factor) * centroid - factor * worst)

    def _shrink(self) -> None:
        best = self._simplex[0]
        self._simplex = self._clip(best + SHRINKAGE * (self._simplex - best))
        self._move, self._vertex, self._reflected = "vertex", 1, None
        self._pending = self._simplex[1]

    @property
    def best(self) -> tuple[dict[str, float], float]:
        """The best vertex and its value; infinite while none has been measured."""
        index = int(np.argmin(self._values))
        return self._named(self._simplex[index]), float(self._values[index])

    @property
    def spread(self) -> float:
        """Standard deviation (over N + 1) of the vertices' values; infinite while some are not known.

        After a shrink, those that are being measured anew count with their old values.
        """
        return float(self._values.std()) if np.isfinite(self._values).all() else math.inf

    @property
    def settled(self) -> bool:
        """Whether all vertices have been measured where they are: the only moment to judge ``spread``."""
        return self._move == "reflect"

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, as plain data."""
        return {
            "names": list(self.names),
            "simplex": self._simplex.tolist(),
            # JSON knows no infinity: None is a vertex that was not measured yet.
            "values": [value if math.isfinite(value) else None for value in self._values.tolist()],
            "pending": self._pending.tolist(),
            "move": self._move,
            "vertex": self._vertex,
            "reflected": asdict(self._reflected) if self._reflected else None,
            "last": asdict(self._last) if self._last else None,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``; bounds and tolerance are those of the constructor.

        Raises:
            UsageError: the state has other coordinates.
        """
        if tuple(state["names"]) != self.names:
            raise UsageError(
                f"this state is of the coordinates {', '.join(state['names'])}: expected {', '.join(self.names)}."
            )
        self._simplex = np.array(state["simplex"], dtype=np.float64)
        self._values = np.array([np.inf if value is None else value for value in state["values"]])
        self._pending = np.array(state["pending"], dtype=np.float64)
        self._move, self._vertex = state["move"], int(state["vertex"])
        self._reflected = Measurement(**state["reflected"]) if state["reflected"] else None
        self._last = Measurement(**state["last"]) if state["last"] else None

    def _clip(self, points: Floats) -> Floats:
        return np.clip(points, self._low, self._high)

    def _named(self, point: Floats) -> dict[str, float]:
        return dict(zip(self.names, point.tolist(), strict=True))

    def _array(self, point: Point) -> Floats:
        if not isinstance(point, Mapping):
            raise UsageError(f"a point is {point!r}: expected a mapping such as {{{self.names[0]!r}: 0.5}}.")
        for name in point:
            if name not in self.names:
                raise UnknownNameError("coordinate", name, self.names)
        for name in self.names:
            if name not in point:
                raise UsageError(f"a point has no coordinate {name!r}: expected {', '.join(self.names)}.")
        array = np.array([float(point[name]) for name in self.names])
        if not np.isfinite(array).all():
            raise UsageError(f"a point is {dict(point)}: expected finite numbers.")
        return array
