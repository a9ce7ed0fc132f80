"""Which evaluation of a run was the best: where there are constraints, keeping them comes before the return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import ConstraintSpec, Problem
from zoo.training.evaluate_policy import PlayedEpisodes

_ROUNDING = 1e-6  # relative; signals arrive in single precision


@dataclass(frozen=True)
class Best:
    """One evaluation, as far as it is compared with others.

    Attributes:
        step: environment steps.
        mean: mean undiscounted return.
        violations: by how much the estimate of each constraint misses its threshold, in the constraint's unit; 0 where
            it is kept. None where an older zoo did not record it.
        thresholds: of the constraints.
    """

    step: int
    mean: float
    violations: tuple[float, ...] | None = ()
    thresholds: tuple[float, ...] = ()

    @classmethod
    def judge(cls, step: int, played: PlayedEpisodes, spec: ConstraintSpec | None, gamma: float | None) -> Best:
        """The evaluation of these episodes.

        Args:
            step: environment steps.
            played: E episodes, their sums discounted by ``gamma``.
            spec: the constraints, if there are any.
            gamma: the discount; None where it is not known, and plain averages stand for discounted ones.
        """
        mean = float(played.returns.mean())
        if spec is None:
            return cls(step, mean)
        values, error = _values(played, spec, gamma)
        sign = np.array([-1.0 if sense == ">=" else 1.0 for sense in spec.senses])
        equality = np.array([sense == "==" for sense in spec.senses])
        excess = sign * (values - spec.thresholds)
        excess = np.where(equality, np.abs(excess) - 2.0 * error, excess)  # an estimate is never quite equal
        kept = excess <= _ROUNDING * np.maximum(np.abs(values), np.abs(spec.thresholds))
        return cls(step, mean, tuple(np.where(kept, 0.0, excess).tolist()), tuple(spec.thresholds.tolist()))

    @property
    def feasible(self) -> bool:
        """Whether every constraint is kept, as far as is known."""
        return self.violations is not None and not any(self.violations)

    def better_than(self, other: Best) -> bool:
        """Feasible before infeasible; then the larger return, or, where neither is feasible, the smaller violation.

        Violations of constraints in different units are added relative to their thresholds, or, where these are
        smaller, to the larger of the two violations.
        """
        if other.violations is None and self.violations:
            return True
        if self.feasible != other.feasible and other.violations is not None:
            return self.feasible
        if self.feasible or not self.violations or not other.violations:
            return self.mean > other.mean
        pairs = list(zip(self.violations, other.violations, self.thresholds, strict=True))
        mine, theirs = (sum(pair[side] / (max(*pair[:2], abs(pair[2])) or 1.0) for pair in pairs) for side in (0, 1))
        return (-mine, self.mean) > (-theirs, other.mean)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        violations = None if self.violations is None else list(self.violations)
        return {"step": self.step, "mean": self.mean, "violations": violations, "thresholds": list(self.thresholds)}

    @classmethod
    def of(cls, stored: Any) -> Best | None:
        """Read ``to_json``, or the (mean, step) of an older zoo; None for anything else."""
        try:
            if not isinstance(stored, dict):
                return None if stored is None else cls(int(stored[1]), float(stored[0]), None)
            violations = None if stored["violations"] is None else tuple(map(float, stored["violations"]))
            return cls(int(stored["step"]), float(stored["mean"]), violations, tuple(map(float, stored["thresholds"])))
        except (KeyError, IndexError, TypeError, ValueError):
            return None


def discount_of(config: Any, problem: Problem) -> float | None:
    """The discount of discounted constraints: the algorithm's own, or that of the exact model; None: not known."""
    if problem.constraints is None or not problem.constraints.discounted:
        return None
    own = getattr(config, "gamma", None)
    if isinstance(own, float) and 0.0 <= own < 1.0:
        return own
    return problem.tabular.gamma if problem.model is not None else None


def _values(
    played: PlayedEpisodes, spec: ConstraintSpec, gamma: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates [K] in the unit of the thresholds, and their standard errors [K]."""
    discounted = spec.discounted and gamma is not None
    sums = played.discounted_signals if discounted else played.signals
    if spec.unit == "step":
        weight = np.full(len(sums), 1.0 / (1.0 - gamma)) if discounted and gamma is not None else played.lengths
    else:
        weight = np.ones(len(sums))
    values = sums.sum(axis=0) / weight.sum()
    error = (sums / weight[:, None] - values).std(axis=0) / np.sqrt(max(1, len(sums) - 1))
    return values, error
