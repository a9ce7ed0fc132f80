"""Successor, first-occupancy and diminishing-reward representations: registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl
from zoo_successor.deep.registration import register as register_deep

if TYPE_CHECKING:
    from zoo import Registrar, Subject

__all__ = ["zoo_plots", "zoo_register", "zoo_suites"]

_SR = "Dayan 1993"
_FR = "Moskovitz et al. 2022, A First-Occupancy Representation for Reinforcement Learning, arXiv:2109.13863"
_LAMBDA = "Moskovitz et al. 2023, A State Representation for Diminishing Rewards, arXiv:2309.03710"
_REPRESENTATIONS = (
    ("sr", "SR", "SRConfig", "discounted visits of each state (successor representation)", _SR),
    ("fr", "FR", "SRConfig", "discount of the first visit of each state (first occupancy)", _FR),
    ("lambda", "Lambda", "LambdaConfig", "visits whose worth shrinks by lambda each time", _LAMBDA),
)
_ALGORITHMS = (
    ("sarsa", "control.sarsa:Sarsa", "SARSA with an exploration bonus from the SR or the FR", 5_000, _FR),
    ("frp", "planning.agents:FirstOccupancyPlanner", "switches between policies at subgoals", 100, _FR),
    ("value-iteration", "planning.agents:ValueIteration", "value iteration, sweep by sweep", 2_000, ""),
    ("gpi", "control.gpi:GeneralisedImprovement", "best of base policies, on the rewards that remain", 1, _LAMBDA),
    ("lambda-q", "control.lambda_q:LambdaQ", "Q-learning for diminishing rewards", 50_000, _LAMBDA),
    (
        "mvt", "control.foraging:MarginalValue", "when to leave a patch: the marginal value theorem", 100,
        "Charnov 1976",
    ),
)  # fmt: skip
_CONFIGS = {
    "sarsa": "SarsaConfig", "frp": "FRPConfig", "value-iteration": "ValueIterationConfig", "gpi": "GPIConfig",
    "lambda-q": "LambdaQConfig", "mvt": "MVTConfig",
}  # fmt: skip
_EVALUATORS: tuple[tuple[str, str, str, Subject], ...] = (
    (
        "diminishing-value",
        "evaluate:DiminishingValue",
        "value of diminishing rewards against counting and sampling",
        "representation",
    ),
    ("goals", "evaluate:Goals", "discounted return where several goals have to be reached", "algorithm"),
    ("fixed-point", "evaluate_operator:FixedPoint", "a table beside its operator, the SR and the FR", "representation"),
    ("stays", "evaluate_stays:Stays", "rewards taken in a row where they wear off", "algorithm"),
)
_MODEL_FREE = ("sarsa",)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register representations, algorithms and evaluators."""
    zoo.command("rep", "zoo_successor.cli:main", summary="representations and plans, exact, without training")
    for name, attribute, config, summary, paper in _REPRESENTATIONS:
        zoo.representation(
            name,
            f"zoo_successor.learning.tables:{attribute}",
            config=f"zoo_successor.config:{config}",
            summary=summary,
            needs=Needs(action="discrete", observation="discrete"),
            paper=paper,
            presets="zoo_successor:presets",
            steps=50_000,
        )
    for name, target, summary, steps, paper in _ALGORITHMS:
        zoo.algorithm(
            name,
            f"zoo_successor.{target}",
            config=f"zoo_successor.config:{_CONFIGS[name]}",
            summary=summary,
            needs=Needs(action="discrete", observation="discrete", tabular=name not in _MODEL_FREE),
            paper=paper,
            presets="zoo_successor:presets",
            steps=steps,
        )
    for name, target, summary, subject in _EVALUATORS:
        zoo.evaluator(
            name,
            f"zoo_successor.{target}",
            config=f"zoo_successor.config:{target.partition(':')[2]}Config",
            summary=summary,
            subject=subject,
        )
    register_deep(zoo)


@hookimpl
def zoo_suites() -> list[str]:
    """``zoo bench fr`` and ``zoo bench lambda-r``."""
    return ["zoo_successor:suites/fr.toml", "zoo_successor:suites/lambda-r.toml"]


@hookimpl
def zoo_plots() -> dict[str, str]:
    """``zoo plot lambda-sweep`` and ``zoo plot exploration``."""
    return {
        "lambda-sweep": "zoo_successor.plots.runs:lambda_sweep",
        "exploration": "zoo_successor.plots.runs:exploration",
    }
