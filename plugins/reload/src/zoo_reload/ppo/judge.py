"""How far a policy on states is from the exact optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zoo import Problem
from zoo.tabular import ORACLE_LIMIT, InfeasibleCMDPError, TabularCMDP, policy_values, solve_lp
from zoo_reload.core import Floats
from zoo_reload.ppo.limits import Limits


@dataclass(frozen=True, eq=False)
class Judge:
    """Knows the model and the optimal value under the limits.

    Attributes:
        cmdp: the model, with the limits' thresholds.
        limits: the constraints.
        optimum: J*_r, of the linear program.
    """

    cmdp: TabularCMDP
    limits: Limits
    optimum: float

    @classmethod
    def of(cls, problem: Problem, limits: Limits) -> Judge | None:
        """None where there is no model, one too large to be solved unasked, or no policy that meets the limits."""
        if problem.model is None or limits.gamma is None or limits.unit != "step":
            return None
        cmdp = replace(problem.tabular, b=limits.thresholds)
        if cmdp.r.size > ORACLE_LIMIT:
            return None
        try:
            return cls(cmdp, limits, solve_lp(cmdp).value)
        except InfeasibleCMDPError:
            return None

    def err(self, policy: Floats) -> float:
        """max(|J_r - J*_r|, max_i violation_i) of ``policy`` [S, A] (docs/methods/reload.md, equation 7)."""
        J = policy_values(self.cmdp, policy) @ self.cmdp.rho
        return float(max(abs(J[0] - self.optimum), self.limits.violation(J[1:]).max(initial=0.0)))
