"""What is told of runs by their files alone."""

from __future__ import annotations

import datetime
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from zoo_view.standings import Standing, standings

import zoo
from plugins.view.tests.conftest import command


@pytest.fixture
def going(runs: Path, tmp_path: Path) -> Path:
    """A run that says it is running: half of its budget is used, at 50 steps a second."""
    (run,) = zoo.open_runs(runs / "hazard-grid")
    folder = tmp_path / run.path.relative_to(runs)
    shutil.copytree(run.path, folder)
    (folder / "metrics.jsonl").write_text(
        '{"step":6,"wall":1.0,"episode/return":1.0}\n{"step":8,"wall":1.04,"eval/return":3.0}\n'
        '{"step":10,"wall":1.08,"episode/return":2.0}\n{"step":12,"wa'
    )
    write_status(folder, seconds_ago=1)
    return tmp_path


def write_status(folder: Path, *, seconds_ago: float, state: str = "running") -> None:
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
    (folder / "status.json").write_text(json.dumps({"state": state, "step": 6, "time": then.isoformat()}))
    (folder / "lock").write_text(json.dumps({"pid": 1, "host": "another"}))  # whose processes nobody here can see


def test_rate_time_left_and_newest_return_are_those_of_the_log(going: Path) -> None:
    (standing,) = standings(going)
    assert (standing.status, standing.step, standing.steps) == ("running", 10, 20)
    assert standing.rate == pytest.approx(4 / 0.08) and standing.seconds_left == pytest.approx(10 / 50)
    assert standing.returned == 3.0  # of the evaluation, which comes before that of training


def test_a_run_without_a_sign_of_life_is_silent_and_has_no_time_left(going: Path) -> None:
    (run,) = zoo.open_runs(going)
    write_status(run.path, seconds_ago=600)
    (standing,) = standings(going)
    assert (standing.status, standing.seconds_left) == ("silent", None)


def test_torn_and_strange_files_are_no_reason_to_fail(going: Path) -> None:
    (run,) = zoo.open_runs(going)
    (run.path / "metrics.jsonl").unlink()
    os.mkfifo(run.path / "metrics.jsonl")  # would block whoever opened it
    (standing,) = standings(going)
    assert (standing.rate, standing.step) == (None, 6)
    (run.path / "status.json").write_text("{")
    assert Standing.of(zoo.Run(run.path, run.spec)).status == "new"


def test_into_a_pipe_it_prints_once(runs: Path, tmp_path: Path) -> None:
    done = command("watch", runs, cwd=tmp_path)
    assert done.returncode == 0 and "4 finished" in done.stdout
    lines = done.stdout.splitlines()
    assert " ".join(lines[0].split()) == "algorithm environment seed status progress steps steps/s left return"
    assert [line.split()[:5] for line in lines if "frp" in line] == [["frp", "four-rooms", "0", "finished", "100%"]]


def test_as_json(runs: Path, tmp_path: Path) -> None:
    told = json.loads(command("watch", runs, "--json", cwd=tmp_path).stdout)["runs"]
    (planner,) = [run for run in told if run["algorithm"] == "frp"]
    assert (planner["status"], planner["returned"]) == ("finished", 1.0)


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    for args, said in (
        (["nowhere"], "nowhere does not exist"),
        ([".", "--once"], "is not a run, and has none beneath it"),
    ):
        done = command("watch", *args, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr


@pytest.mark.slow
def test_on_a_terminal_it_is_live_until_interrupted(going: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.cli.main", "watch", str(going), "--every", "1"],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    try:
        deadline = time.monotonic() + 60
        while b"1 running" not in seen and time.monotonic() < deadline:
            seen += os.read(ours, 4096)
        (run,) = zoo.open_runs(going)
        write_status(run.path, seconds_ago=0, state="failed")
        while b"1 failed" not in seen and time.monotonic() < deadline:
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(ours)
    assert b"1 running" in seen and b"1 failed" in seen
