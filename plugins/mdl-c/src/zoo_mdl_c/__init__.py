"""MDL-C: control with a default policy of minimal description length (arXiv:2207.08258).

Registration, and as a library ``VariationalDropoutLinear``, which is imported (with torch) at its first use.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar
    from zoo_mdl_c.variational_dropout import VariationalDropoutLinear as VariationalDropoutLinear

__all__ = ["VariationalDropoutLinear", "zoo_derived", "zoo_plots", "zoo_register", "zoo_suites"]

_PAPER = "Moskovitz, Kao, Sahani, Botvinick 2023, Minimum Description Length Control, arXiv:2207.08258"
_ON_POLICY = (
    ("mdl-c", "MDLC", "control towards a default policy whose description length is kept short"),
    ("mdl-c-po", "PO", "the same learner without a default policy"),
    ("mdl-c-rpo", "RPO", "the same with a default policy whose description length is not penalised"),
    ("mdl-c-manual-ia", "ManualIA", "the same with a default policy that does not see some of the observation"),
    ("mdl-c-vdo-po", "VDOPO", "no default policy; the description length of the control policy is penalised"),
    ("mdl-c-distral", "Distral", "an unpenalised default policy, and an entropy bonus (Teh et al. 2017)"),
)
_DERIVED = ("held_out_auc", "task_auc", "task_jump_start", "tasks_to_recover")
_FIGURES = ("learning", "sparsity", "default")


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register MDL-C, its baselines, its off-policy forms and the evaluator ``mdl-c-default``."""
    for name, attribute, summary in _ON_POLICY:
        zoo.algorithm(
            name,
            f"zoo_mdl_c.agent:{attribute}",
            config=f"zoo_mdl_c.config:{attribute}Config",
            summary=summary,
            needs=Needs(tasks=True),
            paper=_PAPER,
            presets="zoo_mdl_c:presets",
            steps=512_000,
        )
    zoo.algorithm(
        "mdl-c-discrete-sac",
        "zoo_mdl_c.offpolicy.discrete_sac:DiscreteSAC",
        config="zoo_mdl_c.offpolicy.config:DiscreteSACConfig",
        summary="off-policy MDL-C for discrete actions, with a soft actor-critic of its own",
        needs=Needs(action="discrete", tasks=True),
        paper=_PAPER,
        presets="zoo_mdl_c.offpolicy:presets",
        steps=100_000,
    )
    if find_spec("zoo_sb3") is not None:
        zoo.algorithm(
            "mdl-c-sac",
            "zoo_mdl_c.offpolicy.sac:MDLCSAC",
            config="zoo_mdl_c.offpolicy.sac_config:MDLCSACConfig",
            summary="off-policy MDL-C for box actions, with the soft actor-critic of stable-baselines3",
            needs=Needs(action="box", observation="box", tasks=True),
            paper=_PAPER,
            presets="zoo_mdl_c.offpolicy:presets",
            steps=50_000,
        )
    zoo.evaluator(
        "mdl-c-default",
        "zoo_mdl_c.evaluate:DefaultPolicyEvaluator",
        config="zoo_mdl_c.config:DefaultPolicyEvaluatorConfig",
        summary="sparsity of a learned default policy, by group of inputs; exports it with --export",
        subject="algorithm",
    )


@hookimpl
def zoo_suites() -> list[str]:
    """The suite of ``zoo bench mdl-c``."""
    return ["zoo_mdl_c:suites/mdl-c.toml"]


@hookimpl
def zoo_derived() -> dict[str, str]:
    """Derived metrics for suites, over the tasks of a run."""
    return {name: f"zoo_mdl_c.derived:{name}" for name in _DERIVED}


@hookimpl
def zoo_plots() -> dict[str, str]:
    """The figures of ``zoo plot mdl-c-learning``, ``mdl-c-sparsity`` and ``mdl-c-default``."""
    return {f"mdl-c-{name}": f"zoo_mdl_c.figures:{name}" for name in _FIGURES}


def __getattr__(name: str) -> Any:
    if name != "VariationalDropoutLinear":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from zoo_mdl_c.variational_dropout import VariationalDropoutLinear

    return VariationalDropoutLinear
