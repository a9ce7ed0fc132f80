"""What all figures share: colours, panels, curves of seeds, and a legend that explains every mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY, SHADE = "#555555", "#e4e4e4"
PANEL_SIZE = (3.2, 2.2)  # inches
PANELS_PER_ROW = 3
_MIN_WIDTH = 5.2  # inches: two columns of a legend
_LEGEND_ROW = 0.17  # inches
_BAND = 0.2  # opacity

Line = tuple[str, str]
"""label and colour"""
Mark = tuple[str, Mapping[str, Any]]
"""label, and properties of a line that has it; "facecolor" among them makes it a patch"""
Floats = NDArray[np.float64]

DOTTED: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.0}
DASHED: dict[str, Any] = {"color": GREY, "linestyle": "--", "linewidth": 0.9}
SOLID: dict[str, Any] = {"color": GREY, "linestyle": "-", "linewidth": 0.9}


def make_panels(rows: int, columns: int) -> tuple[Figure, NDArray[Any]]:
    """A figure, and its axes by row and column."""
    from matplotlib.figure import Figure

    size = (max(PANEL_SIZE[0] * columns, _MIN_WIDTH), PANEL_SIZE[1] * rows + 0.25)
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def grid_of_panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` axes in rows of three."""
    columns = min(PANELS_PER_ROW, count)
    figure, panel_grid = make_panels(ceil(count / columns), columns)
    every = list(panel_grid.ravel())
    for axes in every[count:]:
        axes.set_visible(False)
    return figure, every[:count]


def mean_and_range(seeds: Sequence[Any], metric: str) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Steps, mean, lowest and highest value of a metric over the seeds that logged it; None if none did.

    Where their steps differ, values are interpolated between looks; a seed counts from its first look to its last.
    """
    logged = [series for run in seeds if (series := run.series(metric)).values]
    if not logged:
        return None
    steps = np.unique(np.concatenate([np.asarray(series.steps, dtype=np.float64) for series in logged]))
    values = np.array([np.interp(steps, s.steps, s.values, left=np.nan, right=np.nan) for s in logged])
    there = np.ma.masked_invalid(values)
    mean, low, high = (np.asarray(each.filled(np.nan)) for each in (there.mean(0), there.min(0), there.max(0)))
    return steps, mean, low, high


def draw_curve(axes: Axes, seeds: Sequence[Any], metric: str, colour: str) -> None:
    """The mean of the seeds, and a band from the lowest to the highest of them."""
    found = mean_and_range(seeds, metric)
    if found is not None:
        steps, mean, low, high = found
        axes.plot(steps, mean, color=colour, linewidth=1.2)
        if len(seeds) > 1:
            axes.fill_between(steps, low, high, color=colour, alpha=_BAND, linewidth=0)


def draw_curves(axes: Axes, seeds: Sequence[Any], lines: Mapping[str, Line]) -> None:
    """``draw_curve`` of several metrics."""
    for metric, (_, colour) in lines.items():
        draw_curve(axes, seeds, metric, colour)


def logged(runs: Sequence[Any], lines: Mapping[str, Line]) -> list[Line]:
    """The lines that one of the runs has values of."""
    return [line for metric, line in lines.items() if any(run.series(metric).values for run in runs)]


def seeds_mark(panels: Iterable[Sequence[Any]]) -> list[Mark]:
    """What lines and bands are, where a panel has several seeds."""
    most = max((len(seeds) for seeds in panels), default=0)
    return [(f"mean and range, {most} seeds", {"facecolor": SHADE})] if most > 1 else []


def finish(
    figure: Figure, bottom: Iterable[Axes], lines: Sequence[Line], marks: Sequence[Mark] = (),
    below: str = "sequences seen",
) -> None:  # fmt: skip
    """Name the horizontal axes; add a legend of lines and marks above the figure, which grows by it."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for axes in bottom:
        axes.set_xlabel(below)
    handles: list[Any] = [Line2D([], [], color=colour) for _, colour in lines]
    handles += [Patch(**how) if "facecolor" in how else Line2D([], [], **how) for _, how in marks]
    labels = [label for label, _ in (*lines, *marks)]
    if labels:
        columns = 2 if figure.get_figwidth() < 2 * PANEL_SIZE[0] else 3
        columns = min(columns, len(labels), max(1, int(figure.get_figwidth() * 14 // (max(map(len, labels)) + 6))))
        figure.set_figheight(figure.get_figheight() + _LEGEND_ROW * ceil(len(labels) / columns))
        figure.legend(handles, labels, loc="outside upper left", ncols=columns)
