"""Studies end to end: they find what is better, say so only where fresh seeds do, and survive being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import optuna
import pytest

LAB = Path(__file__).with_name("tune_lab.py")
SMALL = ("--seeds", "0:2", "--judge-seeds", "10:14", "--eval-episodes", "1", "--judge-episodes", "1")
HILL = (
    "tune", "hill", "CartPole-v1", "--metric", "height", "--param", "x=0.01:0.6:log", "--param", "n=1:40:log",
    "--study", "s", *SMALL,
)  # fmt: skip


def words(*args: object) -> list[str]:
    return [sys.executable, "-m", "zoo.cli.main", "--plugin", str(LAB), *map(str, args)]


def environment() -> dict[str, str]:
    chosen = "zoo-core,zoo-envs,zoo-reload,zoo-tune"
    return {**os.environ, "ZOO_PLUGINS": chosen, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}


def zoo(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(*args), capture_output=True, text=True, timeout=300, check=False, cwd=cwd, env=environment()
    )


def trials(folder: Path) -> list[tuple[Any, ...]]:
    """Parameters, state, value and intermediate values of each trial that counts."""
    study = optuna.load_study(study_name="zoo", storage=f"sqlite:///{folder / 'study.db'}")
    kept = [trial for trial in study.trials if "abandoned" not in trial.user_attrs]
    return [(trial.params, trial.state.name, trial.value, trial.intermediate_values) for trial in kept]


@pytest.mark.slow
def test_a_study_finds_better_options_and_fresh_seeds_say_so(tmp_path: Path) -> None:
    done = zoo(*HILL, "--trials", 25, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    found = trials(tmp_path / "s")
    assert found[0][0] == {"x": 0.05, "n": 4}  # the preset is the first trial
    assert told["trials"] == len(found) == 25
    states = [state for _, state, _, _ in found]
    assert (told["pruned"], told["failed"]) == (states.count("PRUNED"), states.count("FAIL"))
    assert told["pruned"] > 0 and all(x["x"] > 0.45 for x, state, _, _ in found if state == "FAIL")
    best = max((value, params["x"]) for params, state, value, _ in found if state == "COMPLETE")
    assert told["best"]["value"] == best[0] > found[0][2]
    verdict = told["verdict"]
    assert verdict["answer"] == "better" and verdict["low"] > 0
    assert [len(verdict[name]) for name in ("preset", "tuned")] == [4, 4]
    # the preset that was written is what was judged
    text = (tmp_path / "s/preset.toml").read_text()
    assert verdict["sentence"] in text
    section = tomllib.loads(text)["CartPole-v1"]["hill"]
    assert (section["x"], section["n"]) == (told["best"]["params"]["x"], told["best"]["params"]["n"])
    again = zoo("train", "hill", "CartPole-v1", "--preset", "s/preset.toml", "--dry-run", "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["config"]["x"] == section["x"]
    assert json.loads(again.stdout)["origins"]["x"] == "preset"


@pytest.mark.slow
def test_killed_at_any_moment_the_study_is_the_uninterrupted_one(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    args = (*HILL, "--set", "sleep=0.02", "--trials", 8, "--no-judge")
    assert zoo(*args, cwd=tmp_path / "whole").returncode == 0
    for _ in range(3):
        process = subprocess.Popen(
            words(*args), cwd=tmp_path / "killed", env=environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(4.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = zoo(*args, cwd=tmp_path / "killed")
    assert done.returncode == 0, done.stderr
    whole, killed = trials(tmp_path / "whole/s"), trials(tmp_path / "killed/s")
    assert len(whole) == 8
    assert [one[:3] for one in killed] == [one[:3] for one in whole]


def test_constraints_come_before_the_metric(tmp_path: Path) -> None:
    """With few steps a larger step size earns more by breaking the constraint: it may not be the best."""
    done = zoo(
        "tune", "reload", "two-state", "--param", "eta=0.02:2:log", "--steps", 20, "--trials", 8, "--study", "s",
        "--no-judge", "--seeds", "0", "--eval-episodes", 1, "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["metric"] == "constraints/value"
    study = optuna.load_study(study_name="zoo", storage=f"sqlite:///{tmp_path / 's/study.db'}")
    kept = [trial.value for trial in study.trials if trial.user_attrs["violation"] <= 0.01]
    broken = [trial.value for trial in study.trials if trial.user_attrs["violation"] > 0.01]
    assert kept and max(broken) > max(kept)
    assert told["best"]["feasible"] and told["best"]["value"] == max(kept)


@pytest.mark.slow
def test_further_trials_go_on_and_the_same_command_does_nothing_more(tmp_path: Path) -> None:
    assert zoo(*HILL, "--trials", 3, "--no-judge", cwd=tmp_path).returncode == 0
    first = trials(tmp_path / "s")
    again = zoo(*HILL, "--trials", 3, "--no-judge", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "") and trials(tmp_path / "s") == first
    assert zoo(*HILL, "--trials", 5, "--no-judge", cwd=tmp_path).returncode == 0
    assert trials(tmp_path / "s")[:3] == first and len(trials(tmp_path / "s")) == 5


@pytest.mark.slow
def test_another_study_is_not_mixed_in(tmp_path: Path) -> None:
    assert zoo(*HILL, "--trials", 1, "--no-judge", cwd=tmp_path).returncode == 0
    other = zoo(*HILL, "--trials", 1, "--no-judge", "--steps", 50, cwd=tmp_path)
    assert other.returncode == 2 and "holds another study: its steps is 100, and 50 is asked for" in other.stderr
    (tmp_path / "s/study.json").unlink()
    other = zoo(*HILL, "--trials", 1, "--no-judge", cwd=tmp_path)
    assert other.returncode == 2 and "is the storage of another study" in other.stderr
    (tmp_path / "t").mkdir()
    (tmp_path / "t/study.db").write_text("no database, but long enough to look like one" * 20)
    (tmp_path / "t/study.json").write_text("no JSON")
    other = zoo(*HILL, "--study", "t", "--trials", 1, "--no-judge", cwd=tmp_path)
    assert other.returncode == 2 and "expected the definition of a study" in other.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["hill", "CartPole-v1", "--seeds", "0:3", "--judge-seeds", "2:9"], "seed 2 is to tune on and to judge on"),
        (["hill", "CartPole-v1", "--judge-seeds", "5,6"], "expected at least 3"),
        (["hill", "CartPole-v1", "--param", "y=1:2"], "no option to tune called 'y'"),
        (["hill", "CartPole-v1", "--set", "y=1"], "no option of hill called 'y'"),
        (["hill", "CartPole-v1", "--trails", "3"], "did you mean --trials"),
        (["hil", "CartPole-v1"], "did you mean hill"),
        (["reload", "CartPole-v1", "--param", "eta=1:2"], "reload needs an environment with"),
        (["hill", "CartPole-v1", "--preset", "none.toml"], "there is no preset none.toml"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(args: list[str], said: str, tmp_path: Path) -> None:
    done = zoo("tune", *args, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_space_can_be_listed(tmp_path: Path) -> None:
    told = json.loads(zoo("tune", "hill", "CartPole-v1", "--list", "--json", cwd=tmp_path).stdout)
    assert told["space"]["n"] == {"low": 1, "high": 16, "log": True, "whole": True}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_workers_share_the_seeds_and_find_the_same(tmp_path: Path) -> None:
    told = []
    for name, jobs in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        done = zoo(*HILL, "--trials", 2, "--jobs", jobs, "--json", cwd=tmp_path / name)
        assert done.returncode == 0, done.stderr
        told.append((json.loads(done.stdout), trials(tmp_path / name / "s")))
    (one, alone), (two, shared) = told
    assert [trial[:3] for trial in shared] == [trial[:3] for trial in alone]
    assert two["verdict"] == one["verdict"]
    assert not any(intermediate for *_, intermediate in shared)  # nothing to prune by
