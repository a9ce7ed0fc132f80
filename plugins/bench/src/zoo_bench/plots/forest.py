"""Forest plot of claims: each interval beside what was claimed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.runs import number
from zoo_bench.claims import Effect, Verdict
from zoo_bench.plots.learning_curves import styled
from zoo_bench.plots.palette import VERDICTS
from zoo_bench.schema import Claim, Suite, Term

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 7.2  # inches
_ROW, _FRAME = 0.21, 0.62
_MARKERS = {"reproduced": "o", "not reproduced": "X", "inconclusive": "D", "incomplete": "s"}
_WIDE = 10.0  # beyond this ratio between the largest and the least, positive values go on a logarithmic axis
_VERY_WIDE = 1e3  # and others on a symmetric logarithmic one
_HALF = 0.36  # of a row


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """A claim on one environment, in the unit of its panel: values where the right side is a number.

    Attributes:
        label: the claim, or the environment below it.
        verdict: the claim's, where this is its first row.
        effect: what was measured.
        estimate, low, high: in the unit of the panel.
        least, most: what is claimed lies between them.
    """

    label: str
    verdict: Verdict | None
    effect: Effect
    estimate: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class ForestPanel:
    """Claims about the same quantity, on one axis."""

    quantity: str
    ratio: bool
    rows: tuple[ForestRow, ...]

    @property
    def ends(self) -> list[float]:
        """Everything finite that the axis must show."""
        found = [x for row in self.rows for x in (row.estimate, row.low, row.high, row.least, row.most)]
        return [x for x in found if math.isfinite(x) and (x > 0 or not self.ratio)]


def make_forest(verdicts: Sequence[Verdict]) -> list[ForestPanel]:
    """Panels in the order in which their quantities are first claimed."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(_quantity(verdict.claim), []).append(verdict)
    panels = []
    for (metrics, kind), found in groups.items():
        sides = {_sides(verdict.claim, kind) for verdict in found}
        detail = sides.pop() if len(sides) == 1 else f"left {kind} right"
        rows = tuple(row for verdict in found for row in _rows(verdict))
        panels.append(
            ForestPanel(quantity=f"{metrics}: {detail}" if kind else metrics, ratio=kind == "over", rows=rows)
        )
    return panels


def _quantity(claim: Claim) -> tuple[str, str]:
    """The metrics, and "over" for a ratio, "minus" for a difference of two terms."""
    metrics = " and ".join(dict.fromkeys(term.metric for term in claim.terms))
    return metrics, "over" if claim.scale == "ratio" else "minus" if isinstance(claim.right, Term) else ""


def _sides(claim: Claim, kind: str) -> str:
    right = claim.right.label if isinstance(claim.right, Term) else number(claim.right)
    return f"{claim.left.label} {kind} {right}"


def _rows(verdict: Verdict) -> list[ForestRow]:
    claim = verdict.claim
    ratio = claim.scale == "ratio"
    shift = 0.0 if ratio or isinstance(claim.right, Term) else claim.right
    least, most = (0.0 if ratio else -math.inf), math.inf
    if claim.relation == "within":
        least, most = (1.0 / claim.margin if ratio else shift - claim.margin), shift + claim.margin
    elif claim.relation.startswith("<"):
        most = shift + claim.margin
    else:
        least = shift + claim.margin
    return [
        ForestRow(
            label=f"{claim.id}: {effect.environment}" if not place else effect.environment,
            verdict=None if place else verdict,
            effect=effect,
            estimate=effect.estimate + shift,
            low=effect.low + shift,
            high=effect.high + shift,
            least=least,
            most=most,
        )
        for place, effect in enumerate(verdict.effects)
    ]


def draw_forest(suite: Suite, verdicts: Sequence[Verdict]) -> Figure:
    """The figure, not yet written.

    Raises:
        UsageError: matplotlib is not installed.
    """
    with styled():
        from matplotlib.figure import Figure

        panels = make_forest(verdicts)
        heights = [_ROW * len(panel.rows) + _FRAME for panel in panels]
        figure = Figure(figsize=(_WIDTH, sum(heights) + 0.45), layout="constrained")
        places = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, panel in zip(places, panels, strict=True):
            _draw_panel(axes, panel)
        figure.suptitle(suite.title, x=0.01, ha="left", fontsize=9, fontweight="bold")
        _legend(figure, verdicts)
        return figure


