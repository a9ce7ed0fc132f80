"""Runs by what they have in common: seeds of one setting, with a title that says which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from zoo import UsageError
from zoo_icl.clamps.heads import by_layer

_TITLE_LENGTH = 42  # characters in a line
_CALL = re.compile(r"(\w+)\([^()]{12,}\)")
"""a clamp with arguments too long for a title"""


def group_by_title(runs: Sequence[Any], what: str) -> dict[str, list[Any]]:
    """Seeds by a title: the labels of the task, and the options in which its runs differ.

    Raises:
        UsageError: there are no runs; ``what`` says what they would have done.
    """
    if not runs:
        raise UsageError(f"none of these runs {what}.", "zoo plot RUN --list shows what they logged.")
    groups: dict[Any, list[Any]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        groups.setdefault(run.path.parent, []).append(run)
    titles = [_settings(seeds[0]) for seeds in groups.values()]
    every = {name for own in titles for name in own}
    names = sorted(name for name in every if any(own.get(name) != titles[0].get(name) for own in titles))
    panels: dict[str, list[Any]] = {}
    for own, seeds in zip(titles, groups.values(), strict=True):
        options = ", ".join(f"{name} {_short(own[name])}" for name in names[:3] if name in own)
        title = fill(f"{_task(seeds[0])}{': ' if options else ''}{options}", _TITLE_LENGTH)
        panels.setdefault(title if title not in panels else f"{title} ({seeds[0].path.parent.name})", []).extend(seeds)
    return panels


def kind(clamps: str) -> str:
    """Kinds of clamps in a text, in their order, ablations left out: "Layer1+Copy"; "none" if nothing is left."""
    kinds = [part.partition("(")[0].strip() for part in clamps.split("+")]
    return "+".join(kind for kind in kinds if kind not in ("", "Ablate")) or "none"


def active_heads(run: Any) -> frozenset[int]:
    """Heads of the last block that the run's clamps do not ablate."""
    last, heads = int(run.spec.config.get("depth", 2)) - 1, int(run.spec.config.get("n_heads", 8))
    active = set(range(heads))
    for clamp in run.spec.config.get("clamp") or ():
        for part in re.findall(r"Ablate\(([^()]*)\)", clamp):
            named: Mapping[int, frozenset[int] | None] = by_layer(part)
            if last in named:
                which = named[last]
                active -= active if which is None else which
    return frozenset(active)


def _task(run: Any) -> str:
    options = run.spec.env_config
    if options.get("labels") == "relabel" and "num_labels" in options:
        return f"{run.environment}, {options['num_labels']} labels"
    return str(run.environment)


def _settings(run: Any) -> dict[str, Any]:
    clamps = [_CALL.sub(r"\1(…)", clamp) for clamp in run.spec.config.get("clamp") or ()]
    return {**run.spec.env_config, **run.spec.config, "clamp": "+".join(clamps) or "none"}


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
