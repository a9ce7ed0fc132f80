"""Heads: their strengths by sequences seen, and their patterns as heat maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_icl.figures.groups import group_by_title
from zoo_icl.figures.style import DOTTED, Mark, finish, make_panels
from zoo_icl.probes.attention import prev_token_baseline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRENGTHS = {
    "prev_token_strength": "attention to the token before",
    "induction_strength": "induction strength (attention)",
}


def heads(runs: Sequence[Any], options: Any) -> Figure:
    """Strength of each head: to the previous token in the first block (dotted: uniform), induction in the last.

    Of several seeds the first is drawn; heads are named where their lines end.

    Raises:
        UsageError: no run logged strengths.
    """
    kept = [run for run in runs if any(head_metrics(run, kind) for kind in STRENGTHS)]
    panels = group_by_title(kept, "logged strengths of heads")
    figure, panel_grid = make_panels(len(panels), 2)
    for row, (title, (run, *_)) in zip(panel_grid, panels.items(), strict=True):
        for axes, (kind, label) in zip(row, STRENGTHS.items(), strict=True):
            draw_heads(axes, run, head_metrics(run, kind))
            axes.set_ylabel(label)
        even = prev_token_baseline(2 * int(run.spec.env_config.get("context", 2)) + 1)
        for axes, level in zip(row, (even, 0.0), strict=True):
            axes.axhline(level, **DOTTED)
        row[0].set_title(f"{title}, seed {run.seed}", loc="left")
    marks: list[Mark] = [("attention that is even (left), or prefers no label (right)", DOTTED)]
    finish(figure, panel_grid[-1], [], marks)
    return figure


def patterns(runs: Sequence[Any], options: Any) -> Figure:
    """Mean attention of every head as heat maps, over sequences whose right pair is the first: query rows, key columns.

    From the report of ``icl-induction --patterns``, of the first run that has one.

    Raises:
        UsageError: no run has patterns in its report.
    """
    recorded = next((rows for run in runs if (rows := _patterns(run))), None)
    if recorded is None:
        raise UsageError(
            "these runs have no patterns in their reports.", "zoo eval RUN icl-induction --patterns keeps them."
        )
    from matplotlib.figure import Figure

    places = [tuple(map(int, name.split(":"))) for name in recorded]
    rows, columns = (max(axis) + 1 for axis in zip(*places, strict=True))
    figure = Figure(figsize=(1.05 * columns + 0.9, 1.25 * rows + 0.35), layout="constrained")
    panel_grid = figure.subplots(rows, columns, squeeze=False)
    for axes in panel_grid.ravel():
        axes.set_visible(False)
    for (block, head), (name, pattern) in zip(places, recorded.items(), strict=True):
        axes = panel_grid[block, head]
        axes.set_visible(True)
        image = axes.imshow(pattern, vmin=0.0, vmax=1.0, cmap="viridis", interpolation="nearest")
        _label_tokens(axes, len(pattern), left=head == 0)
        axes.set_title(name, fontsize=7.5)
    figure.colorbar(image, ax=list(panel_grid.ravel()), shrink=0.7, aspect=25, pad=0.02, label="attention")
    figure.suptitle("mean attention where the first pair is the right one", fontsize=8.5)
    return figure


def head_metrics(run: Any, kind: str) -> dict[str, str]:
    """Metric of each head, by "block:head"."""
    named = (name.split("/") for name in run.metrics if name.startswith("heads/") and name.endswith(f"/{kind}"))
    return {parts[1].replace(".", ":"): "/".join(parts) for parts in named}


def draw_heads(axes: Axes, run: Any, metrics: Mapping[str, str]) -> None:
    """A line for each head, named where it ends."""
    from matplotlib import colormaps

    shades = colormaps["viridis"](np.linspace(0.0, 0.88, len(metrics)))
    lines = [(name, run.series(metric)) for name, metric in metrics.items()]
    spread = float(np.ptp(np.concatenate([series.values for _, series in lines])))
    ends = _separate([series.values[-1] for _, series in lines], 0.065 * (spread or 1.0))
    for (name, series), end, shade in zip(lines, ends, shades, strict=True):
        axes.plot(series.steps, series.values, color=shade, linewidth=1.2)
        axes.annotate(
            name, (series.steps[-1], end), xytext=(3, 0), textcoords="offset points", color=shade, fontsize=6.5,
            va="center", annotation_clip=False,
        )  # fmt: skip


def _separate(values: Sequence[float], gap: float) -> list[float]:
    """The values, moved up where they would otherwise be closer than ``gap``, in their order."""
    moved = [0.0] * len(values)
    last = -math.inf
    for index in sorted(range(len(values)), key=values.__getitem__):
        last = moved[index] = max(values[index], last + gap)
    return moved


def _patterns(run: Any) -> dict[str, NDArray[np.float64]]:
    rows = run.evaluations.get("icl-induction", {}).get("rows", [])
    return {row["of"]: np.asarray(row["pattern"]) for row in rows if row.get("metric") == "pattern"}


def _label_tokens(axes: Axes, count: int, *, left: bool) -> None:
    """Name the tokens: exemplars x, labels y, the query."""
    names = [f"{'xy'[place % 2]}{place // 2 + 1}" for place in range(count - 1)] + ["?"]
    size = 6.0 if count <= 9 else 3.5
    axes.grid(visible=False)
    axes.set_xticks(range(count), names, fontsize=size)
    axes.set_yticks(range(count), names if left else [""] * count, fontsize=size)
    axes.tick_params(length=0, pad=1)
