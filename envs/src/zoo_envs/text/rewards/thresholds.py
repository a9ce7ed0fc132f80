"""The constraints of a text task: each reward model's mean score against a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.text.samples import RewardModel
from zoo_envs.validation import real

__all__ = ["constraints"]


def constraints(models: Mapping[str, RewardModel], given: Mapping[str, float] | None, sense: str) -> ConstraintSpec:
    """Return one constraint for each of `models`, by name.

    Args:
        models: the reward models.
        given: thresholds by name; a model's own where it has none here.
        sense: of all constraints.

    Raises:
        ValueError: a threshold is missing, of no reward model, or not a finite number, or `sense` is unknown.
    """
    given, names = given or {}, tuple(models)
    if not isinstance(given, Mapping):
        raise ValueError(f"thresholds must be a mapping from names of reward models to numbers, got {given!r}")
    if unknown := sorted(given.keys() - set(names)):
        raise ValueError(f"thresholds names {unknown[0]!r}, which is none of the reward models {', '.join(names)}")
    if sense not in (">=", "=="):
        raise ValueError(f"sense must be '>=' or '==', got {sense!r}")
    values = [_threshold(name, given.get(name, model.threshold)) for name, model in models.items()]
    senses: Sequence[str] = (sense,) * len(names)
    return ConstraintSpec.of(names, values, senses, unit="episode", discounted=False)


def _threshold(name: str, value: float | None) -> float:
    if value is None:
        raise ValueError(f"the reward model {name!r} has no threshold of its own: thresholds must name it")
    return real(f"thresholds[{name!r}]", value, -np.inf)
