"""Registration of in-context learning: small transformers to train, probe and clamp; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_derived", "zoo_plots", "zoo_register", "zoo_suites"]

_PAPERS = "Singh et al. 2023, arXiv:2311.08360; 2024, arXiv:2404.07129"
_EVALUATORS = (
    (
        "icl-induction",
        "induction:Induction",
        "accuracies on every evaluation set, and the strengths of induction heads",
    ),
    ("icl-ablation", "ablation:Ablation", "each head alone, all but one, and the heads added back one by one"),
    ("icl-clamped", "clamped:Clamped", "loss under clamps that isolate parts of the circuit"),
    ("icl-wiring", "wiring:Wiring", "which previous-token heads feed which induction heads"),
    (
        "icl-transience",
        "transience:TransienceEvaluator",
        "whether in-context learning came and went, from a run's curves",
    ),
)
_DERIVED = (
    "phase_onset", "phase_t_half", "plateau_length", "transience_peak", "transience_peak_at", "transience_drop",
    "transience_cross", "transience_fall", "transience_opposition",
)  # fmt: skip
_FIGURES = (
    "phases", "heads", "progress", "strategies", "patterns", "paper_3a", "paper_3b", "paper_4a", "paper_4b", "paper_5b",
    "paper_6", "paper_11", "paper_16b", "paper_18",
)  # fmt: skip


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the learner and the evaluators."""
    zoo.command("icl", "zoo_icl.cli:main", summary="heads of language models; a phase change of three vectors")
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
    for name, target, summary in _EVALUATORS:
        zoo.evaluator(
            name,
            f"zoo_icl.evaluators.{target}",
            config=f"zoo_icl.evaluators.config:{target.partition(':')[0].capitalize()}Config",
            summary=summary,
            subject="algorithm",
        )


@hookimpl
def zoo_suites() -> list[str]:
    """``zoo bench induction`` and ``zoo bench transience``."""
    return ["zoo_icl:suites/induction.toml", "zoo_icl:suites/transience.toml"]


@hookimpl
def zoo_derived() -> dict[str, str]:
    """Events of curves, for the metrics of suites."""
    return {name: f"zoo_icl.derived:{name}" for name in _DERIVED}


@hookimpl
def zoo_plots() -> dict[str, str]:
    """``zoo plot icl-phases`` and others; ``icl-paper-3a`` is figure 3a of Singh et al. 2024."""
    return {f"icl-{name.replace('_', '-')}": f"zoo_icl.figures:{name}" for name in _FIGURES}
