"""Every preset that a plugin ships must fit the options it is for."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from zoo.discovery.config import decode_fields
from zoo.discovery.entry import Entry
from zoo.discovery.presets import load_preset
from zoo.discovery.registry import Registry
from zoo.testing.contract import Contract

_RUN = {"steps", "num_envs"}


def check_presets(contract: Contract, entry: Entry, registry: Registry) -> None:
    """Load each preset for each environment it names.

    Raises:
        AssertionError: naming the file and environment whose values do not fit.
    """
    if not entry.presets:
        return
    package, _, folder = entry.presets.partition(":")
    with contract.during(f"finding its presets {entry.presets!r}"):
        found = [item for item in files(package).joinpath(folder).iterdir() if item.name.endswith(".toml")]
    cls = entry.resolve_config()
    configured = {env.name: env for env in registry.entries("environment") if env.config}
    for file in found:
        preset = file.name.removesuffix(".toml")
        with contract.during(f"reading preset {file.name}"):
            environments = tomllib.loads(file.read_text(encoding="utf-8"))
        for env in environments:
            with contract.during(f"preset {preset!r} for {env}"):
                loaded = load_preset(entry, env, preset)
                if cls is not None:
                    decode_fields(cls, loaded.options)
                known = configured[env].resolve_config() if env in configured else None
                if known is not None:
                    decode_fields(known, loaded.env, where=f"option of {env}")
            unknown = sorted(set(loaded.run) - _RUN)
            contract.require(
                not unknown, f"preset {preset!r} for {env} has run.{', run.'.join(unknown)}: expected steps or num_envs"
            )
