"""A light plugin: two representations, one of which learns many seeds at once, and a walk; see ``learning.py``."""

from __future__ import annotations

from dataclasses import dataclass

from zoo import Needs, hookimpl


@hookimpl
def zoo_register(zoo):
    for name, target in {"rows": "Rows", "rows-together": "RowsTogether"}.items():
        zoo.representation(
            name, f"tests.training.learning:{target}", config="learners:Config", summary="successor rows", steps=768,
            needs=Needs(observation="discrete"),
        )  # fmt: skip
    zoo.environment(
        "walk-model",
        "tests.training.learning:Line",
        vector="tests.training.learning:Line",
        summary="a walk with an exact model",
    )


@dataclass(frozen=True, kw_only=True)
class Config:
    gamma: float = 0.9
    """discount"""
