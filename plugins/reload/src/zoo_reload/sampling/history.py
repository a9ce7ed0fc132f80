"""Measurements of one member's rollouts in order, from which oscillation and suspected infeasibility are computed."""

from __future__ import annotations

import numpy as np

from zoo import Outcome
from zoo_reload.core import Floats
from zoo_reload.history import suspected_infeasible
from zoo_reload.sampling.constraints import Constraints


class RolloutHistory:
    """Penalised return, violations and multiplier variables x, one row for each rollout in which an episode ended."""

    def __init__(self, num_constraints: int) -> None:
        self._n = num_constraints
        self._rows: list[Floats] = []

    def add(self, penalised_return: float, violation: Floats, x: Floats) -> None:
        """Append one row; the violations [N] are those from which the step to x [N] was computed."""
        self._rows.append(np.concatenate([[penalised_return], violation, x]))

    @property
    def rows(self) -> Floats:
        """All rows, [rows, 1 + 2N]: penalised return, N violations, N variables x."""
        return np.array(self._rows).reshape(-1, 1 + 2 * self._n)

    def load(self, rows: Floats) -> None:
        """Replace everything by ``rows``, as the property ``rows`` returned them."""
        self._rows = list(np.array(rows, dtype=np.float64))

    def oscillation(self) -> float:
        """Largest minus smallest penalised return over the last half of the rows, of which there must be one."""
        half = [row[0] for row in self._rows[len(self._rows) // 2 :]]
        return float(max(half) - min(half))

    def outcome(self, constraints: Constraints, tol: float, bounds: Floats) -> Outcome | None:
        """Suspected infeasibility, or a multiplier at its cap; None: neither, which does not claim convergence.

        Args:
            constraints: the constraints.
            tol: violations count above ten times this, relative to the range that policies attain where that is
                known, else in the unit of the constraint.
            bounds: largest |x|, [N].
        """
        if constraints.unattainable:
            return Outcome("infeasible_suspected", " ".join(constraints.unattainable))
        if not self._rows:
            return None
        recent = np.array(self._rows[3 * len(self._rows) // 4 :])
        violation, x = recent[:, 1 : 1 + self._n], recent[:, 1 + self._n :]
        units = 1.0 if constraints.ranges is None else constraints.ranges
        suspected = suspected_infeasible(violation / units, x, tol, bounds)
        capped = np.abs(x[-1]) >= bounds
        at_cap = "; ".join(f"the multiplier of {constraints.names[i]!r} is at its cap" for i in np.flatnonzero(capped))
        if suspected.any():
            worst = int(np.argmax(np.where(suspected, violation[-1], -1.0)))
            sentence = f"constraint {constraints.names[worst]!r} stays violated, now by {violation[-1, worst]:.3g}"
            return Outcome("infeasible_suspected", f"{'; '.join(filter(None, [sentence, at_cap]))}.")
        return Outcome("not_converged", f"{at_cap}.") if at_cap else None
