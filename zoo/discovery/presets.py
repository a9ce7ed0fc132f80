"""Presets: TOML files in a plugin that hold what suits an environment."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from zoo.discovery.registration import Entry
from zoo.errors import UnknownNameError, UsageError
from zoo.terminal.streams import brief

_RUN = ("steps", "num_envs")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The content of a preset for one environment.

    Attributes:
        options: fields of the algorithm's config.
        run: "steps" and "num_envs".
        env: options of the environment.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, Any] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    """name of the file; empty where none applies"""


def load_preset(entry: Entry, env: str, preset: str, siblings: Sequence[Entry] = ()) -> Preset:
    """The preset for this algorithm on this environment.

    A preset is a TOML file keyed by environment. Its plain keys suit every algorithm of the plugin that has
    such a field; a table named like the algorithm overrides them; in either, the table ``run`` may hold ``steps`` and
    ``num_envs``, and the table ``env`` options of the environment. Without ``--preset`` (an empty name) the file
    ``default.toml`` applies, if there is one; it may not change the environment, which nobody asked for.

    Args:
        entry: the algorithm or representation.
        env: the environment's short name.
        preset: the file's name without its ending; empty for the default; or the path of any file "....toml".
        siblings: all algorithms and representations of the plugin: a key that is for none of them is refused.

    Raises:
        UsageError: the named preset does not exist, is not TOML, or says nothing about the environment; or the
            default changes the environment; or a key is for no algorithm of the plugin.
    """
    file = _file(entry, preset)
    if file is None:
        return Preset()
    table = _table(entry, file)
    if env not in table:
        if preset:
            raise UnknownNameError(f"environment in preset {preset!r} of {entry.name}", env, table)
        return Preset()
    section = dict(table[env])
    where = f"option in preset {file.name} of {entry.plugin}, {env}"
    _refuse_unknown(section, where, [entry, *siblings] if siblings else [])
    overrides = dict(section.pop(entry.name, {}))
    run, env_options = ({**section.pop(part, {}), **overrides.pop(part, {})} for part in ("run", "env"))
    for key in run:
        if key not in _RUN:
            raise UnknownNameError(f"{where}, run", key, _RUN)
    if env_options and not preset:
        raise UsageError(f"preset default.toml of {entry.plugin} changes {env}: expected that of a named preset only.")
    fields = _fields(entry)
    shared = {key: value for key, value in section.items() if not isinstance(value, Mapping) and key in fields}
    return Preset(options={**shared, **overrides}, run=run, env=env_options, name=file.name)


def _file(entry: Entry, preset: str) -> Traversable | None:
    """Where the preset stands; None where it is the default, and there is none."""
    if preset.endswith(".toml"):
        if not Path(preset).is_file():
            raise UsageError(f"there is no preset {preset}: expected a file, or a name without an ending.")
        return Path(preset)
    files = preset_files(entry)
    if preset and not files:
        raise UsageError(f"{entry.name} has no presets; leave out --preset {preset}.")
    file = files.get(preset or "default")
    if preset and file is None:
        raise UnknownNameError(f"preset of {entry.name}", preset, files)
    return file


def preset_files(entry: Entry) -> dict[str, Traversable]:
    """The files of presets that the plugin of an algorithm or representation has, by name."""
    if not entry.presets:
        return {}
    package, _, folder = entry.presets.partition(":")
    files = importlib.resources.files(package).joinpath(folder).iterdir()
    return {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}


def preset_environments(entry: Entry, name: str) -> list[str]:
    """The environments for which a preset has a section.

    Raises:
        UsageError: it is not TOML.
    """
    return list(_table(entry, preset_files(entry)[name]))


def _table(entry: Entry, file: Traversable) -> dict[str, Any]:
    try:
        return _parsed(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"preset {file.name} of {entry.plugin} is not valid TOML: {brief(error)}") from error


@lru_cache(maxsize=64)
def _parsed(text: str) -> dict[str, Any]:
    """A suite reads the same preset for each of its cells; nobody changes the tables."""
    return tomllib.loads(text)


def _fields(entry: Entry) -> set[str]:
    config = entry.resolve_config()
    return {field.name for field in dataclasses.fields(config)} if config else set()


def _refuse_unknown(section: Mapping[str, Any], where: str, entries: Sequence[Entry]) -> None:
    """Refuse a key of a preset that is neither a table it may have nor an option of any of ``entries``."""
    if not entries:
        return
    tables = {"run", "env", *(entry.name for entry in entries)}
    unknown = [key for key in section if key not in tables]
    if unknown:
        known = tables.union(*map(_fields, entries))
        undefined = [key for key in unknown if key not in known]
        if undefined:
            raise UnknownNameError(where, undefined[0], known)
