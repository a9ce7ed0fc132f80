"""What the rollouts of one member measured, in order: for oscillation, and for doubts about feasibility."""

from __future__ import annotations

import numpy as np

from zoo import Outcome
from zoo_reload.core import Floats
from zoo_reload.history import pushed_in_vain
from zoo_reload.ppo.constraints import Constraints


class RolloutHistory:
    """Rows of penalised return, violations and stepped variables, one for each rollout in which an episode ended."""

    def __init__(self, num_constraints: int) -> None:
        self._n = num_constraints
        self._rows: list[Floats] = []

    def add(self, penalised_return: float, violation: Floats, x: Floats) -> None:
        """Append one row; the violations [N] are those before the step that led to x [N]."""
        self._rows.append(np.concatenate([[penalised_return], violation, x]))

    @property
    def rows(self) -> Floats:
        """[rows, 1 + 2N]."""
        return np.array(self._rows).reshape(-1, 1 + 2 * self._n)

    def load(self, rows: Floats) -> None:
        """Replace everything by ``rows``, as ``rows`` returned them."""
        self._rows = list(np.array(rows, dtype=np.float64))

    def oscillation(self) -> float:
        """Largest less smallest penalised return over the last half of the rows; needs at least one."""
        half = [row[0] for row in self._rows[len(self._rows) // 2 :]]
        return float(max(half) - min(half))

    def outcome(self, constraints: Constraints, tol: float, bounds: Floats) -> Outcome | None:
        """What is to be said against the run; None: nothing, and convergence is not claimed either.

        Args:
            constraints: the constraints.
            tol: violations count above ten times this, relative to the range of what policies attain where that is
                known, else in the unit of the constraint.
            bounds: largest |x|, [N].
        """
        if constraints.beyond:
            return Outcome("infeasible_suspected", " ".join(constraints.beyond))
        if not self._rows:
            return None
        recent = np.array(self._rows[3 * len(self._rows) // 4 :])
        violation, x = recent[:, 1 : 1 + self._n], recent[:, 1 + self._n :]
        units = 1.0 if constraints.ranges is None else constraints.ranges
        in_vain = pushed_in_vain(violation / units, x, tol, bounds)
        capped = np.abs(x[-1]) >= bounds
        at_cap = "; ".join(f"the multiplier of {constraints.names[i]!r} is at its cap" for i in np.flatnonzero(capped))
        if in_vain.any():
            worst = int(np.argmax(np.where(in_vain, violation[-1], -1.0)))
            stays = f"constraint {constraints.names[worst]!r} stays violated, now by {violation[-1, worst]:.3g}"
            return Outcome("infeasible_suspected", f"{'; '.join(filter(None, [stays, at_cap]))}.")
        return Outcome("not_converged", f"{at_cap}.") if at_cap else None
