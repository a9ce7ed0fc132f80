"""Driving the run loop from a test, with the toy plugin beside the installed ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.discovery.registry import Registry, discover
from zoo.training.callbacks import Silent
from zoo.training.loop import train_seeds
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage.spec import RunSpec

TOYS = Path(__file__).with_name("toys.py")


@pytest.fixture
def toys() -> Registry:
    sys.modules.pop("toys", None)
    return discover([TOYS], only=["zoo-core"])  # the core must work without any other plugin


Trainer = Callable[..., list[RunResult]]


@pytest.fixture
def run(toys: Registry, tmp_path: Path) -> Trainer:
    def run(
        algorithm: str = "walk",
        env: str = "gym:CartPole-v1",
        *,
        seeds: tuple[int, ...] = (0,),
        stop: Stop | None = None,
        watch: Any = None,
        settings: dict[str, Any] | None = None,
        root: Path | None = None,
        **spec: Any,
    ) -> list[RunResult]:
        config = {"scale": 1.0, "nan_at": -1, "raise_at": -1, "poison_at": -1, **spec.pop("config", {})}
        request = RunSpec(
            algorithm=f"toys/{algorithm}", kind="algorithm", plugin_version="file", environment=env, config=config,
            **{"steps": 40, "eval_episodes": 2, **spec},
        )  # fmt: skip
        given = {"root": root or tmp_path / "runs", "checkpoint": Cadence(steps=10), **(settings or {})}
        return train_seeds(request, seeds, toys, Settings(**given), watch or Silent(), stop or Stop())

    return run
