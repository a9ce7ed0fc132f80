"""A run knows its input files by their content: it never goes on with another file under the same name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.cli.command import zoo_here
from zoo.tabular import TabularCMDP


def write(path: Path, reward: float) -> None:
    P = np.tile(np.eye(2), (2, 1, 1))
    TabularCMDP(P=P, r=np.array([[0.0, reward], [1.0, 0.0]]), gamma=0.9, rho=np.array([1.0, 0.0])).save(path)


def train(folder: Path, path: str, *args: str) -> int:
    options = ("--env.path", path, "--steps", "5", "--eval-episodes", "2", "--quiet", "--dir", "../runs", *args)
    return zoo_here("train", "value-iteration", "tabular", *options, cwd=folder).returncode


def test_a_changed_file_is_refused_and_another_run_for_the_command(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    write(here / "model.json", 0.5)
    assert train(here, "model.json") in (0, 3)
    (run,) = tmp_path.glob("runs/*/*/*/seed-0")
    spec = json.loads((run / "spec.json").read_text())
    assert spec["env_config"]["path"] == str((here / "model.json").resolve())
    assert spec["files"].keys() == {"env.path"}
    assert train(there, "../here/model.json") in (0, 3)  # the same file by another path
    assert list(tmp_path.glob("runs/*/*/*/seed-0")) == [run]
    write(here / "model.json", 0.75)
    for command in (("eval", str(run), "return"), ("train", "--resume", str(run), "--steps", "9")):
        done = zoo_here(*command)
        assert done.returncode == 1
        assert f"{here / 'model.json'}, which this run reads, has changed since it began." in done.stderr
    assert train(here, "model.json") in (0, 3)
    assert len(list(tmp_path.glob("runs/*/*/*/seed-0"))) == 2
    (here / "model.json").unlink()
    assert "cannot be read: No such file or directory." in zoo_here("eval", str(run), "return").stderr


def test_runs_without_files_keep_their_keys() -> None:
    from zoo.training.storage.spec import RunSpec

    spec = RunSpec(algorithm="a/b", kind="algorithm", plugin_version="0.1.0", environment="gym:CartPole-v1", steps=9)
    assert spec.key == "5e22589004"
