"""Progress under clamps: as a measure of a training without them, and as its cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import UsageError
from zoo_icl.figures.curves import FLOOR, LOSS
from zoo_icl.figures.groups import kind
from zoo_icl.figures.style import (
    BLUE,
    DOTTED,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Mark,
    draw_curve,
    finish,
    make_panels,
    seeds_mark,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HALF: Mark = ("half of ln 2", DOTTED)
_CLAMPS = {"none": GREY, "PrevToken": SKY, "Layer1": GREEN, "Copy": PURPLE, "Induction": RED, "Layer1+Copy": ORANGE}
"""colours by kinds of clamps, ablations left out"""
_HIGHEST = 2.5  # nats: where a loss starts is of no interest


def progress(runs: Sequence[Any], options: Any) -> Figure:
    """Loss of an unclamped training judged under clamps (left), and of trainings under these clamps (right).

    The left is from the report of ``icl-clamped``, of the first run that has one with checkpoints; the right is of all
    runs given that were trained under clamps, and of those without whose heads are ablated alike.

    Raises:
        UsageError: there is neither such a report nor a run trained under clamps.
    """
    judged = next((run for run in runs if judged_at_checkpoints(run)), None)
    right = trained_under_clamps(runs)
    if judged is None and not right:
        raise UsageError(
            "these runs show no progress under clamps: expected runs trained under different clamps, or one judged by "
            "icl-clamped at several checkpoints.",
            "zoo eval RUN icl-clamped judges those that --checkpoint-every 4000 keeps.",
        )
    rows = [] if judged is None else clamped_rows(judged)
    colours = colours_of([*dict.fromkeys(kind(row["clamp"]) for row in rows), *right])
    figure, panel_grid = make_panels(1, bool(rows) + bool(right))
    axes = iter(panel_grid[0])
    if judged is not None:
        draw_judged(next(axes), [judged], colours)
        panel_grid[0, 0].set_title(f"trained without, judged with the clamp (seed {judged.seed})", loc="left")
    if right:
        draw_trained(next(axes), right, colours)
    finish(figure, panel_grid[0], list(colours.items()), [*seeds_mark(right.values()), HALF])
    return figure


def draw_judged(axes: Axes, runs: Sequence[Any], colours: Mapping[str, str]) -> None:
    """Loss of every checkpoint under each kind of clamp: mean and range of the runs, at steps that all of them have."""
    curves: dict[str, dict[float, list[float]]] = {}
    for run in runs:
        for row in clamped_rows(run):
            curves.setdefault(kind(row["clamp"]), {}).setdefault(row["sequences"], []).append(row["loss"])
    for name, by_step in curves.items():
        if name not in colours:
            continue
        kept = sorted(step for step, losses in by_step.items() if len(losses) == len(runs))
        losses = np.array([by_step[step] for step in kept])
        axes.plot(kept, losses.mean(1), marker=".", color=colours[name], linewidth=1.2)
        if len(runs) > 1:
            axes.fill_between(kept, losses.min(1), losses.max(1), color=colours[name], alpha=0.2, linewidth=0)
    _finish_losses(axes, "loss under the clamp (nats)")


def draw_trained(axes: Axes, by_kind: Mapping[str, Sequence[Any]], colours: Mapping[str, str]) -> None:
    """Training loss under each kind of clamp: mean and range of its seeds."""
    for name, seeds in by_kind.items():
        draw_curve(axes, seeds, LOSS, colours[name])
    axes.set_title("trained with the clamp", loc="left")
    _finish_losses(axes, "training loss (nats)")


def trained_under_clamps(runs: Sequence[Any]) -> dict[str, list[Any]]:
    """Runs by the kinds of their clamps, of the first that ablate the same heads and differ; empty if none do."""
    curves: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for run in runs:
        if run.series(LOSS).values:
            clamps = run.spec.config.get("clamp") or ()
            ablated = tuple(clamp for clamp in clamps if clamp.startswith("Ablate("))
            curves.setdefault(ablated, {}).setdefault(kind("+".join(clamps)), []).append(run)
    return next((by_kind for by_kind in curves.values() if len(by_kind) > 1), {})


def judged_at_checkpoints(run: Any) -> bool:
    """Whether the run has a report of ``icl-clamped`` about several checkpoints."""
    return len({row["sequences"] for row in clamped_rows(run)}) > 1


def clamped_rows(run: Any) -> list[dict[str, Any]]:
    """Rows of the report of ``icl-clamped``; none without one."""
    return [row for row in run.evaluations.get("icl-clamped", {}).get("rows", []) if "clamp" in row]


def colours_of(kinds: Iterable[str]) -> dict[str, str]:
    """A colour for each kind of clamps."""
    spare = iter((BLUE, "#882255", "#332288", "#999933"))
    known = sorted(set(kinds), key=lambda name: list(_CLAMPS).index(name) if name in _CLAMPS else len(_CLAMPS))
    return {name: _CLAMPS.get(name) or next(spare, GREY) for name in known}


def _finish_losses(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.axhline(0.5 * FLOOR, **DOTTED)
    axes.set_ylim(0.0, min(axes.get_ylim()[1], _HIGHEST))
