"""Wrappers by option: ``--env.NAME VALUE`` puts any environment into a wrapper that a plugin registered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from zoo.discovery.config import encode
from zoo.discovery.constructors import parameters_of, taken_by
from zoo.discovery.names import EnvName
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.discovery.values import read


def options_of(registry: Registry) -> dict[str, Entry]:
    """All wrappers by their option, as "frame_stack"; in the order in which they are put on."""
    return {entry.name.replace("-", "_"): entry for entry in registry.entries("wrapper")}


def wrappers_among(options: Iterable[str], env: EnvName, registry: Registry) -> dict[str, Entry]:
    """The wrappers that ``options`` of an environment name; an option of the environment's own is none.

    Raises:
        UsageError: two plugins offer the wrapper.
    """
    asked = options_of(registry).keys() & set(options)
    if not asked:
        return {}
    config = env.entry.resolve_config() if env.entry else None
    own = {field.name for field in dataclasses.fields(config)} if config else parameters_of(env).kinds.keys()
    return {name: registry.find(name.replace("_", "-"), "wrapper") for name in sorted(asked - own)}


def wrapper_values(wrappers: Mapping[str, Entry], given: Mapping[str, Any], *, typed: bool) -> dict[str, Any]:
    """The values of wrappers as plain data, each of a kind that its function takes.

    Args:
        wrappers: as ``wrappers_among`` gives them.
        given: options of an environment, those of wrappers among them.
        typed: text is from a command line, where all is text.

    Raises:
        UsageError: a value is of another kind.
    """
    return {
        name: encode(read(given[name], taken_by(entry.resolve()), f"--env.{entry.name}", typed=typed))
        for name, entry in wrappers.items()
    }


def wrapped(env: EnvName, options: Mapping[str, Any], registry: Registry) -> EnvName:
    """``env`` in the wrappers that its options ask for."""
    wrappers = wrappers_among(options, env, registry)
    return dataclasses.replace(env, wrappers={name: (entry, options[name]) for name, entry in wrappers.items()})
