"""Proxy points read from stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo import UsageError
from zoo_composite_rm.proxy.surface import Floats

EVALUATION = "evaluation/estimate"
_VALUE = "value/"


def names_of(run: Any) -> tuple[str, ...]:
    """The reward models whose mean scores a run logged."""
    return tuple(name.removeprefix(_VALUE) for name in run.metrics if name.startswith(_VALUE))


def direction(run: Any, names: Sequence[str]) -> str:
    """What a run maximised: the name of the one reward model that it weighs, or else a label such as "r1 + 2 r2"."""
    weights = run.spec.config.get("weights")
    if run.algorithm != "ppo-sum" or not isinstance(weights, dict):
        return str(run.algorithm)
    by_name = {name: float(weights.get(name, 1.0)) for name in names}
    parts = [name if weight == 1.0 else f"{weight:g} {name}" for name, weight in by_name.items() if weight]
    alone = [name for name, weight in by_name.items() if weight]
    return alone[0] if len(alone) == 1 else " + ".join(parts) or "nothing"


def recorded(run: Any, names: Sequence[str]) -> Floats:
    """Scores and evaluation of each logged update of a run, [n, N + 1]."""
    wanted = [_VALUE + name for name in names] + [EVALUATION]
    rows = [[row[what] for what in wanted] for row in run.rows if all(what in row for what in wanted)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(wanted))


def paths_of(runs: Sequence[Any]) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """The reward models, and the measurements of the runs by ``direction``; those of several seeds are concatenated.

    Args:
        runs: stored runs on one environment.

    Raises:
        UsageError: they are of several environments, or logged no scores or no evaluation.
    """
    environments = sorted({run.environment for run in runs})
    if len(environments) > 1:
        raise UsageError(f"these runs are of {' and '.join(environments)}: expected those of one environment.")
    names = names_of(runs[0])
    curves: dict[str, list[Floats]] = {}
    for run in runs:
        path = recorded(run, names)
        if not names or not len(path):
            raise UsageError(
                f"{run.path} logged no scores with their evaluation: expected runs of zoo-composite-rm on an "
                "environment that tells what a policy is worth, as tiny-composite does."
            )
        curves.setdefault(direction(run, names), []).append(path)
    return names, {label: np.concatenate(paths) for label, paths in curves.items()}
