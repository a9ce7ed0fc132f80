"""Learning curves: one panel for each metric and environment, seeds thin, their interquartile mean bold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zoo import RunError, UsageError
from zoo.stats import Floats
from zoo_bench.plots.curves import FLOOR, Axis, Curve, Group, curve, default_metrics, is_residual, shared_metrics
from zoo_bench.plots.legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scale = Literal["auto", "yes", "no"]
FORMATS = (".png", ".svg", ".pdf")
_PANEL = (2.9, 2.15)  # inches
_MAX_COLUMNS = 3
_CROWD = 4
_STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.useoffset": False,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "zoo",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}
_TITLES = {
    "err": "distance from the optimum (err)",
    "gap": "duality gap (gap)",
    "kkt": "KKT residual (kkt)",
    "oscillation": "largest err of the last half",
    "episode/return": "return of training episodes",
    "eval/return": "return in evaluation",
    "episode/length": "length of training episodes",
    "eval/length": "length in evaluation",
    "value/reward": "value of the reward",
}
_GROUPS = {"value": "value of {}", "violation": "violation of {}", "multiplier": "multiplier of {}"}


@dataclass(frozen=True, eq=False)
class Panel:
    """One set of axes: a metric on an environment."""

    metric: str
    environment: str
    curves: list[Curve]
    log: bool


def make_panels(groups: Sequence[Group], metrics: Sequence[str], axis: Axis, scale: Scale) -> list[Panel]:
    """The panels of a figure, environment by environment; those without data are left out.

    Without ``metrics`` they show what the runs are about; of several environments, what all of them have.

    Raises:
        UsageError: a logarithmic axis was asked for, and a metric has values that are not positive.
    """
    panels = []
    environments = dict.fromkeys(group.environment for group in groups)
    metrics = metrics or (shared_metrics(groups) if len(environments) > 1 else [])
    for environment in environments:
        rivals = [group for group in groups if group.environment == environment]
        for metric in metrics or default_metrics(rivals):
            curves = [made for group in rivals if (made := curve(group, metric, axis)) is not None]
            if curves:
                panels.append(Panel(metric, environment, curves, _logarithmic(metric, curves, scale)))
    return panels


def _logarithmic(metric: str, curves: Sequence[Curve], scale: Scale) -> bool:
    residual = is_residual(metric)
    if scale == "yes" and not residual:
        least = min(float(y.min()) for made in curves for _, y in made.seeds)
        if least <= 0:
            raise UsageError(
                f"metric {metric!r} goes down to {least:.4g}: a logarithmic axis needs positive values.",
                "Leave out --log yes, or name other metrics with --metric.",
            )
    return scale == "yes" or (scale == "auto" and residual)


def title(metric: str) -> str:
    """What a metric is called above its panel."""
    if metric in _TITLES:
        return _TITLES[metric]
    head, slash, tail = metric.partition("/")
    return _GROUPS[head].format(tail) if slash and head in _GROUPS else metric


def draw(panels: Sequence[Panel], axis: Axis) -> Figure:
    """The figure, not yet written; matplotlib's settings are as before on return.

    Raises:
        UsageError: matplotlib is not installed.
    """
    with styled():
        from matplotlib.figure import Figure

        environments = list(dict.fromkeys(panel.environment for panel in panels))
        most = max(sum(panel.environment == environment for panel in panels) for environment in environments)
        per_row = 2 if most == 4 else min(_MAX_COLUMNS, most)
        rows: list[list[Panel]] = []
        for environment in environments:
            own = [panel for panel in panels if panel.environment == environment]
            rows += [own[first : first + per_row] for first in range(0, len(own), per_row)]
        legend_rows = 0.28
        size = (_PANEL[0] * per_row, _PANEL[1] * len(rows) + legend_rows)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(rows), per_row, squeeze=False)
        for places, row in zip(grid, rows, strict=True):
            for place, panel in zip(places, row, strict=False):
                _draw_panel(place, panel, axis)
                if len(environments) > 1:
                    place.set_title(f"{panel.environment}: {place.get_title(loc='left')}", loc="left")
            for place in places[len(row) :]:
                place.set_visible(False)
        _legend(figure, panels)
        if len(environments) == 1:
            figure.suptitle(environments[0], x=0.01, ha="left", fontsize=9, fontweight="bold")
        return figure


def _draw_panel(axes: Axes, panel: Panel, axis: Axis) -> None:
    from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

    width = 1.6 if len(panel.curves) <= _CROWD else 1.2
    for made in panel.curves:
        # What swings lies beneath what has settled.
        style: dict[str, Any] = {"color": made.group.colour, "zorder": 2.0 if made.swings else 2.5}
        bold: dict[str, Any] = style | {
            "linestyle": made.group.dash, "linewidth": width, "label": made.group.label,
            "marker": "o", "markersize": 2.8, "markevery": [-1],  # where the curve ends, perhaps long before the others
        }  # fmt: skip
        for number, (x, y) in enumerate(() if made.swings else made.seeds):
            thin = style | {"linewidth": 0.6, "alpha": 0.35}
            axes.plot(x, _shown(y, panel), **(thin if len(made.centre) or number else bold))
        if len(made.centre):
            low, high = _shown(made.low, panel), _shown(made.high, panel)
            axes.fill_between(made.x, low, high, alpha=0.3 if made.swings else 0.15, linewidth=0, **style)
            axes.plot(made.x, _shown(made.centre, panel), **bold)
    for reference in dict.fromkeys(made.reference for made in panel.curves if made.reference is not None):
        axes.axhline(reference, color="black", linewidth=0.9, linestyle=(0, (5, 3)), label="optimum", zorder=3)
    if panel.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=7))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_title(title(panel.metric), loc="left")
    axes.set_xlabel("seconds of training" if axis == "wall" else _unit(panel))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.02)


def _shown(y: Floats, panel: Panel) -> Floats:
    return np.maximum(y, FLOOR) if panel.log else y


def _unit(panel: Panel) -> str:
    iterations = {made.group.counts_iterations for made in panel.curves}
    return "steps" if len(iterations) > 1 else "iterations" if iterations == {True} else "environment steps"


def _legend(figure: Figure, panels: Sequence[Panel]) -> None:
    """One legend for all panels; the optimum last."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        for handle, label in zip(handles, labels, strict=True):
            entries.setdefault(label, handle)
    if "optimum" in entries:
        entries["optimum"] = entries.pop("optimum")
    seeds = max(len(made.seeds) for panel in panels for made in panel.curves)
    if len(entries) > 1 or seeds > 1:
        legend_above(figure, list(entries.values()), list(entries), most=4)


