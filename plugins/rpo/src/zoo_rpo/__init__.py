"""Registration of regularised policy optimisation over many tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_derived", "zoo_plots", "zoo_register", "zoo_suites"]

_PAPER = (
    "Moskovitz et al. 2022, Towards an Understanding of Default Policies in Multitask Policy Optimization, "
    "arXiv:2111.02994"
)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the three algorithms and the evaluator ``default-policy``."""
    for name, attribute, summary in (
        ("rpo", "RPO", "policies of many tasks, regularised towards a default policy that is kept"),
        ("tvpo", "TVPO", "the same, with the vote of earlier tasks as default policy"),
    ):
        zoo.algorithm(
            name,
            f"zoo_rpo.tabular.agent:{attribute}",
            config=f"zoo_rpo.config:{attribute}Config",
            summary=summary,
            needs=Needs(action="discrete", observation="discrete", tasks=True),
            paper=_PAPER,
            presets="zoo_rpo:presets",
            steps=20_000,
        )
    zoo.algorithm(
        "rpo-ppo",
        "zoo_rpo.deep.agent:RPOPPO",
        config="zoo_rpo.deep.config:RPOPPOConfig",
        summary="the same with function approximation: PPO on one task after another",
        needs=Needs(tasks=True),
        paper=_PAPER,
        presets="zoo_rpo:presets",
        steps=200_000,
    )
    zoo.evaluator(
        "default-policy",
        "zoo_rpo.tabular.evaluator:DefaultPolicyTV",
        config="zoo_rpo.config:DefaultPolicyConfig",
        summary="total variation of default policies to the optimal policies of the tasks, exact",
        subject="algorithm",
    )


@hookimpl
def zoo_suites() -> list[str]:
    """The suite of ``zoo bench rpo``."""
    return ["zoo_rpo:suites/rpo.toml"]


@hookimpl
def zoo_derived() -> dict[str, str]:
    """Derived metrics for suites of runs on many tasks."""
    names = ("task_mean", "task_final", "jump_start", "updates_to", "share_to")
    return {name: f"zoo_rpo.derived:{name}" for name in names}


@hookimpl
def zoo_plots() -> dict[str, str]:
    """Figures of runs on many tasks, and of default policies."""
    return {
        "by-task": "zoo_rpo.figures.learning:by_task",
        "task-curves": "zoo_rpo.figures.learning:task_curves",
        "regret": "zoo_rpo.figures.learning:regret",
        "default-policy": "zoo_rpo.figures.tree:default_policy",
    }
