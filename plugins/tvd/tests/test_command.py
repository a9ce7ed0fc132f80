"""The command line, end to end; kill and resume; bad input in one sentence, status 2, nothing written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli.main import main

LINE = ["train", "tvd", "tvd-grid", "--env.transform", "shear", "--episodes", "60", "--num-envs", "60"]


def test_train_and_judge(tmp_path: Path, capsys: Any) -> None:
    line = ["train", "tvd-transition", "tvd-grid", "--env.transform", "rot90", "--dir", str(tmp_path), "--quiet"]
    assert main(line) == 0
    (run,) = zoo.open_runs([tmp_path]).runs
    assert main(["eval", str(run.path), "transfer", "--json"]) == 0
    capsys.readouterr()
    (found,) = zoo.open_runs([tmp_path]).runs
    scores = found.evaluations["transfer"]["scores"]
    assert scores["return"] >= 0.97
    assert scores["recovered"] >= 0.95
    assert scores["error"] <= 0.05
    assert scores["imitation"] <= 1e-9
    assert scores["unmodified"] == 1


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    line = [*LINE, "--starts", "2", "--iterations", "12", "--checkpoint-every", "1200", "--quiet"]
    assert main([*line, "--dir", str(tmp_path / "whole")]) in (0, 3)
    command = [sys.executable, "-m", "zoo.cli.main", *line, "--dir", str(tmp_path / "cut")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list((tmp_path / "cut").rglob("manifest.json"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (cut,) = zoo.open_runs([tmp_path / "cut"]).runs
    assert cut.status not in ("converged", "not_converged")  # killed before its end
    assert main([*line, "--dir", str(tmp_path / "cut")]) in (0, 3)
    rows = [
        [
            {key: value for key, value in row.items() if key != "wall"}
            for row in zoo.open_runs([tmp_path / name]).runs[0].rows
        ]
        for name in ("whole", "cut")
    ]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["tvd", "tvd-grid", "--env.transform", "rot9"], "transform"),
        (["tvd", "tvd-grid", "--cost", "states"], "--cost"),
        (["tvd", "tvd-grid", "--episodes", "0"], "episodes = 0: expected at least 1"),
        (["tvd", "tvd-grid", "--epsilon", "2"], "epsilon = 2.0"),
        (["tvd", "tvd-grid", "--source", "nowhere"], "there is no such file"),
        (["tvd", "tvd-grid", "--source", "nopackage:x.zip"], "no package nopackage"),
        (["tvd", "cart-pole-transformed"], "expected --source"),
        (["tvd", "FrozenLake-v1"], "box observation"),
        (["tvd", "tvd-grid", "--source", "zoo_tvd:policies/cartpole-v1.safetensors"], "with the same actions"),
        (
            ["tvd", "Acrobot-v1", "--source", "zoo_tvd:policies/acrobot-v1.safetensors"],
            "does not say what its source is",
        ),
        (["tvd", "tvd-grid", "--policy-term", "--behaviour", "uniform"], "policy_term needs behaviour"),
        (["tvd", "tvd-grid", "--policy-term"], "known and smooth"),
        (["tvd", "tvd-grid", "--policy-term", "--cost", "transition"], "policy_term needs cost = trajectory"),
        (["tvd", "tvd-grid", "--inner-rate", "inf"], "inner_rate = inf: expected a finite number above 0"),
        (["tvd-cloning", "tvd-grid", "--inner-rate", "inf"], "inner_rate = inf: expected a finite number above 0"),
        (
            [
                "tvd",
                "cart-pole-transformed",
                "--source",
                "zoo_tvd:policies/cartpole-v1.safetensors",
                "--bandwidth",
                "1",
            ],
            "bandwidth needs source = exact",
        ),
        (["tvd", "tvd-grid", "--lam-d", "inf"], "lam_d = inf: expected a finite number"),
        (["tvd-oracle", "CartPole-v1", "--source", "zoo_tvd:policies/cartpole-v1.safetensors"], "does not say"),
        (["tvd", "transformed", "--env.base", "os:x-v0", "--source", "exact"], "import a module"),
    ],
)
def test_bad_input_is_one_sentence(options: list[str], words: str, tmp_path: Path, capsys: Any) -> None:
    assert main(["train", *options, "--dir", str(tmp_path / "runs"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "runs").exists()


def test_a_source_of_other_actions_is_refused(tmp_path: Path, capsys: Any) -> None:
    line = ["train", "ppo-native", "CartPole-v1", "--steps", "256", "--n-steps", "64", "--batch-size", "64", "--quiet"]
    assert main([*line, "--dir", str(tmp_path)]) == 0
    (run,) = zoo.open_runs([tmp_path]).runs
    capsys.readouterr()
    assert main(["train", "tvd", "tvd-grid", "--source", str(run.path), "--dir", str(tmp_path / "other")]) == 2
    assert "expected the same actions" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_registration_loads_no_numerical_library() -> None:
    code = (
        "import sys, json, zoo_tvd, zoo_tvd.config; "
        "print(json.dumps([m for m in ('numpy', 'scipy', 'gymnasium', 'torch', 'ot') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
