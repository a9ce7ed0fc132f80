"""Figures for ``zoo plot``: learning curves by task, sparsity over time, and a default policy on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_mdl_c.derived import by_task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WALL = "#6e6e6e"
_ARROWS = np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])
"""columns and rows of up, right, down, left"""


def learning(runs: Sequence[Any], options: Any) -> Figure:
    """One panel for each task in the order posed, one line for each algorithm: mean over seeds with its standard error.

    Raises:
        UsageError: no run logged tasks and the metric (``return/discounted``, or ``--metric``).
    """
    from matplotlib.figure import Figure

    metric = options.metrics[0] if options.metrics else "return/discounted"
    groups: dict[str, list[list[NDArray[np.float64]]]] = {}
    for run in runs:
        parts = by_task(run, metric)
        if parts:
            groups.setdefault(run.algorithm, []).append(parts)
    if not groups:
        raise UsageError(f"no run logged task/number and {metric}: expected runs of mdl-c or of its baselines.")
    tasks = max(len(parts) for several in groups.values() for parts in several)
    columns = min(tasks, 8)
    rows = -(-tasks // columns)
    figure = Figure(figsize=(1.25 * columns + 0.8, 1.5 * rows + 0.8), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    handles = {}
    for number, axes in enumerate(panels.flat):
        axes.set_visible(number < tasks)
        for algorithm, several in groups.items():
            curves = [parts[number] for parts in several if number < len(parts)]
            if not curves:
                continue
            length = min(map(len, curves))
            stacked = np.stack([curve[:length] for curve in curves])
            mean = stacked.mean(0)
            error = stacked.std(0, ddof=1) / len(stacked) ** 0.5 if len(stacked) > 1 else np.zeros(length)
            colour, updates = options.colour(algorithm), np.arange(1, length + 1)
            axes.fill_between(updates, mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)
            (handles[algorithm],) = axes.plot(updates, mean, color=colour, linewidth=1.2)
        axes.set_title(f"task {number + 1}", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.supxlabel("update of the task", fontsize=9)
    figure.supylabel(metric, fontsize=9)
    names = list(handles)
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=len(names),
        frameon=False,
        fontsize=8,
    )
    return figure


def sparsity(runs: Sequence[Any], options: Any) -> Figure:
    """Share of the default's weights that are pruned over environment steps, by group of inputs; mean over seeds.

    Raises:
        UsageError: no run logged the sparsity of a default policy.
    """
    from matplotlib.figure import Figure

    prefix = "default/sparsity"
    groups: dict[str, list[Any]] = {}
    for run in runs:
        for name in run.metrics:
            if name.startswith(prefix):
                groups.setdefault(name.removeprefix(prefix).strip("/") or "all", []).append(run.series(name))
    if not groups:
        raise UsageError(f"no run logged {prefix}: expected runs of mdl-c or of its off-policy forms.")
    figure = Figure(figsize=(4.2, 2.6), layout="constrained")
    axes = figure.subplots()
    for index, (name, several) in enumerate(sorted(groups.items())):
        length = min(len(series.values) for series in several)
        values = np.stack([series.values[:length] for series in several])
        style: dict[str, Any] = (
            {"color": "black", "linewidth": 1.6} if name == "all" else {"color": f"C{index}", "linewidth": 1.1}
        )
        axes.plot(several[0].steps[:length], values.mean(0), label=name, **style)
    axes.set_xlabel("environment steps")
    axes.set_ylabel("share of weights pruned")
    axes.set_ylim(-0.02, 1.02)
    figure.legend(loc="outside right center", frameon=False, fontsize=8, title="inputs", title_fontsize=8)
    return figure


def default(runs: Sequence[Any], options: Any) -> Figure:
    """The default policy of each run on its grid: arrows in each cell, as long as the moves are probable.

    It is read from the report of ``zoo eval RUN mdl-c-default``, in which all other features are 0, their mean.

    Raises:
        UsageError: no run has such a report with a grid.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    drawn = [(run, cells) for run in runs if (cells := _on_grid(run)) is not None]
    if not drawn:
        raise UsageError(
            "no run has a report of its default policy on a grid: "
            "zoo eval RUN mdl-c-default makes one, on four-rooms-goals."
        )
    columns = min(len(drawn), 4)
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(2.9 * columns, 3.1 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[len(drawn) :]:
        axes.set_visible(False)
    for axes, (run, (row, column, policy)) in zip(panels.flat, drawn, strict=False):
        free = np.zeros((row.max() + 2, column.max() + 2), dtype=bool)
        free[row, column] = True
        axes.imshow(free, cmap=ListedColormap([_WALL, "white"]))
        for action, (right, down) in enumerate(_ARROWS):
            length = 0.55 * policy[:, action]
            axes.quiver(
                column, row, length * right, length * down, angles="xy", scale_units="xy", scale=1,
                width=0.007, headwidth=3, headlength=3, headaxislength=3, color=options.colour(run.algorithm),
            )  # fmt: skip
        axes.set_title(f"{run.algorithm}, seed {run.seed}", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _on_grid(run: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None:
    """Rows and columns of the free cells [S], and probabilities [S, A]."""
    cells = [row for row in run.evaluations.get("mdl-c-default", {}).get("rows", ()) if "cell" in row]
    if not cells:
        return None
    place = np.array([row["cell"] for row in cells], dtype=np.int64)
    return place[:, 0], place[:, 1], np.array([row["probabilities"] for row in cells])
