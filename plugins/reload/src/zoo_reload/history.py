"""What the checks of one trajectory found, and what a last-iterate claim may be judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats

_FIELDS = 3  # iteration, kkt, err; then N violations and N multipliers


@dataclass(frozen=True, eq=False)
class Check:
    """One judgement of one iterate, everything in the environment's own unit.

    Attributes:
        iteration: k.
        kkt: optimality residual that needs no linear program.
        err: distance from the optimum, None without an oracle.
        violation: ``[N]``, at least 0.
        mu: multipliers ``[N]``.
    """

    iteration: int
    kkt: float
    err: float | None
    violation: Floats
    mu: Floats


class History:
    """The checks of one trajectory in order."""

    def __init__(self, num_constraints: int) -> None:
        self.num_constraints = num_constraints
        self._rows = np.empty((64, _FIELDS + 2 * num_constraints))
        self._count = 0

    def add(self, check: Check) -> None:
        """Append ``check``."""
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        # The state of a run must hold finite numbers only, and no distance is negative.
        err = -1.0 if check.err is None else check.err
        head = np.array([check.iteration, check.kkt, err])
        self._rows[self._count] = np.concatenate([head, check.violation, check.mu])
        self._count += 1

    def copy(self) -> History:
        """An independent copy."""
        other = History(self.num_constraints)
        other.load(self.rows)
        return other

    @property
    def rows(self) -> Floats:
        """``[checks, 3 + 2N]``: iteration, kkt, err (-1 without an oracle), violations, multipliers."""
        return self._rows[: self._count].copy()

    def load(self, rows: Floats) -> None:
        """Replace everything by ``rows``, as ``rows`` returned them."""
        self._count = len(rows)
        self._rows = np.empty((max(64, self._count), _FIELDS + 2 * self.num_constraints))
        self._rows[: self._count] = rows

    def _column(self, index: int) -> Floats:
        return self._rows[: self._count, index]

    def _last(self, share: float) -> NDArray[np.bool_]:
        iterations = self._column(0)
        mask: NDArray[np.bool_] = iterations >= (1.0 - share) * iterations[-1]
        return mask

    def kkt(self, share: float = 1.0) -> Floats:
        """``kkt`` of the checks in the last ``share`` of the iterations."""
        return self._column(1)[self._last(share)]

    def recent_kkt(self, count: int = 3) -> float:
        """Worst ``kkt`` of the last ``count`` checks: one lucky point of a cycle does not count as progress."""
        return float(self._column(1)[-count:].max())

    def oscillation(self) -> float:
        """``max err`` over the checks of the last half of the iterations (section 4); needs an oracle."""
        return float(self._column(2)[self._last(0.5)].max())

    def within_since(self, tol: float) -> int | None:
        """The iteration from which ``kkt <= tol`` at every check to the end; None if the last check fails."""
        failed = np.flatnonzero(~(self._column(1) <= tol))
        first = int(failed[-1]) + 1 if len(failed) else 0
        return int(self._column(0)[first]) if first < self._count else None

    def pushed_in_vain(self, tol: float, caps: Floats) -> NDArray[np.bool_]:
        """Constraints that look infeasible: the rule of section 3 over the last quarter of the iterations.

        Args:
            tol: a violation counts above ``10 * tol``.
            caps: largest multipliers ``[N]``.

        Returns:
            ``[N]``: violated at every check, with |multiplier| risen at every check or at its cap.
        """
        N = self.num_constraints
        recent = self._rows[: self._count][self._last(0.25)]
        return pushed_in_vain(recent[:, _FIELDS : _FIELDS + N], recent[:, _FIELDS + N :], tol, caps)


def pushed_in_vain(violation: Floats, mu: Floats, tol: float, caps: Floats) -> NDArray[np.bool_]:
    """Which constraints stay violated although their multipliers do what they can (section 3).

    Args:
        violation: at n consecutive checks, ``[n, N]``.
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
