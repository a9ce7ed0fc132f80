"""Figures of stored runs for ``zoo plot``: what f does to the target's states, the objective, and the budget curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import zoo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SOURCE, _RAW, _UNDONE = "#555555", "#D55E00", "#0072B2"
_ARCS = 60
"""heaviest arcs of the plan that are drawn"""
_PER_ROW = 3


def undo(runs: Sequence[Any], options: Any) -> Figure:
    """The states of source and target, the latter also through f, and the heaviest arcs of the plan; two coordinates.

    Of several seeds of one experiment the first is drawn.

    Raises:
        UsageError: no run has stored samples of target and source.
    """
    from matplotlib.figure import Figure

    from zoo_tvd.agent import TvD
    from zoo_tvd.transfer import Transfer

    first = {(run.environment, run.spec.key): run for run in sorted(runs, key=lambda run: -run.seed)}
    drawn = []
    for run in sorted(first.values(), key=lambda run: (run.environment, run.algorithm, run.spec.key)):
        loaded = zoo.load(run.path).algorithm
        if isinstance(loaded, Transfer) and loaded.target is not None and loaded.source is not None:
            drawn.append((run, loaded, loaded.target, loaded.source))
    if not drawn:
        raise zoo.UsageError("no run has samples of target and source: expected runs of tvd or tvd-transition.")
    columns = min(_PER_ROW, len(drawn))
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(3.1 * columns, 3.0 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (run, agent, target, source) in zip(grid, drawn, strict=False):
        plan = agent.coupled() if isinstance(agent, TvD) else None
        _points(axes, target.states[:, 0], source.states[:, 0], agent.f, plan)
        axes.set_title(f"{_label(run)}: {run.spec.env_config.get('transform') or run.environment}", loc="left")
    for axes in grid[len(drawn) :]:
        axes.set_visible(False)
    handles, texts = grid[0].get_legend_handles_labels()
    options.legend_above(figure, handles, texts, 4)
    return figure


def _points(axes: Axes, o: Any, s: Any, f: Any, plan: Any) -> None:
    """Draw one panel: states of source and target, and the heaviest arcs of the plan."""
    undone = f(o)
    pad = [np.concatenate([part, np.zeros((len(part), 2))], axis=1)[:, :2] for part in (s, o, undone)]
    source, raw, through = pad
    axes.plot(*source.T, "s", color=_SOURCE, markersize=6, markerfacecolor="none", label="source", zorder=2)
    axes.plot(*raw.T, "x", color=_RAW, markersize=4, alpha=0.7, label="target as observed", zorder=1)
    axes.plot(*through.T, ".", color=_UNDONE, markersize=5, label="target through f", zorder=3)
    if plan is not None:
        heaviest = np.argsort(plan, axis=None)[::-1][:_ARCS]
        rows, columns = np.unravel_index(heaviest, plan.shape)
        ends = np.stack([raw[rows], source[columns]])
        axes.plot(ends[..., 0], ends[..., 1], color=_UNDONE, linewidth=0.5, alpha=0.35, zorder=0)
        axes.plot([], [], color=_UNDONE, linewidth=0.8, label="heaviest arcs of the plan")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("first coordinate")
    axes.set_ylabel("second coordinate")


def objective(runs: Sequence[Any], options: Any) -> Figure:
    """The objective by iteration, one line for each start of each run: on policy it need not fall.

    Raises:
        UsageError: no run logged an objective at several iterations.
    """
    from matplotlib.figure import Figure

    panels: dict[str, list[Any]] = {}
    for run in runs:
        if len(run.series("objective").values) > 1 and run.series("iteration").values:
            panels.setdefault(str(run.spec.env_config.get("transform") or run.environment), []).append(run)
    if not panels:
        raise zoo.UsageError("no run logged an objective at several iterations: expected runs of tvd.")
    columns = min(_PER_ROW, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.0 * columns, 2.3 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (name, several) in zip(grid, panels.items(), strict=False):
        for run in several:
            kept = int(run.last.get("start", 0))
            for start, values in _starts(run).items():
                best = start == kept
                axes.plot(
                    values, color=options.colour(run.algorithm) if best else "#999999", linewidth=1.6 if best else 0.7,
                    alpha=1.0 if best else 0.5, zorder=3 if best else 1,
                )  # fmt: skip
        axes.set_title(name, loc="left")
        axes.set_yscale("log")
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[: len(panels)]:
        axes.set_xlabel("refits")
        axes.xaxis.get_major_locator().set_params(integer=True)
    grid[0].set_ylabel("objective (bold: the start that is kept)")
    return figure


def _starts(run: Any) -> dict[int, list[float]]:
    """The objectives of each start, in order of time.

    The last row is that of the best start; it is left out where that is an earlier start.
    """
    found: dict[int, list[float]] = {}
    rows = [row for row in run.rows if "objective" in row and "start" in row and "iteration" in row]
    for row in rows if rows[-1]["start"] == rows[-2]["start"] else rows[:-1]:
        found.setdefault(int(row["start"]), []).append(float(row["objective"]))
    return found


def budget(runs: Sequence[Any], options: Any) -> Figure:
    """Return by environment steps in the target (reward-free for undo maps): runs as points, means as a line.

    The return is that of the evaluator transfer where it was run, else that of the evaluator return.

    Raises:
        UsageError: no run was evaluated by either.
    """
    from matplotlib.figure import Figure

    found: dict[str, dict[float, list[float]]] = {}
    for run in runs:
        score = _score(run)
        if score is not None:
            found.setdefault(_label(run), {}).setdefault(float(run.step), []).append(score)
    if not found:
        raise zoo.UsageError("no run was evaluated: run zoo eval RUN transfer, or return, first.")
    figure = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = figure.subplots()
    labels = sorted(found)
    for label, dash in zip(labels, options.dashes(labels), strict=True):
        steps = sorted(found[label])
        colour = options.colour(label.partition(",")[0])
        for step in steps:
            axes.plot([step] * len(found[label][step]), found[label][step], ".", color=colour, alpha=0.35, markersize=4)
        means = [float(np.mean(found[label][step])) for step in steps]
        axes.plot(steps, means, color=colour, linestyle=dash, marker="o", markersize=4, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("steps in the target")
    axes.set_ylabel("return of the greedy policy")
    handles, texts = axes.get_legend_handles_labels()
    options.legend_above(figure, handles, texts, 3)
    return figure


def _label(run: Any) -> str:
    """The algorithm, with its cost where that is not the default, and the number of further starts."""
    usual = {"tvd": "trajectory", "tvd-transition": "transition"}.get(run.algorithm)
    cost = run.spec.config.get("cost", usual)
    starts = int(run.spec.config.get("starts", 0))
    parts = [
        str(run.algorithm),
        *([] if cost == usual else [f"{cost} cost"]),
        *([f"{starts} starts"] if starts else []),
    ]
    return ", ".join(parts)


def _score(run: Any) -> float | None:
    for evaluator in ("transfer", "return"):
        value = run.evaluations.get(evaluator, {}).get("scores", {}).get("return")
        if isinstance(value, (int, float)):
            return float(value)
    return None
