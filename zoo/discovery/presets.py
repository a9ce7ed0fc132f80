"""Presets: TOML files in a plugin that hold what suits an environment."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Mapping
from typing import Any

from zoo.discovery.entry import Entry
from zoo.errors import UnknownNameError, UsageError


def load_preset(entry: Entry, env: str, preset: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The preset's values for this algorithm on this environment: fields of the config, and of the run.

    A preset is a TOML file keyed by environment. Its plain keys suit every algorithm of the plugin that has
    such a field; a table named like the algorithm overrides them; the table ``run``, in either, may hold
    ``steps`` and ``num_envs``. Without ``--preset`` (an empty name) the file ``default.toml`` applies, if there is one.

    Raises:
        UsageError: the named preset does not exist, is not TOML, or says nothing about the environment.
    """
    if not entry.presets:
        if preset:
            raise UsageError(f"{entry.name} has no presets; leave out --preset {preset}.")
        return {}, {}
    package, _, folder = entry.presets.partition(":")
    directory = importlib.resources.files(package).joinpath(folder)
    file = directory.joinpath(f"{preset or 'default'}.toml")
    if not file.is_file():
        if not preset:
            return {}, {}
        names = [item.name.removesuffix(".toml") for item in directory.iterdir() if item.name.endswith(".toml")]
        raise UnknownNameError(f"preset of {entry.name}", preset, names)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"preset {file.name} of {entry.plugin} is not valid TOML: {error}") from error
    if env not in table:
        if preset:
            raise UnknownNameError(f"environment in preset {preset!r} of {entry.name}", env, table)
        return {}, {}
    section = dict(table[env])
    run = dict(section.pop("run", {}))
    own = dict(section.pop(entry.name, {}))
    run |= own.pop("run", {})
    config = entry.resolve_config()
    fields = {field.name for field in dataclasses.fields(config)} if config else set()
    shared = {key: value for key, value in section.items() if not isinstance(value, Mapping) and key in fields}
    return {**shared, **own}, run
