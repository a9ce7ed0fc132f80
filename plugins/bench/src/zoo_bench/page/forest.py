"""Intervals of claims beside what was claimed, as places on a line, so that the page draws them in its own colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.runs import number
from zoo_bench.claims import Verdict
from zoo_bench.page.text import shown
from zoo_bench.plots.forest import ForestPanel, ForestRow, make_forest

WIDTH = 200.0
"""Of the drawing, in its own unit."""
_WIDE = 100.0
"""Beyond this ratio of sizes, powers of ten are as far apart as numbers."""
_ROOM = 0.06


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One experiment on one environment; places are from 0 to ``WIDTH``, None where there is nothing to show.

    Attributes:
        label: the claim, or the environment below it.
        claimed: where the claimed values lie, from and to.
        interval: ends of the 95 % interval.
        estimate: its centre.
        answer: of this row.
        verdict, words: of the claim; empty below its first row.
        text: the claim in words, and what was measured.
    """

    label: str
    claimed: tuple[float, float]
    interval: tuple[float, float] | None
    estimate: float | None
    answer: str
    verdict: str
    words: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Experiments on the same quantity, on one axis."""

    quantity: str
    axis: str
    bars: Sequence[Bar]


def panels_of(verdicts: Sequence[Verdict]) -> list[Panel]:
    """All panels of a paper."""
    return [_panel(panel) for panel in make_forest(verdicts)]


def _panel(panel: ForestPanel) -> Panel:
    ends = panel.ends or [1.0]
    sizes = [abs(value) for value in ends if value] or [1.0]
    far = panel.ratio or max(sizes) / min(sizes) > _WIDE
    scale: Callable[[float], float] = float
    kind = ""
    if far and min(ends) > 0:
        scale, kind = (lambda value: math.log10(value) if value > 0 else -math.inf), ", logarithmic"
    elif far:
        bend = min(sizes)
        scale, kind = (lambda value: math.copysign(math.log1p(abs(value) / bend), value)), ", logarithmic to both sides"
    low, high = scale(min(ends)), scale(max(ends))
    room = _ROOM * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - room, high + room

    def place(value: float) -> float:
        at = scale(value) if math.isfinite(value) else value
        return round(min(1.0, max(0.0, (at - low) / (high - low))) * WIDTH, 1)

    return Panel(
        quantity=shown(panel.quantity), axis=f"from {number(min(ends))} to {number(max(ends))}{kind}",
        bars=[_bar(row, place) for row in panel.rows],
    )  # fmt: skip


def _bar(row: ForestRow, place: Callable[[float], float]) -> Bar:
    known = not math.isnan(row.estimate)
    ranged = known and not (math.isnan(row.low) or math.isnan(row.high))
    verdict = row.verdict
    text = f"{verdict.claim.text.rstrip('.')}: {verdict.sentence}" if verdict is not None else ""
    if not text and known:
        text = number(row.estimate) + (f" [{number(row.low)}, {number(row.high)}]" if ranged else "")
    return Bar(
        label=shown(row.label),
        claimed=(place(row.least), place(row.most)),
        interval=(place(row.low), place(row.high)) if ranged else None,
        estimate=place(row.estimate) if known else None,
        answer=row.effect.answer,
        verdict=verdict.answer if verdict is not None else "",
        words=shown(verdict.words) if verdict is not None else "",
        text=shown(text),
    )
