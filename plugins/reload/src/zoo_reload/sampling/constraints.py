"""The constraints of the learner, and a check before learning that some policy can meet each threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo import Problem, UnknownNameError, UsageError
from zoo.tabular import ORACLE_LIMIT, Units, attainable_range
from zoo_reload.core import Floats

_ROUNDING = 1e-9
"""tolerance, relative to the range that policies attain, within which a threshold counts as in the range"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Constraints:
    """N constraints s_i (J_i - b_i) <= 0, or = 0.

    Attributes:
        names: the names of the N constraints.
        thresholds: b [N], per ``unit``.
        senses: "<=", ">=" or "==" for each constraint.
        unit: "step" or "episode".
        gamma: discount of the values, None where they are not discounted.
        unattainable: a sentence for each threshold that no policy can meet; empty without an exact model.
        ranges: range of each J_i over all policies, [N]; None without an exact model.
    """

    names: tuple[str, ...] = ()
    thresholds: Floats
    senses: tuple[str, ...] = ()
    unit: str = "step"
    gamma: float | None = None
    unattainable: tuple[str, ...] = ()
    ranges: Floats | None = None

    @classmethod
    def of(cls, problem: Problem, given: Mapping[str, float], discount: float) -> Constraints:
        """The constraints of the environment.

        Args:
            problem: the environment's.
            given: constraint name to threshold, in place of the environment's own.
            discount: the learner's, in [0, 1]; that of values is the exact model's where there is one.

        Raises:
            UsageError: the thresholds name an unknown constraint, or the values need a discount below 1.
        """
        spec = problem.constraints
        names = spec.names if spec else ()
        for name in given:
            if name not in names:
                raise UnknownNameError("constraint", name, names)
        if spec is None:
            return cls(thresholds=np.zeros(0))
        own_thresholds = zip(names, spec.thresholds.tolist(), strict=True)
        thresholds = np.array([given.get(name, own) for name, own in own_thresholds])
        gamma = None
        if spec.discounted:
            gamma = discount if problem.model is None else problem.tabular.gamma
            if gamma >= 1:
                raise UsageError(f"gamma = {gamma:g}: expected less than 1, because the thresholds are discounted.")
        ranges: Floats | None = None
        unattainable: tuple[str, ...] = ()
        if gamma and spec.unit == "step" and problem.model is not None and problem.tabular.r.size <= ORACLE_LIMIT:
            ranges = Units.of(problem.tabular.with_thresholds(thresholds)).signals
            unattainable = _describe_unattainable(problem, names, thresholds, spec.senses, ranges)
        return cls(
            names=names,
            thresholds=thresholds,
            senses=spec.senses,
            unit=spec.unit,
            gamma=gamma,
            unattainable=unattainable,
            ranges=ranges,
        )

    @property
    def sign(self) -> Floats:
        """s_i [N]."""
        return np.array([-1.0 if sense == ">=" else 1.0 for sense in self.senses])

    @property
    def equality(self) -> NDArray[np.bool_]:
        """Where the sense is "==", [N]."""
        return np.array([sense == "==" for sense in self.senses], dtype=bool)

    def gradient(self, J: Floats) -> Floats:
        """g_i = s_i (J_i - b_i), positive is bad; [S, N] for values [S, N]."""
        return np.asarray(self.sign * (J - self.thresholds))

    def violation(self, J: Floats) -> Floats:
        """max(g_i, 0), or |g_i| for equalities; [S, N]."""
        g = self.gradient(J)
        return np.where(self.equality, np.abs(g), np.maximum(g, 0.0))


def _describe_unattainable(
    problem: Problem, names: tuple[str, ...], thresholds: Floats, senses: tuple[str, ...], ranges: Floats
) -> tuple[str, ...]:
    sentences = []
    attainable, tolerances = attainable_range(problem.tabular), _ROUNDING * ranges
    for name, b, sense, (low, high), tolerance in zip(names, thresholds, senses, attainable, tolerances, strict=True):
        below, above = b < low - tolerance, b > high + tolerance
        if (below and sense != ">=") or (above and sense != "<="):
            sentences.append(
                f"constraint {name!r} {sense} {b:g} is outside what policies attain, [{low:.6g}, {high:.6g}]."
            )
    return tuple(sentences)
