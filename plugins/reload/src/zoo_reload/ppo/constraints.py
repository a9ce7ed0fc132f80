"""The constraints as the learner sees them, and what can be said of them before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo import Problem, UnknownNameError, UsageError
from zoo.tabular import ORACLE_LIMIT, Units, attainable_range
from zoo_reload.core import Floats
from zoo_reload.ppo.config import ReloadPPOConfig

_ROUNDING = 1e-9
"""Relative to the range of what policies attain: where a threshold just beyond it is on it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Constraints:
    """N constraints s_i (J_i - b_i) <= 0, or = 0.

    Attributes:
        names: N.
        thresholds: b [N], in ``unit``.
        senses: N of "<=", ">=", "==".
        unit: "step" or "episode".
        gamma: discount of the values, None where they are not discounted.
        beyond: a sentence on each threshold that no policy can meet; only known with an exact model.
        ranges: of each J_i over all policies, [N]; None without an exact model.
    """

    names: tuple[str, ...] = ()
    thresholds: Floats
    senses: tuple[str, ...] = ()
    unit: str = "step"
    gamma: float | None = None
    beyond: tuple[str, ...] = ()
    ranges: Floats | None = None

    @classmethod
    def of(cls, problem: Problem, config: ReloadPPOConfig) -> Constraints:
        """Those of the environment, with the thresholds of the options.

        The discount of the values is the exact model's where there is one, else the learner's.

        Raises:
            UsageError: the options name an unknown constraint, or the values need a discount below 1.
        """
        spec = problem.constraints
        names = spec.names if spec else ()
        for name in config.thresholds:
            if name not in names:
                raise UnknownNameError("constraint", name, names)
        if spec is None:
            return cls(thresholds=np.zeros(0))
        own_thresholds = zip(names, spec.thresholds.tolist(), strict=True)
        thresholds = np.array([config.thresholds.get(name, own) for name, own in own_thresholds])
        gamma = None
        if spec.discounted:
            gamma = config.gamma if problem.model is None else problem.tabular.gamma
            if gamma >= 1:
                raise UsageError(f"gamma = {gamma:g}: expected less than 1, because the thresholds are discounted.")
        ranges: Floats | None = None
        beyond: tuple[str, ...] = ()
        if gamma and spec.unit == "step" and problem.model is not None and problem.tabular.r.size <= ORACLE_LIMIT:
            ranges = Units.of(problem.tabular.with_thresholds(thresholds)).signals
            beyond = _unattainable(problem, names, thresholds, spec.senses, ranges)
        return cls(
            names=names,
            thresholds=thresholds,
            senses=spec.senses,
            unit=spec.unit,
            gamma=gamma,
            beyond=beyond,
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


def _unattainable(
    problem: Problem, names: tuple[str, ...], thresholds: Floats, senses: tuple[str, ...], ranges: Floats
) -> tuple[str, ...]:
    sentences = []
    ends, slack = attainable_range(problem.tabular), _ROUNDING * ranges
    for name, b, sense, (low, high), within in zip(names, thresholds, senses, ends, slack, strict=True):
        below, above = b < low - within, b > high + within
        if (below and sense != ">=") or (above and sense != "<="):
            sentences.append(
                f"constraint {name!r} {sense} {b:g} is outside what policies attain, [{low:.6g}, {high:.6g}]."
            )
    return tuple(sentences)
