"""Performance profiles: the share of runs that do better than each score (Agarwal et al. 2021, section 4.2)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo import RunError, UsageError
from zoo.stats import Floats, interval
from zoo_bench.metrics import last_values
from zoo_bench.plots.curves import FLOOR, Group, is_residual
from zoo_bench.plots.learning_curves import Scale, styled, title
from zoo_bench.plots.legend import legend_above
from zoo_bench.plots.palette import Dash

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (4.4, 2.9)  # inches
_GRID = 401
_NAMED = 4  # labels in an error
_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Profile:
    """One line: share ``[T]`` of the runs of a label that do better than each threshold, and its interval."""

    label: str
    colour: str
    dash: Dash
    runs: int
    share: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class ProfileChart:
    """What is drawn.

    Attributes:
        metric: the last value of it is a run's score.
        lower: whether small values are good, so that the share below a threshold is shown.
        log: whether thresholds are spaced by powers.
        scaled: whether scores were mapped to [0, 1] in each environment by the worst and best run.
        environments: those in which every label has a run.
        thresholds: ``[T]``.
        profiles: one for each label.
        notes: sentences about what was left out.
    """

    metric: str
    lower: bool
    log: bool
    scaled: bool
    environments: list[str]
    thresholds: Floats
    profiles: list[Profile]
    notes: list[str]


def lower_is_better(metric: str) -> bool:
    """Whether a metric is a distance from an optimum, a violation or a loss."""
    return is_residual(metric) or metric.startswith("violation/") or metric.rpartition("/")[2].endswith("loss")


def make_profiles(groups: Sequence[Group], metric: str, scale: Scale = "auto") -> ProfileChart:
    """The profiles of all labels, over the environments that they share; only finished runs count.

    With several environments, scores are mapped to [0, 1] by the worst and the best run in each of them, except on a
    logarithmic axis, where all environments keep their unit.

    Raises:
        RunError: no run is finished and has the metric, or no environment has runs of all labels.
        UsageError: a logarithmic axis was asked for, and there are scores that are not positive.
    """
    scores, notes = _scores(groups, metric)
    looks = {group.label: group for group in groups if group.label in scores}
    shared = [env for env in dict.fromkeys(g.environment for g in groups) if all(env in by for by in scores.values())]
    others = sorted({env for by in scores.values() for env in by} - set(shared))
    if not shared:
        names = list(scores)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise RunError(
            f"{', '.join(names[:_NAMED])}{more} have no environment in common: a profile compares like with like.",
            "Name fewer runs: those of the same algorithms, with the same options, in each environment.",
        )
    if others:
        notes.append(f"left out, for not every algorithm has runs there: {', '.join(others)}.")
    lower = lower_is_better(metric)
    log = scale == "yes" or (scale == "auto" and is_residual(metric))
    tasks = {label: [by[env] for env in shared] for label, by in scores.items()}
    if log:
        least = min(float(x.min()) for strata in tasks.values() for x in strata)
        if least <= 0 and not is_residual(metric):
            raise UsageError(f"metric {metric!r} goes down to {least:.4g}: a logarithmic axis needs positive values.")
        tasks = {label: [np.maximum(x, FLOOR) for x in strata] for label, strata in tasks.items()}
    scaled = len(shared) > 1 and not log
    if scaled:
        tasks = _scaled(tasks)
    thresholds = _thresholds(tasks, log)
    profiles = []
    for label, strata in tasks.items():
        share, low, high = _profile(strata, thresholds, lower, label)
        look = looks[label]
        profiles.append(Profile(label, look.colour, look.dash, sum(map(len, strata)), share, low, high))
    return ProfileChart(metric, lower, log, scaled, shared, thresholds, profiles, notes)


def _scores(groups: Sequence[Group], metric: str) -> tuple[dict[str, dict[str, Floats]], list[str]]:
    """Label -> environment -> last values ``[n]`` of the finished runs; and how many runs were left out."""
    found: dict[str, dict[str, Floats]] = {}
    unfinished = without = 0
    for group in groups:
        ended = [run for run in group.runs if run.state == "finished"]
        values = [last_values(run).get(metric) for run in ended]
        usable = [float(value) for value in values if isinstance(value, (int, float)) and np.isfinite(value)]
        unfinished += len(group.runs) - len(ended)
        without += len(ended) - len(usable)
        if usable:
            found.setdefault(group.label, {})[group.environment] = np.array(usable)
    notes = [
        f"left out: {count} run{'s' * (count > 1)} {why}."
        for count, why in ((unfinished, "not finished"), (without, f"without {metric}"))
        if count
    ]
    if not found:
        raise RunError(f"no finished run has {metric}: a profile shows the last value of runs that are done.")
    return found, notes


def _scaled(tasks: dict[str, list[Floats]]) -> dict[str, list[Floats]]:
    everything = [np.concatenate(column) for column in zip(*tasks.values(), strict=True)]
    worst = [float(x.min()) for x in everything]
    width = [float(np.ptp(x)) or 1.0 for x in everything]
    return {
        label: [(x - at) / wide for x, at, wide in zip(strata, worst, width, strict=True)]
        for label, strata in tasks.items()
    }


def _thresholds(tasks: dict[str, list[Floats]], log: bool) -> Floats:
    """From a little below the least score to a little above the largest."""
    everything = np.concatenate([x for strata in tasks.values() for x in strata])
    seen = np.log10(everything) if log else everything
    room = 0.03 * (float(np.ptp(seen)) or 1.0)
    grid = np.linspace(seen.min() - room, seen.max() + room, _GRID)
    return 10.0**grid if log else grid


def _profile(strata: Sequence[Floats], thresholds: Floats, lower: bool, label: str) -> tuple[Floats, Floats, Floats]:
    """Share and interval ``[T]``: the mean over environments, with seeds redrawn within each."""
    sizes = [len(x) for x in strata]
    weights = np.repeat(1.0 / (len(sizes) * np.array(sizes)), sizes)
    sign = -1.0 if lower else 1.0
    better = sign * np.concatenate(strata)[:, None] > sign * thresholds

    def share(beats: Floats, axis: int) -> Floats:
        return np.asarray(np.tensordot(beats, weights, axes=(axis, 0)))

    rng = np.random.default_rng(zlib.crc32(label.encode()))  # the same figure every time
    low, high = interval(better, share, rng, strata=sizes, resamples=_RESAMPLES)
    return share(better.astype(np.float64), 0), np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def draw_profiles(chart: ProfileChart) -> Figure:
    """The figure, not yet written.

    Raises:
        UsageError: matplotlib is not installed.
    """
    with styled():
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter

        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        for line in chart.profiles:
            axes.fill_between(chart.thresholds, line.low, line.high, color=line.colour, alpha=0.15, linewidth=0)
            axes.plot(
                chart.thresholds, line.share, color=line.colour, linestyle=line.dash, linewidth=1.6, label=line.label
            )  # fmt: skip
        if chart.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=8))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.margins(x=0.0)
        unit = ", from the worst (0) to the best run (1) of each environment" if chart.scaled else ""
        axes.set_xlabel(f"{title(chart.metric)}{unit}", fontsize=7 if chart.scaled else 8)
        axes.set_ylabel(f"runs that end {'below' if chart.lower else 'above'}")
        names = chart.environments if len(chart.environments) <= 3 else [f"{len(chart.environments)} environments"]
        axes.set_title(", ".join(names), loc="left", fontweight="bold")
        legend_above(figure, *axes.get_legend_handles_labels(), most=3)
        return figure


def caption_profiles(chart: ProfileChart) -> list[str]:
    """Sentences that say what the lines are."""
    counts = {line.label: line.runs for line in chart.profiles}
    runs = ", ".join(f"{label} {count}" for label, count in counts.items())
    where = f" in {len(chart.environments)} environments" if len(chart.environments) > 1 else ""
    first = f"share of runs whose last {chart.metric} is {'below' if chart.lower else 'above'} the value"
    return [f"{first}; band: 95 % interval; runs{where}: {runs}.", *chart.notes]
