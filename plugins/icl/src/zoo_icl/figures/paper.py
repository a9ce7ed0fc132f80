"""Figures of Singh et al. 2024 (arXiv 2404.07129) by their numbers, from stored runs and their reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo import UsageError
from zoo_icl.figures.circuits import draw_heads, head_metrics
from zoo_icl.figures.curves import FLOOR, LOSS, SETS
from zoo_icl.figures.groups import active_heads, group_by_title, kind
from zoo_icl.figures.progress import (
    HALF,
    clamped_rows,
    colours_of,
    draw_judged,
    draw_trained,
    judged_at_checkpoints,
    trained_under_clamps,
)
from zoo_icl.figures.style import (
    BLUE,
    DOTTED,
    GREY,
    ORANGE,
    Mark,
    draw_curve,
    draw_curves,
    finish,
    grid_of_panels,
    logged,
    make_panels,
    seeds_mark,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SUBCIRCUITS = {
    "none": "all of the circuit",
    "Copy": "A and B: all but copying (Copy)",
    "Layer1": "B and C: match and copying (Layer1)",
    "Layer1+Copy": "B: the match (Layer1+Copy)",
    "Induction": "C: copying (Induction)",
}
"""what is left to be learned under each kind of clamps"""
_MOST_SEEDS = 6
LN2: Mark = ("ln 2, two labels guessed", DOTTED)


def paper_3a(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 3a of the induction-head paper: loss and accuracy on every set by sequences.

    Raises:
        UsageError: no run was evaluated on such sets.
    """
    losses, accuracies = ({f"{name}/{what}": line for name, line in SETS.items()} for what in ("loss", "acc"))
    kept = [run for run in runs if logged([run], accuracies)]
    panels = group_by_title(kept, "was evaluated on new labels, classes or exemplars")
    figure, panel_grid = make_panels(len(panels), 2)
    for (left, right), (title, seeds) in zip(panel_grid, panels.items(), strict=True):
        draw_curves(left, seeds, losses)
        draw_curves(right, seeds, accuracies)
        left.axhline(FLOOR, **DOTTED)
        left.set_ylim(bottom=0.0)
        left.set_ylabel("loss (nats)")
        left.set_title(title, loc="left")
        right.set(ylim=(-0.02, 1.02), ylabel="accuracy")
    finish(figure, panel_grid[-1], logged(kept, accuracies), [*seeds_mark(panels.values()), LN2])
    return figure


