"""Metrics for suites, offered through the hook ``zoo_derived``: one number from curves, by sequences seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["icl_at", "icl_fall_after", "icl_max_until"]


class Series(Protocol):
    """A logged metric."""

    @property
    def steps(self) -> Sequence[float]:
        """Sequences seen when it was logged, rising."""

    @property
    def values(self) -> Sequence[float]:
        """What was logged there."""


class Run(Protocol):
    """What is read of a stored run."""

    def series(self, name: str) -> Series:
        """A logged metric; empty if there is none."""


def icl_at(run: Run, of: str, /, *, sequences: float) -> float | None:
    """``of`` as it was last logged by then; None if it was not, or the run is shorter."""
    series = run.series(of)
    if not series.values or series.steps[-1] < sequences:
        return None
    found = [value for step, value in zip(series.steps, series.values, strict=True) if step <= sequences]
    return float(found[-1]) if found else None


def icl_max_until(run: Run, of: str, /, *, sequences: float) -> float | None:
    """Largest ``of`` logged by then; None if nothing was."""
    series = run.series(of)
    found = [value for step, value in zip(series.steps, series.values, strict=True) if step <= sequences]
    return float(max(found)) if found else None


def icl_fall_after(run: Run, of: str, /) -> float | None:
    """How far ``train/loss`` falls from where ``of`` is largest to the end of the run; None if either is missing."""
    peak, loss = run.series(of), run.series("train/loss")
    if not peak.values or not loss.values:
        return None
    best = max(range(len(peak.values)), key=peak.values.__getitem__)
    at_peak = [value for step, value in zip(loss.steps, loss.values, strict=True) if step <= peak.steps[best]]
    return float(at_peak[-1] - loss.values[-1]) if at_peak else None
