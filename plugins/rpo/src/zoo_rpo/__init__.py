"""Regularised policy optimisation over many tasks: registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo.discovery.entry import Registrar

__all__ = ["zoo_register"]

_PAPER = (
    "Moskovitz et al. 2022, Towards an Understanding of Default Policies in Multitask Policy Optimization, "
    "arXiv:2111.02994"
)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the algorithms."""
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
