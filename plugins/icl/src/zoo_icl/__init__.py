"""In-context learning: train, watch and clamp small transformers. Registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo.discovery.entry import Registrar

__all__ = ["zoo_derived", "zoo_register"]

_PAPERS = "Singh et al. 2023, arXiv:2311.08360; 2024, arXiv:2404.07129"
_EVALUATORS = (
    ("icl-induction", "induction:Induction", "InductionConfig", "answers on every evaluation set; strengths of heads"),
    ("icl-ablation", "ablation:Ablation", "AblationConfig", "each head alone, all but it, and heads added back"),
    ("icl-clamped", "clamped:Clamped", "ClampedConfig", "loss where clamps supply parts of the circuit"),
    (
        "icl-transience",
        "transience:TransienceEvaluator",
        "TransienceConfig",
        "whether in-context learning comes and goes",
    ),
)
_DERIVED = (
    "phase_onset", "phase_t_half", "plateau_length", "transience_cross", "transience_drop", "transience_peak",
    "transience_peak_at",
)  # fmt: skip


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register what the plugin has."""
    zoo.algorithm(
        "icl-transformer",
        "zoo_icl.training.agent:ICLTransformerLearner",
        config="zoo_icl.config:ICLTransformerConfig",
        summary="a small transformer that labels the query of a sequence, with clamps",
        needs=Needs(action="discrete", observation="box"),
        paper=_PAPERS,
        presets="zoo_icl:presets",
        steps=256_000,
    )
    for name, target, config, summary in _EVALUATORS:
        zoo.evaluator(
            name,
            f"zoo_icl.evaluators.{target}",
            config=f"zoo_icl.evaluators.config:{config}",
            summary=summary,
            subject="algorithm",
        )


@hookimpl
def zoo_derived() -> dict[str, str]:
    """Events of learning curves, for suites."""
    return {name: f"zoo_icl.derived:{name}" for name in _DERIVED}
