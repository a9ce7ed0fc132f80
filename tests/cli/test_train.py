from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import zoo, zoo_here
from tests.rows import logged
from zoo.training.storage.run_dir import find_runs


def train(root: Path, *args: str) -> dict[str, object]:
    done = zoo_here("train", *args, "--dir", str(root), "--json")
    document: dict[str, object] = json.loads(done.stdout)
    return {**document, "status": done.returncode, "stderr": done.stderr}


def test_reload_reaches_the_exact_optimum_and_says_so(tmp_path: Path) -> None:
    result = train(tmp_path, "reload", "two-state")
    assert result["status"] == 0
    (run,) = result["runs"]  # type: ignore[misc]
    assert set(run) >= {"path", "seed", "status", "steps", "metrics"}
    assert {"gap", "kkt", "err", "oscillation"} <= set(run["metrics"])
    assert run["metrics"]["oscillation"] <= 1e-5
    assert run["metrics"]["err"] <= 1e-9
    assert run["metrics"]["value/reward"] == pytest.approx(0.5, abs=1e-9)  # J* = 1 - theta


def test_plain_gradient_descent_ascent_is_reported_as_not_converged(tmp_path: Path) -> None:
    result = train(tmp_path, "gda", "two-state", "--steps", "1000")
    assert result["status"] == 3
    (run,) = result["runs"]  # type: ignore[misc]
    assert run["outcome"] == "not_converged"
    assert run["metrics"]["oscillation"] > 1e-2


def test_an_infeasible_problem_ends_and_names_the_constraint(tmp_path: Path) -> None:
    result = train(tmp_path, "reload", "constrained-catch", "--env.theta", "0.9", "--steps", "400")
    assert result["status"] == 3
    (run,) = result["runs"]  # type: ignore[misc]
    assert run["outcome"] == "infeasible_suspected"
    assert "0.125" in run["message"]  # least achievable violation: 0.9 - 0.774922


def test_seeds_in_workers_equal_seeds_in_one_process(tmp_path: Path) -> None:
    args = ["gda", "three-state", "--steps", "100", "--seeds", "0:3"]
    zoo_here("train", *args, "--dir", str(tmp_path / "a"))
    zoo("train", *args, "--dir", str(tmp_path / "b"), "--jobs", "2")
    lines = [[logged(run) for run in find_runs(tmp_path / folder)] for folder in ("a", "b")]
    assert len(lines[0]) == 3
    for one, other in zip(*lines, strict=True):
        assert [row["step"] for row in one] == [row["step"] for row in other]
        assert one[0]["err"] == pytest.approx(other[0]["err"], abs=1e-9)


def test_interrupting_saves_and_the_same_command_finishes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo.cli.main", "train", "gda", "constrained-catch", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for_metrics(tmp_path)
    process.send_signal(signal.SIGINT)
    shown = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "The same command continues" in shown
    (run,) = find_runs(tmp_path)
    assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
    done = zoo("train", "--resume", str(run), "--time-limit", "1s")
    assert "continued from step" in done.stderr
    assert done.returncode in (0, 3)


def test_terminating_the_parent_of_workers_saves_each(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "zoo.cli.main", "train", "gda", "constrained-catch", "--dir", str(tmp_path),
        "--seeds", "0:2", "--jobs", "2",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_metrics(tmp_path, count=2)
    process.terminate()
    assert process.wait(timeout=60) == 143
    for run in find_runs(tmp_path):
        assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
        assert not (run / "lock").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="process groups as on POSIX")
def test_workers_of_a_killed_parent_save_and_end(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "zoo.cli.main", "train", "gda", "constrained-catch", "--dir", str(tmp_path),
        "--seeds", "0:2", "--jobs", "2", "--steps", "100000",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_metrics(tmp_path, count=2)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    runs = list(find_runs(tmp_path))
    while any((run / "lock").exists() for run in runs):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)
    states = {json.loads((run / "status.json").read_text())["state"] for run in runs}
    assert states == {"interrupted"}


def wait_for_metrics(root: Path, count: int = 1) -> None:
    deadline = time.monotonic() + 60
    while sum(bool(logged(run)) for run in find_runs(root)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_dry_run_shows_where_values_come_from_and_writes_nothing(tmp_path: Path) -> None:
    args = ["train", "reload", "two-state", "--eta", "3", "--seeds", "0:2", "--dry-run"]
    done = zoo(*args, cwd=tmp_path)
    assert done.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert rows["eta"] == ["cli", "3.0"]
    assert rows["eta_mu"][0] == "preset"
    assert rows["check_every"][0] == "default"
    assert "seed-1" in done.stdout
    assert list(tmp_path.iterdir()) == []
    spec = json.loads(zoo(*args, "--json", cwd=tmp_path).stdout)
    assert spec["origins"]["eta"] == "cli"


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    first = train(tmp_path, "reload", "two-state")
    again = train(tmp_path, "reload", "two-state")
    assert first["runs"] == again["runs"]


def test_a_read_only_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a directory is expected")
    done = zoo("train", "reload", "two-state", "--dir", str(tmp_path / "runs"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_ppo_learns_cartpole_and_another_process_evaluates_it(tmp_path: Path) -> None:
    """A policy that was not trained keeps the pole up for 20 steps; what a full budget learns is in suite control."""
    result = train(tmp_path, "ppo", "CartPole-v1", "--steps", "8000", "--seed", "11")
    (run,) = result["runs"]  # type: ignore[misc]
    assert run["metrics"]["eval/return"] >= 50
    done = zoo("eval", run["path"], "return", "--json")
    assert done.returncode == 0, done.stderr
    (evaluation,) = json.loads(done.stdout)["evaluations"]
    assert evaluation["scores"]["return"] >= 50
