"""``module:Id-v0`` from the current folder: only under ``--trust``, with its options in the help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_current_directory import SCRIPT, run

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="zoo is not installed as a script")

WALK = """
import gymnasium

class Walk(gymnasium.Env):
    def __init__(self, length: int = 4, slip: float = 0.0):
        self.length = length
        self.observation_space, self.action_space = gymnasium.spaces.Discrete(length), gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = 0
        return 0, {}

    def step(self, action):
        self.position += int(action) if self.position + action < self.length else 0
        ended = self.position == self.length - 1
        return self.position, float(ended), ended, False, {}

gymnasium.register("Walk-v0", entry_point=Walk, max_episode_steps=20)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own_walk.py").write_text(WALK)
    return tmp_path


def test_it_is_imported_under_trust_alone(folder: Path) -> None:
    words = (
        "train",
        "sarsa",
        "own_walk:Walk-v0",
        "--env.length",
        "5",
        "--steps",
        "200",
        "--seeds",
        "0:2",
        "--jobs",
        "2",
    )
    refused = run(folder, *words)
    assert refused.returncode == 2 and "no module 'own_walk' is installed" in refused.stderr
    assert "zoo train ALGORITHM own_walk:Walk-v0 --trust" in refused.stderr
    assert not (folder / "runs").exists()
    trained = run(folder, *words, "--trust", "--quiet")
    assert trained.returncode == 0, trained.stderr
    judged = run(folder, "eval", "runs", "return", "--trust")
    assert judged.returncode == 0 and judged.stdout.count("\n") >= 3
    assert run(folder, "eval", "runs", "return").returncode != 0


def test_what_lies_here_hides_nothing_that_is_installed(folder: Path) -> None:
    (folder / "json.py").write_text("raise RuntimeError('not the module you wanted')")
    assert run(folder, "train", "sarsa", "own_walk:Walk-v0", "--trust", "--dry-run").returncode == 0


def test_help_has_its_options(folder: Path) -> None:
    shown = run(folder, "train", "sarsa", "own_walk:Walk-v0", "--trust", "--help")
    assert "--env.length             a whole number          (default: 4)" in shown.stdout
    wrong = run(folder, "train", "sarsa", "own_walk:Walk-v0", "--trust", "--env.lenght", "3")
    assert wrong.returncode == 2 and "did you mean --env.length" in wrong.stderr


def test_what_is_nowhere_is_not_looked_for(tmp_path: Path) -> None:
    told = run(tmp_path, "train", "sarsa", "nowhere:Walk-v0")
    assert told.returncode == 2 and "--trust" not in told.stderr
