"""Labels of runs beside one another: their algorithm, and the options in which they differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from zoo.runs.store import Run
from zoo.training.storage.spec import RunSpec

_MOST = 3


def options(spec: RunSpec) -> dict[str, Any]:
    """Everything that decides a run's result except names and seed: options, environment's arguments, budget."""
    options = dict(spec.config) | {f"env.{name}": value for name, value in spec.env_config.items()}
    for name in ("steps", "num_envs", "eval_every", "eval_episodes", "representation", "collect"):
        options[name] = getattr(spec, name)
    if spec.extended_from is not None:
        options["extended_from"] = "{key} at step {step}".format_map(defaultdict(str, spec.extended_from))
    return options


def labels(groups: Sequence[list[Run]]) -> list[str]:
    """A name for each group of runs that differ only in their seed; no two in one environment have the same.

    The algorithm's name; where several groups share algorithm and environment, also up to three options that
    differ between them, or others if these do not tell all of them apart; and the key where no option does (different
    versions of a plugin, values that are printed alike).
    """
    rivals: dict[tuple[str, str], list[Run]] = {}
    for runs in groups:
        rivals.setdefault((runs[0].algorithm, runs[0].environment), []).append(runs[0])
    labels = {run.path: label for those in rivals.values() for run, label in _told_apart(those)}
    return [labels[runs[0].path] for runs in groups]


def _told_apart(those: Sequence[Run]) -> list[tuple[Run, str]]:
    """Runs of different keys, and of the same short names, each with its label."""
    name = those[0].algorithm
    if len(those) == 1:
        return [(those[0], name)]
    settings = [_identity(run.spec) for run in those]
    first = settings[0]
    varying = sorted({option for other in settings[1:] for option in different(first, other)})
    names = _printed(settings, varying[:_MOST])
    if len(set(names)) < len(those):
        names = _printed(settings, _telling(settings, varying))
    counts = Counter(names)
    return [
        (run, f"{name} ({', '.join(filter(None, (text, '' if text and counts[text] == 1 else run.spec.key)))})")
        for run, text in zip(those, names, strict=True)
    ]


def _telling(settings: Sequence[dict[str, Any]], varying: Sequence[str]) -> list[str]:
    """Up to three options, each the one that tells most apart beside those before it."""
    chosen: list[str] = []
    for _ in range(_MOST):
        rest = [option for option in varying if option not in chosen]
        if rest:
            chosen.append(max(rest, key=lambda option: len(set(_printed(settings, [*chosen, option])))))
    return chosen


def _identity(spec: RunSpec) -> dict[str, Any]:
    """The options, with the names in full."""
    return {"algorithm": spec.algorithm, "environment": spec.environment, **options(spec)}


def _printed(settings: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    return [", ".join(f"{name}={of[name]}" for name in names if name in of) for of in settings]


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names whose values differ, or that only one of the two has."""
    missing = object()
    return [name for name in {**one, **other} if one.get(name, missing) != other.get(name, missing)]
