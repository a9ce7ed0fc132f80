"""What runs are called beside one another: by their algorithm, and by what else tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.results.store import Run
from zoo.training.spec import RunSpec

_MOST = 3


def options(spec: RunSpec) -> dict[str, Any]:
    """Everything that decides a run's result except names and seed: options, environment's arguments, budget."""
    found = dict(spec.config) | {f"env.{name}": value for name, value in spec.env_config.items()}
    for name in ("steps", "num_envs", "eval_every", "eval_episodes", "representation", "collect"):
        found[name] = getattr(spec, name)
    return found


def labels(groups: Sequence[list[Run]]) -> list[str]:
    """A name for each group of runs that differ only in their seed.

    The algorithm's name; where several groups share algorithm and environment, also up to three options that
    differ between them, or the key if none does (different versions of a plugin).
    """
    rivals: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for runs in groups:
        rivals.setdefault((runs[0].algorithm, runs[0].environment), []).append(options(runs[0].spec))
    # An option that varies at all differs, for each group, from that of some other.
    varying = {names: _varying(those) for names, those in rivals.items() if len(those) > 1}
    return [_label(runs[0], varying) for runs in groups]


def _varying(those: Sequence[dict[str, Any]]) -> list[str]:
    """Names that do not have one and the same value everywhere, sorted."""
    first = those[0]
    return sorted({name for other in those[1:] for name in different(first, other)})


def _label(own: Run, varying: dict[tuple[str, str], list[str]]) -> str:
    names = varying.get((own.algorithm, own.environment))
    if names is None:
        return own.algorithm
    mine = options(own.spec)
    shown = ", ".join(f"{name}={mine.get(name)}" for name in names[:_MOST])
    return f"{own.algorithm} ({shown or own.spec.key})"


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names whose values differ, or that only one of the two has."""
    missing = object()
    return [name for name in {**one, **other} if one.get(name, missing) != other.get(name, missing)]
