"""What runs are called beside one another: by their algorithm, and by what else tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.results.store import Run

_MOST = 3


def options(run: Run) -> dict[str, Any]:
    """Everything that decides a run's result except names and seed: options, environment's arguments, budget."""
    spec = run.spec
    found = dict(spec.config) | {f"env.{name}": value for name, value in spec.env_config.items()}
    for name in ("steps", "num_envs", "eval_every", "eval_episodes", "representation", "collect"):
        found[name] = getattr(spec, name)
    return found


def labels(groups: Sequence[list[Run]]) -> list[str]:
    """A name for each group of runs that differ only in their seed.

    The algorithm's name; where several groups share algorithm and environment, also up to three options that
    differ between them, or the key if none does (different versions of a plugin).
    """
    return [_label(runs, groups) for runs in groups]


def _label(runs: list[Run], groups: Sequence[list[Run]]) -> str:
    own = runs[0]
    others = [
        other[0]
        for other in groups
        if other is not runs and (other[0].algorithm, other[0].environment) == (own.algorithm, own.environment)
    ]
    if not others:
        return own.algorithm
    mine = options(own)
    differing = sorted({name for other in others for name in different(mine, options(other))})
    shown = ", ".join(f"{name}={mine.get(name)}" for name in differing[:_MOST])
    return f"{own.algorithm} ({shown or own.spec.key})"


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names whose values differ, or that only one of the two has."""
    missing = object()
    return [name for name in {**one, **other} if one.get(name, missing) != other.get(name, missing)]
