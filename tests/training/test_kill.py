"""A run killed at random moments and resumed each time equals one that was never disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rows import logged
from zoo.training import checkpoint
from zoo.training.run import find_runs

ZOO = [sys.executable, "-m", "zoo.cli.main"]
CASES = {
    "reload": ["reload", "three-state", "--steps", "1500", "--checkpoint-every", "50"],
    "ppo": ["ppo", "CartPole-v1", "--steps", "4000", "--checkpoint-every", "256", "--eval-every", "1000"],
    "sac": ["sac", "Pendulum-v1", "--steps", "600", "--checkpoint-every", "50", "--learning-starts", "200"],
}
KILLS = int(os.environ.get("ZOO_TEST_KILLS", "3"))


def command(case: str, root: Path) -> list[str]:
    return [*ZOO, "train", *CASES[case], "--eval-episodes", "3", "--dir", str(root), "--json"]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_killed_at_random_moments_equals_undisturbed(case: str, tmp_path: Path) -> None:
    start = time.monotonic()
    subprocess.run(command(case, tmp_path / "whole"), check=False, capture_output=True, timeout=300)
    whole_seconds = time.monotonic() - start
    (whole,) = find_runs(tmp_path / "whole")
    chance = random.Random(20 + len(case))
    for _ in range(KILLS):
        process = subprocess.Popen(
            command(case, tmp_path / "torn"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=chance.uniform(0.3, 0.9) * whole_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    done = subprocess.run(command(case, tmp_path / "torn"), check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 3), done.stderr
    (torn,) = find_runs(tmp_path / "torn")
    assert len(json.loads((torn / "env.json").read_text())) > 1, "no kill fell into the run: nothing was tested"
    assert json.dumps(logged(torn)) == json.dumps(logged(whole))
    assert (torn / "eval.jsonl").read_bytes() == (whole / "eval.jsonl").read_bytes()
    last = checkpoint.steps(whole / "checkpoints")[-1]
    files = [root / "checkpoints" / f"step-{last:012d}" / checkpoint.TENSORS for root in (torn, whole)]
    assert files[0].read_bytes() == files[1].read_bytes()
