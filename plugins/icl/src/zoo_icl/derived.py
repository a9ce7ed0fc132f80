"""Metrics for suites, offered through the hook ``zoo_derived``: events of one run's curves, in sequences seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from zoo_icl.probes.events import Transience, opposition, phase_change, transience

if TYPE_CHECKING:
    from zoo import Run

_WEIGHTS = "iwl/acc"
"""logged accuracy of what is in the weights alone"""


def phase_onset(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """When the loss ``of`` leaves its plateau: first of three consecutive evaluations below 0.9 ``floor``."""
    series = run.series(of)
    return phase_change(series.steps, series.values, floor).onset


def phase_t_half(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """When the loss ``of`` first is below half of ``floor``."""
    series = run.series(of)
    return phase_change(series.steps, series.values, floor).t_half


def plateau_length(run: Run, of: str, /, *, floor: float = math.log(2.0)) -> float | None:
    """Length of the longest stretch on which the loss ``of`` stays within 0.1 of ``floor``."""
    series = run.series(of)
    plateau = phase_change(series.steps, series.values, floor).plateau
    return plateau[1] - plateau[0] if plateau else None


def transience_peak(run: Run, of: str, /) -> float | None:
    """Highest value of the accuracy ``of``, after a median filter over five evaluations."""
    events = _transience(run, of)
    return events.peak if events else None


def transience_peak_at(run: Run, of: str, /) -> float | None:
    """Where the filtered accuracy ``of`` is highest."""
    events = _transience(run, of)
    return events.peak_at if events else None


def transience_drop(run: Run, of: str, /) -> float | None:
    """How far the filtered accuracy ``of`` has fallen from its peak at the end."""
    events = _transience(run, of)
    return events.drop if events else None


def transience_cross(run: Run, of: str, /) -> float | None:
    """When the filtered accuracy ``of``, such as flip/in_context_acc, first is below 0.5 after a peak above it."""
    series = run.series(of)
    return transience(series.steps, series.values, series.values).t_cross if series.values else None


def transience_fall(run: Run, of: str, /) -> float | None:
    """How far ``train/loss`` falls from where ``of`` is largest, unfiltered, to the end; None if either is missing."""
    peak, loss = run.series(of), run.series("train/loss")
    if not peak.values or not loss.values:
        return None
    best = max(range(len(peak.values)), key=peak.values.__getitem__)
    at_peak = [value for step, value in zip(loss.steps, loss.values, strict=True) if step <= peak.steps[best]]
    return float(at_peak[-1] - loss.values[-1]) if at_peak else None


def transience_opposition(run: Run, of: str, /) -> float | None:
    """Spearman's rank correlation of ``of`` with ``iwl/acc`` over the evaluations from the peak of ``of`` on.

    -1: from there the one falls whenever the other rises. None if either was not logged, or there are not three.
    """
    context, weights = (
        dict(zip(series.steps, series.values, strict=True)) for series in map(run.series, (of, _WEIGHTS))
    )
    shared = [step for step in context if step in weights]
    return opposition([context[step] for step in shared], [weights[step] for step in shared]) if shared else None


def _transience(run: Run, of: str) -> Transience | None:
    series = run.series(of)
    return transience(series.steps, series.values) if series.values else None
