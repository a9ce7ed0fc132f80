"""Metrics for suites, offered through the hook ``zoo_derived``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Series(Protocol):
    """A logged metric."""

    @property
    def steps(self) -> Sequence[float]:
        """Steps at which it was logged, rising."""

    @property
    def values(self) -> Sequence[float]:
        """What was logged there."""


class Run(Protocol):
    """What is read of a stored run."""

    def series(self, name: str) -> Series:
        """A logged metric; empty if there is none."""


def at_step(run: Run, of: str, /, *, step: float) -> float | None:
    """The value of ``of`` logged last at or before ``step``; None if nothing was logged so early."""
    series = run.series(of)
    found = [value for at, value in zip(series.steps, series.values, strict=True) if at <= step]
    return float(found[-1]) if found else None
