"""Figures for ``zoo plot`` of runs on many tasks. Bands are the mean over seeds plus and minus one standard error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_rpo import derived

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL = (3.4, 2.4)  # inches
_PER_ROW = 3
Floats = NDArray[np.float64]


def by_task(runs: Sequence[Any], options: Any) -> Figure:
    """A metric's mean over each task's updates, by number of the task: ``--metric value`` or ``divergence/kl``.

    Raises:
        UsageError: no run logged the metric by task.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    metric = options.metrics[0] if options.metrics else "value"
    groups = _groups(runs, metric)
    labels = options.labels(groups)
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    dashes = options.dashes([_hue(group) for group in groups])
    for group, label, dash in zip(groups, labels, dashes, strict=True):
        means = [[_mean(rows, metric) for rows in derived.by_task(run, metric).values()] for run in group]
        curves = _stacked(means)
        tasks = np.arange(1, curves.shape[1] + 1)
        _band(axes, tasks, curves, options.colour(_hue(group)), label, dash)
    axes.set_xlabel("task")
    axes.set_ylabel(f"{metric}, mean over the task's updates")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, texts = axes.get_legend_handles_labels()
    options.legend_above(figure, handles, texts, 2)
    return figure


def task_curves(runs: Sequence[Any], options: Any) -> Figure:
    """Learning curves within tasks, from the first (dark) to the last (light): ``--metric value``.

    Raises:
        UsageError: no run logged the metric by task.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    metric = options.metrics[0] if options.metrics else "value"
    groups = _groups(runs, metric)
    columns = min(_PER_ROW, len(groups))
    rows = -(-len(groups) // columns)
    size = (_PANEL[0] * columns + 0.9, _PANEL[1] * rows + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    last = max(max(derived.by_task(run, metric)) for group in groups for run in group)
    norm = Normalize(1, max(last, 2))
    shades = colormaps["viridis"]
    for axes, group, label in zip(panels, groups, options.labels(groups), strict=False):
        tasks = [derived.by_task(run, metric) for run in group]
        for task in sorted(set.intersection(*(set(numbers) for numbers in tasks))):
            curve = _stacked([[float(row[metric]) for row in numbers[task]] for numbers in tasks]).mean(axis=0)
            updates = np.arange(1, len(curve) + 1) * int(group[0].spec.config.get("log_every", 1))
            axes.plot(updates, curve, color=shades(norm(task)), linewidth=1.1)
        axes.set_title(label, fontsize="medium")
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    for axes in panels[: len(groups)]:
        axes.set_xlabel("updates on the task")
        axes.tick_params(labelbottom=True)
    for axes in panels[::columns]:
        axes.set_ylabel(metric)
    bar = figure.colorbar(ScalarMappable(norm, shades), ax=list(panels), label="task", shrink=0.8)
    bar.locator = MaxNLocator(integer=True)
    bar.update_ticks()
    return figure


def regret(runs: Sequence[Any], options: Any) -> Figure:
    """Cumulative regret against the exact optimum of each task.

    Raises:
        UsageError: no run logged regret.
    """
    from matplotlib.figure import Figure

    groups = _groups(runs, "regret")
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    dashes = options.dashes([_hue(group) for group in groups])
    for group, label, dash in zip(groups, options.labels(groups), dashes, strict=True):
        curves = _stacked([run.series("regret").values for run in group])
        steps = np.asarray(group[0].series("regret").steps[: curves.shape[1]])
        _band(axes, steps, curves, options.colour(_hue(group)), label, dash)
    axes.set_xlabel("episodes")
    axes.set_ylabel("sum of V* - V over updates")
    handles, texts = axes.get_legend_handles_labels()
    options.legend_above(figure, handles, texts, 2)
    return figure


def _hue(group: Sequence[Any]) -> str:
    """The name that determines a curve's colour: its regulariser, or the algorithm if it has none."""
    run = group[0]
    return str(run.spec.config.get("regulariser", run.algorithm))


def _groups(runs: Sequence[Any], metric: str) -> list[list[Any]]:
    """Groups of runs that differ only in their seeds; runs without the metric are left out.

    Raises:
        UsageError: no run has the metric.
    """
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for run in runs:
        if derived.by_task(run, metric):
            groups.setdefault((run.environment, run.algorithm, run.spec.key), []).append(run)
    if not groups:
        raise UsageError(f"no run logged {metric} by task: expected runs on many tasks, such as those of rpo or tvpo.")
    return [groups[key] for key in sorted(groups)]


def _mean(rows: derived.Rows, metric: str) -> float:
    return float(np.mean([float(row[metric]) for row in rows]))


def _stacked(curves: Sequence[Sequence[float]]) -> Floats:
    """The curves as one array [seeds, n], cut to the length of the shortest."""
    shortest = min(map(len, curves))
    return np.array([curve[:shortest] for curve in curves], dtype=np.float64)


def _band(axes: Any, x: Floats, curves: Floats, colour: str, label: str, dash: Any) -> None:
    mean = curves.mean(axis=0)
    if len(curves) > 1:
        error = curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
        axes.fill_between(x, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, mean, color=colour, label=label, linestyle=dash, linewidth=1.4)
