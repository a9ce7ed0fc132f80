"""``zoo plot composite RUN...`` and ``zoo plot proxy RUN...``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo import UsageError
from zoo_composite_rm.proxy.points import ProxyPoints, find_proxy_points
from zoo_composite_rm.proxy.runs import EVALUATION, direction, names_of, paths_of, recorded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_SIZE = (2.7, 2.0)  # inches
_SURFACE_SIZE = (5.8, 4.4)
_CONTOUR_LEVELS = 14
_GREY = "#555555"


def composite(runs: Sequence[Any], options: Any) -> Figure:
    """Mean scores with thresholds, the evaluation, multipliers and KL, update by update; every seed is a line.

    Raises:
        UsageError: the runs are of several environments, or none logged mean scores.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    _check_one_environment(runs)
    groups: dict[str, list[Any]] = {}
    for run in runs:
        groups.setdefault(str(run.path.parent), []).append(run)
    run_groups = list(groups.values())
    names = names_of(runs[0])
    if not names:
        raise UsageError(f"{runs[0].path} logged no mean scores: expected runs of zoo-composite-rm.")
    labels = options.labels(run_groups)
    N = len(names)
    figure = Figure(figsize=(_PANEL_SIZE[0] * (N + 1), 2 * _PANEL_SIZE[1] + 0.3), layout="constrained")
    panels = figure.subplots(2, N + 1, sharex=True)
    metrics = [f"value/{name}" for name in names] + [EVALUATION, *(f"multiplier/{name}" for name in names), "kl"]
    titles = [f"mean of {name}" for name in names] + ["evaluation"]
    titles += [f"multiplier of {name}" for name in names] + ["KL from the reference (nats)"]
    handles = []
    styles: list[Any] = list(options.dashes(labels))
    for group, label, dash in zip(run_groups, labels, styles, strict=True):
        colour = options.colour(label)
        handles.append(Line2D([], [], color=colour, linestyle=dash))
        alpha = 0.9 / len(group) ** 0.5  # many seeds would hide one another
        for run in group:
            for axes, metric in zip(panels.flat, metrics, strict=True):
                _draw_line(axes, run, metric, options, color=colour, linestyle=dash, linewidth=0.9, alpha=alpha)
            for axes, name in zip(panels[0], names, strict=False):
                _draw_line(axes, run, f"threshold/{name}", options, color=colour, linestyle=":", drawstyle="steps-post")
    for axes, title in zip(panels.flat, titles, strict=True):
        axes.set_title(title, loc="left")
        if not axes.lines:
            axes.text(0.5, 0.5, "not logged", color=_GREY, ha="center", va="center", transform=axes.transAxes)
    for axes in panels[1]:
        axes.set_xlabel("seconds of training" if options.axis == "wall" else "environment steps")
    handles.append(Line2D([], [], color=_GREY, linestyle=":"))
    options.legend_above(figure, handles, [*labels, "threshold"], 4)
    return figure


def proxy(runs: Sequence[Any], options: Any) -> Figure:
    """The evaluation over the scores of two reward models: surface, where it is known, proxy points and paths.

    Raises:
        UsageError: there are not two reward models, or as ``find_proxy_points``.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    names, paths = paths_of(runs)
    if len(names) != 2:
        raise UsageError(f"these runs have {len(names)} reward models: expected two, for the two axes.")
    points = find_proxy_points(paths, names)
    figure = Figure(figsize=_SURFACE_SIZE, layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    _draw_surface(figure, axes, points)
    directions = list(paths)
    styles: list[Any] = list(options.dashes(directions))
    handles = [
        Line2D([], [], color=options.colour(label), linestyle=dash)
        for label, dash in zip(directions, styles, strict=True)
    ]
    for run in runs:
        label = direction(run, names)
        path, style = recorded(run, names), handles[directions.index(label)]
        axes.plot(path[:, 0], path[:, 1], color="white", linewidth=2.2, alpha=0.8)
        axes.plot(path[:, 0], path[:, 1], color=style.get_color(), linestyle=style.get_linestyle(), linewidth=0.9)
    legend = [f"path of {label}" for label in directions]
    for name, marker in zip(names, ("^", ">"), strict=True):
        if name in points.own:
            x, y = points.own_scores[name]
            handles += axes.plot(x, y, marker, color="black", markerfacecolor="white", markersize=6, linestyle="none")
            legend.append(f"best along {name} ({points.own[name].best[0]:.3f})")
    x, y = points.joint.best
    handles += axes.plot(x, y, "*", color="black", markersize=11, linestyle="none", zorder=4)
    legend.append(f"joint proxy point ({x:.3f}, {y:.3f})")
    axes.set_xlabel(f"mean of {names[0]}")
    axes.set_ylabel(f"mean of {names[1]}")
    options.legend_above(figure, handles, legend, 2)
    return figure


def _draw_surface(figure: Figure, axes: Axes, points: ProxyPoints) -> None:
    """The surface where the points are dense enough; the colour scale ignores its values elsewhere."""
    import numpy as np

    joint = points.joint
    masked = np.ma.array(joint.values, mask=~joint.mask)
    # The maximum is what matters, and a surface falls steeply where runs have overoptimised.
    evaluations = np.concatenate(list(points.paths.values()))[:, -1]
    low = max(float(np.quantile(evaluations, 0.1)), float(masked.min()))
    levels = np.linspace(low, joint.evaluation, _CONTOUR_LEVELS)
    axes.set_facecolor("#efefef")
    contours = axes.contourf(*joint.axes, masked.T, levels=levels, cmap="viridis", extend="min", alpha=0.85)
    axes.contour(*joint.axes, joint.mask.T.astype(float), levels=[0.5], colors=_GREY, linewidths=0.7)
    bar = figure.colorbar(contours, ax=axes, shrink=0.9, format="%.2f")
    bar.set_label("evaluation (grey: too few measurements)")


def _draw_line(axes: Axes, run: Any, metric: str, options: Any, **style: Any) -> None:
    series = run.series(metric)
    if series.values:
        axes.plot(series.wall if options.axis == "wall" else series.steps, series.values, **style)


def _check_one_environment(runs: Sequence[Any]) -> None:
    environments = sorted({run.environment for run in runs})
    if len(environments) > 1:
        raise UsageError(f"these runs are of {' and '.join(environments)}: expected those of one environment.")
