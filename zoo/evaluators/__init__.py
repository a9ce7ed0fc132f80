"""Built-in evaluators: registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.discovery.hooks import hookimpl

if TYPE_CHECKING:
    from zoo.discovery.registration import Registrar

__all__ = ["zoo_register"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the two evaluators."""
    zoo.evaluator(
        "return",
        "zoo.evaluators.returns:ReturnEvaluator",
        config="zoo.evaluators.config:ReturnConfig",
        summary="undiscounted return of fresh episodes, with a 95 % interval",
        subject="algorithm",
    )
    zoo.evaluator(
        "constraints",
        "zoo.evaluators.constraints:ConstraintsEvaluator",
        config="zoo.evaluators.config:ConstraintsConfig",
        summary="constraint values, violations and multipliers; exact, with the optimum, on tabular models",
        subject="algorithm",
    )
