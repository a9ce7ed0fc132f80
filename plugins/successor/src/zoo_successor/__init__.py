"""Successor, first-occupancy and diminishing-reward representations: registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl
from zoo_successor.deep.registration import register as register_deep

if TYPE_CHECKING:
    from zoo import Registrar, Subject

__all__ = ["zoo_plots", "zoo_register"]

_SR = "Dayan 1993"
_FR = "Moskovitz et al. 2022, A First-Occupancy Representation for Reinforcement Learning, arXiv:2109.13863"
_LAMBDA = "Moskovitz et al. 2023, A State Representation for Diminishing Rewards, arXiv:2309.03710"
_REPRESENTATIONS = (
    ("sr", "SR", "SRConfig", "discounted visits of each state (successor representation)", _SR),
    ("fr", "FR", "SRConfig", "discount of the first visit of each state (first occupancy)", _FR),
    ("lambda", "Lambda", "LambdaConfig", "visits whose worth shrinks by lambda each time", _LAMBDA),
)
_ALGORITHMS = (
    ("sarsa", "sarsa:Sarsa", "SarsaConfig", "SARSA with an exploration bonus from the SR or the FR", 5_000, _FR),
    ("frp", "planner:FirstOccupancyPlanner", "FRPConfig", "switches between policies at subgoals", 100, _FR),
    ("value-iteration", "planner:ValueIteration", "ValueIterationConfig", "value iteration, sweep by sweep", 2_000, ""),
    ("gpi", "gpi:GeneralisedImprovement", "GPIConfig", "best of base policies, on the rewards that remain", 1, _LAMBDA),
    ("lambda-q", "lambda_q:LambdaQ", "LambdaQConfig", "Q-learning for diminishing rewards", 50_000, _LAMBDA),
    (
        "mvt",
        "foraging:MarginalValue",
        "MVTConfig",
        "when to leave a patch: the marginal value theorem",
        100,
        "Charnov 1976",
    ),
)
_EVALUATORS: tuple[tuple[str, str, str, Subject], ...] = (
    (
        "diminishing-value",
        "DiminishingValue",
        "value of diminishing rewards against counting and sampling",
        "representation",
    ),
    ("goals", "Goals", "discounted return where several goals have to be reached", "algorithm"),
)
_MODEL_FREE = ("sarsa",)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register representations, algorithms and evaluators."""
    zoo.command("rep", "zoo_successor.cli:main", summary="representations and plans, exact, without training")
    for name, attribute, config, summary, paper in _REPRESENTATIONS:
        zoo.representation(
            name,
            f"zoo_successor.tables:{attribute}",
            config=f"zoo_successor.config:{config}",
            summary=summary,
            needs=Needs(action="discrete", observation="discrete"),
            paper=paper,
            presets="zoo_successor:presets",
            steps=50_000,
        )
    for name, target, config, summary, steps, paper in _ALGORITHMS:
        zoo.algorithm(
            name,
            f"zoo_successor.{target}",
            config=f"zoo_successor.config:{config}",
            summary=summary,
            needs=Needs(action="discrete", observation="discrete", tabular=name not in _MODEL_FREE),
            paper=paper,
            presets="zoo_successor:presets",
            steps=steps,
        )
    for name, attribute, summary, subject in _EVALUATORS:
        zoo.evaluator(
            name,
            f"zoo_successor.evaluate:{attribute}",
            config=f"zoo_successor.config:{attribute}Config",
            summary=summary,
            subject=subject,
        )
    register_deep(zoo)


@hookimpl
def zoo_plots() -> dict[str, str]:
    """``zoo plot lambda-sweep`` and ``zoo plot exploration``."""
    return {
        "lambda-sweep": "zoo_successor.figures_runs:lambda_sweep",
        "exploration": "zoo_successor.figures_runs:exploration",
    }
