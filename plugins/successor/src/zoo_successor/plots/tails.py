"""Summaries of heavy-tailed results, read from finished run directories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import UsageError, open_runs


def summarise(paths: Sequence[Path], metric: str, above: float) -> list[dict[str, Any]]:
    """One row for each experiment under ``paths``: a mean alone would hide that few runs make it.

    Args:
        paths: run directories, or directories above some.
        metric: its last value in each run.
        above: the level of the share.

    Returns:
        ``environment``, ``algorithm``, ``options`` (those that differ on the same environment), ``runs``, ``median``,
        ``mean``, ``standard error`` and ``above X``, the share of runs above the level.

    Raises:
        UsageError: there is no finished run with the metric.
    """
    groups: dict[Path, list[Any]] = {}
    for run in open_runs(paths).runs:
        if run.state == "finished" and metric in run.status.get("metrics", {}):
            groups.setdefault(run.path.parent, []).append(run)
    if not groups:
        raise UsageError(f"no finished run under {', '.join(map(str, paths))} logged {metric}.")
    several = [(runs[0].spec, [run.status["metrics"][metric] for run in runs]) for runs in groups.values()]
    rows = []
    for spec, values in several:
        sample = np.array(values, dtype=np.float64)
        same = [other for other, _ in several if other.environment == spec.environment]
        names = varied([options(other.env_config, other.config) for other in same])
        deviation = float(sample.std(ddof=1) / np.sqrt(len(sample))) if len(sample) > 1 else 0.0
        rows.append({
            "environment": spec.short[1],
            "algorithm": spec.short[0],
            "options": options_text(options(spec.env_config, spec.config), names),
            "runs": len(sample),
            "median": float(np.median(sample)),
            "mean": float(sample.mean()),
            "standard error": deviation,
            f"above {above:g}": float((sample > above).mean()),
        })  # fmt: skip
    return rows


def options(*parts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options of an environment and of an algorithm as one mapping."""
    return {name: value for part in parts for name, value in dict(part or {}).items()}


def varied(several: Sequence[Mapping[str, Any]]) -> list[str]:
    """Options that do not have the same value everywhere, in order of appearance."""
    names = dict.fromkeys(name for one in several for name in one)
    return [name for name in names if len({json.dumps(one.get(name), sort_keys=True) for one in several}) > 1]


def options_text(own: Mapping[str, Any], names: Sequence[str]) -> str:
    """These options of one run, as "bonus fr, beta 1"."""
    options = ((name, own[name]) for name in names if own.get(name) is not None)
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in options)
