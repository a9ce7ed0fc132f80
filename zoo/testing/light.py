"""Registration and options must cost next to nothing: names are cheap, code is late."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from zoo.discovery.entry import Entry
from zoo.discovery.registry import Registry
from zoo.testing.contract import Contract

HEAVY = ("numpy", "torch", "gymnasium", "scipy", "sympy", "matplotlib", "stable_baselines3", "cvxpy")
_LOOK = """
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
    command = [sys.executable, "-c", _LOOK, request]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    contract.require(done.returncode == 0, f"{', '.join(modules)} cannot be imported in a fresh process: {last[0]}")
    for module, loaded in json.loads(done.stdout).items():
        contract.require(
            not loaded,
            f"importing {module} loads {', '.join(loaded)}: registration and options must be light; import heavy "
            "modules in the module of the target",
        )
