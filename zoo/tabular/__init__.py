"""Exact methods for tabular constrained Markov decision processes.

Every value here is normalised: ``J = (1 - gamma) E[sum_t gamma^t r_t]`` has the unit of one step's reward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.tabular.errors import InfeasibleCMDPError as InfeasibleCMDPError
    from zoo.tabular.errors import InvalidCMDPError as InvalidCMDPError
    from zoo.tabular.evaluation import Evaluation as Evaluation
    from zoo.tabular.evaluation import evaluate as evaluate
    from zoo.tabular.evaluation import policy_values as policy_values
    from zoo.tabular.kernel import row_tolerance as row_tolerance
    from zoo.tabular.model import TabularCMDP as TabularCMDP
    from zoo.tabular.plan import Plan as Plan
    from zoo.tabular.plan import modified_policy_iteration as modified_policy_iteration
    from zoo.tabular.plan import policy_iteration as policy_iteration
    from zoo.tabular.plan import value_iteration as value_iteration
    from zoo.tabular.program import ORACLE_LIMIT as ORACLE_LIMIT
    from zoo.tabular.program import OccupancyProgram as OccupancyProgram
    from zoo.tabular.residual import Residuals as Residuals
    from zoo.tabular.residual import residuals as residuals
    from zoo.tabular.solution import CMDPSolution as CMDPSolution
    from zoo.tabular.solve import solve_lp as solve_lp
    from zoo.tabular.transitions import from_transitions as from_transitions
    from zoo.tabular.transitions import listed_model as listed_model
    from zoo.tabular.units import Units as Units
    from zoo.tabular.units import attainable_range as attainable_range

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "errors": ("InfeasibleCMDPError", "InvalidCMDPError"),
        "evaluation": ("Evaluation", "evaluate", "policy_values"),
        "kernel": ("row_tolerance",),
        "model": ("TabularCMDP",),
        "plan": ("Plan", "modified_policy_iteration", "policy_iteration", "value_iteration"),
        "program": ("ORACLE_LIMIT", "OccupancyProgram"),
        "residual": ("Residuals", "residuals"),
        "solution": ("CMDPSolution",),
        "solve": ("solve_lp",),
        "transitions": ("from_transitions", "listed_model"),
        "units": ("Units", "attainable_range"),
    },
)
