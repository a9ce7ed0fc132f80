"""From stored runs to curves: which metrics, which groups, seeds on one grid, centre and band."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoo import Run, UnknownNameError
from zoo.runs import labels
from zoo.stats import Floats, interval, iqm
from zoo_bench.plots.palette import Dash, colour, dashes

Axis = Literal["steps", "wall"]
RESIDUALS = ("err", "gap", "kkt", "oscillation")
"""Metrics that are distances from an optimum: shown on a logarithmic axis."""
REFERENCE = {"value": "optimum"}
"""Group of a metric -> group of the one that is its exact optimum, a constant."""
POINTS = 200
"""A longer curve is shown by means over this many bins."""
SWINGS = 50
"""A curve of a planner that turns more often would be a block of ink: its range is shown instead, over ``SLOTS``."""
SLOTS = 40
FLOOR = 1e-16
"""Residuals below it are rounding: on a logarithmic axis they are drawn here."""
_NOTABLE = 0.02
_RESAMPLES = 1000


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed, as one entry of the legend."""

    runs: list[Run]
    label: str
    colour: str
    dash: Dash

    @property
    def environment(self) -> str:
        """Short name."""
        return self.runs[0].environment

    @property
    def counts_iterations(self) -> bool:
        """Whether its steps are iterations of a planner, which alone logs a residual, not environment steps."""
        return any("kkt" in run.metrics for run in self.runs)


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of one group. ``seeds`` are (x, y) of each run; the centre lies on the common grid ``x``.

    Attributes:
        group: whose.
        metric: which.
        seeds: x and y of each seed that logged the metric.
        x: common grid, ``[G]``; empty where there is one seed and it does not swing.
        centre: interquartile mean over seeds, ``[G]``.
        low, high: 95 % interval of it over seeds, ``[G]``, NaN with two; the whole range of all seeds if it swings.
        swings: whether the values go up and down too often to be drawn as lines.
        reference: the exact optimum of this metric, or None.
        binned: how many logged values each point of the longest curve is a mean of.
    """

    group: Group
    metric: str
    seeds: list[tuple[Floats, Floats]]
    x: Floats
    centre: Floats
    low: Floats
    high: Floats
    swings: bool
    reference: float | None
    binned: int


def make_groups(groups: Sequence[list[Run]]) -> list[Group]:
    """A label (see ``labels``), a colour and a line style for each group; equal labels look equal in all panels."""
    names = labels(groups)
    algorithms = {name: runs[0].algorithm for name, runs in zip(names, groups, strict=True)}
    styles = dict(zip(algorithms, dashes(algorithms.values()), strict=True))
    return [
        Group(runs, name, colour(runs[0].algorithm), styles[name]) for name, runs in zip(names, groups, strict=True)
    ]


def logged(groups: Sequence[Group]) -> list[str]:
    """Names of all metrics that any run logged."""
    return list(dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics))


RETURNS = ("episode/return", "eval/return")


def _repeated(groups: Sequence[Group]) -> list[str]:
    """Names of the metrics that some run logged more than once: those that make a curve."""
    runs = [run for group in groups for run in group.runs]
    return [name for name in logged(groups) if any(len(run.series(name).values) > 1 for run in runs)]


def shared_metrics(groups: Sequence[Group]) -> list[str]:
    """What to show of runs on several environments: what all of these have, the return first.

    Empty where the runs of one environment have nothing in common with those of another.
    """
    rivals = [
        [group for group in groups if group.environment == environment]
        for environment in dict.fromkeys(group.environment for group in groups)
    ]
    for names_of in (_repeated, logged):  # a curve rather than a point
        names = [names_of(own) for own in rivals]
        common = [name for name in names[0] if all(name in other for other in names)]
        telling = [name for own in rivals for name in default_metrics(own)]
        chosen = [name for name in dict.fromkeys([*RETURNS, *telling]) if name in common]
        if common:
            return chosen or common[:3]
    return []


def default_metrics(groups: Sequence[Group]) -> list[str]:
    """What a person most likely wants to see of these runs on one environment; every group is in it."""
    found = _telling_metrics(groups)
    for group in groups:
        if not any(name in run.metrics for run in group.runs for name in found):
            found += _telling_metrics([group])[:1]
    return found


def _telling_metrics(groups: Sequence[Group]) -> list[str]:
    there, repeated = logged(groups), _repeated(groups)
    residual = [name for name in ("err", "kkt") if name in repeated][:1]
    if residual:
        values = [name for name in repeated if name == "value/reward"]
        return residual + values + [name for name in repeated if name.startswith("multiplier/")]
    returns = [name for name in RETURNS if name in repeated]
    prefixes = ("violation/", "multiplier/")
    found = returns + [name for name in repeated if name.startswith(prefixes)]
    return found or (repeated or there)[:3]


def check_metrics(names: Sequence[str], groups: Sequence[Group]) -> None:
    """Refuse a name that no run logged.

    Raises:
        UnknownNameError: with the nearest names.
    """
    there = logged(groups)
    for name in names:
        if name not in there:
            raise UnknownNameError("metric in these runs", name, there, "zoo plot RUN --list shows all.")


def curve(group: Group, metric: str, axis: Axis) -> Curve | None:
    """One metric of one group over steps or seconds; None where none of its runs logged it."""
    having = [(run, series) for run in group.runs if (series := run.series(metric)).values]
    if not having:
        return None
    raw = [(np.array(s.steps if axis == "steps" else s.wall), np.array(s.values)) for _, s in having]
    ended = [run.state == "finished" for run, _ in having]
    swings = group.counts_iterations and max(_turns(y, metric) for _, y in raw) > SWINGS
    size = 1 if swings else -(-max(len(x) for x, _ in raw) // POINTS)
    seeds = [(_bins(x, size), _bins(y, size)) for x, y in raw]
    x = centre = low = high = np.empty(0)
    if swings:
        x, centre, low, high = _ranges(seeds)
    elif len(seeds) > 1:
        x, stacked = _aligned(seeds, ended)
        if len(x):
            centre = iqm(stacked)
            rng = np.random.default_rng(zlib.crc32(metric.encode()))  # the same figure every time
            low, high = interval(stacked, iqm, rng, resamples=_RESAMPLES)
    return Curve(group, metric, seeds, x, centre, low, high, swings, _reference(having[0][0], metric), size)


def _reference(run: Run, metric: str) -> float | None:
    head, slash, tail = metric.partition("/")
    if not slash or head not in REFERENCE:
        return None
    return next(reversed(run.series(f"{REFERENCE[head]}/{tail}").values), None)


def is_residual(metric: str) -> bool:
    """Whether a metric is a distance from an optimum, which spans many powers of ten."""
    return metric.rpartition("/")[2] in RESIDUALS


def _turns(y: Floats, metric: str) -> int:
    """How often a curve turns from rising to falling or back, in steps that are notable beside its whole range."""
    seen = np.log10(np.maximum(y, FLOOR)) if is_residual(metric) else y
    change = np.diff(seen)
    direction = np.sign(change[np.abs(change) > _NOTABLE * np.ptp(seen)])
    return int((direction[1:] != direction[:-1]).sum())


def _ranges(seeds: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats, Floats, Floats]:
    """Slots along x, ``[G]``, and in each the interquartile mean over seeds, the least and the largest value."""
    x, y = (np.concatenate(parts) for parts in zip(*seeds, strict=True))
    whose = np.repeat(np.arange(len(seeds)), [len(x) for x, _ in seeds])
    edges = np.linspace(x.min(), x.max(), SLOTS + 1)
    slot = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, SLOTS - 1)
    count, total = np.zeros((len(seeds), SLOTS)), np.zeros((len(seeds), SLOTS))
    np.add.at(count, (whose, slot), 1.0)
    np.add.at(total, (whose, slot), y)
    low, high = np.full(SLOTS, np.inf), np.full(SLOTS, -np.inf)
    np.minimum.at(low, slot, y)
    np.maximum.at(high, slot, y)
    full = (count > 0).all(axis=0)
    middle = 0.5 * (edges[1:] + edges[:-1])
    return middle[full], iqm(total[:, full] / count[:, full]), low[full], high[full]


def _bins(values: Floats, size: int) -> Floats:
    """Means over runs of ``size`` values; the last may be shorter."""
    if size == 1:
        return values
    starts = np.arange(0, len(values), size)
    return np.asarray(np.add.reduceat(values, starts) / np.diff([*starts, len(values)]))


def _aligned(seeds: Sequence[tuple[Floats, Floats]], ended: Sequence[bool]) -> tuple[Floats, Floats]:
    """All seeds on one grid, ``[G]`` and ``[n, G]``, from where the last of them begins.

    A run that finished before the others keeps its last value, for it had nothing to gain by going on; where one
    was interrupted or still runs, the grid ends with it.
    """
    begin = max(x[0] for x, _ in seeds)
    open_ends = [x[-1] for (x, _), done in zip(seeds, ended, strict=True) if not done]
    end = min(open_ends) if open_ends else max(x[-1] for x, _ in seeds)
    union = np.unique(np.concatenate([x for x, _ in seeds]))
    grid = union[(union >= begin) & (union <= end)]
    if len(grid) > POINTS:
        grid = np.linspace(grid[0], grid[-1], POINTS)
    return grid, np.stack([np.interp(grid, x, y) for x, y in seeds]) if len(grid) else np.empty((len(seeds), 0))
