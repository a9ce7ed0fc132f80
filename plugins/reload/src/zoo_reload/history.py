"""The checks of one trajectory, and the statistics by which last-iterate convergence is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats

_FIELDS = 3  # iteration, kkt, err; then N violations and N multipliers
_RELATIVE_FIELDS = 3  # after these: relative kkt, relative err, step


@dataclass(frozen=True, eq=False)
class Check:
    """The residuals of one iterate, in the environment's own units unless stated otherwise.

    Attributes:
        iteration: number k of the iterate in its trajectory.
        step: step of the run, which counts the iterations of all trajectories.
        kkt: optimality residual that needs no linear program.
        err: distance from the optimum, None without an oracle.
        violation: of each constraint, ``[N]``, at least 0.
        mu: multipliers ``[N]``.
        relative: kkt and err relative to the ranges over all policies.
    """

    iteration: int
    step: int
    kkt: float
    err: float | None
    violation: Floats
    mu: Floats
    relative: tuple[float, float | None]


class History:
    """The checks of one trajectory in order."""

    def __init__(self, num_constraints: int) -> None:
        self.num_constraints = num_constraints
        self._rows = np.empty((64, _FIELDS + 2 * num_constraints + _RELATIVE_FIELDS))
        self._count = 0

    def add(self, check: Check) -> None:
        """Append ``check``."""
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        # -1 stands for an unknown err: the state of a run must hold finite numbers only, and err is at least 0.
        err, relative = (-1.0 if x is None else x for x in (check.err, check.relative[1]))
        head = np.array([check.iteration, check.kkt, err])
        tail = np.array([check.relative[0], relative, check.step])
        self._rows[self._count] = np.concatenate([head, check.violation, check.mu, tail])
        self._count += 1

    def copy(self) -> History:
        """An independent copy."""
        other = History(self.num_constraints)
        other.load(self.rows, 1.0)
        return other

    @property
    def rows(self) -> Floats:
        """``[checks, 6 + 2N]``: iteration, kkt, err, N violations, N multipliers, relative kkt and err, step.

        Without an oracle, err and relative err are -1.
        """
        return self._rows[: self._count].copy()

    def load(self, rows: Floats, smallest: float) -> None:
        """Replace everything by ``rows``, as the property ``rows`` returned them.

        Runs of zoo-reload 0.1 stored no relative residuals: they are bounded by dividing by the ``smallest`` unit.
        """
        if rows.shape[1] == _FIELDS + 2 * self.num_constraints:
            err = np.where(rows[:, 2] < 0, -1.0, rows[:, 2] / smallest)
            rows = np.column_stack([rows, rows[:, 1] / smallest, err, rows[:, 0]])
        self._count = len(rows)
        self._rows = np.empty((max(64, self._count), rows.shape[1]))
        self._rows[: self._count] = rows

    def _column(self, index: int) -> Floats:
        return self._rows[: self._count, index]

    def _last(self, share: float) -> NDArray[np.bool_]:
        iterations = self._column(0)
        mask: NDArray[np.bool_] = iterations >= (1.0 - share) * iterations[-1]
        return mask

    def kkt(self, share: float = 1.0) -> Floats:
        """Relative ``kkt`` of the checks in the last ``share`` of the iterations."""
        return self._column(-3)[self._last(share)]

    def err(self) -> float | None:
        """Relative ``err`` of the last check, None without an oracle."""
        err = float(self._column(-2)[-1])
        return None if err < 0 else err

    def recent_kkt(self, window: int = 100) -> float:
        """Worst relative ``kkt`` of the last ``window`` iterations, or of the last half of a short trajectory.

        The maximum, because a cycle also passes near the optimum now and then.
        """
        k = self._column(0)
        return float(self._column(-3)[k >= k[-1] - min(window, k[-1] / 2)].max())

    def oscillation(self) -> float:
        """Largest ``err`` of the last half of the iterations (docs/methods/reload.md, equation 8); needs an oracle."""
        return float(self._column(2)[self._last(0.5)].max())

    def converged_from(self, tol: float, err_tol: float) -> tuple[int, int] | None:
        """Iteration and step from which every check is within the tolerances; None if the last one is not.

        The tolerances: relative ``kkt <= tol``, and relative ``err <= err_tol`` where it is known.
        """
        failed = np.flatnonzero(~((self._column(-3) <= tol) & (self._column(-2) <= err_tol)))
        first = int(failed[-1]) + 1 if len(failed) else 0
        return (int(self._column(0)[first]), int(self._column(-1)[first])) if first < self._count else None

    def suspected_infeasible(self, tol: float, caps: Floats, units: Floats) -> NDArray[np.bool_]:
        """Constraints that look infeasible over the last quarter of the iterations; see ``suspected_infeasible``.

        Args:
            tol: a violation counts above ``10 * tol * units``.
            caps: largest multipliers ``[N]``.
            units: units of the violations, ``[N]``.

        Returns:
            ``bool[N]``.
        """
        N = self.num_constraints
        recent = self._rows[: self._count][self._last(0.25)]
        violation, mu = recent[:, _FIELDS : _FIELDS + N], recent[:, _FIELDS + N : _FIELDS + 2 * N]
        return suspected_infeasible(violation / units, mu, tol, caps)


def suspected_infeasible(violation: Floats, mu: Floats, tol: float, caps: Floats) -> NDArray[np.bool_]:
    """Which constraints stay violated although their multipliers rise (docs/methods/reload.md, section 2).

    Args:
        violation: at n consecutive checks, relative to the range of the constraint's value, ``[n, N]``.
        mu: multipliers at these checks, ``[n, N]``.
        tol: a violation counts above ``10 * tol``.
        caps: largest multipliers ``[N]``.

    Returns:
        ``bool[N]``: violated at every check, with |multiplier| rising at every check or at its cap; False with
        fewer than five checks.
    """
    size = np.abs(mu)
    rising = (np.diff(size, axis=0) > 0) | (size[1:] >= caps * (1 - 1e-12))
    return np.asarray((violation > 10 * tol).all(axis=0) & rising.all(axis=0) & (len(violation) >= 5))
