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

_PANEL = (2.7, 2.0)  # inches
_MAP = (5.8, 4.4)
_LEVELS = 14
_GREY = "#555555"


def composite(runs: Sequence[Any], options: Any) -> Figure:
    """Mean scores with thresholds, the evaluation, multipliers and KL, update by update; every seed is a line.

    Raises:
        UsageError: the runs are of several environments, or none logged mean scores.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    _one_environment(runs)
    groups: dict[str, list[Any]] = {}
    for run in runs:
        groups.setdefault(str(run.path.parent), []).append(run)
    several = list(groups.values())
    names = names_of(runs[0])
    if not names:
        raise UsageError(f"{runs[0].path} logged no mean scores: expected runs of zoo-composite-rm.")
    called = options.labels(several)
    N = len(names)
    figure = Figure(figsize=(_PANEL[0] * (N + 1), 2 * _PANEL[1] + 0.3), layout="constrained")
    panels = figure.subplots(2, N + 1, sharex=True)
    metrics = [f"value/{name}" for name in names] + [EVALUATION, *(f"multiplier/{name}" for name in names), "kl"]
    titles = [f"mean of {name}" for name in names] + ["evaluation"]
    titles += [f"multiplier of {name}" for name in names] + ["KL from the reference (nats)"]
    handles = []
    styles: list[Any] = list(options.dashes(called))
    for group, label, dash in zip(several, called, styles, strict=True):
        colour = options.colour(label)
        handles.append(Line2D([], [], color=colour, linestyle=dash))
        faint = 0.9 / len(group) ** 0.5  # many seeds would hide one another
        for run in group:
            for axes, metric in zip(panels.flat, metrics, strict=True):
                _line(axes, run, metric, options, color=colour, linestyle=dash, linewidth=0.9, alpha=faint)
            for axes, name in zip(panels[0], names, strict=False):
                _line(axes, run, f"threshold/{name}", options, color=colour, linestyle=":", drawstyle="steps-post")
    for axes, title in zip(panels.flat, titles, strict=True):
        axes.set_title(title, loc="left")
        if not axes.lines:
            axes.text(0.5, 0.5, "not logged", color=_GREY, ha="center", va="center", transform=axes.transAxes)
    for axes in panels[1]:
        axes.set_xlabel("seconds of training" if options.axis == "wall" else "environment steps")
    handles.append(Line2D([], [], color=_GREY, linestyle=":"))
    options.legend_above(figure, handles, [*called, "threshold"], 4)
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
    figure = Figure(figsize=_MAP, layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    _surface(figure, axes, points)
    followed = list(paths)
    styles: list[Any] = list(options.dashes(followed))
    handles = [
        Line2D([], [], color=options.colour(label), linestyle=dash)
        for label, dash in zip(followed, styles, strict=True)
    ]
    for run in runs:
        label = direction(run, names)
        path, style = recorded(run, names), handles[followed.index(label)]
        axes.plot(path[:, 0], path[:, 1], color="white", linewidth=2.2, alpha=0.8)
        axes.plot(path[:, 0], path[:, 1], color=style.get_color(), linestyle=style.get_linestyle(), linewidth=0.9)
    texts = [f"path of {label}" for label in followed]
    for name, marker in zip(names, ("^", ">"), strict=True):
        if name in points.own:
            x, y = points.own_scores[name]
            handles += axes.plot(x, y, marker, color="black", markerfacecolor="white", markersize=6, linestyle="none")
            texts.append(f"best along {name} ({points.own[name].best[0]:.3f})")
    x, y = points.joint.best
    handles += axes.plot(x, y, "*", color="black", markersize=11, linestyle="none", zorder=4)
    texts.append(f"joint proxy point ({x:.3f}, {y:.3f})")
    axes.set_xlabel(f"mean of {names[0]}")
    axes.set_ylabel(f"mean of {names[1]}")
    options.legend_above(figure, handles, texts, 2)
    return figure


def _surface(figure: Figure, axes: Axes, points: ProxyPoints) -> None:
    """The surface where the density suffices, in colours that do not follow what it does outside."""
    import numpy as np

    joint = points.joint
    inside = np.ma.array(joint.values, mask=~joint.mask)
    # The interesting part is near the top, and a surface falls steeply where runs have overdone it.
    seen = np.concatenate(list(points.paths.values()))[:, -1]
    low = max(float(np.quantile(seen, 0.1)), float(inside.min()))
    levels = np.linspace(low, joint.evaluation, _LEVELS)
    axes.set_facecolor("#efefef")
    drawn = axes.contourf(*joint.axes, inside.T, levels=levels, cmap="viridis", extend="min", alpha=0.85)
    axes.contour(*joint.axes, joint.mask.T.astype(float), levels=[0.5], colors=_GREY, linewidths=0.7)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.9, format="%.2f")
    bar.set_label("evaluation (grey: too few measurements)")


def _line(axes: Axes, run: Any, metric: str, options: Any, **style: Any) -> None:
    series = run.series(metric)
    if series.values:
        axes.plot(series.wall if options.axis == "wall" else series.steps, series.values, **style)


def _one_environment(runs: Sequence[Any]) -> None:
    environments = sorted({run.environment for run in runs})
    if len(environments) > 1:
        raise UsageError(f"these runs are of {' and '.join(environments)}: expected those of one environment.")
