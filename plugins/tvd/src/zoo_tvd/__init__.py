"""Transfer by undoing a transformation of the state space (TvD, arXiv:2211.14469): registration, and a library.

``zoo_tvd.ot_distance`` and ``zoo_tvd.undo`` work on arrays, without any environment; they are imported at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar
    from zoo_tvd.library import Undone as Undone
    from zoo_tvd.library import undo as undo
    from zoo_tvd.transport.distance import gradient as gradient
    from zoo_tvd.transport.distance import ot_distance as ot_distance

__all__ = ["Undone", "gradient", "ot_distance", "undo", "zoo_plots", "zoo_register", "zoo_suites"]

_PAPER = "Gupta et al. 2022, Transfer RL via the Undo Maps Formalism, arXiv:2211.14469"
_NEEDS = Needs(observation="box")
_ALGORITHMS = (
    ("tvd", "agent:TvD", "TvDConfig", "undo map by optimal transport between trajectories of the policies", _PAPER),
    ("tvd-transition", "agent:TvD", "TvDTransitionConfig", "undo map by transport between uniform transitions", ""),
    ("tvd-identity", "comparators:Identity", "TransferConfig", "the source policy as it is: no map", ""),
    ("tvd-oracle", "comparators:Oracle", "TransferConfig", "the source policy after the true inverse", ""),
    ("tvd-moments", "comparators:Moments", "MomentsConfig", "undo map by means and covariances, no transport", ""),
    ("tvd-linear-dynamics", "comparators:LinearDynamics", "TransferConfig",
     "undo map under which the target's dynamics match a linear model of the source", ""),
    ("tvd-cloning", "comparators:Cloning", "CloningConfig", "clone the source's actions on matched states", ""),
)  # fmt: skip
_LIBRARY = {
    "ot_distance": "zoo_tvd.transport.distance",
    "gradient": "zoo_tvd.transport.distance",
    "undo": "zoo_tvd.library",
    "Undone": "zoo_tvd.library",
}


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the two methods, their comparators and the evaluator ``transfer``."""
    for name, target, config, summary, paper in _ALGORITHMS:
        zoo.algorithm(
            name,
            f"zoo_tvd.{target}",
            config=f"zoo_tvd.config:{config}",
            summary=summary,
            needs=_NEEDS,
            paper=paper,
            presets="zoo_tvd:presets",
            steps=10_000_000,
        )
    zoo.evaluator(
        "transfer",
        "zoo_tvd.evaluator:TransferEvaluator",
        config="zoo_tvd.config:EvaluationConfig",
        summary="return in the target beside the source's own, and how well f undoes the transformation",
        subject="algorithm",
    )


@hookimpl
def zoo_suites() -> list[str]:
    """The suite of ``zoo bench tvd``."""
    return ["zoo_tvd:suites/tvd.toml"]


@hookimpl
def zoo_plots() -> dict[str, str]:
    """The figures of ``zoo plot undo``, ``undo-objective`` and ``undo-budget``."""
    names = {"undo": "undo", "undo-objective": "objective", "undo-budget": "budget"}
    return {name: f"zoo_tvd.figures:{function}" for name, function in names.items()}


def __getattr__(name: str) -> Any:
    if name not in _LIBRARY:
        raise AttributeError(f"module 'zoo_tvd' has no attribute {name!r}")
    return getattr(import_module(_LIBRARY[name]), name)
