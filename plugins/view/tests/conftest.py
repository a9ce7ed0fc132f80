from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo


def command(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``zoo ARGS`` in a process of its own."""
    words = [sys.executable, "-m", "zoo.cli.main", *map(str, args)]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=300, check=False, cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planner in four rooms, a table with a constraint, and a network on CartPole, each trained for a moment."""
    root = tmp_path_factory.mktemp("runs")
    zoo.train("frp", "four-rooms", root=root, eval_episodes=2)
    zoo.train("reload", "hazard-grid", root=root, steps=20, eval_episodes=2)
    zoo.train("ppo-native", "cart-pole", root=root, steps=256, eval_episodes=2)
    zoo.train("reload", "garnet", root=root, steps=10, eval_episodes=0)
    return root
