"""``zoo plot orbit RUN...``: the path of the iterates, multiplier against constraint value, for each constraint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VALUE, _VIOLATION, _MULTIPLIER = "value/", "violation/", "multiplier/"
_PANEL = (2.9, 2.5)  # inches
_PER_ROW = 3


def orbit(runs: Sequence[Any], options: Any) -> Figure:
    """Multiplier against constraint value, from the hollow start to the filled end, and the threshold.

    Of several seeds of an algorithm the first is drawn; ``--metric multiplier/NAME`` picks constraints.

    Raises:
        UsageError: no run logged a multiplier, or not the one that was asked for.
    """
    from matplotlib.figure import Figure

    first = {(run.environment, run.algorithm): run for run in sorted(runs, key=lambda run: -run.seed)}
    panels: dict[tuple[str, str], list[Any]] = {}
    for (environment, _), run in sorted(first.items()):
        for name in run.metrics:
            if name.startswith(_MULTIPLIER) and (not options.metrics or name in options.metrics):
                panels.setdefault((environment, name.removeprefix(_MULTIPLIER)), []).append(run)
    if not panels:
        names = f" called {' or '.join(options.metrics)}" if options.metrics else ""
        raise UsageError(
            f"these runs logged no multiplier{names}: expected runs of an algorithm with constraints.",
            "zoo plot RUN --list shows what they logged.",
        )
    columns = min(_PER_ROW, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, ((environment, constraint), panel_runs) in zip(grid, panels.items(), strict=False):
        _panel(axes, constraint, panel_runs, options)
        axes.set_title(f"{environment}: {constraint}", loc="left")
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    algorithms = dict.fromkeys(run.algorithm for run in first.values())
    handles = [_legend_line(options.colour(algorithm)) for algorithm in algorithms]
    figure.legend(handles, list(algorithms), loc="outside upper left", ncols=len(algorithms))
    return figure


def _panel(axes: Axes, constraint: str, panel_runs: Sequence[Any], options: Any) -> None:
    for run in panel_runs:
        values, multipliers = run.series(_VALUE + constraint).values, run.series(_MULTIPLIER + constraint).values
        colour = options.colour(run.algorithm)
        # Only one in about ten iterates is logged: the dots are iterates, the lines only show their order.
        axes.plot(values, multipliers, color=colour, linewidth=0.4, alpha=0.25)
        axes.plot(values, multipliers, ".", color=colour, markersize=2.5)
        axes.plot(values[:1], multipliers[:1], marker="o", markersize=4.5, color=colour, markerfacecolor="white")
        axes.plot(values[-1:], multipliers[-1:], marker="o", markersize=5.5, color=colour, zorder=4)
    threshold = _threshold(constraint, panel_runs)
    if threshold is not None:
        axes.axvline(threshold, color="#555555", linestyle=":", linewidth=1.0)
    axes.set_xlabel(f"value of {constraint} (dotted: threshold)")
    axes.set_ylabel("multiplier")


def _threshold(constraint: str, runs: Sequence[Any]) -> float | None:
    """The threshold, computed from the first logged iterate that violates the constraint; None where none does."""
    for run in runs:
        for row in run.rows:
            if row.get(_VIOLATION + constraint, 0.0) > 0.0:
                violation, value = float(row[_VIOLATION + constraint]), float(row[_VALUE + constraint])
                # The final value lies on the feasible side, which tells whether the sense is "<=" or ">=".
                final = float(run.series(_VALUE + constraint).values[-1])
                below, above = value - violation, value + violation
                return below if abs(final - below) <= abs(final - above) else above
    return None


def _legend_line(colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour)
