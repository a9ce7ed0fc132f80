"""Figures of stored runs for ``zoo plot``: the sweep over lambda, and every run of an exploration experiment."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import UsageError
from zoo_successor.plots.tails import options as options_of
from zoo_successor.plots.tails import options_text, varied

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t at 97.5 %, for 1 to 10 degrees of freedom."""
_WIDTH = 44  # letters
_LINEAR = 1000.0
"""Below it the axis of returns is linear, so that it has a zero."""


def lambda_sweep(runs: Sequence[Any], options: Any) -> Figure:
    """Final value of a metric against lambda, mean over seeds with its 95 % interval: ``--metric return/mean``.

    Raises:
        UsageError: no run has an option lam and the metric.
    """
    from matplotlib.figure import Figure

    metric = _metric(options, "return/mean")
    returns: dict[tuple[str, str], dict[float, list[float]]] = {}
    kept = [run for run in runs if run.spec.config.get("lam") is not None and run.series(metric).values]
    for run, label in zip(kept, _labels(kept, "lam"), strict=True):
        by_lam = returns.setdefault((run.algorithm, label), {})
        by_lam.setdefault(float(run.spec.config["lam"]), []).append(float(run.series(metric).values[-1]))
    if not returns:
        raise UsageError(f"no run has an option lambda and logged {metric}: expected runs of gpi or lambda-q.")
    figure = Figure(figsize=(3.6, 2.3 + 0.3 * len(returns)), layout="constrained")
    axes = figure.subplots()
    for (algorithm, label), by_lam in sorted(returns.items()):
        lams = sorted(by_lam)
        means = np.array([np.mean(by_lam[lam]) for lam in lams])
        half = np.array([_half_width(by_lam[lam]) for lam in lams])
        colour = options.colour(algorithm if len(returns) == 1 else label)
        axes.fill_between(lams, means - half, means + half, color=colour, alpha=0.2, linewidth=0)
        axes.plot(lams, means, marker="o", markersize=3.5, color=colour, label=fill(label, _WIDTH))
    axes.set_xlabel("lambda of the agent")
    axes.set_ylabel(metric)
    figure.legend(loc="outside upper left", frameon=False)
    return figure


def exploration(runs: Sequence[Any], options: Any) -> Figure:
    """One point for each run, on a logarithmic axis, median as a bar: returns of exploration are heavy-tailed.

    Raises:
        UsageError: no run logged the metric.
    """
    from matplotlib.figure import Figure

    metric = _metric(options, "return/total")
    returns: dict[str, list[float]] = {}
    kept = [run for run in runs if run.series(metric).values]
    for run, label in zip(kept, _labels(kept), strict=True):
        returns.setdefault(label, []).append(float(run.series(metric).values[-1]))
    if not returns:
        raise UsageError(f"no run logged {metric}: expected runs of sarsa.")
    names = sorted(returns)
    figure = Figure(figsize=(5.6, 0.6 * len(names) + 0.9), layout="constrained")
    axes = figure.subplots()
    rng = np.random.default_rng(0)
    for height, name in enumerate(names):
        values = np.array(returns[name])
        spread = height + 0.5 * (rng.random(len(values)) - 0.5)
        axes.plot(values, spread, ".", markersize=3.5, alpha=0.6, color=options.colour(name))
        axes.plot([np.median(values)] * 2, [height - 0.36, height + 0.36], color="black", linewidth=1.4)
    # Zero returns occur, and the largest are a thousand times the median.
    axes.set_xscale("symlog", linthresh=_LINEAR, linscale=0.4)
    most = int(np.ceil(np.log10(max(max(max(values) for values in returns.values()), _LINEAR))))
    axes.set_xticks([0.0, *(10.0**power for power in range(3, most + 1))])
    ticks = [f"{fill(name, _WIDTH)}\nn = {len(returns[name])}" for name in names]
    axes.set_yticks(range(len(names)), ticks)
    axes.set_xlabel(f"{metric} (bar: median)")
    return figure


def _labels(runs: Sequence[Any], *but: str) -> list[str]:
    """Environment, algorithm and, for each run, the options (``but`` some) in which runs of the two differ."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run.environment, run.algorithm), []).append(_options(run, but))
    names = {key: varied(several) for key, several in groups.items()}
    labels = []
    for run in runs:
        key = (run.environment, run.algorithm)
        tail = options_text(_options(run, but), names[key])
        labels.append(f"{key[1]} on {key[0]}" + (f", {tail}" if tail else ""))
    return labels


def _options(run: Any, but: Sequence[str]) -> dict[str, Any]:
    options = options_of(run.spec.env_config, run.spec.config)
    return {name: value for name, value in options.items() if name not in but}


def _metric(options: Any, default: str) -> str:
    return options.metrics[0] if options.metrics else default


def _half_width(values: Sequence[float]) -> float:
    count = len(values)
    if count < 2:
        return 0.0
    t = _T95[count - 2] if count - 2 < len(_T95) else 1.96
    return t * float(np.std(values, ddof=1)) / float(np.sqrt(count))
