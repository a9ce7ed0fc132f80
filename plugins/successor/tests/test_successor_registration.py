"""What the plugin tells the registry, and that saying so loads nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
import zoo_successor

from zoo.api import Offers, unmet
from zoo.discovery.presets import Preset, load_preset
from zoo.discovery.registration import Registrar

ALGORITHMS = {"sarsa", "frp", "value-iteration", "gpi", "lambda-q", "mvt"}


def entries():
    registrar = Registrar("zoo-successor", "0.1.0")
    zoo_successor.zoo_register(registrar)
    return {(entry.kind, entry.name): entry for entry in registrar.entries}


def test_everything_resolves_and_its_defaults_are_accepted():
    found = entries()
    assert {("representation", name) for name in ("sr", "fr", "lambda")} <= found.keys()
    assert {("algorithm", name) for name in ALGORITHMS} <= found.keys()
    assert {("evaluator", name) for name in ("diminishing-value", "goals")} <= found.keys()
    for (kind, _), entry in found.items():
        entry.resolve()
        assert kind == "command" or entry.resolve_config()()


def test_only_sarsa_and_the_tables_do_without_a_model():
    offers, found = Offers(action="discrete", observation="discrete"), entries()
    for name in ALGORITHMS:
        assert unmet(found["algorithm", name].needs, offers) == ([] if name == "sarsa" else ["an exact tabular model"])
    assert unmet(found["representation", "sr"].needs, offers) == []


@pytest.mark.parametrize(
    ("preset", "env", "expected"),
    [
        ("fr", "riverswim", {"alpha": 0.25, "eta": 0.05, "gamma_rep": 0.99, "beta": 1.0, "epsilon": 0.05}),
        ("count-based", "riverswim", {"alpha": 0.25, "eta": 0.01, "gamma_rep": 0.95, "beta": 100.0, "epsilon": 0.1}),
        ("count-based", "sixarms", {"alpha": 0.5, "eta": 0.25, "gamma_rep": 0.99, "beta": 1e4, "epsilon": 0.01}),
    ],
)
def test_presets_are_the_settings_of_the_two_codes(preset, env, expected):
    assert load_preset(entries()["algorithm", "sarsa"], env, preset) == Preset(options=expected, run={"steps": 5000})


def test_tables_take_sixteen_copies():
    assert load_preset(entries()["representation", "fr"], "four-rooms", "") == Preset(run={"num_envs": 16})


def test_registration_and_options_load_no_numerical_library():
    code = (
        "import sys, zoo_successor, zoo_successor.config, zoo_successor.deep.config; "
        "print([m for m in ('numpy', 'scipy', 'gymnasium', 'torch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_suites_name_cells_and_claims_that_fit():
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import find_suites

    from zoo import discover

    registry = discover()
    for name in ("fr", "lambda-r"):
        suite = resolve_suite(find_suites(registry)[name].load(), registry)
        assert len(suite.claims) > 20
        assert any(cell.quick for cell in suite.cells)
