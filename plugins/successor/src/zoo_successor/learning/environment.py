"""The exact problem of a registered environment, for commands that need no run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from zoo import DiminishingRewards, Grid, Problem, UnknownNameError, UsageError, discover
from zoo.tabular import TabularCMDP


def build_problem(name: str, options: Mapping[str, Any]) -> Problem:
    """Model, grid and diminishing rewards of an environment.

    Args:
        name: a registered environment.
        options: its own, by name.

    Raises:
        UnknownNameError: there is no such environment or option; the nearest are named.
        UsageError: it refuses the options, or has no exact model.
    """
    entry = discover().find(name, "environment")
    config = entry.resolve_config()
    known = {field.name for field in dataclasses.fields(config)} if config is not None else set()
    for key in options:
        if key not in known:
            raise UnknownNameError(f"option of {name}", key, known)
    try:
        env = entry.resolve()(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"environment {name} cannot be built: {' '.join(str(error).split()).rstrip('.')}.") from error
    if not callable(getattr(env, "model", None)):
        raise UsageError(f"{name} has no exact model: expected a tabular environment, such as four-rooms.")
    model = TabularCMDP.from_model(env.model())
    diminishing, grid = getattr(env, "diminishing", None), getattr(env, "grid", None)
    return Problem(
        model=lambda: model,
        diminishing=None if diminishing is None else DiminishingRewards.of(diminishing),
        grid=None if grid is None else Grid.of(grid),
    )


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """``KEY=VALUE`` pairs; values are JSON where they parse as JSON, else text; lists become tuples.

    Raises:
        UsageError: a pair has no "=".
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"--env {pair}: expected KEY=VALUE, such as task=goals.")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        options[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    return options
