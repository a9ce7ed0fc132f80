"""Figures on the grid of an environment: rows and columns of representations, routes of plans, what remains when.

Walls are dark grey, states that were never visited light grey. Matplotlib is imported by the functions that draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo import Grid, Problem, UsageError
from zoo_successor.learning.problem import cell_of
from zoo_successor.learning.td import Bools, Floats, Ints

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
_WALL, _UNSEEN, _MARK, _ROUTE = "#6e6e6e", "#dcdcdc", "#D55E00", "#0072B2"
_CELL = 0.21  # inches


@dataclass(frozen=True, eq=False)
class Panel:
    """One heat map.

    Attributes:
        title: above it.
        values: ``[S]``; NaN: nothing to show.
        marked: states with a ring around them.
        scale: panels of one row of a figure that agree in it share their colours.
        seen: which states have been visited, ``[S]``; None: all.
    """

    title: str
    values: Floats
    marked: tuple[int, ...] = ()
    scale: str = ""
    seen: Bools | None = None


def layout(problem: Problem) -> Grid:
    """The environment's grid; states without one lie in a row."""
    if problem.grid is not None:
        return problem.grid
    count = problem.tabular.num_states
    return Grid(walls=np.zeros((1, count), dtype=bool), cells=np.arange(count))


def heat_maps(problem: Problem, rows: Sequence[Sequence[Panel]], title: str) -> Figure:
    """Rows of heat maps; in each row panels with the same ``scale`` share one colour scale and one colour bar.

    Args:
        problem: says where the states lie.
        rows: panels, row by row.
        title: of the whole figure.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    grid = layout(problem)
    height, width = grid.walls.shape
    columns = max(len(row) for row in rows)
    size = (max(columns * (max(width * _CELL, 1.6) + 0.75), 3.4), len(rows) * (max(height * _CELL, 0.7) + 0.55) + 0.35)
    with style():
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(title, fontsize=9)
        board = figure.subplots(len(rows), columns, squeeze=False)
        for line, panels in zip(board, rows, strict=True):
            for axes in line[len(panels) :]:
                axes.set_visible(False)
            for scale in dict.fromkeys(panel.scale for panel in panels):
                same = [(axes, panel) for axes, panel in zip(line, panels, strict=False) if panel.scale == scale]
                finite = np.concatenate([panel.values[np.isfinite(panel.values)] for _, panel in same])
                norm = Normalize(min(float(finite.min(initial=0.0)), 0.0), float(finite.max(initial=0.0)) or 1.0)
                for axes, panel in same:
                    heat(axes, grid, panel, norm)
                figure.colorbar(
                    ScalarMappable(norm, "viridis"), ax=[axes for axes, _ in same], shrink=0.8, aspect=18, pad=0.02
                )
    return figure


def heat(axes: Axes, grid: Grid, panel: Panel, norm: Normalize) -> None:
    """One heat map on the board of ``grid``."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    image = np.empty((*grid.walls.shape, 4))
    image[:] = to_rgba(_UNSEEN)
    image[grid.walls] = to_rgba(_WALL)
    visible = np.isfinite(panel.values) & (True if panel.seen is None else panel.seen)
    image.reshape(-1, 4)[grid.cells[visible]] = colormaps["viridis"](norm(panel.values[visible]))
    axes.imshow(image, interpolation="nearest")
    for state in panel.marked:
        axes.add_patch(Circle(_place(grid, state), 0.38, fill=False, edgecolor=_MARK, linewidth=1.4))
    _bare(axes, panel.title)


def plan_route(problem: Problem, route: Ints, subgoals: Sequence[int], title: str) -> Figure:
    """The way of a plan: a line from the start (square) to the goal (star), with its subgoals numbered.

    Args:
        problem: says where the states lie.
        route: the states in their order, ``[T+1]``.
        subgoals: ends of the plan's segments, the goal last.
        title: of the figure.
    """
    from matplotlib.figure import Figure

    grid = layout(problem)
    height, width = grid.walls.shape
    with style():
        unit = min(0.27, 4.5 / max(height, width))  # inches a cell
        figure = Figure(figsize=(max(width * unit, 2.4), max(height * unit, 0.8) + 0.25), layout="constrained")
        axes = figure.subplots()
        axes.imshow(np.where(grid.walls, 0.45, 1.0), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        places = np.array([_place(grid, int(state)) for state in route])
        axes.plot(*places.T, color=_ROUTE, linewidth=1.8, solid_joinstyle="round")
        axes.plot(*places[0], marker="s", markersize=7, color=_ROUTE)
        for number, state in enumerate(subgoals[:-1], start=1):
            axes.plot(*_place(grid, state), marker="o", markersize=11, color="white", markeredgecolor=_MARK)
            axes.annotate(str(number), _place(grid, state), ha="center", va="center", color=_MARK, fontsize=7.5)
        axes.plot(*_place(grid, subgoals[-1]), marker="*", markersize=12, color=_MARK)
        _bare(axes, title)
    return figure


def remaining_bars(problem: Problem, left: Floats, title: str) -> Figure:
    """What each state still pays at every step of an episode, stacked.

    Args:
        problem: names the cells.
        left: rewards that remain ``[T+1, S]``; states that never pay are left out.
        title: of the figure.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(5.2, 2.2), layout="constrained")
        axes = figure.subplots()
        base = np.zeros(len(left))
        paying = np.flatnonzero(left[0])
        for state, colour in zip(paying, _spread(len(paying)), strict=True):
            name = f"{'cell' if problem.grid is not None else 'state'} {cell_of(problem, int(state))}"
            axes.bar(np.arange(len(left)), left[:, state], bottom=base, width=0.85, color=colour, label=name)
            base = base + left[:, state]
        axes.set_xlabel("step")
        axes.set_ylabel("reward that remains")
        axes.set_title(title, loc="left")
        axes.legend(loc="upper right", frameon=False)
    return figure


def style() -> AbstractContextManager[None]:
    """Small type, no frames."""
    import matplotlib as mpl

    return mpl.rc_context({
        "font.size": 8, "axes.titlesize": 8, "axes.spines.top": False, "axes.spines.right": False,
        "svg.fonttype": "none", "svg.hashsalt": "zoo", "pdf.fonttype": 42,
    })  # fmt: skip


def save(figure: Figure, path: Path) -> None:
    """Write PNG, SVG or PDF by suffix; missing folders are made.

    Raises:
        UsageError: for another suffix.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else None
    with style():  # names inside an SVG are made when it is written
        figure.savefig(path, dpi=200, metadata=plain)


def check_suffix(path: Path) -> None:
    """Refuse a file that is none of the three kinds.

    Raises:
        UsageError: for another suffix.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"{path} ends in {path.suffix or 'nothing'}: expected one of {', '.join(FORMATS)}.")


def _place(grid: Grid, state: int) -> tuple[float, float]:
    """Column and row of a state."""
    row, column = divmod(int(grid.cells[state]), grid.walls.shape[1])
    return float(column), float(row)


def _bare(axes: Axes, title: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, loc="left")


def _spread(count: int) -> list[tuple[float, float, float, float]]:
    """That many colours from dark to light."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.1 + 0.75 * i / max(count - 1, 1)) for i in range(count)]
