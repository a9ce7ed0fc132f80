"""``zoo plot default-policy``: what a default policy does, drawn on the graph of the tasks' decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError, discover
from zoo_rpo.source import saved_default
from zoo_rpo.task_model import Floats, TaskModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL = (4.2, 4.2)  # inches
_PER_ROW = 3
_LABEL = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
_GOAL = "#F2B134"
_MOST = 200
"""largest number of states with decisions, and of edges with labels, that are drawn"""


def default_policy(runs: Sequence[Any], options: Any) -> Figure:
    """The default policy, mean over seeds: wider and darker edges are more probable actions; goals are filled.

    Raises:
        UsageError: no run has a tabular default policy, or the graph of its states has a cycle.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    groups = _groups(runs)
    columns = min(_PER_ROW, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(_PANEL[0] * columns + 0.7, _PANEL[1] * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    shades = colormaps["viridis_r"]
    for axes, group, label in zip(panels, groups, options.labels(groups), strict=False):
        pi_0 = np.mean([saved_default(run.path) for run in group], axis=0)
        models = _models(group[0])
        edges, decisions, positions = graph(models)
        for (state, successor), actions in edges.items():
            p = float(pi_0[state, actions].sum())
            ends = positions[[state, successor]]
            axes.plot(*ends.T, color=shades(p), linewidth=0.6 + 3.4 * p, zorder=1, solid_capstyle="round")
            if p >= 0.005 and len(edges) <= _MOST:
                middle = 0.45 * ends[0] + 0.55 * ends[1]
                axes.text(*middle, f"{p:.2f}".lstrip("0"), fontsize=6, zorder=3, ha="center", va="center", bbox=_LABEL)
        nodes = np.flatnonzero(~np.isnan(positions[:, 0]))
        fill = np.where(np.isin(nodes, decisions), "#FFFFFF", np.where(np.isin(nodes, goals(models)), _GOAL, "#C8C8C8"))
        axes.scatter(*positions[nodes].T, s=90, c=fill, edgecolors="#555555", linewidths=0.8, zorder=2)
        for state in nodes.tolist():
            axes.text(*positions[state], str(state + 1), fontsize=6, ha="center", va="center", zorder=4)
        axes.set_title(label, fontsize="medium")
        axes.invert_yaxis()
    for axes in panels:
        axes.set_axis_off()
    goal = Line2D([], [], marker="o", linestyle="", markersize=8, color=_GOAL, markeredgecolor="#555555")
    figure.legend([goal], ["leaf that pays in some task"], loc="outside lower center", frameon=False, fontsize="small")
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), shades),
        ax=list(panels),
        label="probability of the action (mean over seeds)",
        shrink=0.6,
    )
    return figure


def goals(models: Sequence[TaskModel]) -> NDArray[np.int64]:
    """The states that end an episode and are entered with a reward above 0 in some task, increasing."""
    paying = np.zeros(models[0].num_states, dtype=bool)
    for model in models:
        s, a, k = np.nonzero((model.p > 0) & (model.reward > 0)[..., None] & model.terminal[model.successors])
        paying[model.successors[s, a, k]] = True
    return np.flatnonzero(paying)


def graph(models: Sequence[TaskModel]) -> tuple[dict[tuple[int, int], list[int]], NDArray[np.int64], Floats]:
    """The graph of all decisions of the tasks.

    Returns:
        Edges (state, successor) with their actions; the states with decisions; the positions of the states in the
        figure, float64[S, 2], in rows by their longest distance from the start, NaN where no task leads.

    Raises:
        UsageError: there is a cycle, or there are too many states to be drawn.
    """
    S, A = models[0].reward.shape
    decisions = np.unique(np.concatenate([model.decisions for model in models]))
    edges: dict[tuple[int, int], list[int]] = {}
    for model in models:
        for s in model.decisions.tolist():
            for action in range(A):
                for successor in model.successors[s, action][model.p[s, action] > 0].tolist():
                    actions = edges.setdefault((s, successor), [])
                    if action not in actions:
                        actions.append(action)
    if len(decisions) > _MOST:
        raise UsageError(f"{len(decisions)} states with decisions cannot be drawn: expected at most {_MOST}.")
    below: dict[int, list[int]] = {}
    for state, successor in edges:
        below.setdefault(state, []).append(successor)
    start = np.flatnonzero(models[0].start > 0).tolist()
    depth = dict.fromkeys(start, 0)
    for _ in range(S + 1):
        deeper = {f: depth[s] + 1 for s in depth for f in below.get(s, []) if depth.get(f, -1) <= depth[s]}
        if not deeper:
            break
        depth |= deeper
    else:
        raise UsageError("the states of these tasks form a cycle: only graphs without cycles are drawn.")
    positions = np.full((S, 2), np.nan)
    columns = 0
    unfinished = start[::-1]
    while unfinished:
        state = unfinished[-1]
        unplaced = [child for child in dict.fromkeys(below.get(state, [])) if np.isnan(positions[child, 0])]
        if unplaced:
            unfinished += unplaced[::-1]
            continue
        unfinished.pop()
        if np.isnan(positions[state, 0]):
            children = below.get(state, [])
            positions[state] = (positions[children, 0].mean() if children else columns), depth[state]
            columns += not children
    return edges, decisions, positions


def _groups(runs: Sequence[Any]) -> list[list[Any]]:
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for run in runs:
        if run.algorithm in ("rpo", "tvpo") and run.checkpoints:
            groups.setdefault((run.environment, run.algorithm, run.spec.key), []).append(run)
    if not groups:
        raise UsageError("no run has a tabular default policy: expected runs of rpo or tvpo.")
    return [groups[key] for key in sorted(groups)]


def _models(run: Any) -> list[TaskModel]:
    """Models of all tasks of the run's environment, or of a sample of 20 where they cannot be listed."""
    entry = discover().find(run.spec.environment, "environment")
    tasks = entry.resolve()(**(run.spec.env_config or {})).get_wrapper_attr("tasks")
    listed = tasks.tasks()
    sample = list(listed) if listed is not None else tasks.sample_many(np.random.default_rng(run.seed), 20)
    return [TaskModel.of(task, run.spec.config.get("horizon")) for task in sample]