def paper_3b(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 3b of the induction-head paper: strength of each head of the last block by sequences, up to six seeds.

    Raises:
        UsageError: no run logged strengths.
    """
    kept = [run for run in runs if head_metrics(run, "induction_strength")]
    panels = group_by_title(kept, "logged induction strengths of heads")
    drawn = [(title, run) for title, seeds in panels.items() for run in seeds[:_MOST_SEEDS]]
    figure, every = grid_of_panels(len(drawn))
    for axes, (title, run) in zip(every, drawn, strict=True):
        draw_heads(axes, run, head_metrics(run, "induction_strength"))
        axes.axhline(0.0, **DOTTED)
        axes.set_ylabel("induction strength (attention)")
        axes.set_title(f"{title}, seed {run.seed}" if len(panels) > 1 else f"seed {run.seed}", loc="left")
    finish(figure, every, [], [("right labels get as much as wrong ones", DOTTED)])
    return figure


def paper_4a(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 4a of the induction-head paper: each head alone, and all but it, at the end: accuracy and loss.

    From the reports of ``icl-ablation``: heads of each run by falling strength, the mean over the runs.

    Raises:
        UsageError: no run has such a report.
    """
    reports = _ablations(runs)
    count = min(len(each.alone) for each in reports)
    figure, panel_grid = make_panels(1, 2)
    for axes, what, label in zip(panel_grid[0], ("acc", "loss"), ("accuracy", "loss (nats)"), strict=True):
        for side, colour in enumerate((BLUE, ORANGE)):
            rows = [(each.without if side else each.alone)[:count] for each in reports]
            _bars(axes, np.array([[row[what] for row in of_run] for of_run in rows]), colour, side)
        axes.set_ylabel(label)
        _name_bars(axes, reports, count)
    lines = [("this head alone", BLUE), ("all heads but this one", ORANGE)]
    finish(figure, panel_grid[0], lines, _bars_mark(len(reports)), below=_ranks(reports))
    return figure


def paper_4b(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 4b of the induction-head paper: each head of the last block alone, the others ablated from the start.

    Raises:
        UsageError: fewer than two such trainings, each with another head.
    """
    by_head: dict[int, list[Any]] = {}
    for run in runs:
        active = active_heads(run)
        others = [clamp for clamp in run.spec.config.get("clamp") or () if not clamp.startswith("Ablate(")]
        if len(active) == 1 and not others and run.series(LOSS).values:
            by_head.setdefault(min(active), []).append(run)
    if len(by_head) < 2:
        raise UsageError(
            "these runs are not of heads alone: expected trainings of which each ablates all heads of the last block "
            "but another one.",
            'zoo train ... --clamp "Ablate(1:1-7)" leaves head 1:0.',
        )
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shades = [to_hex(shade) for shade in colormaps["viridis"](np.linspace(0.0, 0.88, len(by_head)))]
    figure, panel_grid = make_panels(1, 1)
    axes = panel_grid[0, 0]
    lines = []
    for (head, seeds), shade in zip(sorted(by_head.items()), shades, strict=True):
        draw_curve(axes, seeds, LOSS, shade)
        lines.append((f"head {head} alone", shade))
    axes.axhline(FLOOR, **DOTTED)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("training loss (nats)")
    finish(figure, [axes], lines, [*seeds_mark(by_head.values()), LN2])
    return figure


def paper_5b(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 5b of the induction-head paper: training loss where clamps supply parts of the circuit.

    Raises:
        UsageError: the runs were not trained under different clamps.
    """
    by_kind = trained_under_clamps(runs)
    if not by_kind:
        raise UsageError("these runs were not trained under different clamps: expected those of zoo bench induction.")
    colours = colours_of(by_kind)
    figure, panel_grid = make_panels(1, 1)
    draw_trained(panel_grid[0, 0], by_kind, colours)
    finish(figure, panel_grid[0], list(colours.items()), [*seeds_mark(by_kind.values()), HALF])
    return figure


def paper_6(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 6 of the induction-head paper: progress of parts of the circuit, on runs with one head in the last block.

    From the reports of ``icl-clamped`` with checkpoints.

    Raises:
        UsageError: no run with one head has such a report. With several heads the clamps leave out what the others do,
            and the measure means nothing.
    """
    judged = [run for run in runs if judged_at_checkpoints(run)]
    kept = [run for run in judged if len(active_heads(run)) == 1]
    if judged and not kept:
        raise UsageError(
            f"these runs have {len(active_heads(judged[0]))} heads in the last block, where progress under a clamp of "
            "one head means nothing: expected runs that ablate all but one."
        )
    panels = group_by_title(kept, "has a report of icl-clamped about several checkpoints")
    names = [
        name for name in _SUBCIRCUITS if any(name == kind(row["clamp"]) for run in kept for row in clamped_rows(run))
    ]
    colours = colours_of(names)
    figure, every = grid_of_panels(len(panels))
    for axes, (title, seeds) in zip(every, panels.items(), strict=True):
        draw_judged(axes, seeds, colours)
        axes.set_title(title, loc="left")
    lines = [(_SUBCIRCUITS[name], colours[name]) for name in names]
    finish(figure, every, lines, [*seeds_mark(panels.values()), HALF])
    return figure


def paper_11(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 11 of the induction-head paper, at the end of training: strengths without each head of the first block.

    From the reports of ``icl-wiring``, one panel for each of up to six runs.

    Raises:
        UsageError: no run has such a report.
    """
    reports = [(run, rows) for run in runs if (rows := run.evaluations.get("icl-wiring", {}).get("rows"))]
    if not reports:
        raise UsageError("these runs have no reports of icl-wiring.", "zoo eval RUN icl-wiring makes one.")
    figure, every = grid_of_panels(len(reports[:_MOST_SEEDS]))
    for axes, (run, rows) in zip(every, reports, strict=False):
        later, earlier = (list(dict.fromkeys(row[end] for row in rows)) for end in ("head", "reads"))
        strength = {row["head"]: row["strength"] for row in rows}
        without = {(row["head"], row["reads"]): row["strength without"] for row in rows}
        values = np.array([[strength[i], *(without[i, j] for j in earlier)] for i in later])
        image = axes.imshow(values, vmin=-1.0, vmax=1.0, cmap="RdBu_r", interpolation="nearest", aspect="auto")
        axes.grid(visible=False)
        axes.set_xticks(range(len(earlier) + 1), ["all", *earlier], fontsize=6)
        axes.set_yticks(range(len(later)), later, fontsize=6)
        axes.set_ylabel("induction head")
        axes.set_title(f"seed {run.seed}", loc="left")
    figure.colorbar(image, ax=every, shrink=0.8, aspect=20, pad=0.02, label="induction strength (attention)")
    finish(figure, every, [], below="head of the first block that is ablated")
    return figure


def paper_16b(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 16b of the induction-head paper: share of the best head's errors, alone, that each other gets right.

    From the reports of ``icl-ablation``: heads of each run by falling strength, the mean over the runs.

    Raises:
        UsageError: no run has such a report.
    """
    reports = _ablations(runs)
    count = min(len(each.alone) for each in reports)
    shares = [[row.get("complementarity", np.nan) for row in each.alone[:count]] for each in reports]
    figure, panel_grid = make_panels(1, 1)
    axes = panel_grid[0, 0]
    _bars(axes, np.array(shares), GREY, 0, width=0.7)
    _name_bars(axes, reports, count)
    axes.set(ylim=(0.0, 1.02), ylabel="share of errors")
    finish(figure, [axes], [("right where the best head alone is wrong", GREY)], _bars_mark(len(reports)),
           below=_ranks(reports))  # fmt: skip
    return figure


def paper_18(runs: Sequence[Any], options: Any) -> Figure:
    """Figure 18 of the induction-head paper: the training loss of every seed.

    Raises:
        UsageError: there are not two seeds of one setting.
    """
    panels = group_by_title([run for run in runs if run.series(LOSS).values], f"logged {LOSS}")
    panels = {title: seeds for title, seeds in panels.items() if len(seeds) > 1}
    if not panels:
        raise UsageError("these runs differ in more than their seed: expected two seeds of one setting.")
    from matplotlib import colormaps

    figure, every = grid_of_panels(len(panels))
    for axes, (title, seeds) in zip(every, panels.items(), strict=True):
        for run, shade in zip(seeds, colormaps["viridis"](np.linspace(0.0, 0.88, len(seeds))), strict=True):
            series = run.series(LOSS)
            axes.plot(series.steps, series.values, color=shade, linewidth=0.9)
        axes.axhline(FLOOR, **DOTTED)
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("training loss (nats)")
        axes.set_title(f"{title}, {len(seeds)} seeds", loc="left")
    finish(figure, every, [], [("a seed, from dark to light by its number", {"color": "#35b779"}), LN2])
    return figure


class _Ablated(NamedTuple):
    """A report of ``icl-ablation``."""

    alone: list[dict[str, Any]]
    """each head alone, by falling strength"""
    without: list[dict[str, Any]]
    """all but that head"""
    seed: int


def _ablations(runs: Sequence[Any]) -> list[_Ablated]:
    """The reports of ``icl-ablation``.

    Raises:
        UsageError: there is none.
    """
    reports = []
    for run in runs:
        rows = run.evaluations.get("icl-ablation", {}).get("rows", [])
        alone = [row for row in rows if row["kept"].startswith("only ") and "induction_strength" in row]
        without = {row["kept"].removeprefix("all but "): row for row in rows if row["kept"].startswith("all but ")}
        alone.sort(key=lambda row: -float(row["induction_strength"]))
        if alone:
            reports.append(_Ablated(alone, [without[_head(row)] for row in alone], run.seed))
    if not reports:
        raise UsageError("these runs have no reports of icl-ablation.", "zoo eval RUN icl-ablation makes one.")
    return reports


def _head(row: dict[str, Any]) -> str:
    return str(row["kept"]).removeprefix("only ")


def _bars(axes: Axes, values: Any, colour: str, side: int, *, width: float = 0.38) -> None:
    """Means of ``values`` [runs, heads] as bars, from the lowest to the highest run as lines."""
    places = np.arange(values.shape[1]) + (0.0 if width > 0.5 else (side - 0.5) * width)
    defined = np.ma.masked_invalid(values)  # the best head alone has no share of its own errors
    means = defined.mean(0).filled(np.nan)
    axes.bar(places, means, width=width, color=colour)
    if len(values) > 1:
        spread = np.stack([means - defined.min(0).filled(np.nan), defined.max(0).filled(np.nan) - means])
        axes.errorbar(places, means, yerr=spread, fmt="none", ecolor="black", elinewidth=0.7)


def _name_bars(axes: Axes, reports: Sequence[_Ablated], count: int) -> None:
    """Heads by name where there is one run, else by their rank."""
    names = [_head(row) for row in reports[0].alone[:count]]
    axes.set_xticks(range(count), names if len(reports) == 1 else list(map(str, range(1, count + 1))))
    axes.grid(visible=False, axis="x")


def _ranks(reports: Sequence[_Ablated]) -> str:
    return f"head, strongest first (seed {reports[0].seed})" if len(reports) == 1 else "rank of the head by strength"


def _bars_mark(count: int) -> list[Mark]:
    return [(f"mean and range, {count} runs", {"color": "black", "linewidth": 0.7})] if count > 1 else []
