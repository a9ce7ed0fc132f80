"""Summaries of heavy-tailed results, read from finished run directories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import UsageError


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
    groups: dict[Path, list[float]] = {}
    specs: dict[Path, dict[str, Any]] = {}
    for status in sorted(file for path in paths for file in path.glob("**/status.json")):
        status_told = json.loads(status.read_text(encoding="utf-8"))
        value = (status_told.get("metrics") or {}).get(metric)
        if status_told.get("state") == "finished" and isinstance(value, (int, float)):
            groups.setdefault(status.parent.parent, []).append(float(value))
            specs[status.parent.parent] = json.loads(status.with_name("spec.json").read_text(encoding="utf-8"))
    if not groups:
        raise UsageError(f"no finished run under {', '.join(map(str, paths))} logged {metric}.")
    rows = []
    for key, values in groups.items():
        found, spec = np.array(values), specs[key]
        own = options(spec.get("env_config"), spec.get("config"))
        same = [other for other in specs.values() if other["environment"] == spec["environment"]]
        names = varied([options(other.get("env_config"), other.get("config")) for other in same])
        deviation = float(found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0
        rows.append({
            "environment": str(spec["environment"]).rpartition("/")[2],
            "algorithm": str(spec["algorithm"]).rpartition("/")[2],
            "options": told(own, names),
            "runs": len(found),
            "median": float(np.median(found)),
            "mean": float(found.mean()),
            "standard error": deviation,
            f"above {above:g}": float((found > above).mean()),
        })  # fmt: skip
    return rows


def options(*parts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options of an environment and of an algorithm as one mapping."""
    return {name: value for part in parts for name, value in dict(part or {}).items()}


def varied(several: Sequence[Mapping[str, Any]]) -> list[str]:
    """Options that do not have the same value everywhere, in order of appearance."""
    names = dict.fromkeys(name for one in several for name in one)
    return [name for name in names if len({json.dumps(one.get(name), sort_keys=True) for one in several}) > 1]


def told(own: Mapping[str, Any], names: Sequence[str]) -> str:
    """These options of one run, as "bonus fr, beta 1"."""
    shown = ((name, own[name]) for name in names if own.get(name) is not None)
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in shown)
