"""Closed terminals, impatient people and full disks."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import zoo
from tests.rows import logged
from zoo.training.request import MOST_SEEDS, parse_seeds
from zoo.training.storage import checkpoint
from zoo.training.storage.run_dir import find_runs

ZOO = [sys.executable, "-m", "zoo.cli.main"]
COMMAND = ["train", "gda", "two-state", "--steps", "2000000", "--eval-episodes", "1", "--checkpoint-every", "1h"]


def hear_hangups() -> None:
    """As from a terminal, even if the tests run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def started(*more: str, cwd: Path, seeds: int = 1, **options: object) -> subprocess.Popen[str]:
    """A command that trains, once every seed has logged something."""
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": hear_hangups}
    process = subprocess.Popen(
        [*ZOO, *COMMAND, *more], cwd=cwd, text=True, start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        **{**defaults, **options},  # type: ignore[call-overload]
    )  # fmt: skip
    while sum(bool((run / "metrics.jsonl").exists()) for run in find_runs(cwd)) < seeds:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.3)
    return process


def states(cwd: Path) -> set[str]:
    return {json.loads((run / "status.json").read_text())["state"] for run in find_runs(cwd)}


@pytest.mark.parametrize(
    ("number", "jobs"), [(signal.SIGHUP, 1), (signal.SIGHUP, 2), (signal.SIGTERM, 2), (signal.SIGINT, 2)]
)
def test_a_signal_to_all_processes_of_a_command_saves(tmp_path: Path, number: int, jobs: int) -> None:
    process = started("--seeds", f"0:{jobs}", "--jobs", str(jobs), "--quiet", cwd=tmp_path, seeds=jobs)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert states(tmp_path) == {"interrupted"}
    for run in find_runs(tmp_path):
        (step,) = checkpoint.steps(run / "checkpoints")
        assert logged(run)[-1]["step"] == step


def test_a_closed_terminal_saves(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = started(cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.close(ours)  # what it writes from now on is an error
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(timeout=120) == 129
    assert states(tmp_path) == {"interrupted"}


def test_under_nohup_a_hangup_changes_nothing(tmp_path: Path) -> None:
    process = started("--quiet", cwd=tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    os.killpg(process.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None and states(tmp_path) == {"running"}
    process.terminate()
    assert process.communicate(timeout=120)[1] == "" and process.returncode == 143


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_impatient_second_interrupt_ends_at_once_without_a_traceback(tmp_path: Path, jobs: int) -> None:
    process = started("--seeds", f"0:{jobs}", "--jobs", str(jobs), "--quiet", cwd=tmp_path, seeds=jobs)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    done = zoo(*COMMAND, "--quiet", "--time-limit", "0.1s", "--seeds", f"0:{jobs}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
from zoo.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_log_that_cannot_be_written_is_one_sentence_and_can_be_resumed(tmp_path: Path) -> None:
    command = [
        "train",
        "gda",
        "two-state",
        "--steps",
        "3000",
        "--eval-episodes",
        "1",
        "--checkpoint-every",
        "500",
        "--quiet",
    ]
    full = subprocess.run(
        [sys.executable, "-c", LIMITED, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert full.returncode == 1 and "Traceback" not in full.stderr
    assert "metrics.jsonl cannot be written: File too large." in full.stderr
    assert states(tmp_path) == {"failed"}
    (run,) = find_runs(tmp_path)
    assert (run / "metrics.jsonl").read_bytes().endswith(b"}\n")  # not even a part of the line
    assert zoo(*command, cwd=tmp_path).returncode == 3
    assert zoo(*command, "--dir", "whole", cwd=tmp_path).returncode == 3
    (whole,) = find_runs(tmp_path / "whole")
    assert logged(run) == logged(whole)


@pytest.mark.parametrize(
    "text",
    [
        "0:1e10", "0:10000000000", "0:100001", "5:999999999999999999", "0:" + "9" * 5000, "9" * 5000, "3:1", "1e3",
        "-1:3", "", "²",
    ],
)  # fmt: skip
def test_seeds_beyond_reason_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="seeds") as raised:
        parse_seeds(text)
    assert len(str(raised.value)) < 200


def test_seeds_within_reason_are_taken() -> None:
    assert len(parse_seeds(f"7:{MOST_SEEDS + 7}")) == MOST_SEEDS
    assert parse_seeds("3,1,3,123456789012345678") == (3, 1, 123456789012345678)
