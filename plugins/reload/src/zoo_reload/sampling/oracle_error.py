"""The distance of a tabular policy from the exact optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zoo import Problem
from zoo.tabular import ORACLE_LIMIT, InfeasibleCMDPError, TabularCMDP, policy_values, solve_lp
from zoo_reload.core import Floats
from zoo_reload.sampling.constraints import Constraints


@dataclass(frozen=True, eq=False)
class Oracle:
    """The exact model, and the optimal value under the constraints.

    Attributes:
        cmdp: the model, with the constraints' thresholds.
        constraints: the constraints.
        optimum: J*_r, of the linear program.
    """

    cmdp: TabularCMDP
    constraints: Constraints
    optimum: float

    @classmethod
    def of(cls, problem: Problem, constraints: Constraints) -> Oracle | None:
        """The oracle of an environment.

        Returns:
            None where there is no exact model, it is too large to be solved by default, or no policy is feasible.
        """
        if problem.model is None or constraints.gamma is None or constraints.unit != "step":
            return None
        cmdp = replace(problem.tabular, b=constraints.thresholds)
        if cmdp.r.size > ORACLE_LIMIT:
            return None
        try:
            return cls(cmdp, constraints, solve_lp(cmdp).value)
        except InfeasibleCMDPError:
            return None

    def err(self, policy: Floats) -> float:
        """max(|J_r - J*_r|, max_i violation_i) of ``policy`` [S, A] (docs/methods/reload.md, equation 7)."""
        J = policy_values(self.cmdp, policy) @ self.cmdp.rho
        return float(max(abs(J[0] - self.optimum), self.constraints.violation(J[1:]).max(initial=0.0)))
