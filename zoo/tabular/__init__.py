"""Exact methods for tabular constrained Markov decision processes.

Every value here is normalised: ``J = (1 - gamma) E[sum_t gamma^t r_t]`` has the unit of one step's reward.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.tabular.errors import InfeasibleCMDPError, InvalidCMDPError
    from zoo.tabular.evaluation import Evaluation, evaluate, policy_values
    from zoo.tabular.kernel import row_tolerance
    from zoo.tabular.model import TabularCMDP
    from zoo.tabular.plan import Plan, modified_policy_iteration, policy_iteration, value_iteration
    from zoo.tabular.program import ORACLE_LIMIT, OccupancyProgram
    from zoo.tabular.residual import Residuals, residuals
    from zoo.tabular.solution import CMDPSolution
    from zoo.tabular.solve import solve_lp
    from zoo.tabular.transitions import from_transitions, listed_model
    from zoo.tabular.units import Units, attainable_range

__all__ = [
    "CMDPSolution",
    "Evaluation",
    "InfeasibleCMDPError",
    "InvalidCMDPError",
    "ORACLE_LIMIT",
    "OccupancyProgram",
    "Plan",
    "Residuals",
    "TabularCMDP",
    "Units",
    "attainable_range",
    "evaluate",
    "from_transitions",
    "listed_model",
    "modified_policy_iteration",
    "policy_iteration",
    "policy_values",
    "residuals",
    "row_tolerance",
    "solve_lp",
    "value_iteration",
]

_HOMES = {
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
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"zoo.tabular.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
