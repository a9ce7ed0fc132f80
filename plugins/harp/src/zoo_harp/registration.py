"""Registration: evaluators of files, a suite and the command ``zoo harp``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_register", "zoo_suites"]

_PAPER = "Yue et al. 2024, HARP: a challenging human-annotated math reasoning benchmark, arXiv:2412.08819"


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the evaluators and the command."""
    zoo.command("harp", "zoo_harp.cli:main", summary="competition mathematics: ask a model, check and explain answers")
    zoo.evaluator(
        "harp",
        "zoo_harp.evaluation.evaluator:Harp",
        config="zoo_harp.config:HarpConfig",
        summary="answers to competition mathematics: accuracy, pass@k, maj@k, beside the published tables",
        subject="file",
    )
    zoo.evaluator(
        "harp-agreement",
        "zoo_harp.backends.agreement:Agreement",
        config="zoo_harp.config:AgreementConfig",
        summary="the checker of answers against labelled pairs, with Wilson's interval, beside math-verify",
        subject="file",
    )


@hookimpl
def zoo_suites() -> list[str]:
    """``zoo bench harp``."""
    return ["zoo_harp:suites/harp.toml"]