def caption(panels: Sequence[Panel], groups: Sequence[Group]) -> list[str]:
    """Sentences that say what the lines are, and which of ``groups`` have none."""
    curves = [made for panel in panels for made in panel.curves]
    drawn = {id(made.group) for made in curves}
    absent = [f"{group.label} on {group.environment}" for group in groups if id(group) not in drawn]
    notes = [f"not drawn: {', '.join(absent)}, which logged nothing of this."] if absent else []
    counts = {len(made.seeds) for made in curves if len(made.centre) and not made.swings}
    if counts:
        few = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else str(counts.pop())
        notes.append(f"thin: {few} seeds; bold: their interquartile mean; band: its 95 % interval, with three or more.")
    swinging = list(dict.fromkeys(made.group.label for made in curves if made.swings))
    if swinging:
        notes.append(f"{', '.join(swinging)}: swings too often to be drawn; shaded: its range; bold: its mean.")
    binned = max(made.binned for made in curves)
    if binned > 1:
        notes.append(f"points are means of up to {binned} logged values.")
    floored = any(panel.log and any(y.min() < FLOOR for c in panel.curves for _, y in c.seeds) for panel in panels)
    if floored:
        notes.append(f"residuals below {FLOOR:g} are rounding and drawn there.")
    return notes


def check_file(path: Path) -> None:
    """Refuse a file name of an unknown format, before any work.

    Raises:
        UsageError: it is none of PNG, SVG and PDF.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path} has the suffix {path.suffix!r}: expected one of {', '.join(FORMATS)}.")


def default_file(groups: Sequence[Group], what: str = "") -> Path:
    """``plots/<environments>-<algorithms>[-<what>].png``; a count instead of more than four names."""
    from zoo.discovery import slug

    def joined(names: Sequence[str], what: str) -> str:
        distinct = list(dict.fromkeys(names))
        return "+".join(map(slug, distinct)) if len(distinct) <= 4 else f"{len(distinct)}-{what}"

    environments = joined([group.environment for group in groups], "environments")
    parts = [environments, joined([g.runs[0].algorithm for g in groups], "algorithms"), slug(what) if what else ""]
    return Path("plots") / f"{'-'.join(filter(None, parts))}.png"


def write(figure: Figure, path: Path) -> None:
    """Write the figure; the same runs give the same bytes with the same matplotlib.

    Raises:
        RunError: the file cannot be written.
    """
    dates: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with styled():
            figure.savefig(path, metadata=dates[path.suffix.lower()])
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from error


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Settings of matplotlib for every figure of the zoo; as before on leaving.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise UsageError(
            "zoo plot needs matplotlib, which is not installed.", "pip install 'zoo-bench[plot]'"
        ) from error
    with rc_context(_STYLE):
        yield
