"""Labels of runs beside one another: their algorithm, and the options in which they differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from zoo.runs.store import Run
from zoo.training.storage.spec import RunSpec

_MAX_OPTIONS = 3


def options(spec: RunSpec) -> dict[str, Any]:
    """Everything that decides a run's result except names and seed: options, environment's arguments, budget."""
    options = dict(spec.config) | {f"env.{name}": value for name, value in spec.env_config.items()}
    for name in ("steps", "num_envs", "eval_every", "eval_episodes", "representation", "collect"):
        options[name] = getattr(spec, name)
    if spec.stop:
        options["stop"] = spec.stop
    if spec.extended_from is not None:
        options["extended_from"] = "{key} at step {step}".format_map(defaultdict(str, spec.extended_from))
    return options


def labels(groups: Sequence[list[Run]]) -> list[str]:
    """A name for each group of runs that differ only in their seed; no two in one environment have the same.

    The algorithm's name; where several groups share algorithm and environment, also up to three options that
    differ between them, or others if these do not tell all of them apart; and the key where no option does (different
    versions of a plugin, values that are printed alike).
    """
    runs_by_name: dict[tuple[str, str], list[Run]] = {}
    for runs in groups:
        runs_by_name.setdefault((runs[0].algorithm, runs[0].environment), []).append(runs[0])
    labels = {run.path: label for runs_named in runs_by_name.values() for run, label in _distinguish(runs_named)}
    return [labels[runs[0].path] for runs in groups]


def _distinguish(runs_named: Sequence[Run]) -> list[tuple[Run, str]]:
    """Runs of different keys, and of the same short names, each with its label."""
    name = runs_named[0].algorithm
    if len(runs_named) == 1:
        return [(runs_named[0], name)]
    settings = [_identity(run.spec) for run in runs_named]
    first = settings[0]
    varying = sorted({option for b in settings[1:] for option in different(first, b)})
    names = _printed(settings, varying[:_MAX_OPTIONS])
    if len(set(names)) < len(runs_named):
        names = _printed(settings, _most_distinguishing(settings, varying))
    counts = Counter(names)
    return [
        (run, f"{name} ({', '.join(filter(None, (text, '' if text and counts[text] == 1 else run.spec.key)))})")
        for run, text in zip(runs_named, names, strict=True)
    ]


def _most_distinguishing(settings: Sequence[dict[str, Any]], varying: Sequence[str]) -> list[str]:
    """Up to three options, each the one that distinguishes most runs beside those before it."""
    chosen: list[str] = []
    for _ in range(_MAX_OPTIONS):
        rest = [option for option in varying if option not in chosen]
        if rest:
            chosen.append(max(rest, key=lambda option: len(set(_printed(settings, [*chosen, option])))))
    return chosen


def _identity(spec: RunSpec) -> dict[str, Any]:
    """The options, with the full names of algorithm and environment."""
    return {"algorithm": spec.algorithm, "environment": spec.environment, **options(spec)}


def _printed(settings: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    return [", ".join(f"{name}={of[name]}" for name in names if name in of) for of in settings]


def different(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """Names whose values differ, or that only one of the two has."""
    missing = object()
    return [name for name in {**a, **b} if a.get(name, missing) != b.get(name, missing)]
