"""What the checks of one trajectory found, and what a last-iterate claim may be judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats

_FIELDS = 3  # iteration, kkt, err; then N violations and N multipliers
_JUDGED = 3  # after these: relative kkt, relative err, step


@dataclass(frozen=True, eq=False)
class Check:
    """One judgement of one iterate, in the environment's own unit where nothing else is said.

    Attributes:
        iteration: k, of the trajectory.
        step: of the run, whose steps are those of all trajectories together.
        kkt: optimality residual that needs no linear program.
        err: distance from the optimum, None without an oracle.
        violation: ``[N]``, at least 0.
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
        self._rows = np.empty((64, _FIELDS + 2 * num_constraints + _JUDGED))
        self._count = 0

    def add(self, check: Check) -> None:
        """Append ``check``."""
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        # The state of a run must hold finite numbers only, and no distance is negative.
        err, relative = (-1.0 if x is None else x for x in (check.err, check.relative[1]))
        head = np.array([check.iteration, check.kkt, err])
        judged = np.array([check.relative[0], relative, check.step])
        self._rows[self._count] = np.concatenate([head, check.violation, check.mu, judged])
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
        """Replace everything by ``rows``, as ``rows`` returned them.

        Runs of zoo-reload 0.1 kept no relative numbers: theirs are bounded by the ``smallest`` of the units.
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

        A lucky arc of a cycle is no progress.
        """
        k = self._column(0)
        return float(self._column(-3)[k >= k[-1] - min(window, k[-1] / 2)].max())

    def oscillation(self) -> float:
        """Largest ``err`` of the last half of the iterations (docs/methods/reload.md, equation 8); needs an oracle."""
        return float(self._column(2)[self._last(0.5)].max())

    def within_since(self, tol: float, err_tol: float) -> tuple[int, int] | None:
        """Iteration and step from which both hold at every check to the end; None if the last check fails.

        Relative ``kkt <= tol``, and relative ``err <= err_tol`` where it is known.
        """
        failed = np.flatnonzero(~((self._column(-3) <= tol) & (self._column(-2) <= err_tol)))
        first = int(failed[-1]) + 1 if len(failed) else 0
        return (int(self._column(0)[first]), int(self._column(-1)[first])) if first < self._count else None

    def pushed_in_vain(self, tol: float, caps: Floats, units: Floats) -> NDArray[np.bool_]:
        """Constraints that look infeasible: the rule of docs/methods/reload.md, section 2.

        Args:
            tol: a violation counts above ``10 * tol * units``.
            caps: largest multipliers ``[N]``.
            units: of the violations, ``[N]``.

        Returns:
            ``[N]``: violated at every check, with |multiplier| risen at every check or at its cap.
        """
        N = self.num_constraints
        recent = self._rows[: self._count][self._last(0.25)]
        violation, mu = recent[:, _FIELDS : _FIELDS + N], recent[:, _FIELDS + N : _FIELDS + 2 * N]
        return pushed_in_vain(violation / units, mu, tol, caps)


def pushed_in_vain(violation: Floats, mu: Floats, tol: float, caps: Floats) -> NDArray[np.bool_]:
    """Which constraints stay violated although their multipliers do what they can (docs/methods/reload.md, section 2).

    Args:
        violation: at n consecutive checks, relative to the range of the constraint's value, ``[n, N]``.
        mu: multipliers at these checks, ``[n, N]``.
        tol: a violation counts above ``10 * tol``.
        caps: largest multipliers ``[N]``.

    Returns:
        ``[N]``: violated at every check, with |multiplier| risen at every check or at its cap; of fewer than
        five checks nothing is concluded.
    """
    size = np.abs(mu)
    rising = (np.diff(size, axis=0) > 0) | (size[1:] >= caps * (1 - 1e-12))
    return np.asarray((violation > 10 * tol).all(axis=0) & rising.all(axis=0) & (len(violation) >= 5))
