"""Curves by sequences seen: the phase change, and context against weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_icl.figures.groups import group_by_title
from zoo_icl.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SHADE,
    SKY,
    SOLID,
    Mark,
    draw_curves,
    finish,
    grid_of_panels,
    logged,
    make_panels,
    seeds_mark,
)
from zoo_icl.probes.events import PhaseChange, phase_change, transience

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = math.log(2.0)
LOSS = "train/loss"
SETS = {
    "seen": ("as in training", BLUE),
    "relabel_val": ("new pairs of labels", GREEN),
    "new_exemplar": ("new exemplars", ORANGE),
    "new_class": ("new classes", RED),
}
"""label and colour of each set that a run is evaluated on"""
_STRATEGIES = {
    "icl/in_context_acc": ("icl: context alone", BLUE),
    "icl_new_class/in_context_acc": ("icl, new classes", SKY),
    "flip/in_context_acc": ("flip: context against weights", RED),
    "ciwl/in_context_acc": ("ciwl: weights among labels shown", ORANGE),
    "iwl/acc": ("iwl: weights alone", GREEN),
}


def phases(runs: Sequence[Any], options: Any) -> Figure:
    """Loss and accuracies, with plateau (shaded), onset (dashed) and half loss (solid) of the phase change.

    The plateau is the longest stretch within 0.1 nats of ln 2; the loss is below 0.9 ln 2 from the onset on, and below
    0.5 ln 2 at the solid line. Marks are of the first seed.

    Raises:
        UsageError: no run logged a loss.
    """
    accuracies = {f"{name}/acc": line for name, line in SETS.items()}
    panels = group_by_title([run for run in runs if run.series(LOSS).values], f"logged {LOSS}")
    figure, panel_grid = make_panels(len(panels), 2)
    changes = []
    for (left, right), (title, seeds) in zip(panel_grid, panels.items(), strict=True):
        draw_curves(left, seeds, {LOSS: ("", GREY)})
        draw_curves(right, seeds, accuracies)
        series = seeds[0].series(LOSS)
        changes.append(phase_change(series.steps, series.values))
        for axes in (left, right):
            _mark_events(axes, changes[-1])
        left.axhline(FLOOR, **DOTTED)
        left.set_ylim(bottom=0.0)
        left.set_title(title, loc="left")
        left.set_ylabel("training loss (nats)")
        right.set(ylim=(-0.02, 1.02), ylabel="accuracy")
    many = max(map(len, panels.values())) > 1
    lines = [("training loss", GREY), *logged(runs, accuracies)]
    finish(figure, panel_grid[-1], lines, [*seeds_mark(panels.values()), *_event_marks(changes, many)])
    return figure


def strategies(runs: Sequence[Any], options: Any) -> Figure:
    """Context against weights: trajectories of icl, flip, ciwl and iwl; a line where flip falls below one half.

    Raises:
        UsageError: no run logged any of them.
    """
    kept = [run for run in runs if any(run.series(name).values for name in _STRATEGIES)]
    panels = group_by_title(kept, f"logged {' or '.join(_STRATEGIES)}")
    figure, every = grid_of_panels(len(panels))
    crossings = []
    for axes, (title, seeds) in zip(every, panels.items(), strict=True):
        draw_curves(axes, seeds, _STRATEGIES)
        flip = seeds[0].series("flip/in_context_acc")
        crossed = transience(flip.steps, flip.values, flip.values).t_cross if flip.values else None
        if crossed is not None:
            crossings.append(crossed)
            axes.axvline(crossed, **SOLID)
        axes.axhline(0.5, **DOTTED)
        axes.set(ylim=(-0.02, 1.02), ylabel="accuracy")
        axes.set_title(title, loc="left")
    seed = " of the first seed" if max(map(len, panels.values())) > 1 else ""
    marks: list[Mark] = [(f"flip{seed} falls below one half", SOLID)] if crossings else []
    finish(figure, every, logged(kept, _STRATEGIES), [*seeds_mark(panels.values()), *marks, ("one half", DOTTED)])
    return figure


def _mark_events(axes: Axes, change: PhaseChange) -> None:
    if change.plateau:
        axes.axvspan(*change.plateau, color=SHADE, linewidth=0, zorder=0)
    for at, style in ((change.onset, DASHED), (change.t_half, SOLID)):
        if at is not None:
            axes.axvline(at, **style)


def _event_marks(changes: Sequence[PhaseChange], many: bool) -> list[Mark]:
    """Of the events that are drawn."""
    seed = ", first seed" if many else ""
    marks: list[Mark] = [("ln 2, two labels guessed", DOTTED)]
    if any(change.plateau for change in changes):
        marks.append((f"plateau: within .1 of ln 2{seed}", {"facecolor": SHADE}))
    if any(change.onset is not None for change in changes):
        marks.append((f"below .9 ln 2 for good{seed}", DASHED))
    if any(change.t_half is not None for change in changes):
        marks.append((f"below half of ln 2{seed}", SOLID))
    return marks
