"""Output that nobody reads, or that cannot be written, ends a command quietly, blames no plugin, and loses no run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.training.storage.run_dir import find_runs

ZOO = [sys.executable, "-m", "zoo.cli.main"]
PLUGIN = """
import gymnasium
from zoo import hookimpl

class Talking(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(2), gymnasium.spaces.Discrete(2)
    def __init__(self, render_mode=None): self.t = 0
    def reset(self, *, seed=None, options=None): super().reset(seed=seed); print("reset", flush=True); return 0, {}
    def step(self, action): self.t += 1; print("step", flush=True); return 0, 1.0, self.t % 3 == 0, False, {}

gymnasium.register("Talking-v0", entry_point=Talking)

@hookimpl
def zoo_register(zoo):
    zoo.command("follow", "talking:follow", summary="talks")
def follow(args, options):
    while True:
        print("line")
"""


def unread(*args: str, cwd: Path, both: bool = False) -> tuple[int, str]:
    """Status and standard error of a command whose standard output, or both, lead to a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*ZOO, *args], cwd=cwd, stdout=writing, stderr=writing if both else subprocess.PIPE, text=True
    )
    os.close(writing)
    err = process.communicate(timeout=120)[1]
    return process.returncode, err or ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin and a run."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "talking.py").write_text(PLUGIN)
    train = ["train", "gda", "two-state", "--steps", "20", "--eval-episodes", "0", "--quiet", "--dir", "run"]
    assert subprocess.run([*ZOO, *train], cwd=folder, capture_output=True, check=False).returncode == 3
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "--help", "", "list", "list --json", "plugins", "show run", "show run --json", "train --help",
        "train reload --help", "table run", "eval run return --episodes 1", "train gda two-state --dry-run",
        "--plugin talking.py follow",
    ],
)  # fmt: skip
def test_a_closed_pipe_ends_quietly(line: str, folder: Path) -> None:
    assert unread(*line.split(), cwd=folder) == (141, "")
    assert unread(*line.split(), cwd=folder, both=True)[0] == 141


@pytest.mark.parametrize("line", ["list", "list --json", "train reload --help", "table run", "show run"])
def test_a_full_disk_is_one_sentence(line: str, folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*ZOO, *line.split()], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "zoo: the output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("line", ["list", "show run", "train gda two-state --dir elsewhere --steps 20"])
def test_closed_descriptors_are_no_error(line: str, folder: Path) -> None:
    script = f"exec {sys.executable} -m zoo.cli.main {line} >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], cwd=folder, check=False).returncode in (0, 3)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_training_goes_on_whoever_prints(jobs: str, folder: Path, tmp_path: Path) -> None:
    talking = ["--plugin", str(folder / "talking.py"), "train", "sarsa", "Talking-v0", "--trust", "--steps", "60"]
    status, _ = unread(*talking, "--seeds", "0:2", "--jobs", jobs, "--eval-episodes", "2", cwd=tmp_path, both=True)
    assert status == 0
    states = [json.loads((run / "status.json").read_text()) for run in find_runs(tmp_path)]
    assert [(state["state"], state["step"]) for state in states] == [("finished", 60)] * 2
