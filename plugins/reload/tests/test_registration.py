"""What the plugin tells the registry, and that saying so loads nothing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
from importlib import resources

import zoo_reload
from zoo_envs_plugin import TABLE

from zoo.api import Offers, unmet
from zoo.discovery.registration import Registrar


def entries():
    registrar = Registrar("zoo-reload", "0.1.0")
    zoo_reload.zoo_register(registrar)
    return {entry.name: entry for entry in registrar.entries}


def test_all_algorithms_resolve():
    found = entries()
    exact = ["reload", "gda", "alternating", "average", "rpgpd", "pid", "augmented-lagrangian"]
    sampled = ["reload-ppo", "ppo-lagrangian", "ppo-pid", "crpo", "focops", "cpo"]
    assert list(found) == [*exact, *sampled, "reload-sac", "sac-lagrangian"]
    for entry in found.values():
        entry.resolve()
        config = entry.resolve_config()
        assert config.__dataclass_params__.frozen
        config()
        assert entry.steps == (3000 if entry.name in exact else 800_000 if entry.name in sampled else 50_000)


def test_an_ordinary_environment_is_refused_for_what_it_lacks():
    offers = Offers(action="discrete", observation="box")
    assert unmet(entries()["reload"].needs, offers) == ["constraints", "an exact tabular model"]
    assert unmet(entries()["reload-ppo"].needs, offers) == ["constraints"]
    assert unmet(entries()["reload-sac"].needs, offers) == ["box actions", "constraints"]


def test_presets_name_known_environments_algorithms_and_fields():
    text = resources.files("zoo_reload").joinpath("presets/default.toml").read_text(encoding="utf-8")
    presets = tomllib.loads(text)
    found = entries()
    fields = {name: {f.name for f in dataclasses.fields(entry.resolve_config())} for name, entry in found.items()}
    assert presets.keys() <= {row.name for row in TABLE}
    for table in presets.values():
        common = {key: value for key, value in table.items() if not isinstance(value, dict)}
        assert common.keys() <= set().union(*fields.values())
        for name, entry in found.items():
            own = table.get(name, {})
            assert own.keys() <= fields[name]
            chosen = {key: value for key, value in {**common, **own}.items() if key in fields[name]}
            entry.resolve_config()(**chosen)
        assert {key for key, value in table.items() if isinstance(value, dict)} <= found.keys()
        assert "gda" not in table
        assert "reload" not in table


def test_registration_and_options_load_no_numerical_library():
    code = (
        "import sys, zoo_reload, zoo_reload.config; "
        "print([m for m in ('numpy', 'scipy', 'gymnasium', 'torch', 'cvxpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