def _draw_panel(axes: Axes, panel: ForestPanel) -> None:
    from matplotlib.transforms import blended_transform_factory

    low, high = _limits(axes, panel)
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    for y, row in enumerate(panel.rows):
        shade: dict[str, Any] = {"color": VERDICTS["reproduced"], "alpha": 0.10, "linewidth": 0}
        axes.fill_betweenx([y - _HALF, y + _HALF], max(row.least, low), min(row.most, high), **shade)
        margins = [x for x in (row.least, row.most) if low < x < high]
        axes.vlines(margins, y - _HALF, y + _HALF, color="black", linewidth=1.2, zorder=3)
        _draw_row(axes, row, y, low, high)
        if row.verdict is not None:
            colour = VERDICTS[row.verdict.answer]
            axes.text(1.01, y, row.verdict.words, transform=beside, va="center", color=colour, fontsize=7.5)
            if y:
                axes.axhline(y - 0.5, color="#cccccc", linewidth=0.5)
    axes.set_xlim(low, high)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    axes.set_yticks(range(len(panel.rows)), [row.label for row in panel.rows], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_title(panel.quantity, loc="left")


def _draw_row(axes: Axes, row: ForestRow, y: int, low: float, high: float) -> None:
    colour, marker = VERDICTS[row.effect.answer], _MARKERS[row.effect.answer]
    if math.isnan(row.estimate):
        axes.text(0.5, y, "no runs", transform=axes.get_yaxis_transform(), ha="center", va="center",
                  color=colour, fontsize=7)  # fmt: skip
        return
    if not math.isnan(row.low):
        ends = np.clip([row.low, row.high], low, high)
        axes.hlines(y, *ends, color=colour, linewidth=1.6, zorder=4)
    at = float(np.clip(row.estimate, low, high))
    if row.estimate < low or row.estimate > high:  # beyond every number
        marker = "<" if row.estimate < low else ">"
    hollow = "white" if row.effect.answer == "inconclusive" else colour
    axes.plot([at], [y], marker=marker, markersize=5, markeredgecolor=colour, markerfacecolor=hollow,
              linestyle="none", zorder=5, clip_on=False)  # fmt: skip


def _limits(axes: Axes, panel: ForestPanel) -> tuple[float, float]:
    """Ends of the axis, and its scale: logarithmic for ratios, and for what spans many powers of ten."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator, SymmetricalLogLocator

    ends = panel.ends or [1.0]
    low, high = min(ends), max(ends)
    sizes = [abs(x) for x in ends if x] or [1.0]
    ratio = max(sizes) / min(sizes)
    if panel.ratio or (low > 0 and ratio > _WIDE):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=9))
        axes.xaxis.set_minor_formatter(NullFormatter())
        if ratio > _VERY_WIDE:
            axes.xaxis.set_minor_locator(NullLocator())
        room = max((high / low) ** 0.06, 1.2)
        return low / room, high * room
    if ratio > _VERY_WIDE:
        bend = max(min(sizes), 1e-12)
        axes.set_xscale("symlog", linthresh=bend, linscale=0.5)
        spacing = SymmetricalLogLocator(base=10, linthresh=bend)
        spacing.set_params(numticks=7)
        axes.xaxis.set_major_locator(spacing)
        axes.xaxis.set_minor_locator(NullLocator())
        return (low * 3 if low < 0 else -bend), (high * 3 if high > 0 else bend)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def _legend(figure: Figure, verdicts: Sequence[Verdict]) -> None:
    from matplotlib.lines import Line2D

    counts = Counter(str(verdict.answer) for verdict in verdicts)
    handles = [
        Line2D(
            [], [], color=colour, marker=_MARKERS[answer], linewidth=1.6, markersize=5,
            markerfacecolor="white" if answer.startswith("inco") else colour, label=f"{answer} ({counts[answer]})",
        )
        for answer, colour in VERDICTS.items()
        if counts[answer]
    ]  # fmt: skip
    handles.append(Line2D([], [], color="black", marker="|", linestyle="none", markersize=8, label="claimed bound"))
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), handlelength=1.8, columnspacing=1.2)


def caption_forest(verdicts: Sequence[Verdict]) -> list[str]:
    """What the marks are, and the reason for each verdict."""
    first = "line: 95 % interval over seeds; black: the claimed bound; shaded: where the claim holds."
    return [first, *(f"{verdict.claim.id}: {verdict.words}. {verdict.sentence}" for verdict in verdicts)]
