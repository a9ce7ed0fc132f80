"""No process of zoo imports what merely lies in the current directory; workers find what their parent found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("zoo")
HOSTILE = "import os; open(os.environ['OWNED'], 'a').write(__name__); raise RuntimeError('not the module you wanted')\n"
NAMES = ["pluggy", "numpy", "zoo_reload", "signal", "random", "json", "gymnasium", "zoo", "safetensors", "threading"]
SUITE = """
[suite]
title = "two"
[[cells]]
label = "gda"
algorithm = "gda"
environment = "two-state"
steps = 50
seeds = [0, 1]
eval_episodes = 0
"""
PLUGIN = """
from dataclasses import dataclass
from zoo import Algorithm, hookimpl

@dataclass(frozen=True, kw_only=True)
class Config:
    size: int = 1
    \"\"\"size\"\"\"

class Counter(Algorithm):
    def update(self):
        self.env_steps += self.config.size
        return {"n": self.env_steps}
    def act(self, obs, *, greedy=True): return [0] * len(obs)
    def state(self): return {}
    def load_state(self, state): pass

@hookimpl
def zoo_register(zoo):
    zoo.algorithm("counter", "my:Counter", config="my:Config", summary="counts", steps=20)
"""
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="zoo is not installed as a script")


def run(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return subprocess.run(
        [str(SCRIPT), *args], cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env={**clean, "OWNED": str(folder / "owned"), **env},
    )  # fmt: skip


@pytest.mark.parametrize(
    "args",
    [
        ["train", "gda", "two-state", "--steps", "50", "--eval-episodes", "0", "--seeds", "0:2", "--jobs", "2"],
        ["bench", "two.toml"], ["bench", "two.toml", "--jobs", "2"], ["list"],
        ["train", "gda", "two-state", "--dry-run"],
    ],
)  # fmt: skip
def test_a_module_in_the_folder_is_not_imported(args: list[str], tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    (tmp_path / "two.toml").write_text(SUITE)
    done = run(tmp_path, *args)
    assert done.returncode in (0, 3), done.stderr
    assert not (tmp_path / "owned").exists()
    assert "not the module you wanted" not in done.stderr


@pytest.mark.parametrize("from_where", ["own folder", "elsewhere"])
def test_a_plugin_that_is_a_file_works_with_workers(from_where: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "my.py").write_text(PLUGIN)
    folder, file = (tmp_path / "there", "my.py") if from_where == "own folder" else (tmp_path, "there/my.py")
    done = run(folder, "--plugin", file, "train", "counter", "CartPole-v1", "--seeds", "0:2", "--jobs", "2",
               "--eval-episodes", "1", "--quiet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("runs/*/*/*/*/status.json"))) == 2


def test_workers_get_the_path_of_their_parent(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "place.py").write_text(
        "import gymnasium\ngymnasium.register('Own-v0', entry_point='gymnasium.envs.classic_control:CartPoleEnv', "
        "max_episode_steps=50)\n"
    )
    (tmp_path / "my.py").write_text(PLUGIN)
    for path in ("there", str(tmp_path / "there")):
        done = run(tmp_path, "--plugin", "my.py", "train", "counter", "place:Own-v0", "--seeds", "0:2", "--jobs", "2",
                   "--eval-episodes", "1", "--quiet", "--resume", "never", PYTHONPATH=path)  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_a_module_that_leaves_when_it_is_imported_does_not_take_the_workers_along(tmp_path: Path) -> None:
    (tmp_path / "leaver.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "my.py").write_text(PLUGIN.replace('"my:Counter"', '"leaver:Counter"'))
    done = run(tmp_path, "--plugin", "my.py", "train", "counter", "CartPole-v1", "--seeds", "0:2", "--jobs", "2",
               "--quiet", PYTHONPATH=str(tmp_path))  # fmt: skip
    assert done.returncode == 1
    assert "algorithm 'counter' of plugin file my cannot be loaded from 'leaver:Counter': SystemExit: 0" in done.stderr
    assert "Traceback" not in done.stderr
