"""What a plugin registers: light to import, and presets that fit the options they are for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.resources import files

from zoo.discovery.config import decode_fields
from zoo.discovery.presets import load_preset
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.testing.contract import Contract

HEAVY = ("numpy", "torch", "gymnasium", "scipy", "sympy", "matplotlib", "stable_baselines3", "cvxpy")
_IMPORT_SCRIPT = """
import importlib, importlib.util, json, sys
source, heavy, *modules = json.loads(sys.argv[1])
if source.endswith(".py"):
    name = modules[0]
    spec = importlib.util.spec_from_file_location(name, source)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
found = {}
for module in modules:
    importlib.import_module(module)
    found[module] = sorted(set(heavy) & set(sys.modules))
print(json.dumps(found))
"""


def check_light(contract: Contract, entry: Entry, registry: Registry) -> None:
    """Import the registration module, then that of the options, in a fresh interpreter; nothing heavy may follow.

    Raises:
        AssertionError: naming the module and what it loads.
    """
    sources = [plugin.source for plugin in registry.plugins if entry in plugin.entries]
    contract.require(sources, "it is in no plugin of the registry")
    source = sources[0]
    registration = entry.plugin if source.endswith(".py") else source.partition(":")[0]
    modules = [registration, *([entry.config.partition(":")[0]] if entry.config else [])]
    request = json.dumps([source, HEAVY, *dict.fromkeys(modules)])
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", _IMPORT_SCRIPT, request]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    contract.require(done.returncode == 0, f"{', '.join(modules)} cannot be imported in a fresh process: {last[0]}")
    for module, loaded in json.loads(done.stdout).items():
        contract.require(
            not loaded,
            f"importing {module} loads {', '.join(loaded)}: registration and options must be light; import heavy "
            "modules in the module of the target",
        )


def check_presets(contract: Contract, entry: Entry, registry: Registry) -> None:
    """Load each preset for each environment it names.

    Raises:
        AssertionError: naming the file and environment whose values do not fit.
    """
    if not entry.presets:
        return
    package, _, folder = entry.presets.partition(":")
    with contract.during(f"finding its presets {entry.presets!r}"):
        presets = [item for item in files(package).joinpath(folder).iterdir() if item.name.endswith(".toml")]
    cls = entry.resolve_config()
    configured = {env.name: env for env in registry.entries("environment") if env.config}
    siblings = [other for other in registry.entries("algorithm", "representation") if other.plugin == entry.plugin]
    for file in presets:
        preset = file.name.removesuffix(".toml")
        with contract.during(f"reading preset {file.name}"):
            environments = tomllib.loads(file.read_text(encoding="utf-8"))
        for env in environments:
            with contract.during(f"preset {preset!r} for {env}"):
                loaded = load_preset(entry, env, preset, siblings)
                if cls is not None:
                    decode_fields(cls, loaded.options)
                known = configured[env].resolve_config() if env in configured else None
                if known is not None:
                    decode_fields(known, loaded.env, where=f"option of {env}")
