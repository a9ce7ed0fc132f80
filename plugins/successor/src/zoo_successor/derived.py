"""Metrics for suites, offered through the hook ``zoo_derived``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo import Run


def at_step(run: Run, of: str, /, *, step: float) -> float | None:
    """The value of ``of`` logged last at or before ``step``; None if nothing was logged so early."""
    series = run.series(of)
    found = [value for at, value in zip(series.steps, series.values, strict=True) if at <= step]
    return float(found[-1]) if found else None
