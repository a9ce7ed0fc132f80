"""Registration of ReLOAD and its comparators on exact tabular models, and of ReLOAD with PPO."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_plots", "zoo_register", "zoo_suites"]

_RELOAD = "Moskovitz et al. 2023, ReLOAD, arXiv:2302.01275"
_ALGORITHMS = (
    ("reload", "Reload", "optimistic gradients for policy and multipliers: the last iterate converges", _RELOAD),
    ("gda", "GDA", "plain gradient descent-ascent on the Lagrangian: the last iterate cycles", ""),
    ("alternating", "Alternating", "gradient descent-ascent whose multipliers see the new policy", ""),
    ("average", "Average", "occupancy average of the gradient descent-ascent iterates", ""),
    ("rpgpd", "RPGPD", "regularised primal-dual gradients: converges to a biased point",
     "Ding et al. 2023, arXiv:2306.11700"),
    ("pid", "PID", "multipliers from a PID controller on the violation", "Stooke et al. 2020, arXiv:2007.03964"),
    ("augmented-lagrangian", "AugmentedLagrangian", "quadratic penalty added to the Lagrangian", ""),
)  # fmt: skip

_SAMPLED = (
    ("reload-ppo", "", "ReloadPPO", "ReLOAD with function approximation: PPO and multipliers, both optimistic",
     _RELOAD),
    ("ppo-lagrangian", "", "PPOLagrangian", "PPO and multipliers by plain gradient steps", ""),
    ("ppo-pid", "comparators.", "PPOPID", "PPO and multipliers from a PID controller of the violation",
     "Stooke et al. 2020, arXiv:2007.03964"),
    ("crpo", "comparators.", "CRPO", "PPO on the reward, or on one violated constraint",
     "Xu et al. 2021, arXiv:2011.05869"),
    ("focops", "comparators.", "FOCOPS", "towards the best policy near the last one that meets the constraints",
     "Zhang et al. 2020, arXiv:2002.06506"),
    ("cpo", "comparators.", "CPO", "the best step within a trust region that meets the constraints",
     "Achiam et al. 2017, arXiv:1705.10528"),
)  # fmt: skip

_OFF_POLICY = (
    ("reload-sac", "ReloadSAC", "ReLOAD off-policy: SAC and multipliers, both optimistic", _RELOAD),
    ("sac-lagrangian", "SACLagrangian", "SAC and multipliers by plain gradient steps", ""),
)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the seven algorithms on exact models and, where their learners are installed, those that sample."""
    for name, attribute, summary, paper in _ALGORITHMS:
        zoo.algorithm(
            name,
            f"zoo_reload.agent:{attribute}",
            config=f"zoo_reload.config:{attribute}Config",
            summary=summary,
            needs=Needs(action="discrete", constraints=True, tabular=True),
            paper=paper,
            presets="zoo_reload:presets",
            steps=3000,
        )
    if find_spec("zoo_onpolicy") is not None:
        _register_on_policy(zoo)
    if find_spec("zoo_sb3") is not None:
        _register_off_policy(zoo)


def _register_on_policy(zoo: Registrar) -> None:
    for name, package, attribute, summary, paper in _SAMPLED:
        zoo.algorithm(
            name,
            f"zoo_reload.ppo.{package}{'agents' if package else 'agent'}:{attribute}",
            config=f"zoo_reload.ppo.{package}config:{attribute}Config",
            summary=summary,
            needs=Needs(constraints=True),
            paper=paper,
            presets="zoo_reload.ppo:presets",
            steps=800_000,
        )


def _register_off_policy(zoo: Registrar) -> None:
    for name, attribute, summary, paper in _OFF_POLICY:
        zoo.algorithm(
            name,
            f"zoo_reload.sac.agent:{attribute}",
            config=f"zoo_reload.sac.config:{attribute}Config",
            summary=summary,
            needs=Needs(action="box", observation="box", constraints=True),
            paper=paper,
            steps=50_000,
        )


@hookimpl
def zoo_suites() -> list[str]:
    """The suite of ``zoo bench reload``."""
    return ["zoo_reload:suites/reload.toml"]


@hookimpl
def zoo_plots() -> dict[str, str]:
    """The figure of ``zoo plot orbit``."""
    return {"orbit": "zoo_reload.figures:orbit"}
