"""In-context learning: train, watch and clamp small transformers. Registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo.discovery.entry import Registrar

__all__ = ["zoo_register"]

_PAPERS = "Singh et al. 2023, arXiv:2311.08360; 2024, arXiv:2404.07129"


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
