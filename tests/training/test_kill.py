"""A run killed at random moments and resumed each time equals one that was never disturbed.

``ZOO_TEST_KILLS`` sets how often each run is killed; without it those that import torch at every start are killed once.
"""

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
from zoo.training.storage import checkpoint
from zoo.training.storage.run_dir import find_runs

ZOO = [sys.executable, "-m", "zoo.cli.main"]
CASES = {
    "reload": ["reload", "constrained-catch", "--steps", "600", "--tol", "1e-16", "--checkpoint-every", "50"],
    "ppo": ["ppo", "CartPole-v1", "--steps", "4000", "--checkpoint-every", "256", "--eval-every", "1000"],
    "sac": ["sac", "Pendulum-v1", "--steps", "600", "--checkpoint-every", "50", "--learning-starts", "200"],
}
KILLS = {case: int(os.environ.get("ZOO_TEST_KILLS", "3" if case == "reload" else "1")) for case in CASES}


def command(case: str, root: Path) -> list[str]:
    return [*ZOO, "train", *CASES[case], "--eval-episodes", "3", "--dir", str(root), "--json"]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_killed_at_random_moments_equals_undisturbed(case: str, tmp_path: Path) -> None:
    subprocess.run(command(case, tmp_path / "whole"), check=False, capture_output=True, timeout=300)
    (whole,) = find_runs(tmp_path / "whole")
    length = (whole / "metrics.jsonl").stat().st_size
    chance = random.Random(20 + len(case))
    kills = 0
    for share in sorted(chance.uniform(0.02, 0.98) for _ in range(KILLS[case])):
        process = subprocess.Popen(
            command(case, tmp_path / "torn"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and written(tmp_path / "torn") < share * length:
            time.sleep(0.001)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills >= KILLS[case] / 2, "too few kills fell into the run to test anything"
    done = subprocess.run(command(case, tmp_path / "torn"), check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 3), done.stderr
    (torn,) = find_runs(tmp_path / "torn")
    assert json.dumps(logged(torn)) == json.dumps(logged(whole))
    assert (torn / "eval.jsonl").read_bytes() == (whole / "eval.jsonl").read_bytes()
    last = checkpoint.steps(whole / "checkpoints")[-1]
    files = [root / "checkpoints" / f"step-{last:012d}" / checkpoint.TENSORS for root in (torn, whole)]
    assert files[0].read_bytes() == files[1].read_bytes()


def written(root: Path) -> int:
    """Bytes of metrics so far."""
    return sum((run / "metrics.jsonl").stat().st_size for run in find_runs(root) if (run / "metrics.jsonl").exists())
