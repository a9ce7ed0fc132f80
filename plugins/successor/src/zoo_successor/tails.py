"""Summaries of heavy-tailed results, read from finished run directories."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
        told = json.loads(status.read_text(encoding="utf-8"))
        value = (told.get("metrics") or {}).get(metric)
        if told.get("state") == "finished" and isinstance(value, (int, float)):
            groups.setdefault(status.parent.parent, []).append(float(value))
            specs[status.parent.parent] = json.loads(status.with_name("spec.json").read_text(encoding="utf-8"))
    if not groups:
        raise UsageError(f"no finished run under {', '.join(map(str, paths))} logged {metric}.")
    rows = []
    for key, values in groups.items():
        found, spec = np.array(values), specs[key]
        varied = _varied([other for other in specs.values() if other["environment"] == spec["environment"]])
        deviation = float(found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0
        rows.append({
            "environment": str(spec["environment"]).rpartition("/")[2],
            "algorithm": str(spec["algorithm"]).rpartition("/")[2],
            "options": ", ".join(f"{name} {_flat(spec)[name]}" for name in varied if name in _flat(spec)),
            "runs": len(found),
            "median": float(np.median(found)),
            "mean": float(found.mean()),
            "standard error": deviation,
            f"above {above:g}": float((found > above).mean()),
        })  # fmt: skip
    return rows


def _flat(spec: dict[str, Any]) -> dict[str, Any]:
    return {**dict(spec.get("env_config") or {}), **dict(spec.get("config") or {})}


def _varied(specs: Sequence[dict[str, Any]]) -> list[str]:
    """Options that do not have the same value in all specifications, in order of appearance."""
    flat = [_flat(spec) for spec in specs]
    names = dict.fromkeys(name for one in flat for name in one)
    return [name for name in names if len({json.dumps(one.get(name), sort_keys=True) for one in flat}) > 1]
