"""What the plugin tells the registry, that saying so loads nothing, and the command line from end to end."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tomllib
from importlib import resources

import pytest
import zoo_composite_rm
from zoo_envs.composite.oracle import utility
from zoo_envs_plugin import TABLE

from zoo.cli.main import main
from zoo.discovery.registration import Registrar

FIVE = ["ppo-sum", "ppo-sat", "mu-ppo", "xi-ppo", "all-ppo"]


def entries():
    registrar = Registrar("zoo-composite-rm", "0.1.0")
    zoo_composite_rm.zoo_register(registrar)
    return {entry.name: entry for entry in registrar.entries}


def test_everything_resolves_and_needs_constraints():
    found = entries()
    assert {*FIVE, "composite"} <= found.keys()
    for name in FIVE:
        entry = found[name]
        assert entry.resolve() and entry.needs.constraints
        assert entry.resolve_config()().kl_coef == (0.0 if name == "ppo-sat" else 0.2)


def test_presets_name_real_options_and_environments():
    text = resources.files("zoo_composite_rm").joinpath("presets/default.toml").read_text(encoding="utf-8")
    found = entries()
    fields = {name: {f.name for f in dataclasses.fields(found[name].resolve_config())} for name in FIVE}
    for env, table in tomllib.loads(text).items():
        assert env in {row.name for row in TABLE}
        for name in FIVE:
            own = {key: value for key, value in table.items() if not isinstance(value, dict)} | table.get(name, {})
            assert own.keys() <= fields[name]
            found[name].resolve_config()(**own)


def test_registration_and_options_load_no_numerical_library():
    code = (
        "import sys, zoo_composite_rm, zoo_composite_rm.config; "
        "print([m for m in ('numpy', 'scipy', 'gymnasium', 'torch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def zoo(*args, cwd):
    return subprocess.run([sys.executable, "-m", "zoo.cli.main", *args], capture_output=True, text=True, cwd=cwd)


def test_the_command_line_from_training_to_judgement(tmp_path):
    short = ("--steps", "1024", "--num-envs", "32", "--dir", "runs", "--quiet", "--thresholds", "r2", "0.4")
    done = zoo("train", "xi-ppo", "tiny-composite", *short, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = next((tmp_path / "runs").rglob("metrics.jsonl")).read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, metrics) if "loss/policy" in row]
    last = rows[-1]
    assert len(rows) == 4
    assert (last["threshold/r1"], last["threshold/r2"]) == (0.4555, 0.4)
    assert {"kl", "evaluation/estimate", "multiplier/r1", "weight/r2", "violation/r1", "saturated"} <= last.keys()
    assert main(["eval", str(tmp_path / "runs"), "composite"]) == 0
    scores = json.loads(next((tmp_path / "runs").rglob("evaluations/composite.json")).read_text("utf-8"))["scores"]
    assert scores.keys() == {"value/r1", "value/r2", "kl", "kl_projection", "evaluation"}
    assert 0 < scores["kl_projection"] <= scores["kl"] < 0.5
    assert scores["evaluation"] == float(utility(scores["value/r1"], scores["value/r2"], scores["kl"]))


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (("--thresholds", "r_2", "0.4"), 2, "zoo: no reward model called 'r_2': did you mean r2"),
        (("--thresholds", "r2", "nan"), 2, "zoo: thresholds['r2'] = nan: expected a finite number"),
        (("--thresholds", "r1", "1.2", "--steps", "256"), 3, "'r1' == 1.2 is outside the possible scores, [0, 1]."),
    ],
)
def test_bad_thresholds_are_one_sentence_and_a_status(args, status, words, tmp_path, capsys):
    where = ("--num-envs", "32", "--dir", str(tmp_path), "--quiet")
    assert main(["train", "xi-ppo", "tiny-composite", *args, *where]) == status
    said = capsys.readouterr()
    assert words in said.out + said.err
