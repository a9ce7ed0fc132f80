"""Figures for ``zoo plot``: how a circuit forms, and how in-context learning comes and goes.

Horizontal axes are sequences seen. Runs that differ in their seed alone share a panel and are drawn alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_icl.probes.attention import prev_token_baseline
from zoo_icl.probes.events import PhaseChange, phase_change, transience

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _RED, _GREEN, _PURPLE, _ORANGE, _SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
_GREY = "#555555"
_PANEL_SIZE = (3.2, 2.2)  # inches
_MIN_WIDTH = 4.4  # inches: two columns of a legend
_TITLE_LENGTH = 42  # characters in a line
_PANELS_PER_ROW = 3
_FLOOR = math.log(2.0)
_LOSS = "train/loss"
_SETS = {
    "seen/acc": ("as in training", _BLUE),
    "relabel_val/acc": ("new pairs of labels", _GREEN),
    "new_exemplar/acc": ("new exemplars", _ORANGE),
    "new_class/acc": ("new classes", _RED),
}
_STRATEGIES = {
    "icl/in_context_acc": ("icl: context alone", _BLUE),
    "icl_new_class/in_context_acc": ("icl, new classes", _SKY),
    "flip/in_context_acc": ("flip: context against weights", _RED),
    "ciwl/in_context_acc": ("ciwl: weights among labels shown", _ORANGE),
    "iwl/acc": ("iwl: weights alone", _GREEN),
}
_STRENGTHS = {
    "prev_token_strength": "attention to the previous token",
    "induction_strength": "induction strength",
}
_CLAMPS = {
    "none": _GREY, "PrevToken": _SKY, "Layer1": _GREEN, "Copy": _PURPLE, "Induction": _RED, "Layer1+Copy": _ORANGE,
}  # fmt: skip
"""colours by kinds of clamps, ablations left out"""

_CALL = re.compile(r"(\w+)\([^()]{12,}\)")
"""a clamp with arguments too long for a title"""

Line = tuple[str, str]
"""label and colour"""


def phases(runs: Sequence[Any], options: Any) -> Figure:
    """Loss and accuracies, with plateau (shaded), onset (dashed) and half loss (solid) of the phase change.

    The plateau is the longest stretch within 0.1 nats of ln 2; the loss is below 0.9 ln 2 from the onset on, and below
    0.5 ln 2 at the solid line. Marks are of the first seed.

    Raises:
        UsageError: no run logged a loss.
    """
    panels = _group_by_title([run for run in runs if run.series(_LOSS).values], f"logged {_LOSS}")
    figure, panel_grid = _make_panels(len(panels), 2)
    for (left, right), (title, seeds) in zip(panel_grid, panels.items(), strict=True):
        _draw_curves(left, seeds, {_LOSS: ("", _GREY)})
        _draw_curves(right, seeds, _SETS)
        series = seeds[0].series(_LOSS)
        change = phase_change(series.steps, series.values)
        for axes in (left, right):
            _mark_events(axes, change)
        left.axhline(_FLOOR, color=_GREY, linestyle=":", linewidth=1.0)
        left.set_ylim(bottom=0.0)
        left.set_title(title, loc="left")
        left.set_ylabel("training loss (dotted: ln 2)")
        right.set(ylim=(-0.02, 1.02), ylabel="accuracy")
    _finish(figure, panel_grid[-1], _logged(runs, _SETS))
    return figure


def strategies(runs: Sequence[Any], options: Any) -> Figure:
    """Context against weights: trajectories of icl, flip, ciwl and iwl; a line where flip falls below one half.

    Raises:
        UsageError: no run logged any of them.
    """
    kept = [run for run in runs if any(run.series(name).values for name in _STRATEGIES)]
    panels = _group_by_title(kept, f"logged {' or '.join(_STRATEGIES)}")
    columns = min(_PANELS_PER_ROW, len(panels))
    figure, panel_grid = _make_panels(math.ceil(len(panels) / columns), columns)
    for axes, (title, seeds) in zip(panel_grid.ravel(), panels.items(), strict=False):
        _draw_curves(axes, seeds, _STRATEGIES)
        flip = seeds[0].series("flip/in_context_acc")
        crossed = transience(flip.steps, flip.values, flip.values).t_cross if flip.values else None
        if crossed is not None:
            axes.axvline(crossed, color=_GREY, linewidth=0.9)
        axes.axhline(0.5, color=_GREY, linestyle=":", linewidth=1.0)
        axes.set(ylim=(-0.02, 1.02), ylabel="accuracy")
        axes.set_title(title, loc="left")
    for axes in panel_grid.ravel()[len(panels) :]:
        axes.set_visible(False)
    _finish(figure, panel_grid.ravel()[: len(panels)], _logged(kept, _STRATEGIES))
    return figure


def heads(runs: Sequence[Any], options: Any) -> Figure:
    """Strength of each head: to the previous token in the first block (dotted: uniform), induction in the last.

    Of several seeds the first is drawn; heads are named where their lines end.

    Raises:
        UsageError: no run logged strengths.
    """
    kept = [run for run in runs if any(_head_metrics(run, kind) for kind in _STRENGTHS)]
    panels = _group_by_title(kept, "logged strengths of heads")
    figure, panel_grid = _make_panels(len(panels), 2)
    for row, (title, (run, *_)) in zip(panel_grid, panels.items(), strict=True):
        for axes, (kind, label) in zip(row, _STRENGTHS.items(), strict=True):
            _draw_heads(axes, run, _head_metrics(run, kind))
            axes.set_ylabel(label)
        even = prev_token_baseline(2 * int(run.spec.env_config.get("context", 2)) + 1)
        for axes, level in zip(row, (even, 0.0), strict=True):
            axes.axhline(level, color=_GREY, linestyle=":", linewidth=1.0)
        row[0].set_title(title, loc="left")
    _finish(figure, panel_grid[-1], [])
    return figure


def progress(runs: Sequence[Any], options: Any) -> Figure:
    """Loss of an unclamped training judged under clamps (left), and of trainings under these clamps (right).

    The left is from the report of ``icl-clamped``, of the first run that has one with checkpoints; the right is of all
    runs given that were trained under clamps, and of those without whose heads are ablated alike.

    Raises:
        UsageError: there is neither such a report nor a run trained under clamps.
    """
    reports = (_clamped(run) for run in runs)
    judged = next((rows for rows in reports if len({row["sequences"] for row in rows}) > 1), [])
    right = _trained(runs)
    if not judged and not right:
        raise UsageError(
            "these runs show no progress under clamps: expected runs trained under different clamps, or one judged by "
            "icl-clamped at several checkpoints.",
            "zoo eval RUN icl-clamped judges those that --checkpoint-every 4000 keeps.",
        )
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in judged:
        curves.setdefault(_kind(row["clamp"]), []).append((row["sequences"], row["loss"]))
    colours = _colours([*curves, *right])
    figure, panel_grid = _make_panels(1, bool(judged) + bool(right))
    axes = iter(panel_grid[0])
    if judged:
        left = next(axes)
        for kind, points in curves.items():
            left.plot(*zip(*points, strict=True), marker=".", color=colours[kind], linewidth=1.2)
        left.set_title("trained without, judged with the clamp", loc="left")
        left.set_ylabel("loss")
    if right:
        last = next(axes)
        for kind, seeds in right.items():
            _draw_curves(last, seeds, {_LOSS: (kind, colours[kind])})
        last.set_title("trained with the clamp", loc="left")
        last.set_ylabel("training loss")
    for each in panel_grid[0]:
        each.axhline(0.5 * _FLOOR, color=_GREY, linestyle=":", linewidth=1.0)
        each.set_ylim(0.0, min(each.get_ylim()[1], 2.5))
    _finish(figure, panel_grid[0], list(colours.items()))
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


def _group_by_title(runs: Sequence[Any], what: str) -> dict[str, list[Any]]:
    """Seeds by a title: the environment, and the options in which its runs differ.

    Raises:
        UsageError: there are no runs.
    """
    if not runs:
        raise UsageError(f"none of these runs {what}.", "zoo plot RUN --list shows what they logged.")
    groups: dict[Any, list[Any]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        groups.setdefault(run.path.parent, []).append(run)
    titles = [_settings(seeds[0]) for seeds in groups.values()]
    every = {name for own in titles for name in own}
    names = sorted(name for name in every if any(own.get(name) != titles[0].get(name) for own in titles))
    panels: dict[str, list[Any]] = {}
    for own, seeds in zip(titles, groups.values(), strict=True):
        options = ", ".join(f"{name} {_short(own[name])}" for name in names[:3] if name in own)
        title = fill(f"{seeds[0].environment}{': ' if options else ''}{options}", _TITLE_LENGTH)
        panels.setdefault(title if title not in panels else f"{title} ({seeds[0].path.parent.name})", []).extend(seeds)
    return panels


def _settings(run: Any) -> dict[str, Any]:
    clamps = [_CALL.sub(r"\1(…)", clamp) for clamp in run.spec.config.get("clamp") or ()]
    return {**run.spec.env_config, **run.spec.config, "clamp": "+".join(clamps) or "none"}


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _head_metrics(run: Any, kind: str) -> dict[str, str]:
    """Metric of each head, by "block:head"."""
    named = (name.split("/") for name in run.metrics if name.startswith("heads/") and name.endswith(f"/{kind}"))
    return {parts[1].replace(".", ":"): "/".join(parts) for parts in named}


def _draw_heads(axes: Axes, run: Any, metrics: Mapping[str, str]) -> None:
    from matplotlib import colormaps

    shades = colormaps["viridis"](np.linspace(0.0, 0.88, len(metrics)))
    lines = [(name, run.series(metric)) for name, metric in metrics.items()]
    spread = float(np.ptp(np.concatenate([series.values for _, series in lines])))
    ends = _separate([series.values[-1] for _, series in lines], 0.045 * (spread or 1.0))
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


def _trained(runs: Sequence[Any]) -> dict[str, list[Any]]:
    """Runs by the kinds of their clamps, of the first that ablate the same heads and differ; empty if none do."""
    curves: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for run in runs:
        if run.series(_LOSS).values:
            clamps = run.spec.config.get("clamp") or ()
            ablated = tuple(clamp for clamp in clamps if clamp.startswith("Ablate("))
            curves.setdefault(ablated, {}).setdefault(_kind("+".join(clamps)), []).append(run)
    return next((by_kind for by_kind in curves.values() if len(by_kind) > 1), {})


def _clamped(run: Any) -> list[dict[str, Any]]:
    return [row for row in run.evaluations.get("icl-clamped", {}).get("rows", []) if "clamp" in row]


def _patterns(run: Any) -> dict[str, NDArray[np.float64]]:
    rows = run.evaluations.get("icl-induction", {}).get("rows", [])
    return {row["of"]: np.asarray(row["pattern"]) for row in rows if row.get("metric") == "pattern"}


def _kind(clamps: str) -> str:
    """Kinds of clamps in a text, in their order, ablations left out: "Layer1+Copy"; "none" if nothing is left."""
    kinds = [part.partition("(")[0].strip() for part in clamps.split("+")]
    return "+".join(kind for kind in kinds if kind not in ("", "Ablate")) or "none"


def _colours(kinds: Iterable[str]) -> dict[str, str]:
    spare = iter((_BLUE, "#882255", "#332288", "#999933"))
    return {kind: _CLAMPS.get(kind) or next(spare, _GREY) for kind in dict.fromkeys(kinds)}


def _logged(runs: Sequence[Any], lines: Mapping[str, Line]) -> list[Line]:
    return [line for name, line in lines.items() if any(run.series(name).values for run in runs)]


def _draw_curves(axes: Axes, seeds: Sequence[Any], lines: Mapping[str, Line]) -> None:
    for run in seeds:
        for name, (_, colour) in lines.items():
            series = run.series(name)
            axes.plot(series.steps, series.values, color=colour, linewidth=1.2, alpha=1.0 if len(seeds) == 1 else 0.6)


def _mark_events(axes: Axes, change: PhaseChange) -> None:
    if change.plateau:
        axes.axvspan(*change.plateau, color="#eeeeee", linewidth=0, zorder=0)
    for at, style in ((change.onset, "--"), (change.t_half, "-")):
        if at is not None:
            axes.axvline(at, color=_GREY, linestyle=style, linewidth=0.9)


def _label_tokens(axes: Axes, count: int, *, left: bool) -> None:
    """Name the tokens: exemplars x, labels y, the query."""
    names = [f"{'xy'[place % 2]}{place // 2 + 1}" for place in range(count - 1)] + ["?"]
    size = 6.0 if count <= 9 else 3.5
    axes.grid(visible=False)
    axes.set_xticks(range(count), names, fontsize=size)
    axes.set_yticks(range(count), names if left else [""] * count, fontsize=size)
    axes.tick_params(length=0, pad=1)


def _make_panels(rows: int, columns: int) -> tuple[Figure, NDArray[Any]]:
    from matplotlib.figure import Figure

    size = (max(_PANEL_SIZE[0] * columns, _MIN_WIDTH), _PANEL_SIZE[1] * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _finish(figure: Figure, bottom: Iterable[Axes], lines: Sequence[Line]) -> None:
    """Name the horizontal axes; add the legend above the figure."""
    from matplotlib.lines import Line2D

    for axes in bottom:
        axes.set_xlabel("sequences seen")
    if lines:
        handles = [Line2D([], [], color=colour) for _, colour in lines]
        columns = 2 if figure.get_figwidth() < 2 * _PANEL_SIZE[0] else 3
        figure.legend(handles, [label for label, _ in lines], loc="outside upper left", ncols=min(columns, len(lines)))
