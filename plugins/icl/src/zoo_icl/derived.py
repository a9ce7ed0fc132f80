"""Metrics for suites, offered through the hook ``zoo_derived``: events of one run's curves, in sequences seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from zoo_icl.probes.events import Transience, phase_change, transience


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


def phase_onset(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """When the loss ``of`` leaves its plateau: first of three evaluations running below 0.9 ``floor``."""
    series = run.series(of)
    return phase_change(series.steps, series.values, floor).onset


def phase_t_half(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """When the loss ``of`` first is below half of ``floor``."""
    series = run.series(of)
    return phase_change(series.steps, series.values, floor).t_half


def plateau_length(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """Longest stretch on which the loss ``of`` stays within 0.1 of ``floor``."""
    series = run.series(of)
    plateau = phase_change(series.steps, series.values, floor).plateau
    return plateau[1] - plateau[0] if plateau else None


def transience_peak(run: Run, of: str, /) -> float | None:
    """Highest value of the accuracy ``of``, after a median filter over five evaluations."""
    found = _transience(run, of)
    return found.peak if found else None


def transience_peak_at(run: Run, of: str, /) -> float | None:
    """Where the filtered accuracy ``of`` is highest."""
    found = _transience(run, of)
    return found.peak_at if found else None


def transience_drop(run: Run, of: str, /) -> float | None:
    """How far the filtered accuracy ``of`` has fallen from its peak at the end."""
    found = _transience(run, of)
    return found.drop if found else None


def transience_cross(run: Run, of: str, /) -> float | None:
    """When the filtered accuracy ``of``, such as flip/in_context_acc, first is below 0.5 after a peak above it."""
    series = run.series(of)
    return transience(series.steps, series.values, series.values).t_cross if series.values else None


def _transience(run: Run, of: str) -> Transience | None:
    series = run.series(of)
    return transience(series.steps, series.values) if series.values else None
